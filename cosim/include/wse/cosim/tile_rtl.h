// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "wse/base/vcd_source.h"
#include "wse/cosim/twin_kind.h"
#include "wse/fabric/ramp_pins.h"

namespace wse::cosim {

/// The pins of a tile that is RTL, by the contract of docs/cosim.md. Knows nothing of programs, and
/// of SystemC, which the headers of Verilator do not allow.
class TileRtl : public base::Traceable {
 public:
  enum class Write : std::uint8_t { kMemory, kCode, kRegister, kInput, kOutput, kTiming, kLaunch };
  enum class Probe : std::uint8_t { kMemory, kCounter };

  virtual fabric::RampPins outputs() const = 0;
  virtual void clock(const fabric::RampPins& from_router) = 0;
  virtual void write(Write kind, std::uint32_t address, std::uint32_t value) = 0;
  virtual std::uint32_t probe(Probe kind, std::uint32_t address) const = 0;
  virtual bool busy() const = 0;
  virtual bool finished() const = 0;
  virtual bool fault() const = 0;
};

/// RTL of a tile that can stand in for the model; its size is in words of memory.
struct TileTwinKind : TwinKind {
  std::function<std::unique_ptr<TileRtl>(std::uint32_t mutant, bool checked)> make;
};

}  // namespace wse::cosim
