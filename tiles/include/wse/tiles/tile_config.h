// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/config_errors.h"
#include "wse/base/units.h"

namespace wse::tiles {

/// Number format of a run: inputs and accumulation.
enum class Precision : std::uint32_t { kFp16, kMixed, kFp32 };

/// The compute engine of a tile, as far as the transaction level needs it. Defaults describe the
/// WSE-2.
struct TileConfig {
  std::uint32_t lanes_fp16 = 4;           ///< [lie2022] fp16 multiply-adds a cycle
  std::uint32_t lanes_mixed = 2;          ///< [rocki2020] fp16 multiply, fp32 add
  std::uint32_t lanes_fp32 = 1;           ///< [he2025]
  std::uint32_t vector_start_cycles = 1;  ///< A-007: wavelet decode and start of a vector operation
  std::uint32_t cache_bytes = 256;        ///< [lie2022] accumulators that fit cost no SRAM access
  base::Cycles layer_change_cycles =
      2'273'000;  ///< A-009: calibrated, new routes and programs, a visit of a layer
  base::Bytes code_bytes = 8192;  ///< A-010: SRAM for programs, scalars and what waits in streams
  std::uint32_t gradient_buffers = 2;  ///< A-011: items whose gradients wait on the wafer

  std::uint32_t lanes(Precision precision) const {
    switch (precision) {
      case Precision::kFp16:
        return lanes_fp16;
      case Precision::kMixed:
        return lanes_mixed;
      case Precision::kFp32:
        return lanes_fp32;
    }
    return 1;
  }
  void validate(base::ConfigErrors& errors) const;
};

/// Bits of an accumulator: fp32 but for pure fp16.
inline std::uint32_t sum_bits(Precision precision) {
  return precision == Precision::kFp16 ? 16 : 32;
}
/// Bits of a partial sum of a row between tiles.
inline std::uint32_t link_bits(Precision precision) {
  return precision == Precision::kFp32 ? 32 : 16;
}
/// Bytes of an input element.
inline std::uint32_t element_bytes(Precision precision) {
  return precision == Precision::kFp32 ? 4 : 2;
}

}  // namespace wse::tiles
