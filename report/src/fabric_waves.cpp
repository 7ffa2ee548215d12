// SPDX-License-Identifier: Apache-2.0
#include "wse/report/fabric_waves.h"

#include <fmt/format.h>

#include <algorithm>

#include "wse/report/save_file.h"

namespace wse::report {
namespace {

using base::Cycles;
using fabric::LinkEvent;
using fabric::Port;
using fabric::QueueFill;
using Trigger = FabricWaveSelection::Trigger;

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

std::string FabricWaves::scope_of(std::uint32_t tile) const {
  const base::Coordinate at = named(tile);
  return fmt::format("fabric.router_{}_{}", at.x, at.y);
}

FabricWaves::Id FabricWaves::add(std::uint32_t tile, const std::string& name, std::uint32_t width) {
  names_.emplace_back(tile, width == 1 ? name : fmt::format("{}[{}:0]", name, width - 1));
  return sink_->add({scope_of(tile), name, width});
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

void FabricWaves::add_rtl(std::uint32_t tile, base::VcdSource& source, bool pins_only) {
  std::vector<std::string> ports;
  for (const Port port : fabric::kPorts) ports.push_back(fabric::name_of(port));
  const base::Coordinate at = named(tile);
  rtl_.add(fmt::format("router_{}_{}", at.x, at.y), fmt::format("RTL router ({}, {})", at.x, at.y),
           std::move(ports), source, pins_only, *sink_);
}

bool FabricWaves::watches(Cycles cycle) {
  const bool watched = triggered_ ? cycle < *triggered_ + selection_.after
                                  : selection_.from <= cycle && cycle <= selection_.to;
  rtl_.want(watched);
  return watched;
}

void FabricWaves::see(Cycles cycle, const std::vector<QueueFill>& queues,
                      const std::vector<LinkEvent>& events) {
  Cycle now{cycle, changes_until(cycle), queues, events, rtl_.take()};
  if (triggered_ || selection_.trigger == Trigger::kNone) return write(now);
  ring_.push_back(std::move(now));
  if (ring_.size() > selection_.before + 1) {
    rtl_.pass(ring_.front().rtl);
    std::vector<Change> before = std::move(ring_.front().changes);  // they still hold
    ring_.pop_front();
    std::vector<Change>& next = ring_.front().changes;
    next.insert(next.begin(), before.begin(), before.end());
  }
  if (fires(cycle, queues, events)) fire(cycle);
}

bool FabricWaves::fires(Cycles cycle, const std::vector<QueueFill>& queues,
                        const std::vector<LinkEvent>& events) {
  if (selection_.trigger == Trigger::kColor) {
    for (const LinkEvent& event : events) {
      const bool there = !selection_.tile || mesh_.at(event.tile) == *selection_.tile;
      if (there && event.wavelet.color == selection_.color) return true;
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

void FabricWaves::failed(Cycles cycle) {
  if (selection_.trigger == Trigger::kMismatch && !triggered_) fire(cycle);
}

void FabricWaves::fire(Cycles cycle) {
  triggered_ = cycle;
  for (const Cycle& kept : ring_) write(kept);
  ring_.clear();
}

/// Times rise; what is said of one that has passed is shown now.
void FabricWaves::move_to(Cycles cycle) {
  if (at_ && cycle <= *at_) return;
  if (rtl_.high()) {
    sink_->time((clock_.time_of(*at_) + clock_.time_of(*at_ + 1)) / 2);
    rtl_.fall(*sink_);
  }
  sink_->time(clock_.time_of(cycle));
  if (!at_) {
    for (const auto& [what, signal] : engines_) sink_->set(signal, 0);
  }
  at_ = cycle;
}

void FabricWaves::show(const std::vector<Change>& changes, Cycles first) {
  for (const Change& change : changes) {
    move_to(std::max(change.cycle, first));
    sink_->set(change.signal, change.value);
  }
}

void FabricWaves::write(const Cycle& c) {
  // A window begins with its first cycle, a trigger with the first one kept.
  const bool kept = selection_.trigger != Trigger::kNone;
  const Cycles begin = kept ? c.cycle : std::min(selection_.from, c.cycle);
  if (cycles_ == 0) first_ = c.changes.empty() ? c.cycle : std::max(begin, c.changes[0].cycle);
  if (cycles_ > 0 && c.cycle > last_ + 1) {
    // Nothing was seen in between because nothing moved.
    move_to(last_ + 1);
    for (auto& [key, link] : links_) {
      if (link.was_valid) sink_->set(link.valid, 0);
      link.was_valid = false;
    }
  }
  show(c.changes, cycles_ == 0 ? begin : Cycles{0});
  last_ = c.cycle;
  ++cycles_;
  move_to(c.cycle);
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
  rtl_.show(c.rtl, *sink_);
}

void FabricWaves::add_engines(const tiles::Kernel& kernel) {
  std::uint32_t threads = 1;
  for (const tiles::Program& program : kernel.programs) {
    for (const tiles::Instruction& i : program.instructions) {
      threads = std::max(threads, std::uint32_t{i.thread} + 1);
    }
  }
  for (std::uint32_t y = selection_.tiles.rows.begin; y < selection_.tiles.rows.end; ++y) {
    for (std::uint32_t x = selection_.tiles.columns.begin; x < selection_.tiles.columns.end; ++x) {
      for (std::uint32_t what = 0; what <= threads; ++what) {
        const std::string name = what == 0   ? "task"
                                 : what == 1 ? "main"
                                             : fmt::format("microthread_{}", what - 2);
        const std::uint32_t tile = mesh_.tile(x, y);
        const base::Coordinate at = named(tile);
        const std::string scope = fmt::format("tiles.tile_{}_{}", at.x, at.y);
        engines_[{tile, what}] = sink_->add({scope, name, 16});
        engine_names_.emplace_back(tile, scope + "." + name + "[15:0]");
      }
    }
  }
}

void FabricWaves::change(base::Coordinate tile, std::uint32_t what, Cycles cycle,
                         std::uint32_t value) {
  const auto it = engines_.find({mesh_.tile(tile.x, tile.y), what});
  if (it != engines_.end()) changes_.push_back({cycle, it->second, value});
}

void FabricWaves::add_kernels(std::vector<std::string> names) {
  kernels_ = std::move(names);
  kernel_ = sink_->add({"fabric", "kernel", 16});
}

void FabricWaves::kernel(Cycles cycle, std::uint32_t number) {
  changes_.push_back({cycle, kernel_, number});
}

void FabricWaves::task(base::Coordinate tile, Cycles cycle, const tiles::Program& /*program*/,
                       std::uint32_t number, bool begins) {
  change(tile, 0, begins ? cycle : cycle + 1, begins ? number + 1 : 0);
}

void FabricWaves::operation(base::Coordinate tile, Cycles cycle, const tiles::Program& /*program*/,
                            std::uint32_t thread, std::uint32_t instruction, bool begins) {
  change(tile, 1 + thread, begins ? cycle : cycle + 1, begins ? instruction + 1 : 0);
}

/// What has to be shown by now, in its order: the end of an operation is seen a cycle after it.
std::vector<FabricWaves::Change> FabricWaves::changes_until(Cycles cycle) {
  const auto later = std::stable_partition(changes_.begin(), changes_.end(),
                                           [cycle](const Change& c) { return c.cycle <= cycle; });
  std::vector<Change> due(changes_.begin(), later);
  changes_.erase(changes_.begin(), later);
  std::stable_sort(due.begin(), due.end(),
                   [](const Change& a, const Change& b) { return a.cycle < b.cycle; });
  return due;
}

void FabricWaves::close() {
  if (cycles_ > 0) {
    move_to(last_ + 1);
    for (auto& [key, link] : links_) {
      if (link.was_valid) sink_->set(link.valid, 0);
    }
    if (!triggered_ && selection_.to == ~Cycles{0}) show(changes_until(~Cycles{0}), 0);
  }
  sink_->close();
}

std::string FabricWaves::save_file(const std::string& waves,
                                   const std::string& kernels_file) const {
  SaveFile save(waves, clock_.time_of(first_), clock_.time_of(last_ + 1));
  save.number("fabric.cycle[63:0]");
  if (!kernels_.empty()) save.state("fabric.kernel[15:0]", kernels_file);
  std::uint32_t tile = fabric::Mesh::kNone;
  for (const auto& [of, name] : engine_names_) {
    if (of != tile) {
      if (tile != fabric::Mesh::kNone) save.end_group();
      const base::Coordinate at = named(of);
      save.begin_group(fmt::format("tile ({}, {})", at.x, at.y), true);
      tile = of;
    }
    save.number(name);
  }
  if (tile != fabric::Mesh::kNone) save.end_group();
  tile = fabric::Mesh::kNone;
  for (const auto& [of, name] : names_) {
    if (of != tile) {
      if (tile != fabric::Mesh::kNone) save.end_group();
      const base::Coordinate at = named(of);
      save.begin_group(fmt::format("router ({}, {})", at.x, at.y), true);
      tile = of;
    }
    save.number(scope_of(of) + "." + name);
  }
  if (tile != fabric::Mesh::kNone) save.end_group();
  rtl_.describe(save);
  return save.text();
}

}  // namespace wse::report
