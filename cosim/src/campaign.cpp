// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/campaign.h"

#include <algorithm>
#include <array>
#include <deque>

#include "wse/base/random.h"
#include "wse/cosim/lockstep.h"

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

/// A router with routes of all kinds, legal for itself.
RouterSetup random_setup(base::Random& random, std::uint32_t most_slots) {
  const auto chance = [&](unsigned percent) { return random.below(100) < percent; };
  const auto ports = [&](std::uint64_t most) {
    PortSet set;
    for (std::uint64_t n = random.below(most) + 1; n > 0; --n) {
      set = set | kPorts[random.below(kNumPorts)];
    }
    return set;
  };
  RouterSetup setup;
  setup.own_slots = static_cast<std::uint32_t>(random.below(most_slots) + 1);
  if (chance(25)) setup.arbitration = Arbitration::kPlainRoundRobin;
  const std::uint64_t colors = chance(30) ? kNumColors : random.below(6) + 1;
  for (std::uint64_t n = 0; n < colors; ++n) {
    const auto color = static_cast<std::uint8_t>(random.below(kNumColors));
    ColorRoute route;
    route.position_count = static_cast<std::uint8_t>(chance(40) ? random.below(4) + 1 : 1);
    for (std::size_t p = 0; p < route.position_count; ++p) {
      route.positions[p] = {chance(20) ? PortSet::from_bits(31) : ports(3),
                            chance(15) ? PortSet::from_bits(31) : ports(3)};
    }
    route.ring = chance(50);
    route.pop = static_cast<PopMode>(random.below(3));
    if (chance(30)) {
      RampFilter& f = route.filter;
      f.kind = chance(50) ? RampFilter::Kind::kCounter : RampFilter::Kind::kRange;
      f.period = static_cast<std::uint32_t>(random.below(5) + 1);
      f.first = static_cast<std::uint16_t>(random.below(4));
      f.last = static_cast<std::uint16_t>(f.first + random.below(4));
    }
    setup.routes[color] = route;
    for (const Port port : kPorts) {
      setup.slots[index_of(port)][color] = static_cast<std::uint32_t>(random.below(5) + 1);
    }
    if (chance(30)) setup.slots[index_of(Port::kRamp)][color] = RouterModel::kUnlimited;
  }
  return setup;
}

/// Neighbours and a compute engine around a router: they send where there is a slot, and free slots
/// behind its outputs when they like.
class Surroundings {
 public:
  Surroundings(const RouterSetup& setup, std::uint64_t seed)
      : setup_(setup), random_(seed ^ 0x9e3779b97f4a7c15ULL) {
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      if (setup.routes[color]) colors_.push_back(color);
    }
    for (auto& port : free_) port.fill(setup.own_slots);
    new_mood();
  }

  /// What comes in this clock, after what the router gives in it.
  RouterPins next(const RouterPins& given, std::uint64_t clock) {
    if (clock % 256 == 0) new_mood();
    RouterPins pins;
    for (std::size_t p = 0; p < kNumPorts; ++p) {
      if (given.links[p].valid) taken_[p].push_back(given.links[p].wavelet.color);
      if (chance(send_percent_[p])) send(p, pins);
      give_credits(p, pins);
      for (std::uint8_t color = 0; color < kNumColors; ++color) {  // can be used from now on
        free_[p][color] += given.credits[p] >> color & 1;
      }
    }
    return pins;
  }
  std::uint64_t sent() const { return sent_; }

 private:
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
  /// Loads and readiness that stay for a while: full, idle and stalled stretches.
  void new_mood() {
    for (std::size_t p = 0; p < kNumPorts; ++p) {
      send_percent_[p] = chance(30) ? 100 : random_.below(100);
      read_percent_[p] = chance(30) ? 100 : chance(30) ? 0 : random_.below(100);
    }
  }
  void send(std::size_t port, RouterPins& pins) {
    const std::uint8_t color = colors_[random_.below(colors_.size())];
    if (free_[port][color] == 0) return;
    --free_[port][color];
    ++sent_;
    Wavelet w{static_cast<std::uint32_t>(random_.next()), color, chance(15), chance(10)};
    if (chance(50)) w.data &= 0x0007ffff;
    // Teardown is rare, or nothing would pass.
    if (w.control && (w.data & 3) == 3 && !chance(3)) w.data ^= 2;
    pins.links[port] = {true, w};
  }
  void give_credits(std::size_t port, RouterPins& pins) {
    std::deque<std::uint8_t>& taken = taken_[port];
    while (!taken.empty() && chance(read_percent_[port])) {
      const std::uint32_t bit = std::uint32_t{1} << taken.front();
      if ((pins.credits[port] & bit) != 0) break;  // one a color and clock
      pins.credits[port] |= bit;
      taken.pop_front();
    }
  }

  const RouterSetup& setup_;
  base::Random random_;
  std::vector<std::uint8_t> colors_;
  std::array<std::array<std::uint32_t, kNumColors>, kNumPorts> free_{};
  std::array<std::deque<std::uint8_t>, kNumPorts> taken_;
  std::array<std::uint64_t, kNumPorts> send_percent_{}, read_percent_{};
  std::uint64_t sent_ = 0;
};

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

}  // namespace

std::size_t CampaignResult::hit() const {
  return static_cast<std::size_t>(std::count_if(
      coverage.begin(), coverage.end(), [](const CoverageBin& bin) { return bin.hits > 0; }));
}

CampaignResult run_campaign(const Campaign& campaign) {
  constexpr std::uint64_t kEach = 1000;  // clocks of a router; then another one
  CampaignResult result;
  result.coverage = bins();
  for (std::uint64_t seed = campaign.first_seed; seed < campaign.first_seed + campaign.seeds;
       ++seed) {
    if (campaign.every_seed) campaign.every_seed();
    base::Random random(seed);
    for (std::uint64_t done = 0; done < campaign.cycles; done += kEach) {
      RouterSetup setup = random_setup(random, campaign.kind->slots);
      setup.mutant = campaign.mutant;
      setup.checked = true;
      LockstepRouter router(
          fmt::format("rtl:{}, seed {}, router {},", campaign.kind->name, seed, done / kEach),
          make_router_twin(*campaign.kind, setup), setup);
      Surroundings around(setup, random.next());
      Observer observer(setup, router.model(), result.coverage);
      const std::uint64_t clocks = std::min(kEach, campaign.cycles - done);
      try {
        for (std::uint64_t clock = 0; clock < clocks; ++clock) {
          const RouterPins outputs = router.outputs();
          const RouterPins inputs = around.next(outputs, clock);
          observer.before(inputs, outputs);
          router.clock(inputs);
          observer.after(outputs);
          ++result.cycles;
        }
      } catch (const Mismatch& mismatch) {
        result.mismatches = 1;
        result.seed = seed;
        result.mismatch = mismatch.what();
      }
      result.wavelets += around.sent();
      if (result.mismatches != 0) return result;
    }
  }
  return result;
}

}  // namespace wse::cosim
