// SPDX-License-Identifier: Apache-2.0
// Stands in for verilated_alu.cpp where there is no Verilator.
#include "rtl_alu.h"

namespace wse::cosim {

std::unique_ptr<RtlAlu> make_rtl_alu(std::uint32_t) { return nullptr; }

}  // namespace wse::cosim
