// SPDX-License-Identifier: Apache-2.0
#include "router_traffic.h"

#include <algorithm>

namespace wse::cosim {

using fabric::Arbitration;
using fabric::ColorRoute;
using fabric::kNumColors;
using fabric::kNumPorts;
using fabric::kPorts;
using fabric::PopMode;
using fabric::Port;
using fabric::PortSet;
using fabric::RampFilter;
using fabric::RouterModel;
using fabric::RouterPins;
using fabric::RouterSetup;
using fabric::Wavelet;

RouterSetup random_router(base::Random& random, std::uint32_t most_slots) {
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

RouterSurroundings::RouterSurroundings(const RouterSetup& setup, std::uint64_t seed,
                                       std::uint64_t& sent)
    : random_(seed ^ 0x9e3779b97f4a7c15ULL), sent_(sent) {
  for (std::uint8_t color = 0; color < kNumColors; ++color) {
    if (setup.routes[color]) colors_.push_back(color);
  }
  for (auto& port : free_) port.fill(setup.own_slots);
  new_mood();
}

RouterPins RouterSurroundings::next(const RouterPins& given, std::uint64_t clock) {
  if (clock % 256 == 0) new_mood();
  RouterPins pins;
  for (std::size_t p = 0; p < kNumPorts; ++p) {
    if (given.links[p].valid) taken_[p].push_back(given.links[p].wavelet.color);
    if (chance(send_percent_[p])) send(p, pins);
    give_credits(p, read_percent_[p], pins);
    take(p, given);
  }
  return pins;
}

RouterPins RouterSurroundings::drain(const RouterPins& given) {
  RouterPins pins;
  for (std::size_t p = 0; p < kNumPorts; ++p) {
    if (given.links[p].valid) taken_[p].push_back(given.links[p].wavelet.color);
    give_credits(p, 100, pins);
    take(p, given);
  }
  return pins;
}

bool RouterSurroundings::is_idle() const {
  return std::all_of(taken_.begin(), taken_.end(), [](const auto& taken) { return taken.empty(); });
}

/// Slots that the router has freed can be used from the next clock on.
void RouterSurroundings::take(std::size_t port, const RouterPins& given) {
  for (std::uint8_t color = 0; color < kNumColors; ++color) {
    free_[port][color] += given.credits[port] >> color & 1;
  }
}

/// Loads and readiness that stay for a while: full, idle and stalled stretches.
void RouterSurroundings::new_mood() {
  for (std::size_t p = 0; p < kNumPorts; ++p) {
    send_percent_[p] = chance(30) ? 100 : random_.below(100);
    read_percent_[p] = chance(30) ? 100 : chance(30) ? 0 : random_.below(100);
  }
}

void RouterSurroundings::send(std::size_t port, RouterPins& pins) {
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

void RouterSurroundings::give_credits(std::size_t port, std::uint64_t percent, RouterPins& pins) {
  std::deque<std::uint8_t>& taken = taken_[port];
  while (!taken.empty() && chance(percent)) {
    const std::uint32_t bit = std::uint32_t{1} << taken.front();
    if ((pins.credits[port] & bit) != 0) break;  // one a color and clock
    pins.credits[port] |= bit;
    taken.pop_front();
  }
}

}  // namespace wse::cosim
