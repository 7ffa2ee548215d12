// SPDX-License-Identifier: Apache-2.0
#include "wse/report/fabric_waves.h"

#include <fmt/format.h>

#include "wse/report/save_file.h"

namespace wse::report {
namespace {

using base::Cycles;
using fabric::LinkEvent;
using fabric::Port;
using fabric::QueueFill;
using Trigger = FabricWaveSelection::Trigger;

std::string scope_of(fabric::Mesh mesh, std::uint32_t tile) {
  const base::Coordinate at = mesh.at(tile);
  return fmt::format("fabric.router_{}_{}", at.x, at.y);
}

std::uint64_t queue_key(std::uint32_t tile, Port input, std::uint8_t color) {
  return (std::uint64_t{tile} * fabric::kNumPorts + fabric::index_of(input)) * 32 + color;
}
std::uint64_t queue_key(const QueueFill& queue) {
  return queue_key(queue.tile, queue.input, queue.color);
}

}  // namespace

FabricWaves::FabricWaves(std::unique_ptr<base::WaveSink> sink, const fabric::RouteTable& routes,
                         const FabricWaveSelection& selection, std::uint64_t core_hz)
    : sink_(std::move(sink)), selection_(selection), clock_(core_hz), mesh_(routes.mesh()) {
  cycle_ = sink_->add({"fabric", "cycle", 64});
  for (std::uint32_t y = selection.tiles.rows.begin; y < selection.tiles.rows.end; ++y) {
    for (std::uint32_t x = selection.tiles.columns.begin; x < selection.tiles.columns.end; ++x) {
      describe(routes, mesh_.tile(x, y));
    }
  }
}

FabricWaves::Id FabricWaves::add(std::uint32_t tile, const std::string& name, std::uint32_t width) {
  names_.emplace_back(tile, width == 1 ? name : fmt::format("{}[{}:0]", name, width - 1));
  return sink_->add({scope_of(mesh_, tile), name, width});
}

void FabricWaves::describe(const fabric::RouteTable& routes, std::uint32_t tile) {
  fabric::PortSet outputs;
  bool gives = false;
  for (std::uint8_t color = 0; color < fabric::kNumColors; ++color) {
    const fabric::ColorRoute* route = routes.find(tile, color);
    if (route == nullptr) continue;
    outputs = outputs | route->outputs();
    gives = gives || route->inputs().contains(Port::kRamp);
  }
  const auto add_link = [&](Port port, bool given) {
    const std::string name = given ? "given" : fabric::name_of(port);
    Link link;
    link.valid = add(tile, name + "_valid", 1);
    link.color = add(tile, name + "_color", 5);
    link.data = add(tile, name + "_data", 32);
    link.control = add(tile, name + "_control", 1);
    links_[link_key(tile, port, given)] = link;
  };
  for (const Port port : fabric::kPorts) {
    if (outputs.contains(port)) add_link(port, false);
  }
  if (gives) add_link(Port::kRamp, true);
  for (const Port port : fabric::kPorts) {
    for (std::uint8_t color = 0; color < fabric::kNumColors; ++color) {
      const fabric::ColorRoute* route = routes.find(tile, color);
      if (route == nullptr || !route->inputs().contains(port)) continue;
      queues_[queue_key(tile, port, color)] =
          add(tile, fmt::format("queue_{}_c{}", fabric::name_of(port), color), 8);
    }
  }
}

bool FabricWaves::watches(Cycles cycle) {
  if (triggered_) return cycle < *triggered_ + selection_.after;
  return selection_.from <= cycle && cycle <= selection_.to;
}

void FabricWaves::see(Cycles cycle, const std::vector<QueueFill>& queues,
                      const std::vector<LinkEvent>& events) {
  if (triggered_ || selection_.trigger == Trigger::kNone) return write({cycle, queues, events});
  ring_.push_back({cycle, queues, events});
  if (ring_.size() > selection_.before + 1) ring_.pop_front();
  if (fires(cycle, queues, events)) fire(cycle);
}

bool FabricWaves::fires(Cycles cycle, const std::vector<QueueFill>& queues,
                        const std::vector<LinkEvent>& events) {
  if (selection_.trigger == Trigger::kColor) {
    for (const LinkEvent& event : events) {
      if (event.wavelet.color == selection_.color) return true;
    }
  }
  if (selection_.trigger == Trigger::kQueueFull) {
    for (const QueueFill& queue : queues) {
      if (queue.wavelets < queue.slots) {
        full_since_.erase(queue_key(queue));
      } else if (cycle - full_since_.emplace(queue_key(queue), cycle).first->second + 1 >=
                 selection_.full_cycles) {
        return true;
      }
    }
  }
  return false;
}

void FabricWaves::deadlock(Cycles cycle) {
  if (selection_.trigger == Trigger::kDeadlock && !triggered_) fire(cycle);
}

void FabricWaves::fire(Cycles cycle) {
  triggered_ = cycle;
  for (const Cycle& kept : ring_) write(kept);
  ring_.clear();
}

void FabricWaves::write(const Cycle& c) {
  if (cycles_ == 0) first_ = c.cycle;
  if (cycles_ > 0 && c.cycle > last_ + 1) {
    // Nothing was seen in between because nothing moved.
    sink_->time(clock_.time_of(last_ + 1));
    for (auto& [key, link] : links_) {
      if (link.was_valid) sink_->set(link.valid, 0);
      link.was_valid = false;
    }
  }
  last_ = c.cycle;
  ++cycles_;
  sink_->time(clock_.time_of(c.cycle));
  sink_->set(cycle_, c.cycle);
  for (const QueueFill& queue : c.queues) sink_->set(queues_.at(queue_key(queue)), queue.wavelets);
  std::map<std::uint64_t, const LinkEvent*> now;
  for (const LinkEvent& event : c.events)
    now[link_key(event.tile, event.port, event.given)] = &event;
  for (auto& [key, link] : links_) {
    const auto it = now.find(key);
    const bool valid = it != now.end();
    if (valid || link.was_valid || cycles_ == 1) sink_->set(link.valid, valid ? 1 : 0);
    link.was_valid = valid;
    if (!valid) continue;
    const fabric::Wavelet& wavelet = it->second->wavelet;
    sink_->set(link.color, wavelet.color);
    sink_->set(link.data, wavelet.data);
    sink_->set(link.control, wavelet.control ? 1 : 0);
  }
}

void FabricWaves::close() {
  if (cycles_ > 0) {
    sink_->time(clock_.time_of(last_ + 1));
    for (auto& [key, link] : links_) {
      if (link.was_valid) sink_->set(link.valid, 0);
    }
  }
  sink_->close();
}

std::string FabricWaves::save_file(const std::string& waves) const {
  SaveFile save(waves, clock_.time_of(first_), clock_.time_of(last_ + 1));
  save.number("fabric.cycle[63:0]");
  std::uint32_t tile = fabric::Mesh::kNone;
  for (const auto& [of, name] : names_) {
    if (of != tile) {
      if (tile != fabric::Mesh::kNone) save.end_group();
      const base::Coordinate at = mesh_.at(of);
      save.begin_group(fmt::format("router ({}, {})", at.x, at.y), true);
      tile = of;
    }
    save.number(scope_of(mesh_, of) + "." + name);
  }
  if (tile != fabric::Mesh::kNone) save.end_group();
  return save.text();
}

}  // namespace wse::report
