// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/offers.h"

namespace wse::fabric {

Offers::Offers(double probability, std::uint64_t senders, std::uint64_t seed)
    : senders_(senders), random_(seed) {
  double power = 1.0 - probability;  // q^(2^k); multiplications only, exact on every machine
  while (digits_ < kDigits && power > 1e-18) {
    thresholds_[digits_++] = static_cast<std::uint32_t>(power / (1.0 + power) * 0x1p32);
    power *= power;
  }
  const std::uint64_t first = gap();
  cycle_ = first / senders_;
  sender_ = first % senders_;
}

std::uint64_t Offers::gap() {
  std::uint64_t gap = 0;
  for (unsigned k = 0; k < digits_; k += 2) {
    const std::uint64_t dice = random_.next();
    gap |= std::uint64_t{static_cast<std::uint32_t>(dice) < thresholds_[k] ? 1U : 0U} << k;
    gap |= std::uint64_t{dice >> 32 < thresholds_[k + 1] ? 1U : 0U} << (k + 1);
  }
  return gap;
}

void Offers::next() {
  sender_ += gap() + 1;
  if (sender_ >= senders_) {
    cycle_ += sender_ / senders_;
    sender_ %= senders_;
  }
}

}  // namespace wse::fabric
