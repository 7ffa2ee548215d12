// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "wse/fabric/router_twin.h"

namespace wse::cosim {

/// The pins of a router in one direction and clock as the bits of a record: valid 5, data 5 x 32,
/// color 5 x 5, control 5, advance 5, credit 5 x 24, from bit 0 of byte 0 on.
using RouterRecord = std::array<std::uint8_t, 40>;

RouterRecord record_of(const fabric::RouterPins& pins);
fabric::RouterPins pins_of(const RouterRecord& record);

}  // namespace wse::cosim
