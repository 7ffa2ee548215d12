// SPDX-License-Identifier: Apache-2.0
#include "router_record.h"

namespace wse::cosim {

using fabric::kNumColors;
using fabric::kNumPorts;
using fabric::LinkPins;
using fabric::RouterPins;

namespace {

/// First bit of each pin.
constexpr std::size_t kValid = 0;
constexpr std::size_t kData = kValid + kNumPorts;
constexpr std::size_t kColor = kData + 32 * kNumPorts;
constexpr std::size_t kControl = kColor + 5 * kNumPorts;
constexpr std::size_t kAdvance = kControl + kNumPorts;
constexpr std::size_t kCredit = kAdvance + kNumPorts;
static_assert(kCredit + kNumColors * kNumPorts == 8 * std::tuple_size<RouterRecord>::value,
              "the pins fill the record");

void put(RouterRecord& record, std::size_t bit, std::uint32_t value) {
  std::uint64_t word = std::uint64_t{value} << bit % 8;
  for (std::size_t byte = bit / 8; word != 0; ++byte, word >>= 8) {
    record[byte] = static_cast<std::uint8_t>(record[byte] | (word & 0xff));
  }
}

std::uint32_t get(const RouterRecord& record, std::size_t bit, std::size_t width) {
  std::uint64_t word = 0;
  const std::size_t first = bit / 8;
  for (std::size_t byte = first; byte <= (bit + width - 1) / 8; ++byte) {
    word |= std::uint64_t{record[byte]} << 8 * (byte - first);
  }
  return static_cast<std::uint32_t>(word >> bit % 8 & ((std::uint64_t{1} << width) - 1));
}

}  // namespace

RouterRecord record_of(const RouterPins& pins) {
  RouterRecord record{};
  for (std::size_t p = 0; p < kNumPorts; ++p) {
    put(record, kCredit + kNumColors * p, pins.credits[p]);
    const LinkPins& link = pins.links[p];
    if (!link.valid) continue;
    put(record, kValid + p, 1);
    put(record, kData + 32 * p, link.wavelet.data);
    put(record, kColor + 5 * p, link.wavelet.color);
    put(record, kControl + p, link.wavelet.control ? 1 : 0);
    put(record, kAdvance + p, link.wavelet.advance ? 1 : 0);
  }
  return record;
}

RouterPins pins_of(const RouterRecord& record) {
  RouterPins pins;
  for (std::size_t p = 0; p < kNumPorts; ++p) {
    pins.credits[p] = get(record, kCredit + kNumColors * p, kNumColors);
    LinkPins& link = pins.links[p];
    link.valid = get(record, kValid + p, 1) != 0;
    if (!link.valid) continue;
    link.wavelet.data = get(record, kData + 32 * p, 32);
    link.wavelet.color = static_cast<std::uint8_t>(get(record, kColor + 5 * p, 5));
    link.wavelet.control = get(record, kControl + p, 1) != 0;
    link.wavelet.advance = get(record, kAdvance + p, 1) != 0;
  }
  return pins;
}

}  // namespace wse::cosim
