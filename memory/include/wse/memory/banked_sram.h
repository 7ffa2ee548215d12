// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "wse/base/units.h"
#include "wse/memory/bank_core.h"
#include "wse/memory/bank_twin.h"
#include "wse/memory/tile_sram.h"

namespace wse::memory {

/// The SRAM of one tile as single-ported banks with pins, each a twin: what its compute engine loads
/// and stores goes through them, an access a bank and clock.
///
/// The loads of a step are made in the clocks that BankCore gives it. Stores wait in a queue of their bank, from which loads are
/// answered too (forwarding), and leave in clocks in which their bank is not loaded from. A load
/// that found no clock within its step is made in a later one and counted as late: BankCore would
/// have promised what single-ported banks cannot give.
class BankedSram final : public TileSram {
 public:
  /// Of the run: what comes before the first begin() or after settle() does not count.
  struct Stats {
    std::uint64_t loads = 0;   ///< of words
    std::uint64_t stores = 0;  ///< of words or parts of them
    std::uint64_t late = 0;    ///< loads that BankCore has given no clock
    std::size_t deepest = 0;   ///< stores that waited at a bank, the most
  };

  /// One twin a bank of `config`; stores zero in every word.
  BankedSram(const SramConfig& config, std::vector<std::unique_ptr<BankTwin>> banks);

  void begin(base::Cycles cycle, unsigned cycles) override;
  /// Throws base::TwinError if a bank does not answer.
  void load(std::uint64_t address, std::uint32_t bytes, void* to) override;
  void store(std::uint64_t address, std::uint32_t bytes, const void* from) override;
  void settle() override;

  const Stats& stats() const { return stats_; }

 private:
  struct Store {
    base::Cycles from;  ///< not before
    BankPins::Inputs inputs;
  };
  struct Bank {
    std::unique_ptr<BankTwin> twin;
    base::Cycles now = 0;  ///< cycle of the next edge
    std::deque<Store> waiting;
    base::Cycles loaded_in = ~base::Cycles{0};  ///< step of the last load
    std::uint32_t loaded_from = 0;
    std::uint32_t loaded = 0;
  };
  struct Place {
    std::uint32_t bank;
    std::uint32_t word;
  };
  Place place_of(std::uint64_t address) const;
  void move_on(Bank& bank, base::Cycles cycle);
  void store_oldest(Bank& bank);
  std::uint32_t load_word(const Place& place);
  void store_word(const Place& place, std::uint32_t data, std::uint8_t bytes);

  const BankCore rules_;
  const std::uint32_t pairs_;
  std::vector<Bank> banks_;
  base::Cycles cycle_ = 0;
  base::Cycles end_ = 1;
  bool counts_ = false;
  Stats stats_;
};

}  // namespace wse::memory
