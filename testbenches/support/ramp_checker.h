// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <systemc>

#include "support/stream_checkers.h"
#include "wse/fabric/cycle_fabric.h"

namespace wse::testing_support {

/// Rules of the ramps of one region, or of the edge ports of one lane, at the cycle level, both ways:
/// stamps that rise and do not lie in the past, one wavelet a tile and cycle, no wavelet without a
/// slot, one credit for each wavelet, all credits home at the end. Stands between the fabric and the
/// region or lane.
template <class Protocol>
class WaveletChecker final : public sc_core::sc_module {
 public:
  using Frame = typename Protocol::tlm_payload_type;
  base::OneWayTarget<Protocol> from_fabric{"from_fabric"};
  base::OneWayInitiator<Protocol> to_region{"to_region"};
  base::OneWayTarget<Protocol> from_region{"from_region"};
  base::OneWayInitiator<Protocol> to_fabric{"to_fabric"};

  WaveletChecker(const sc_core::sc_module_name& name, const fabric::EngineConfig& config,
                 std::uint32_t receiver_depth, const base::ClockEpochs& epochs)
      : sc_core::sc_module(name),
        epochs_(epochs),
        ramp_cycles_(config.ramp_cycles),
        up_(config.ramp_slots()),
        down_(receiver_depth == 0
                  ? ~std::uint32_t{0}
                  : fabric::EngineConfig::slots(receiver_depth, config.ramp_cycles)) {
    from_fabric.on_receive([this](Frame& frame) {
      check(frame, down_, up_, "down");
      to_region.send(frame);
    });
    from_region.on_receive([this](Frame& frame) {
      check(frame, up_, down_, "up");
      to_fabric.send(frame);
    });
  }

  std::uint64_t wavelets() const { return wavelets_; }
  std::vector<std::string> violations() const {
    Violations all = violations_;
    all.require(up_.under_way() == 0, "credits-away", std::to_string(up_.under_way()));
    all.require(down_.slots == ~std::uint32_t{0} || down_.under_way() == 0, "credits-away",
                std::to_string(down_.under_way()));
    return all.seen();
  }

 private:
  /// Wavelets of one direction that hold a slot, by tile and color.
  struct Direction {
    explicit Direction(std::uint32_t n) : slots(n) {}
    std::uint64_t under_way() const {
      std::uint64_t sum = 0;
      for (const auto& [key, count] : held) sum += count;
      return sum;
    }
    const std::uint32_t slots;
    std::map<std::uint32_t, std::uint32_t> held;
    base::Cycles last = 0;
    bool any = false;
  };
  void check(const Frame& frame, Direction& gives, Direction& frees, const char* direction) {
    const auto text = [&](const std::string& what) {
      return fmt::format("{} {} cycle {}: {}", name(), direction, frame.cycle, what);
    };
    violations_.require(!gives.any || frame.cycle > gives.last, "stamp-order", text("again"));
    violations_.require(epochs_.time_of(frame.cycle + ramp_cycles_) >= base::now(), "past",
                        text("late"));
    violations_.require(!frame.wavelets.empty() || !frame.credits.empty(), "empty", text(""));
    gives.last = frame.cycle;
    gives.any = true;
    std::set<std::uint32_t> tiles;
    for (const fabric::RampCredit& c : frame.credits) {
      std::uint32_t& held = frees.held[fabric::leaf_of(c.tile, c.color)];
      violations_.require(c.count == 1 && held > 0, "credit-unowed", text(std::to_string(c.tile)));
      if (held > 0) --held;
    }
    for (const fabric::RampWavelet& w : frame.wavelets) {
      ++wavelets_;
      violations_.require(tiles.insert(w.tile).second, "two-in-a-cycle",
                          text(std::to_string(w.tile)));
      std::uint32_t& held = gives.held[fabric::leaf_of(w.tile, w.wavelet.color)];
      violations_.require(++held <= gives.slots, "no-slot", text(std::to_string(w.tile)));
    }
  }

  const base::ClockEpochs& epochs_;
  const std::uint32_t ramp_cycles_;
  Violations violations_;
  Direction up_;
  Direction down_;
  std::uint64_t wavelets_ = 0;
};

using WaveletRampChecker = WaveletChecker<fabric::RampProtocol>;
using WaveletLaneChecker = WaveletChecker<fabric::LaneProtocol>;

}  // namespace wse::testing_support
