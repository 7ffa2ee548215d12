// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "router_traffic.h"
#include "run_seeds.h"
#include "wse/base/random.h"

namespace wse::cosim {

using fabric::Arbitration;
using fabric::ColorRoute;
using fabric::Command;
using fabric::kNumColors;
using fabric::kNumPorts;
using fabric::kPorts;
using fabric::PopMode;
using fabric::Port;
using fabric::PortSet;
using fabric::RampFilter;
using fabric::RouterModel;
using fabric::RouterPins;
using fabric::Wavelet;

namespace {

enum Bin : std::size_t {
  kFullNorth,  ///< and the other inputs
  kEmptyNorth = kFullNorth + kNumPorts,
  kAllIn = kEmptyNorth + kNumPorts,
  kAllOut,
  kAllContend,
  kMulticast,
  kSplit,
  kFanIn,
  kAdvance,
  kRingWrap,
  kLastStays,
  kReset,
  kTeardown,
  kHalted,
  kTwoCommands,
  kAdvanceUnderStall,
  kCounterDrop,
  kRangeDrop,
  kDropWithoutSlot,
  kControlPasses,
  kPopAlways,
  kPopOnAdvance,
  kPointerWraps,
  kPlain,
  kNotTaken,
  kBins
};

std::vector<CoverageBin> bins() {
  std::vector<CoverageBin> all;
  for (const Port p : kPorts) all.push_back({fmt::format("queue full, {}", name_of(p)), 0});
  for (const Port p : kPorts) all.push_back({fmt::format("no slot behind, {}", name_of(p)), 0});
  for (const char* name : {"wavelets from all ports in a clock",
                           "wavelets to all ports in a clock",
                           "five queues want one output",
                           "copies leave in one clock",
                           "copies leave in several clocks",
                           "inputs of one color merge",
                           "switch advances",
                           "ring wraps",
                           "last position stays",
                           "switch is reset",
                           "color is torn down",
                           "wavelet waits in a color torn down",
                           "two commands in a clock",
                           "switch advances while its color stalls",
                           "counter filter drops",
                           "range filter drops",
                           "filter drops without a slot",
                           "control passes a filter",
                           "command popped always",
                           "command popped on advance",
                           "pointer of an output wraps",
                           "plain round robin",
                           "switch does not take an input"}) {
    all.push_back({name, 0});
  }
  return all;
}

/// Counts what happens to the model.
class Observer {
 public:
  Observer(const RouterSetup& setup, const RouterModel& model, std::vector<CoverageBin>& bins)
      : setup_(setup), model_(model), bins_(bins) {}

  void before(const RouterPins& inputs, const RouterPins& outputs) {
    if (setup_.arbitration == Arbitration::kPlainRoundRobin) hit(kPlain);
    const auto all = [](const RouterPins& pins) {
      return std::all_of(pins.links.begin(), pins.links.end(),
                         [](const auto& l) { return l.valid; });
    };
    if (all(inputs)) hit(kAllIn);
    if (all(outputs)) hit(kAllOut);
    for (const Port port : kPorts) pointers_[index_of(port)] = model_.pointer(port);
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      if (setup_.routes[color]) look_at(color, outputs);
    }
    contention();
    filtered_ = model_.filtered();
  }
  void after(const RouterPins& outputs) {
    for (const Port port : kPorts) {
      const bool gave = outputs.links[index_of(port)].valid;
      if (gave && model_.pointer(port) < pointers_[index_of(port)]) hit(kPointerWraps);
    }
    if (model_.filtered() == filtered_) return;
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      if (!setup_.routes[color]) continue;
      const RampFilter::Kind kind = setup_.routes[color]->filter.kind;
      if (kind == RampFilter::Kind::kCounter) hit(kCounterDrop);
      if (kind == RampFilter::Kind::kRange) hit(kRangeDrop);
      if (kind != RampFilter::Kind::kNone && model_.slots(Port::kRamp, color) == 0)
        hit(kDropWithoutSlot);
    }
  }

 private:
  void hit(std::size_t bin) { ++bins_[bin].hits; }

  void look_at(std::uint8_t color, const RouterPins& outputs) {
    const ColorRoute& route = *setup_.routes[color];
    std::size_t inputs_held = 0;
    std::size_t leaving = 0;
    bool stalls = false;
    std::size_t copies = 0;
    for (const Port port : kPorts) {
      const std::size_t p = index_of(port);
      if (model_.queued(port, color) == setup_.own_slots) hit(kFullNorth + p);
      if (model_.slots(port, color) == 0 && route.outputs().contains(port)) hit(kEmptyNorth + p);
      const auto& link = outputs.links[p];
      if (link.valid && link.wavelet.color == color) ++copies;
      if (model_.queued(port, color) == 0) continue;
      ++inputs_held;
      const bool leaves = (outputs.credits[p] >> color & 1) != 0;
      leaving += leaves ? 1 : 0;
      stalls = stalls || !leaves;
      if (!model_.pending(port, color).empty()) hit(kSplit);
      if (model_.halted(color)) hit(kHalted);
      if (route.outputs_of(port, model_.position(color)).empty()) hit(kNotTaken);
      if (leaves) obey(color, route, port, stalls);
    }
    if (inputs_held > 1 && leaving > 0) hit(kFanIn);
    if (copies > 1) hit(kMulticast);
    if (leaving > 1) hit(kTwoCommands);
  }
  void obey(std::uint8_t color, const ColorRoute& route, Port input, bool stalls) {
    const Wavelet& head = model_.head(input, color);
    const bool is_last = model_.position(color) + 1 == route.position_count;
    if (head.control && route.filter.kind != RampFilter::Kind::kNone) hit(kControlPasses);
    if (head.control && route.pop == PopMode::kAlways) hit(kPopAlways);
    switch (command_of(head)) {
      case Command::kNothing:
        break;
      case Command::kAdvance:
        hit(kAdvance);
        if (is_last) hit(route.ring ? kRingWrap : kLastStays);
        if (stalls) hit(kAdvanceUnderStall);
        if (head.control && route.pop == PopMode::kOnAdvance) hit(kPopOnAdvance);
        break;
      case Command::kReset:
        hit(kReset);
        break;
      case Command::kTeardown:
        hit(kTeardown);
        break;
    }
  }
  /// Queues that want the same output.
  void contention() {
    std::array<unsigned, kNumPorts> want{};
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      if (!setup_.routes[color] || model_.halted(color)) continue;
      for (const Port input : kPorts) {
        if (model_.queued(input, color) == 0) continue;
        const PortSet outputs = setup_.routes[color]->outputs_of(input, model_.position(color));
        for (const Port output : kPorts) want[index_of(output)] += outputs.contains(output) ? 1 : 0;
      }
    }
    if (*std::max_element(want.begin(), want.end()) >= kNumPorts) hit(kAllContend);
  }

  const RouterSetup& setup_;
  const RouterModel& model_;
  std::vector<CoverageBin>& bins_;
  std::array<std::size_t, kNumPorts> pointers_{};
  std::uint64_t filtered_ = 0;
};

/// A random router for some clocks.
void run_router(const RouterTwinKind& kind, const RouterSetup& setup, const std::string& name,
                base::Random& random, std::uint64_t clocks, CampaignResult& result) {
  Lockstep<fabric::RouterTwin, RouterModel> router(name, make_router_twin(kind, setup),
                                                   fabric::model_of(setup));
  RouterSurroundings around(setup, random.next(), result.wavelets);
  Observer observer(setup, router.model(), result.coverage);
  for (std::uint64_t clock = 0; clock < clocks; ++clock) {
    const RouterPins outputs = router.outputs();
    const RouterPins inputs = around.next(outputs, clock);
    observer.before(inputs, outputs);
    router.clock(inputs);
    observer.after(outputs);
    ++result.cycles;
  }
}

}  // namespace

std::size_t CampaignResult::hit() const {
  return static_cast<std::size_t>(std::count_if(
      coverage.begin(), coverage.end(), [](const CoverageBin& bin) { return bin.hits > 0; }));
}

CampaignResult run_campaign(const RouterTwinKind& kind, const Campaign& campaign) {
  constexpr std::uint64_t kEach = 1000;  // clocks of a router; then another one
  CampaignResult result;
  result.coverage = bins();
  run_seeds(campaign, result, [&](std::uint64_t seed, std::uint64_t cycles) {
    base::Random random(seed);
    for (std::uint64_t done = 0; done < cycles; done += kEach) {
      RouterSetup setup = random_router(random, kind.size);
      setup.mutant = campaign.mutant;
      setup.checked = true;
      const std::string name =
          fmt::format("rtl:{}, seed {}, router {},", kind.name, seed, done / kEach);
      run_router(kind, setup, name, random, std::min(kEach, cycles - done), result);
    }
  });
  return result;
}

}  // namespace wse::cosim
