// SPDX-License-Identifier: Apache-2.0
#include "wse/base/attention_pattern.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <cstdlib>

namespace wse::base {
namespace {

constexpr AttentionKind kKinds[] = {AttentionKind::kCausal, AttentionKind::kFull,
                                    AttentionKind::kImageRow, AttentionKind::kImageColumn,
                                    AttentionKind::kImageConvolution};

/// By looking at every pair of tokens.
std::uint64_t pairs_seen(const AttentionPattern& p, std::uint64_t position) {
  std::uint64_t seen = 0;
  for (std::uint64_t key = 0; key < p.sequence; ++key) {
    if (p.kind == AttentionKind::kFull) {
      ++seen;
      continue;
    }
    if (key > position) continue;
    if (p.kind == AttentionKind::kCausal || key < p.text()) {
      ++seen;
      continue;
    }
    const auto side = static_cast<std::int64_t>(p.image_side);
    const auto own = static_cast<std::int64_t>(position - p.text());
    const auto other = static_cast<std::int64_t>(key - p.text());
    const std::int64_t rows = own / side - other / side;
    const std::int64_t columns = std::abs(own % side - other % side);
    const auto reach = static_cast<std::int64_t>(p.window / 2);
    const bool sees = p.kind == AttentionKind::kImageRow      ? own - other < side
                      : p.kind == AttentionKind::kImageColumn ? columns == 0
                                                              : rows <= reach && columns <= reach;
    seen += sees ? 1 : 0;
  }
  return seen;
}

TEST(AttentionPatternTest, KeysAreThosePairsThatSeeEachOther) {
  for (const AttentionKind kind : kKinds) {
    const AttentionPattern p{kind, 7 + 8 * 8, 8, 5};
    for (std::uint64_t position = 0; position < p.sequence; ++position) {
      EXPECT_EQ(p.keys_of(position), pairs_seen(p, position))
          << static_cast<int>(kind) << " at " << position;
    }
  }
}

TEST(AttentionPatternTest, SumsOverAStreamAreThoseOfItsTokens) {
  for (const AttentionKind kind : kKinds) {
    const AttentionPattern p{kind, 7 + 8 * 8, 8, 5};
    std::uint64_t sum = 0;
    for (std::uint64_t n = 0; n < 3 * p.sequence; ++n) {
      EXPECT_EQ(p.keys_before(n), sum) << static_cast<int>(kind) << " before " << n;
      sum += p.keys_of(n % p.sequence);
    }
  }
}

TEST(AttentionPatternTest, TheTokenThatSeesMostSeesSoManyKeys) {
  for (const AttentionKind kind : kKinds) {
    const AttentionPattern p{kind, 7 + 8 * 8, 8, 5};
    std::uint64_t most = 0;
    for (std::uint64_t position = 0; position < p.sequence; ++position) {
      most = std::max(most, pairs_seen(p, position));
    }
    EXPECT_EQ(p.most_keys(), most) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace wse::base
