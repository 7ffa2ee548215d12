// SPDX-License-Identifier: Apache-2.0
#include "wse/memory/bank_core.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "wse/base/check.h"
#include "wse/base/random.h"

namespace wse::memory {
namespace {

constexpr BankAccess read64(std::uint64_t address) { return {address, AccessWidth::k64, false}; }
constexpr BankAccess write64(std::uint64_t address) { return {address, AccessWidth::k64, true}; }
constexpr BankAccess read32(std::uint64_t address) { return {address, AccessWidth::k32, false}; }
constexpr BankAccess write32(std::uint64_t address) { return {address, AccessWidth::k32, true}; }

std::vector<std::string> violated(const SramConfig& config) {
  base::ConfigErrors errors;
  config.validate("tile.sram", errors);
  std::vector<std::string> paths;
  for (const base::Violation& v : errors.violations()) paths.push_back(v.path);
  return paths;
}

TEST(SramConfigTest, DefaultsAreValidAndBoundariesAreLegal) {
  EXPECT_TRUE(violated({}).empty());
  EXPECT_TRUE(violated({8, 2, 1}).empty());
  EXPECT_TRUE(violated({16 << 20, 64, 1}).empty());
}

TEST(SramConfigTest, EveryViolationIsNamedAtOnce) {
  const std::vector<std::string> size{"tile.sram.size_bytes"};
  EXPECT_EQ(violated({0, 8, 1}), size);
  EXPECT_EQ(violated({12, 8, 1}), size);
  EXPECT_EQ(violated({(16 << 20) + 8, 8, 1}), size);
  const std::vector<std::string> banks{"tile.sram.banks"};
  for (const std::uint32_t n : {0U, 1U, 3U, 6U, 128U}) EXPECT_EQ(violated({1024, n, 1}), banks);
  EXPECT_EQ(violated({12, 3, 0}),
            (std::vector<std::string>{"tile.sram.size_bytes", "tile.sram.banks",
                                      "tile.sram.access_latency_cycles"}));
}

TEST(BankCoreTest, AnAlignedDoubleWordLiesInThePairOfBanksBAndBPlus4) {
  const BankCore core{SramConfig{}};
  for (std::uint64_t address = 0; address < 48 * 1024; address += 8) {
    ASSERT_EQ(core.bank_of(address) + 4, core.bank_of(address + 4));
    ASSERT_EQ(core.bank_of(address), address / 8 % 4);
  }
}

TEST(BankCoreTest, TwoReadsAndAWriteOnDistinctPairsTakeOneCycle) {
  BankCore core{SramConfig{}};
  EXPECT_EQ(core.cycles_of({read64(0), read64(8), write64(16)}), 1u);
  EXPECT_EQ(core.cycles_of({read32(4), read32(12), write32(24)}), 1u);
  EXPECT_EQ(core.cycles_of({}), 0u);
  EXPECT_EQ(core.counts(), (BankCounts{2, 1, 2, 1, 0}));
}

TEST(BankCoreTest, AccessesOfOnePairOrOnePortAreSerialised) {
  BankCore core{SramConfig{}};
  EXPECT_EQ(core.cycles_of({read64(0), read64(32)}), 2u);
  EXPECT_EQ(core.cycles_of({read64(0), read64(32), write64(64)}), 3u);
  EXPECT_EQ(core.cycles_of({read64(0), write64(0)}), 2u);
  EXPECT_EQ(core.cycles_of({write64(0), write64(8)}), 2u);
  EXPECT_EQ(core.cycles_of({write64(0), write64(8), write64(16)}), 3u);
  EXPECT_EQ(core.cycles_of({read64(0), read64(8), read64(16)}), 2u);
  EXPECT_EQ(core.counts().conflict_cycles, 1u + 2 + 1 + 1 + 2 + 1);
}

TEST(BankCoreTest, AnAccessAcrossAnEightByteBoundaryTakesTwoPairs) {
  BankCore core{SramConfig{}};
  EXPECT_EQ(core.cycles_of({read64(4)}), 1u);
  EXPECT_EQ(core.cycles_of({read64(4), read64(8)}), 2u);
  EXPECT_EQ(core.cycles_of({read64(4), read64(16), write64(24)}), 1u);
  EXPECT_EQ(core.cycles_of({read64(28), read64(32)}), 2u);  // the last pair and the first
  EXPECT_EQ(core.cycles_of({read32(6), read32(8)}), 2u);
}

TEST(BankCoreTest, TwoWordReadsShareACycleExactlyIfTheirBanksDifferModulo4) {
  BankCore core{SramConfig{}};
  for (std::uint64_t a = 0; a < 128; a += 4) {
    for (std::uint64_t b = 0; b < 128; b += 4) {
      const bool differ = core.bank_of(a) % 4 != core.bank_of(b) % 4;
      ASSERT_EQ(core.cycles_of({read32(a), read32(b)}), differ ? 1u : 2u) << a << ' ' << b;
    }
  }
}

TEST(BankCoreTest, MoreThanThreeAccessesAreABrokenInvariant) {
  BankCore core{SramConfig{}};
  EXPECT_THROW(core.cycles_of({read64(0), read64(8), read64(16), write64(24)}),
               base::InternalError);
  EXPECT_EQ(core.counts(), BankCounts{});
}

TEST(BankCoreTest, TakeReturnsTheCountsAndBeginsAgain) {
  BankCore core{SramConfig{}};
  core.cycles_of({read64(0), read64(32)});
  EXPECT_EQ(core.take(), (BankCounts{2, 0, 0, 0, 1}));
  EXPECT_EQ(core.counts(), BankCounts{});
}

TEST(BankCountsTest, SumsAddEveryField) {
  BankCounts sum{1, 2, 3, 4, 5};
  sum += BankCounts{10, 20, 30, 40, 50};
  EXPECT_EQ(sum, (BankCounts{11, 22, 33, 44, 55}));
  EXPECT_NE(sum, (BankCounts{11, 22, 33, 44, 54}));
}

TEST(BankCountsTest, ATransferCountsOneAccessPerStartedEightBytes) {
  for (std::uint64_t bytes = 0; bytes <= 64; ++bytes) {
    const BankCounts read = counts_of_transfer(false, bytes);
    EXPECT_EQ(read.reads64 + read.reads32, (bytes + 7) / 8) << bytes;
    EXPECT_EQ(read.reads32, bytes % 8 >= 1 && bytes % 8 <= 4 ? 1u : 0u) << bytes;
    const BankCounts write = counts_of_transfer(true, bytes);
    EXPECT_EQ(write, (BankCounts{0, read.reads64, 0, read.reads32, 0}));
  }
}

/// The rules once more, in words of single banks: every word an access touches keeps its bank and
/// the partner of that bank busy for the cycle.
bool legal_cycle(const std::vector<BankAccess>& together, std::uint32_t banks) {
  std::set<std::uint64_t> busy;
  std::size_t reads = 0;
  std::size_t writes = 0;
  for (const BankAccess& access : together) {
    ++(access.is_write ? writes : reads);
    std::set<std::uint64_t> mine;
    for (std::uint64_t byte = 0; byte < (access.width == AccessWidth::k64 ? 8U : 4U); ++byte) {
      const std::uint64_t low_bank = (access.address + byte) / 8 % (banks / 2);
      mine.insert({low_bank, low_bank + banks / 2});
    }
    for (const std::uint64_t bank : mine) {
      if (!busy.insert(bank).second) return false;
    }
  }
  return reads <= 2 && writes <= 1;
}

/// Least number of cycles over every assignment of accesses to cycles.
unsigned brute_force(const std::vector<BankAccess>& accesses, std::uint32_t banks) {
  const auto n = static_cast<unsigned>(accesses.size());
  for (unsigned cycles = 0;; ++cycles) {
    unsigned assignments = 1;
    for (unsigned i = 0; i < n; ++i) assignments *= cycles;
    for (unsigned code = 0; code < assignments; ++code) {
      std::vector<std::vector<BankAccess>> schedule(cycles);
      unsigned rest = code;
      for (const BankAccess& access : accesses) {
        schedule[rest % cycles].push_back(access);
        rest /= cycles;
      }
      bool legal = true;
      for (const auto& together : schedule) legal = legal && legal_cycle(together, banks);
      if (legal) return cycles;
    }
  }
}

TEST(BankCorePropertyTest, CyclesEqualTheBestOfAllSchedules) {
  for (const std::uint64_t seed : {1ULL, 20'240'607ULL, 0xfeedULL}) {
    fmt::print("seed {}\n", seed);
    base::Random random(seed);
    for (int round = 0; round < 3000; ++round) {
      SramConfig config;
      config.banks = 2U << random.below(6);
      BankCore core(config);
      std::vector<BankAccess> accesses(random.below(4));
      for (BankAccess& access : accesses) {
        access.address = random.below(256) & ~random.below(8);
        access.width = random.below(2) != 0 ? AccessWidth::k64 : AccessWidth::k32;
        access.is_write = random.below(3) == 0;
      }
      const unsigned best = brute_force(accesses, config.banks);
      ASSERT_EQ(core.cycles_of(accesses.data(), accesses.size()), best)
          << "seed " << seed << " round " << round;
      ASSERT_EQ(core.counts().conflict_cycles, best > 0 ? best - 1 : 0);
      const BankCounts& c = core.counts();
      ASSERT_EQ(c.reads64 + c.reads32 + c.writes64 + c.writes32, accesses.size());
    }
  }
}

}  // namespace
}  // namespace wse::memory
