// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "wse/fabric/active_set.h"
#include "wse/fabric/engine.h"
#include "wse/fabric/prefetch.h"
#include "wse/fabric/router_watch.h"

namespace wse::fabric {

/// A conventional network to compare with: one queue an input, destinations in the wavelets, first
/// along the row, then along the column. Times, slots and arbitration are those of docs/timing.md.
class XyFabric {
 public:
  XyFabric(Mesh mesh, const EngineConfig& config);

  base::Cycles now() const { return now_; }
  /// As Engine::inject(), to a tile.
  bool inject(std::uint32_t tile, std::uint32_t destination, std::uint32_t data);
  void prefetch(std::uint32_t tile) const {
    fabric::prefetch(&routers_[tile]);
    fabric::prefetch(&slots_[first_slot(tile, index_of(Port::kRamp))]);
  }
  /// Before the first cycle; the watch must outlive the fabric. All wavelets have color 0.
  void set_watch(RouterWatch& watch) { watch_ = &watch; }
  /// The ports of all routers as routes of color 0, to name them; no routes that an engine takes.
  static RouteTable ports(Mesh mesh);
  void step(EngineSink& sink);  ///< deliveries come as those of color 0
  bool can_move() const { return moving_ && held_ != 0; }
  void skip_to(base::Cycles cycle);
  EngineCounts counts() const { return counts_; }
  std::uint64_t held() const { return held_; }
  std::size_t bytes() const;

 private:
  struct Router {
    std::uint8_t head[kNumPorts];
    std::uint8_t tail[kNumPorts];
    std::uint8_t pointer[kNumPorts];  ///< the input that each output asks first
    std::uint8_t occupied;            ///< inputs that hold something
    std::uint16_t x, y;
    std::uint32_t last_step;  ///< in which it held something
  };
  static_assert(sizeof(Router) == 24, "small, because there is one a tile");

  std::uint32_t first_slot(std::uint32_t tile, std::size_t input) const {
    return tile * slots_a_tile_ + static_cast<std::uint32_t>(input) * link_slots_;
  }
  std::uint8_t after(std::size_t input, std::uint8_t place) const {
    const std::uint32_t capacity = input == index_of(Port::kRamp) ? ramp_slots_ : link_slots_;
    return static_cast<std::uint8_t>(place + 1U == capacity ? 0 : place + 1);
  }
  unsigned output_of(const Router& router, std::uint32_t destination) const;
  bool push(std::uint32_t tile, std::size_t input, std::uint64_t payload, std::uint32_t destination,
            std::uint32_t latency);
  void visit(std::uint32_t tile);
  void renew_stamps(base::Cycles cycle);
  bool is_watched(std::uint32_t tile) const {
    return watch_ != nullptr && watch_->tiles().contains(mesh_.at(tile));
  }
  void read_watched_queues();

  const Mesh mesh_;
  const EngineConfig config_;
  const std::uint32_t link_slots_, ramp_slots_, slots_a_tile_;
  std::vector<Router> routers_;
  std::vector<std::uint64_t> slots_;  ///< as in channel.h
  std::vector<std::uint32_t>
      destinations_;  ///< of the wavelets in the slots: x and y, 16 bits each
  ActiveSet active_, next_;
  std::vector<Delivery> deliveries_;
  EngineCounts counts_;
  std::uint64_t held_ = 0;
  std::uint32_t step_ = 1;
  base::Cycles now_ = 0;
  base::Cycles renewed_ = 0;
  bool moving_ = false;
  RouterWatch* watch_ = nullptr;
  bool watching_ = false;  ///< in this cycle
  std::vector<QueueFill> watched_queues_;
  std::vector<LinkEvent> events_;  ///< of watched routers, in this cycle
};

}  // namespace wse::fabric
