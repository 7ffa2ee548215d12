// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/bank_twins.h"

#include <fmt/format.h>

#include "rtl_twins.h"

namespace wse::cosim {

const std::vector<BankTwinKind>& bank_twins() { return rtl_twins().banks; }

const BankTwinKind& bank_twin(const std::string& name, const std::string& what) {
  return find_twin(bank_twins(), "sram", name, what);
}

std::uint32_t words_of_bank(const memory::SramConfig& config) {
  return static_cast<std::uint32_t>((config.size_bytes / 8 + config.banks / 2 - 1) /
                                    (config.banks / 2));
}

std::vector<std::unique_ptr<memory::BankTwin>> make_bank_twins(const BankTwinKind& kind,
                                                               const memory::SramConfig& config,
                                                               BankSetup setup) {
  setup.words = words_of_bank(config);
  if (setup.words > kind.size) {
    throw base::ConfigError("rtl:" + kind.name, fmt::format("{} words a bank", kind.size),
                            fmt::format("is too small: {} bytes in {} banks (tile.sram) need {}",
                                        config.size_bytes, config.banks, setup.words));
  }
  std::vector<std::unique_ptr<memory::BankTwin>> banks;
  for (std::uint32_t b = 0; b < config.banks; ++b) banks.push_back(kind.make(setup));
  return banks;
}

}  // namespace wse::cosim
