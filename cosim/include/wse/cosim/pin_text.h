// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/fabric/ramp_pins.h"
#include "wse/fabric/router_twin.h"
#include "wse/memory/bank_twin.h"

namespace wse::cosim {

/// What pins carry, in a line; empty if nothing.
std::string text_of(const fabric::RouterPins& pins);
std::string text_of(const fabric::RampPins& pins);
std::string text_of(const memory::BankPins::Inputs& pins);
std::string text_of(const memory::BankPins::Outputs& pins);

}  // namespace wse::cosim
