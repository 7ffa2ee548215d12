// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/route_table.h"

#include <gtest/gtest.h>

namespace wse::fabric {
namespace {

std::vector<std::string> violations(const RouteTable& routes) {
  base::ConfigErrors errors;
  check_routes(routes, errors);
  std::vector<std::string> all;
  for (const base::Violation& v : errors.violations()) {
    all.push_back(v.path + ": " + v.value + " " + v.rule);
  }
  return all;
}
using Texts = std::vector<std::string>;

TEST(RouteTableTest, APathAcrossTheMeshIsLegal) {
  RouteTable routes({3, 2});
  routes.set(0, 5, {Port::kRamp, Port::kEast});
  routes.set(1, 5, {Port::kWest, Port::kEast | Port::kRamp});
  routes.set(2, 5, {Port::kWest, Port::kSouth});
  routes.set(5, 5, {Port::kNorth, Port::kRamp});
  EXPECT_EQ(violations(routes), Texts{});
}

TEST(RouteTableTest, LeavingTheMeshNamesRouterColorAndSide) {
  RouteTable routes({3, 2});
  routes.set(2, 5, {Port::kRamp, Port::kEast});
  routes.set(4, 6, {Port::kSouth, Port::kRamp});
  EXPECT_EQ(violations(routes),
            (Texts{"router (2, 0), color 5: output east must not leave the mesh",
                   "router (1, 1), color 6: input south must not leave the mesh"}));
}

TEST(RouteTableTest, AnOutputMustFaceAnInput) {
  RouteTable routes({2, 2});
  routes.set(0, 1, {Port::kRamp, Port::kEast | Port::kSouth});
  routes.set(1, 1, {Port::kSouth, Port::kRamp});
  EXPECT_EQ(
      violations(routes),
      (Texts{"router (0, 0), color 1: output east must face a neighbour that takes the color from "
             "that side",
             "router (0, 0), color 1: output south must face a neighbour that takes the color from "
             "that side"}));
}

TEST(RouteTableTest, ALoopIsFoundWithTheRouterThatClosesIt) {
  RouteTable routes({2, 2});
  routes.set(0, 9, {Port::kSouth | Port::kRamp, Port::kEast});
  routes.set(1, 9, {Port::kWest, Port::kSouth});
  routes.set(3, 9, {Port::kNorth, Port::kWest});
  routes.set(2, 9, {Port::kEast, Port::kNorth});
  EXPECT_EQ(violations(routes),
            Texts{"router (0, 1), color 9: output north must not close a loop"});
}

TEST(RouteTableTest, PositionsAndFiltersMakeSense) {
  RouteTable routes({1, 1});
  ColorRoute half;
  half.position_count = 2;
  half.positions[0] = {Port::kRamp, Port::kRamp};
  half.positions[1] = {Port::kRamp, {}};
  routes.set(0, 0, half);
  ColorRoute filtered(Port::kRamp, Port::kRamp);
  filtered.filter = {RampFilter::Kind::kCounter, 5, 2, 0};
  routes.set(0, 1, filtered);
  EXPECT_EQ(violations(routes),
            (Texts{"router (0, 0), color 0: position 1 must have both inputs and outputs",
                   "router (0, 0), color 1: filter 5..2 must not end before it begins",
                   "router (0, 0), color 1: filter period 0 must be at least 1"}));
}

TEST(RouteTableTest, ManyViolationsAreCut) {
  RouteTable routes({100, 1});
  for (std::uint32_t x = 0; x < 100; ++x) routes.set(x, 0, {Port::kRamp, Port::kNorth});
  EXPECT_EQ(violations(routes).size(), 20u);
}

}  // namespace
}  // namespace wse::fabric
