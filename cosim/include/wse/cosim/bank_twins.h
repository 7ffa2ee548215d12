// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wse/cosim/twin_kind.h"
#include "wse/memory/bank_core.h"
#include "wse/memory/bank_twin.h"

namespace wse::cosim {

/// What a bank is told before its first clock.
struct BankSetup {
  std::uint32_t words = 0;   ///< that are used
  std::uint32_t mutant = 0;  ///< a planted fault; 0: none
  bool checked = false;  ///< outputs must not move without a clock: a base::TwinError if they do
};

/// RTL of an SRAM bank that can stand in for the model.
struct BankTwinKind : TwinKind {
  std::function<std::unique_ptr<memory::BankTwin>(const BankSetup&)> make;
};

/// Those that were built in. Without Verilator there are none.
const std::vector<BankTwinKind>& bank_twins();
/// Throws ConfigError for `what`, naming those that there are, or why there are none.
const BankTwinKind& bank_twin(const std::string& name, const std::string& what);

/// Words of a bank of this SRAM.
std::uint32_t words_of_bank(const memory::SramConfig& config);
/// Twins for all banks of a tile; throws ConfigError if their size is not that of the banks.
std::vector<std::unique_ptr<memory::BankTwin>> make_bank_twins(const BankTwinKind& kind,
                                                               const memory::SramConfig& config,
                                                               BankSetup setup);

}  // namespace wse::cosim
