// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/die_mesh.h"

#include <gtest/gtest.h>

namespace wse::fabric {
namespace {

class DieMeshTest : public ::testing::Test {
 protected:
  base::WaferGeometry geometry_{base::GeometryConfig{}};
  DieMesh mesh_{geometry_};
};

TEST_F(DieMeshTest, ABundleHasALinkForEachRowOrColumnOfTheDie) {
  EXPECT_EQ(mesh_.links(0, Direction::kEast), 142u);  // 996 / 7
  EXPECT_EQ(mesh_.links(0, Direction::kSouth), 63u);  // 757 / 12
}

TEST_F(DieMeshTest, AStreamHoldsItsBundleForItsWaveletsAndNoLonger) {
  EXPECT_EQ(mesh_.reserve(0, Direction::kEast, 1'420, 100), 100u);
  EXPECT_EQ(mesh_.free_at(0, Direction::kEast), 110u);
  EXPECT_EQ(mesh_.reserve(0, Direction::kEast, 1, 105), 110u);  // waits for the first
  EXPECT_EQ(mesh_.reserve(0, Direction::kEast, 1, 111), 111u);  // the second held one cycle
  EXPECT_EQ(mesh_.contention_cycles(), 5u);
}

TEST_F(DieMeshTest, DirectionsAndDiesDoNotDisturbEachOther) {
  mesh_.reserve(0, Direction::kEast, 1'000'000, 0);
  EXPECT_EQ(mesh_.reserve(0, Direction::kWest, 1, 3), 3u);
  EXPECT_EQ(mesh_.reserve(1, Direction::kEast, 1, 3), 3u);
  EXPECT_EQ(mesh_.contention_cycles(), 0u);
}

}  // namespace
}  // namespace wse::fabric
