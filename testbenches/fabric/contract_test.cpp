// SPDX-License-Identifier: Apache-2.0
// Frames, lane blocks and the router twin are contracts: they compile, and what must not bind does
// not.
#include <gtest/gtest.h>
#include <tlm_utils/simple_target_socket.h>

#include <type_traits>

#include "wse/base/one_way_socket.h"
#include "wse/fabric/lane_block.h"
#include "wse/fabric/ramp_frame.h"
#include "wse/fabric/router_twin.h"

namespace wse::fabric {
namespace {

template <class Initiator, class Target, class = void>
struct CanBind : std::false_type {};
template <class Initiator, class Target>
struct CanBind<Initiator, Target,
               std::void_t<decltype(std::declval<Initiator&>().bind(std::declval<Target&>()))>>
    : std::true_type {};

using RampInitiator = base::OneWayInitiator<RampProtocol>;
using RampTarget = base::OneWayTarget<RampProtocol>;
using LaneTarget = base::OneWayTarget<LaneProtocol>;
struct Nobody : sc_core::sc_module {};
using MemoryTarget = tlm_utils::simple_target_socket<Nobody>;

TEST(ContractTest, ARampBindsToARampOnly) {
  EXPECT_TRUE((CanBind<RampInitiator, RampTarget>::value));
  EXPECT_FALSE((CanBind<RampInitiator, LaneTarget>::value));
  EXPECT_FALSE((CanBind<RampInitiator, MemoryTarget>::value));
}

TEST(ContractTest, AFrameKeepsItsCapacityWhenCleared) {
  RampFrame frame;
  frame.wavelets.resize(100);
  frame.credits.resize(10);
  frame.streams.resize(3);
  frame.clear();
  EXPECT_TRUE(frame.wavelets.empty() && frame.credits.empty() && frame.streams.empty());
  EXPECT_GE(frame.wavelets.capacity(), 100u);
}

/// A wire from west to east, one clock long: the least router that obeys the contract.
class Wire final : public RouterTwin {
 public:
  RouterPins outputs() const override {
    RouterPins pins;
    pins.links[index_of(Port::kEast)] = held_;
    return pins;
  }
  void clock(const RouterPins& inputs) override { held_ = inputs.links[index_of(Port::kWest)]; }

 private:
  LinkPins held_;
};

TEST(ContractTest, ARouterTwinShowsStateOnly) {
  Wire wire;
  RouterTwin& twin = wire;
  RouterPins in;
  in.links[index_of(Port::kWest)] = {true, {42, 3, false, false}};
  EXPECT_FALSE(twin.outputs().links[index_of(Port::kEast)].valid);
  twin.clock(in);
  EXPECT_EQ(twin.outputs().links[index_of(Port::kEast)].wavelet.data, 42u);
}

}  // namespace
}  // namespace wse::fabric
