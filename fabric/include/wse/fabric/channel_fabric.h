// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

#include "wse/fabric/active_set.h"
#include "wse/fabric/channel_graph.h"

namespace wse::fabric {

/// The fabric for everyday use: visits the channels that hold wavelets, and those only. Equal to
/// ReferenceFabric in every delivery and cycle (testbenches/fabric/engines_test.cpp).
class ChannelFabric final : public Engine {
 public:
  /// Routes must have passed check_routes().
  ChannelFabric(RouteTable routes, const EngineConfig& config);

  bool inject(std::uint32_t tile, const Wavelet& wavelet) override;
  void return_credit(std::uint32_t leaf) override;
  void step(EngineSink& sink) override;
  bool can_move() const override;
  EngineCounts counts() const override;
  std::uint64_t held() const override;

  const ChannelGraph& graph() const { return graph_; }
  std::size_t bytes() const;  ///< of records, slots and bitmaps

 private:
  /// Rows of tiles that one thread visits.
  struct Band {
    std::uint32_t first = 0;  ///< record
    std::uint32_t count = 0;
    ActiveSet active, next;
    std::vector<Delivery> deliveries;
    std::vector<std::uint32_t> freed;     ///< leaves with a slot freed behind the ramp
    std::vector<std::uint64_t> commands;  ///< of wavelets that have passed
    std::vector<std::uint32_t> crossing;  ///< channels of other bands that were fed
    EngineCounts counts;
    std::int64_t held = 0;
    bool moved = false;
    bool waits = false;  ///< for a stamp in the future
  };
  struct Switch {
    std::uint8_t position = 0;
    bool halted = false;
  };
  struct Filter {
    RampFilter filter;
    std::uint32_t counter = 0;
  };

  std::uint64_t load(std::uint32_t slot) const {
    return slots_[slot].load(std::memory_order_relaxed);
  }
  void store(std::uint32_t slot, std::uint64_t value) {
    slots_[slot].store(value, std::memory_order_relaxed);
  }
  Channel& channel(std::uint32_t i) { return graph_.records()[i].channel; }
  void activate(Band& band, std::uint32_t index) {
    if (index - band.first < band.count) {
      band.next.add(index - band.first);
    } else {
      band.crossing.push_back(index);
    }
  }
  void scan(Band& band, EngineSink& sink);
  void visit_channel(Band& band, std::uint32_t index);
  template <class Mask>
  void visit_router(Band& band, std::uint32_t header, Mask members);
  std::uint64_t payload_of(const Channel& c, std::uint64_t slot) const;
  bool send_link(Band& band, const Channel& c, std::uint64_t payload, unsigned output);
  bool send_ramp(Band& band, const Channel& c, std::uint64_t slot, std::uint64_t payload);
  bool keep_for_filter(Band& band, const Channel& c, std::uint64_t slot);
  void pop(Band& band, std::uint32_t index, std::uint64_t slot);
  void flush(Band& band, EngineSink& sink);
  void join_bands(EngineSink& sink);
  void obey(std::uint32_t leaf, Command command);
  void take_credits();
  void renew_stamps();
  void on_skip() override;

  const EngineConfig config_;
  ChannelGraph graph_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> slots_;
  std::vector<Band> bands_;
  std::vector<std::uint8_t> credits_;                    ///< behind the ramp, by leaf
  std::vector<std::vector<std::uint32_t>> credits_due_;  ///< leaves, by cycle modulo the latency
  std::uint32_t credits_under_way_ = 0;
  std::unordered_map<std::uint32_t, Filter> filters_;   ///< by leaf
  std::unordered_map<std::uint32_t, Switch> switches_;  ///< by leaf, once moved
  std::uint32_t step_ = 1;
  base::Cycles renewed_ = 0;
  bool moving_ = false;
};

}  // namespace wse::fabric
