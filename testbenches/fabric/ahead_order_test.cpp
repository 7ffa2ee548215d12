// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/ahead_order.h"

#include <gtest/gtest.h>

#include <vector>

#include "wse/base/random.h"

namespace wse::fabric {
namespace {

/// How many cycles each block has done, and whether it could have done them.
class Blocks {
 public:
  Blocks(std::uint32_t rows, std::uint32_t columns)
      : rows_(rows), columns_(columns), done_(std::size_t{rows} * columns, 0) {}

  void visit(const AheadPiece& piece) {
    ASSERT_LT(piece.row, rows_);
    ASSERT_LE(piece.end, columns_);
    for (std::uint32_t block = piece.first; block < piece.end; ++block) {
      ASSERT_EQ(at(piece.row, block), piece.cycle) << "row " << piece.row << " block " << block;
      if (piece.row > 0) expect_near(piece.row - 1, block, piece.cycle);
      if (piece.row + 1 < rows_) expect_near(piece.row + 1, block, piece.cycle);
      if (block > 0) expect_near(piece.row, block - 1, piece.cycle);
      if (block + 1 < columns_) expect_near(piece.row, block + 1, piece.cycle);
      ++at(piece.row, block);
    }
  }
  void expect_done(std::uint32_t cycles) const {
    for (const std::uint32_t done : done_) ASSERT_EQ(done, cycles);
  }

 private:
  std::uint32_t& at(std::uint32_t row, std::uint32_t block) {
    return done_[std::size_t{row} * columns_ + block];
  }
  /// A neighbour has done the cycle before, and none after this one.
  void expect_near(std::uint32_t row, std::uint32_t block, std::uint32_t cycle) {
    ASSERT_GE(at(row, block), cycle) << "row " << row << " block " << block;
    ASSERT_LE(at(row, block), cycle + 1) << "row " << row << " block " << block;
  }

  const std::uint32_t rows_, columns_;
  std::vector<std::uint32_t> done_;
};

TEST(AheadOrderTest, NeighboursAreNeverMoreThanACycleApart) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    base::Random random(seed);
    const auto up_to = [&](std::uint64_t bound) {
      return static_cast<std::uint32_t>(random.below(bound)) + 1;
    };
    AheadShape shape;
    shape.cycles = up_to(8);
    shape.blocks = up_to(20);
    shape.strip = up_to(9);
    const std::uint32_t bands = up_to(4);
    const std::uint32_t rows = bands * 2 * shape.cycles + up_to(5);
    Blocks blocks(rows, shape.blocks);
    const auto visit = [&](const AheadPiece& piece) { blocks.visit(piece); };
    for (std::uint32_t b = 0; b < bands; ++b) {
      shape.rows = base::split(rows, bands, b);
      shape.shrinks_above = b > 0;
      shape.shrinks_below = b + 1 < bands;
      for_each_ahead(shape, visit);
    }
    for (std::uint32_t b = 1; b < bands; ++b) {
      for_each_beside(base::split(rows, bands, b).begin, shape, visit);
    }
    blocks.expect_done(shape.cycles);
    if (::testing::Test::HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace wse::fabric
