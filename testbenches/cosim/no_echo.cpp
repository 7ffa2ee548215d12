// SPDX-License-Identifier: Apache-2.0
// Stands in for verilated_echo.cpp where there is no Verilator.
#include "rtl_echo.h"

namespace wse::cosim {

std::unique_ptr<RtlEcho> make_rtl_echo() { return nullptr; }

}  // namespace wse::cosim
