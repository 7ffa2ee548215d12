// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/vcd_source.h"

namespace wse::memory {

/// Pins of one single-ported SRAM bank, 32 bits wide, as seen between two clock edges.
struct BankPins {
  /// What the datapath drives.
  struct Inputs {
    bool enable = false;        ///< an access is made at the next edge
    bool write = false;         ///< store `data`; otherwise load
    std::uint32_t address = 0;  ///< index of the 32-bit word inside the bank
    std::uint32_t data = 0;     ///< word to store
    std::uint8_t bytes = 15;    ///< of it that are stored, as bits, the lowest byte first
  };
  /// What the bank drives.
  struct Outputs {
    std::uint32_t data = 0;  ///< word loaded at the last edge; meaningless unless valid
    bool valid = false;      ///< the last edge was a load

    friend bool operator==(const Outputs& a, const Outputs& b) {
      return a.valid == b.valid && (!a.valid || a.data == b.data);
    }
  };
};

/// One clock of one SRAM bank: a model in C++, verilated RTL or a remote simulator.
///
/// Outputs are functions of state only (a Moore machine), so an engine may read the outputs of all
/// twins before it clocks any of them, and the order of the twins cannot matter. A load at edge n
/// is seen in outputs() from then until edge n + 1; it sees all stores of edges before n. State
/// before the first clock is that after reset: not valid; a word that was never stored has no
/// defined contents.
class BankTwin : public base::Traceable {
 public:
  using Inputs = BankPins::Inputs;
  using Outputs = BankPins::Outputs;

  /// The pins driven by the bank now. Callable any number of times between two edges.
  virtual BankPins::Outputs outputs() const = 0;
  /// One rising edge with these inputs. An address past the end of the bank stores nothing and
  /// loads zero.
  virtual void clock(const BankPins::Inputs& inputs) = 0;

 protected:
  BankTwin() = default;
  BankTwin(const BankTwin&) = default;
  BankTwin& operator=(const BankTwin&) = default;
};

}  // namespace wse::memory
