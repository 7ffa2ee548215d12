// SPDX-License-Identifier: Apache-2.0
#include "wse/memory/banked_sram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "wse/base/check.h"
#include "wse/base/twin_error.h"

namespace wse::memory {

using base::Cycles;

BankedSram::BankedSram(const SramConfig& config, std::vector<std::unique_ptr<BankTwin>> banks)
    : rules_(config), pairs_(config.banks / 2), banks_(banks.size()) {
  WSE_CHECK(banks.size() == config.banks, "a twin for each bank");
  for (std::size_t b = 0; b < banks.size(); ++b) banks_[b].twin = std::move(banks[b]);
  const std::uint32_t zero = 0;
  for (std::uint64_t address = 0; address < config.size_bytes; address += 4) {
    store(address, 4, &zero);
  }
  settle();
}

void BankedSram::begin(Cycles cycle, unsigned cycles) {
  WSE_CHECK(cycle >= cycle_, "a step of the past");
  cycle_ = cycle;
  end_ = cycle + cycles;
  counts_ = true;
}

BankedSram::Place BankedSram::place_of(std::uint64_t address) const {
  const std::uint64_t row = address / 8 / pairs_;  // a bank has a word of each turn of the pairs
  return {rules_.bank_of(address), static_cast<std::uint32_t>(row)};
}

/// Clocks without a load: stores that wait are made, then nothing happens.
void BankedSram::move_on(Bank& bank, Cycles cycle) {
  while (bank.now < cycle && !bank.waiting.empty()) {
    if (bank.waiting.front().from <= bank.now) {
      store_oldest(bank);
    } else {
      bank.now = std::min(cycle, bank.waiting.front().from);
    }
  }
  bank.now = std::max(bank.now, cycle);
}

void BankedSram::store_oldest(Bank& bank) {
  bank.twin->clock(bank.waiting.front().inputs);
  bank.waiting.pop_front();
  ++bank.now;
}

std::uint32_t BankedSram::load_word(const Place& place) {
  Bank& bank = banks_[place.bank];
  if (bank.loaded_in != cycle_ || bank.loaded_from != place.word) {
    move_on(bank, cycle_);
    if (counts_) {
      ++stats_.loads;
      stats_.late += bank.now >= end_ ? 1 : 0;
    }
    bank.twin->clock({true, false, place.word, 0, 0});
    ++bank.now;
    const BankPins::Outputs out = bank.twin->outputs();
    if (!out.valid) {
      throw base::TwinError(
          fmt::format("cycle {}: bank {} gives nothing the clock after a load of word {}", cycle_,
                      place.bank, place.word));
    }
    bank.loaded_in = cycle_;
    bank.loaded_from = place.word;
    bank.loaded = out.data;
  }
  std::uint32_t word = bank.loaded;
  for (const Store& store : bank.waiting) {  // the youngest last
    if (store.inputs.address != place.word) continue;
    for (std::uint32_t byte = 0; byte < 4; ++byte) {
      if ((store.inputs.bytes >> byte & 1) == 0) continue;
      const std::uint32_t mask = 0xffU << (8 * byte);
      word = (word & ~mask) | (store.inputs.data & mask);
    }
  }
  return word;
}

void BankedSram::store_word(const Place& place, std::uint32_t data, std::uint8_t bytes) {
  Bank& bank = banks_[place.bank];
  bank.waiting.push_back({cycle_ + 1, {true, true, place.word, data, bytes}});
  if (!counts_) return;
  ++stats_.stores;
  stats_.deepest = std::max(stats_.deepest, bank.waiting.size());
}

void BankedSram::load(std::uint64_t address, std::uint32_t bytes, void* to) {
  auto* out = static_cast<std::uint8_t*>(to);
  while (bytes != 0) {
    const auto first = static_cast<std::uint32_t>(address % 4);
    const std::uint32_t n = std::min(bytes, 4 - first);
    const std::uint32_t word = load_word(place_of(address)) >> (8 * first);
    std::memcpy(out, &word, n);
    address += n;
    out += n;
    bytes -= n;
  }
}

void BankedSram::store(std::uint64_t address, std::uint32_t bytes, const void* from) {
  const auto* in = static_cast<const std::uint8_t*>(from);
  while (bytes != 0) {
    const auto first = static_cast<std::uint32_t>(address % 4);
    const std::uint32_t n = std::min(bytes, 4 - first);
    std::uint32_t word = 0;
    std::memcpy(&word, in, n);
    store_word(place_of(address), word << (8 * first),
               static_cast<std::uint8_t>(((1U << n) - 1) << first));
    address += n;
    in += n;
    bytes -= n;
  }
}

void BankedSram::settle() {
  for (Bank& bank : banks_) {
    while (!bank.waiting.empty()) store_oldest(bank);
    bank.now = cycle_;
    bank.loaded_in = ~Cycles{0};
  }
  counts_ = false;
}

}  // namespace wse::memory
