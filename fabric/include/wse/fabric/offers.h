// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "wse/base/random.h"
#include "wse/base/units.h"

namespace wse::fabric {

/// Independent offers: each of `senders` sources offers with the same probability in each cycle.
/// Draws the gaps between offers in the sequence of all (cycle, sender) pairs, so that the cost is
/// one draw an offer whatever the probability, and what comes next is known.
class Offers {
 public:
  Offers(double probability, std::uint64_t senders, std::uint64_t seed);

  /// Of the next offer.
  base::Cycles cycle() const { return cycle_; }
  std::uint64_t sender() const { return sender_; }
  void next();

 private:
  /// Binary digits of a geometric variable are independent: digit k is 1 with the chance
  /// q^(2^k) / (1 + q^(2^k)). Thresholds of 32 bits make the draw equal on every machine.
  std::uint64_t gap();

  static constexpr unsigned kDigits = 48;
  std::array<std::uint32_t, kDigits> thresholds_{};  ///< 0 beyond digits_
  unsigned digits_ = 0;
  const std::uint64_t senders_;
  base::Random random_;
  base::Cycles cycle_ = 0;
  std::uint64_t sender_ = 0;
};

}  // namespace wse::fabric
