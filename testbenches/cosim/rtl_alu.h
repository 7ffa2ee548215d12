// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

namespace wse::cosim {

/// Operations of wse_alu, as its pin `op` counts them.
enum class AluOp : std::uint8_t { kMove, kAdd, kSub, kMul, kFma, kNegate };
inline constexpr std::uint32_t kNumAluOps = 6;
/// Faults that its pin `mutant` plants: 1 .. 8.
inline constexpr std::uint32_t kNumAluMutants = 8;

/// The arithmetic of the reference RTL. Numbers are bits of fp32.
class RtlAlu {
 public:
  virtual ~RtlAlu() = default;
  virtual std::uint32_t compute(AluOp op, std::uint32_t a, std::uint32_t b, std::uint32_t c) = 0;
};

/// wse_alu, Verilated; nothing if this program was built without Verilator.
std::unique_ptr<RtlAlu> make_rtl_alu(std::uint32_t mutant);

}  // namespace wse::cosim
