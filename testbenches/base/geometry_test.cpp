// SPDX-License-Identifier: Apache-2.0
#include "wse/base/geometry.h"

#include <gtest/gtest.h>

#include <set>

#include "wse/base/region_layout.h"

namespace wse::base {
namespace {

TEST(WaferGeometryTest, TheDefaultWaferHasThePublishedCounts) {
  const WaferGeometry wafer{GeometryConfig{}};
  EXPECT_EQ(wafer.dies(), 84u);
  EXPECT_EQ(wafer.cores_built(), 853'776u);
  EXPECT_EQ(wafer.cores_fabric(), 757u * 996u);
  EXPECT_EQ(wafer.cores_user(), 745'500u);
}

TEST(WaferGeometryTest, DiesPartTheUserRectangle) {
  const WaferGeometry wafer{GeometryConfig{}};
  std::uint64_t tiles = 0;
  for (std::uint32_t row = 0; row < 7; ++row) {
    for (std::uint32_t column = 0; column < 12; ++column) {
      const Rectangle r{wafer.user_columns_of(column), wafer.user_rows_of(row)};
      tiles += r.tiles();
      EXPECT_EQ(wafer.die_of_user({r.columns.begin, r.rows.begin}), wafer.die_at(column, row));
      EXPECT_EQ(wafer.die_of_user({r.columns.end - 1, r.rows.end - 1}), wafer.die_at(column, row));
    }
  }
  EXPECT_EQ(tiles, 745'500u);
}

TEST(WaferGeometryTest, EveryLogicalTileHasAHealthyCoreOfItsOwn) {
  GeometryConfig config;
  config.defects = 400;
  for (const std::uint64_t seed : {1u, 2u}) {
    config.defect_seed = seed;
    const WaferGeometry wafer{config};
    std::size_t dead = 0;
    for (std::uint32_t die = 0; die < wafer.dies(); ++die) {
      const std::set<std::uint32_t> broken(wafer.dead_cores(die).begin(),
                                           wafer.dead_cores(die).end());
      dead += broken.size();
      const Rectangle r{wafer.user_columns_of(die % 12), wafer.user_rows_of(die / 12)};
      std::set<std::uint32_t> used;
      for (std::uint32_t y = r.rows.begin; y < r.rows.end; ++y) {
        for (std::uint32_t x = r.columns.begin; x < r.columns.end; ++x) {
          const std::uint32_t core = wafer.core_of_user({x, y});
          EXPECT_EQ(broken.count(core), 0u);
          EXPECT_LT(core, wafer.tiles_per_die());
          used.insert(core);
        }
      }
      EXPECT_EQ(used.size(), r.tiles()) << "seed " << seed << " die " << die;
    }
    EXPECT_EQ(dead, 400u) << "seed " << seed;
  }
}

TEST(GeometryConfigTest, MoreDieColumnsThanFabricColumnsIsRefused) {
  GeometryConfig config;
  config.fabric_columns = 10;
  config.user_columns = 4;
  ConfigErrors errors;
  config.validate(errors);
  ASSERT_FALSE(errors.empty());
  EXPECT_EQ(errors.violations().front().path, "wafer.dies.columns");
}

TEST(RegionLayoutTest, AnyCutPartsTheUserRectangleDieByDie) {
  const WaferGeometry wafer{GeometryConfig{}};
  for (const auto& [columns, rows] : {std::pair{0u, 0u}, {1u, 1u}, {5u, 3u}, {24u, 14u}}) {
    const RegionLayout layout(wafer, columns, rows);
    std::vector<std::uint64_t> tiles(wafer.dies(), 0);
    for (const RegionPart& part : layout.parts()) {
      tiles[part.die] += part.tiles.tiles();
      EXPECT_EQ(wafer.die_of_user({part.tiles.columns.begin, part.tiles.rows.begin}), part.die);
    }
    for (std::uint32_t die = 0; die < wafer.dies(); ++die) {
      const Rectangle r{wafer.user_columns_of(die % 12), wafer.user_rows_of(die / 12)};
      EXPECT_EQ(tiles[die], r.tiles()) << columns << " x " << rows << ", die " << die;
    }
  }
}

}  // namespace
}  // namespace wse::base
