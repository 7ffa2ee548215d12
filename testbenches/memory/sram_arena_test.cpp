// SPDX-License-Identifier: Apache-2.0
#include "wse/memory/sram_arena.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

#include "wse/base/check.h"
#include "wse/base/config_errors.h"

namespace wse::memory {
namespace {

constexpr base::Bytes kPage = 4096;

static_assert(!std::is_copy_constructible_v<SramArena> && !std::is_move_constructible_v<SramArena>);
static_assert(!std::is_copy_assignable_v<SramArena> && !std::is_move_assignable_v<SramArena>);

TEST(SramArenaTest, DiesAreDieMajorInWholePagesAndKeepTheirSize) {
  const SramArena arena(3, kPage + 8, 0);
  EXPECT_EQ(arena.die_stride_bytes(), 2 * kPage);
  EXPECT_EQ(arena.view(2).data - arena.view(0).data, 4 * static_cast<std::ptrdiff_t>(kPage));
  EXPECT_EQ(arena.view(1).size, kPage + 8);
  EXPECT_EQ(SramArena(2, 2 * kPage, 0).die_stride_bytes(), 2 * kPage);
}

TEST(SramArenaTest, APageCostsNothingUntilItIsTouched) {
  // 84 dies of 10,164 tiles of 48 KiB: 42 GB of addresses.
  const SramArena arena(84, 10'164ULL * 48 * 1024, 0);
  EXPECT_EQ(arena.resident_bytes(), 0u);
  const ArenaView last = arena.view(83);
  last.data[last.size - 1] = 7;
  arena.view(0).data[0] = 1;
  EXPECT_EQ(arena.resident_bytes(), 2 * kPage);  // no huge page either
}

TEST(SramArenaTest, AReleasedDieReadsAsZeroAndItsNeighboursKeepTheirBytes) {
  SramArena arena(3, 2 * kPage, 0);
  for (std::uint32_t die = 0; die < 3; ++die) arena.view(die).data[kPage] = 9;
  EXPECT_EQ(arena.resident_bytes(), 3 * kPage);
  arena.release(1);
  EXPECT_EQ(arena.resident_bytes(), 2 * kPage);
  EXPECT_EQ(arena.view(0).data[kPage], 9);
  EXPECT_EQ(arena.view(1).data[kPage], 0);
  EXPECT_EQ(arena.view(2).data[kPage], 9);
}

TEST(SramArenaTest, WhatExceedsTheBudgetIsRefusedByNameBeforeAnythingIsTouched) {
  const SramArena arena(2, 4 * kPage, 1000);
  EXPECT_NO_THROW(arena.require_budget(1000, "activations"));
  try {
    arena.require_budget(1001, "activations of 2 layers");
    FAIL() << "1001 of 1000 bytes were allowed";
  } catch (const base::ConfigError& error) {
    ASSERT_EQ(error.violations().size(), 1u);
    EXPECT_EQ(error.violations()[0].path, "memory.budget_bytes");
    EXPECT_EQ(error.violations()[0].value, "1000");
    EXPECT_EQ(error.violations()[0].rule,
              "must be at least 1001 bytes for activations of 2 layers");
  }
  EXPECT_EQ(arena.resident_bytes(), 0u);
}

TEST(SramArenaTest, SizesThatCannotBeReservedAreNamed) {
  EXPECT_THROW(SramArena(0, kPage, 0), base::ConfigError);
  EXPECT_THROW(SramArena(1, 0, 0), base::ConfigError);
  EXPECT_THROW(SramArena(84, ~base::Bytes{0}, 0), base::ConfigError);
  try {
    SramArena(1, base::Bytes{1} << 62, 0);  // passes the arithmetic, refused by mmap
    FAIL() << "4 EiB were reserved";
  } catch (const base::ConfigError& error) {
    EXPECT_EQ(error.violations()[0].path, "memory.arena_bytes");
    EXPECT_EQ(error.violations()[0].value, std::to_string(base::Bytes{1} << 62));
  }
}

TEST(SramArenaTest, ADieThatIsNotThereIsABrokenInvariant) {
  SramArena arena(2, kPage, 0);
  EXPECT_THROW(arena.view(2), base::InternalError);
  EXPECT_THROW(arena.release(2), base::InternalError);
}

}  // namespace
}  // namespace wse::memory
