// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/deadlock.h"

#include <fmt/format.h>

#include <map>

namespace wse::fabric {
namespace {

constexpr std::size_t kMostLines = 40;

class Explainer {
 public:
  Explainer(const RouteTable& routes, const std::vector<HeldQueue>& held) : routes_(routes) {
    for (const HeldQueue& queue : held) queues_[key(queue.leaf, queue.input)] = &queue;
  }

  std::string run(const HeldQueue& first) {
    std::map<std::uint64_t, std::size_t> seen;
    const HeldQueue* queue = &first;
    while (queue != nullptr) {
      const auto [it, is_new] = seen.emplace(key(queue->leaf, queue->input), lines_.size());
      if (!is_new) {
        lines_.push_back(
            fmt::format("which is where this began, {} lines above: the wait is closed",
                        lines_.size() - it->second));
        break;
      }
      queue = follow(*queue);
    }
    std::string text;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (i + 1 < lines_.size() && i >= kMostLines) {
        if (i == kMostLines) text += fmt::format("  .. {} more\n", lines_.size() - 1 - i);
        continue;
      }
      text += "  " + lines_[i] + "\n";
    }
    return text;
  }

 private:
  static std::uint64_t key(std::uint32_t leaf, Port port) {
    return std::uint64_t{leaf} * kNumPorts + index_of(port);
  }
  const HeldQueue* find(std::uint32_t leaf, Port port) const {
    const auto it = queues_.find(key(leaf, port));
    return it == queues_.end() ? nullptr : it->second;
  }
  std::string router(std::uint32_t tile) const {
    const base::Coordinate at = routes_.mesh().at(tile);
    return fmt::format("router ({}, {})", at.x, at.y);
  }
  static std::string list(PortSet ports) {
    std::string text;
    for (const Port port : kPorts) {
      if (!ports.contains(port)) continue;
      text += (text.empty() ? "" : ", ") + std::string(name_of(port));
    }
    return text;
  }

  /// Says what a queue waits for; returns the queue that this in turn depends on, if any.
  const HeldQueue* follow(const HeldQueue& q) {
    const std::uint32_t tile = tile_of(q.leaf);
    const std::uint8_t color = color_of(q.leaf);
    const std::string who = fmt::format("{}, color {} from {} ({} wavelet{})", router(tile), color,
                                        name_of(q.input), q.wavelets, q.wavelets == 1 ? "" : "s");
    if (q.halted) {
      lines_.push_back(who + ": the color was torn down here and waits to be routed anew");
      return nullptr;
    }
    if (q.wants.empty()) return follow_switch(q, who);
    for (const Port output : kPorts) {
      if (!q.wants.contains(output) || output == Port::kRamp) continue;
      const std::uint32_t other = routes_.mesh().neighbour(tile, output);
      const HeldQueue* next = find(leaf_of(other, color), facing(output));
      lines_.push_back(
          fmt::format("{} waits in the {} for a slot of {}", who, name_of(output), router(other)));
      return next;
    }
    const base::Coordinate at = routes_.mesh().at(tile);
    lines_.push_back(
        fmt::format("{} waits for the compute engine of tile ({}, {}) to read color {}", who, at.x,
                    at.y, color));
    return nullptr;
  }

  const HeldQueue* follow_switch(const HeldQueue& q, const std::string& who) {
    const std::uint32_t tile = tile_of(q.leaf);
    const std::uint8_t color = color_of(q.leaf);
    const PortSet inputs = routes_.find(tile, color)->positions[q.position].inputs;
    lines_.push_back(
        fmt::format("{} waits for the switch, which stands at position {} and takes {}", who,
                    q.position, list(inputs)));
    for (const Port input : kPorts) {
      if (!inputs.contains(input)) continue;
      if (const HeldQueue* here = find(q.leaf, input)) return here;
      if (input == Port::kRamp) continue;
      // Nothing here: is anything on its way to that input?
      const std::uint32_t other = routes_.mesh().neighbour(tile, input);
      if (other == Mesh::kNone) continue;
      for (const Port from : kPorts) {
        const HeldQueue* up = find(leaf_of(other, color), from);
        if (up != nullptr && (up->wants.empty() || up->wants.contains(facing(input)))) return up;
      }
    }
    lines_.push_back("and nothing is under way that could advance it");
    return nullptr;
  }

  const RouteTable& routes_;
  std::map<std::uint64_t, const HeldQueue*> queues_;
  std::vector<std::string> lines_;
};

}  // namespace

std::string explain_deadlock(const RouteTable& routes, const std::vector<HeldQueue>& held,
                             base::Cycles cycle) {
  std::uint64_t wavelets = 0;
  for (const HeldQueue& queue : held) wavelets += queue.wavelets;
  const std::string head = fmt::format("deadlock in cycle {}: {} wavelet{} cannot move\n", cycle,
                                       wavelets, wavelets == 1 ? "" : "s");
  return held.empty() ? head : head + Explainer(routes, held).run(held.front());
}

}  // namespace wse::fabric
