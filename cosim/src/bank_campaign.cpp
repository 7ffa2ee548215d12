// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "run_seeds.h"
#include "wse/base/random.h"
#include "wse/memory/bank_model.h"

namespace wse::cosim {

using memory::BankModel;
using memory::BankPins;
using memory::BankTwin;

namespace {

enum Bin : std::size_t {
  kStoreBytes,  ///< 15 patterns
  kNoBytes = kStoreBytes + 15,
  kLoadAfterStore,
  kStoreAfterLoad,
  kLoads,
  kStores,
  kSameAgain,
  kFirst,
  kLast,
  kStorePastEnd,
  kLoadPastEnd,
  kIdle,
  kIdleWrite,
  kIdleAfterLoad,
  kBins
};

std::vector<CoverageBin> bins() {
  std::vector<CoverageBin> all;
  for (unsigned bytes = 1; bytes < 16; ++bytes) {
    all.push_back({fmt::format("store of bytes {:04b}", bytes), 0});
  }
  for (const char* name :
       {"store of no byte", "load of the word just stored", "store to the word just loaded",
        "loads in a row", "stores in a row", "the same word loaded again", "first word",
        "last word", "store past the end", "load past the end", "nothing asked",
        "write without enable", "nothing asked after a load"}) {
    all.push_back({name, 0});
  }
  return all;
}

/// Accesses that meet each other: few addresses for a while, the ends often, and past them.
class Accesses {
 public:
  Accesses(std::uint32_t words, base::Random& random) : words_(words), random_(random) {}

  BankPins::Inputs next(std::uint64_t clock) {
    if (clock % 256 == 0) {
      near_ = static_cast<std::uint32_t>(random_.below(words_));
      busy_percent_ = random_.below(100) < 30 ? 100 : random_.below(100);
      store_percent_ = random_.below(100);
    }
    BankPins::Inputs in;
    in.enable = random_.below(100) < busy_percent_;
    in.write = random_.below(100) < store_percent_;
    in.address = address();
    in.data = static_cast<std::uint32_t>(random_.next());
    in.bytes = static_cast<std::uint8_t>(random_.below(16));
    return in;
  }

 private:
  std::uint32_t address() {
    const std::uint64_t choice = random_.below(100);
    if (choice < 60) return static_cast<std::uint32_t>((near_ + random_.below(4)) % words_);
    if (choice < 70) return choice % 2 == 0 ? 0 : words_ - 1;
    if (choice < 75) return words_ + static_cast<std::uint32_t>(random_.below(0x10000 - words_));
    return static_cast<std::uint32_t>(random_.below(words_));
  }

  const std::uint32_t words_;
  base::Random& random_;
  std::uint32_t near_ = 0;
  std::uint64_t busy_percent_ = 0, store_percent_ = 0;
};

/// Counts what happens to a bank.
class Observer {
 public:
  Observer(std::uint32_t words, std::vector<CoverageBin>& bins) : words_(words), bins_(bins) {}

  void see(const BankPins::Inputs& in) {
    const bool inside = in.address < words_;
    const bool same = last_.enable && in.address == last_.address;
    if (!in.enable) {
      hit(in.write ? kIdleWrite : kIdle);
      if (last_.enable && !last_.write) hit(kIdleAfterLoad);
    } else if (in.write) {
      hit(in.bytes == 0 ? kNoBytes : kStoreBytes + in.bytes - 1);
      if (!inside) hit(kStorePastEnd);
      if (last_.enable && last_.write) hit(kStores);
      if (same && !last_.write) hit(kStoreAfterLoad);
    } else {
      if (!inside) hit(kLoadPastEnd);
      if (last_.enable && !last_.write) hit(kLoads);
      if (same) hit(last_.write ? kLoadAfterStore : kSameAgain);
    }
    if (in.enable && in.address == 0) hit(kFirst);
    if (in.enable && in.address == words_ - 1) hit(kLast);
    last_ = in;
  }

 private:
  void hit(std::size_t bin) { ++bins_[bin].hits; }

  const std::uint32_t words_;
  std::vector<CoverageBin>& bins_;
  BankPins::Inputs last_;
};

}  // namespace

CampaignResult run_campaign(const BankTwinKind& kind, const Campaign& campaign) {
  CampaignResult result;
  result.coverage = bins();
  const std::uint32_t words = kind.size;
  run_seeds(campaign, result, [&](std::uint64_t seed, std::uint64_t cycles) {
    Lockstep<BankTwin, BankModel> bank(fmt::format("rtl:{}, seed {},", kind.name, seed),
                                       kind.make({words, campaign.mutant, true}),
                                       std::make_unique<BankModel>(words));
    for (std::uint32_t word = 0; word < words; ++word) bank.clock({true, true, word, 0, 15});
    base::Random random(seed);
    Accesses accesses(words, random);
    Observer observer(words, result.coverage);
    for (std::uint64_t clock = 0; clock < cycles; ++clock) {
      const BankPins::Inputs in = accesses.next(clock);
      observer.see(in);
      bank.clock(in);
      ++result.cycles;
      result.wavelets += in.enable ? 1 : 0;
    }
  });
  return result;
}

}  // namespace wse::cosim
