// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/channel_fabric.h"

#include <algorithm>
#include <tuple>

#include "band_team.h"
#include "channel_pass.h"
#include "twin_points.h"
#include "wse/base/check.h"

namespace wse::fabric {
namespace {

/// A power of two, so that a cycle finds its place by a mask.
std::size_t ring_size(std::uint32_t latency) {
  std::size_t size = 2;
  while (size <= latency) size *= 2;
  return size;
}

}  // namespace

ChannelFabric::ChannelFabric(RouteTable routes, const EngineConfig& config, std::uint32_t threads)
    : config_(config),
      graph_(std::move(routes), config, threads),
      records_(graph_.records()),
      overflow_(graph_.overflow_slots()),
      arbiters_(graph_.shares_outputs() ? graph_.mesh().tiles() : 0),
      credits_due_(ring_size(config.ramp_cycles)),
      arrivals_due_(credits_due_.size()) {
  for (std::size_t b = 0; b + 1 < graph_.band_begin().size(); ++b) {
    Band band;
    band.first = graph_.band_begin()[b];
    band.count = graph_.band_begin()[b + 1] - band.first;
    band.rows = base::split(graph_.mesh().rows, threads, static_cast<std::uint32_t>(b));
    band.active = band.next = ActiveSet(band.count);
    band.listed.resize(kBatch + 2 * WideMask::kBits);
    band.deliveries.resize(2 * kFlushAt);
    bands_.push_back(std::move(band));
  }
  if (!config.receiver_depth.empty()) {
    for (const std::uint8_t depth : config.receiver_depth) {
      credits_.push_back(static_cast<std::uint8_t>(EngineConfig::slots(depth, config.ramp_cycles)));
    }
  }
  if (graph_.has_filters()) find_filters();
  plain_ = filters_.empty() && credits_.empty() && config.link_slots() <= Record::kSlotsWithNext &&
           config.ramp_slots() <= Record::kSlotsWithNext;
  // Threads would have to wake the routers of each other.
  if (!plain_ && graph_.shares_outputs() && threads == 1) parked_.resize(graph_.mesh().tiles());
}

void ChannelFabric::find_filters() {
  for (std::uint32_t leaf = 0; leaf < graph_.mesh().tiles() * kNumColors; ++leaf) {
    const ColorRoute* route = graph_.routes().find(tile_of(leaf), color_of(leaf));
    if (route != nullptr && route->filter.kind != RampFilter::Kind::kNone) {
      filters_[leaf] = {route->filter, 0};
    }
  }
}

ChannelFabric::~ChannelFabric() = default;

ChannelFabric::Band& ChannelFabric::band_of(std::uint32_t index) {
  std::size_t b = 0;
  while (index - bands_[b].first >= bands_[b].count) ++b;
  return bands_[b];
}

/// Into a queue in a cycle, if there is a slot.
bool ChannelFabric::put(Record& record, const Wavelet& wavelet, base::Cycles cycle,
                        std::uint32_t latency) {
  Channel& c = record.channel;
  Record::Word& place = slot(record, c.tail);
  const std::uint64_t old = place.load(std::memory_order_relaxed);
  if ((old & Slot::kFull) != 0 || !Slot::due(old, cycle)) return false;
  place.store(Slot::make(wavelet) | Slot::stamp(cycle + latency), std::memory_order_relaxed);
  c.tail = static_cast<std::uint8_t>(c.tail + 1 == c.capacity ? 0 : c.tail + 1);
  return true;
}

bool ChannelFabric::inject(std::uint32_t source, const Wavelet& wavelet) {
  Record& record = records_[source];
  const bool visited = (head_of(record) & Slot::kFull) != 0;  // anyway
  if (!put(record, wavelet, now_, config_.ramp_cycles)) return false;
  if (record.channel.has(Channel::kTwin)) {
    twins_->send(source, wavelet, config_.ramp_cycles);
  } else if (!visited) {
    due_in(arrivals_due_, now_ + config_.ramp_cycles).push_back(source);
    ++under_way_;
  }
  const Channel& c = record.channel;
  if (c.has(Channel::kWatched)) given_.push_back({tile_of(c.leaf), Port::kRamp, true, wavelet});
  ++injected_;
  if (!tile_counts_.empty()) ++tile_counts_[tile_of(c.leaf)].injected;
  moving_ = true;
  return true;
}

void ChannelFabric::restore(std::uint32_t channel, const Wavelet& wavelet, base::Cycles due) {
  Record& record = records_[channel];
  Channel& c = record.channel;
  Record::Word& place = slot(record, c.tail);
  WSE_CHECK((place.load(std::memory_order_relaxed) & Slot::kFull) == 0, "a full queue");
  place.store(Slot::make(wavelet) | Slot::stamp(due), std::memory_order_relaxed);
  c.tail = static_cast<std::uint8_t>(c.tail + 1 == c.capacity ? 0 : c.tail + 1);
  Band& band = band_of(channel);
  band.active.add(channel - band.first);
  ++restored_;
  moving_ = true;
}

void ChannelFabric::restore_grant(std::uint32_t channel) {
  const Channel& c = records_[channel].channel;
  if (c.siblings == 0) return;
  Arbiter& arbiter = arbiters_[tile_of(c.leaf)];
  if (arbiter.last_step != step_ - 1) arbiter.pointers = 0;
  arbiter.last_step = step_ - 1;
  arbiter.move(c.outputs, static_cast<std::uint8_t>(c.member + 1), ~unsigned{c.outputs} & 0x1f);
}

void ChannelFabric::return_credit(std::uint32_t leaf) {
  if (credits_.empty()) return;  // compute engines that take everything owe none
  if (twins_ != nullptr && twins_->stands_at(tile_of(leaf))) {
    twins_->free_slot(tile_of(leaf), Port::kRamp, color_of(leaf), config_.ramp_cycles);
  }
  due_in(credits_due_, now_ + config_.ramp_cycles).push_back(leaf);
  ++under_way_;
}

void ChannelFabric::take_due() {
  std::vector<std::uint32_t>& credits = due_in(credits_due_, now_);
  for (const std::uint32_t leaf : credits) {
    ++credits_[leaf];
    if (!parked_.empty()) wake(tile_of(leaf), bands_[0], bands_[0].active);
  }
  std::vector<std::uint32_t>& arrivals = due_in(arrivals_due_, now_);
  for (const std::uint32_t index : arrivals) {
    Band& band = band_of(index);
    band.active.add(index - band.first);
  }
  under_way_ -= static_cast<std::uint32_t>(credits.size() + arrivals.size());
  credits.clear();
  arrivals.clear();
}

void ChannelFabric::step(EngineSink& sink) {
  if (now_ - renewed_ >= Slot::kRenewEvery) renew_stamps(now_);
  if (under_way_ != 0) take_due();
  watching_ = watch_ != nullptr && watch_->watches(now_);
  if (watching_) read_watched_queues();
  const std::uint64_t before = moves();
  moving_ = false;
  // Meeting the other threads costs as much as a few hundred visits.
  if (bands_.size() > 1 && moved_ >= std::uint64_t{config_.copies_a_thread} * bands_.size()) {
    for (std::uint32_t b = 0; b < bands_.size(); ++b) {
      EngineSink* own = sink.for_band(b);
      bands_[b].sink = own != nullptr ? own : &bands_[b].collector;
    }
    for_bands([this](std::uint32_t b) { scan(bands_[b]); });
    for (Band& band : bands_) band.collector.pass_on(sink);
  } else {
    for (Band& band : bands_) {
      band.sink = &sink;
      scan(band);
    }
  }
  if (twins_ != nullptr) step_twins(sink);
  join_bands(sink);
  if (watching_) show_watch();
  given_.clear();
  moved_ = moves() - before;
  moving_ = moving_ || moved_ != 0;
  ++now_;
  ++step_;
}

/// Copies that have gone anywhere.
std::uint64_t ChannelFabric::moves() const {
  std::uint64_t sum = 0;
  for (const Band& band : bands_) {
    sum += band.counts.hops + band.counts.delivered + band.counts.filtered;
  }
  return sum;
}

void ChannelFabric::scan(Band& band) {
  if (watching_) {
    ChannelPass<false, true>(*this, band, 0).run();
  } else if (plain_) {
    ChannelPass<true, false>(*this, band, 0).run();
  } else {
    ChannelPass<false, false>(*this, band, 0).run();
  }
}

/// A piece of work for each band, by a thread each.
void ChannelFabric::for_bands(const std::function<void(std::uint32_t)>& work) {
  if (team_ == nullptr) {
    team_ = std::make_unique<BandTeam>(static_cast<std::uint32_t>(bands_.size()));
  }
  team_->run(work);
}

void ChannelFabric::join_bands(EngineSink& sink) {
  for (Band& band : bands_) {
    if (!band.freed.empty()) {
      sink.free_slots(now_, band.freed.data(), band.freed.data() + band.freed.size());
      band.freed.clear();
    }
    for (const std::uint32_t index : band.crossing) {
      for (Band& other : bands_) {
        if (index - other.first < other.count) other.next.add(index - other.first);
      }
    }
    band.crossing.clear();
  }
  for (Band& band : bands_) {
    std::swap(band.active, band.next);
    moving_ = moving_ || band.waits;
  }
  for (Band& band : bands_) obey_commands(band.commands);
}

/// Commands of one cycle, by router, color and input.
void ChannelFabric::obey_commands(std::vector<std::uint64_t>& commands) {
  if (commands.empty()) return;
  std::sort(commands.begin(), commands.end());
  for (const std::uint64_t command : commands) {
    obey(static_cast<std::uint32_t>(command >> 8), static_cast<Command>(command & 3));
  }
  commands.clear();
}

/// The switch moves after the wavelet has passed, for all inputs of the color.
void ChannelFabric::obey(std::uint32_t leaf, Command command) {
  if (command == Command::kNothing) return;
  const ColorRoute* route = graph_.routes().find(tile_of(leaf), color_of(leaf));
  Switch& state = switches_[leaf];
  state.position = route->position_after(command, state.position);
  if (command == Command::kTeardown) state.halted = true;
  graph_.for_each_channel(leaf, [&](std::uint32_t i) {
    Channel& c = records_[i].channel;
    c.outputs = state.halted ? std::uint8_t{0} : route->outputs_of(c.port(), state.position).bits();
    if (state.halted) c.pending = 0;
  });
  if (!parked_.empty()) wake(tile_of(leaf), bands_[0], bands_[0].active);
  moving_ = true;
}

bool ChannelFabric::can_move() const {
  return under_way_ != 0 || (moving_ && held() != 0) || (twins_ != nullptr && twins_->can_move());
}

void ChannelFabric::set_twin(std::uint32_t tile, std::unique_ptr<RouterTwin> twin) {
  if (twins_ == nullptr) twins_ = std::make_unique<TwinPoints>(*this);
  twins_->add(tile, std::move(twin));
  plain_ = false;
  parked_.clear();
}

/// What bands have sent to routers elsewhere and freed behind them, and what those do.
void ChannelFabric::step_twins(EngineSink& sink) {
  for (Band& band : bands_) {
    for (const auto& [channel, wavelet] : band.to_twins) {
      twins_->send(channel, wavelet, config_.hop_cycles);
    }
    for (const std::uint32_t index : band.from_twins) {
      const Channel& c = records_[index].channel;
      twins_->free_slot(graph_.mesh().neighbour(tile_of(c.leaf), c.port()), facing(c.port()),
                        color_of(c.leaf), config_.hop_cycles);
    }
    band.to_twins.clear();
    band.from_twins.clear();
  }
  try {
    twins_->step(sink);
  } catch (const std::exception&) {
    if (watching_) {  // the cycle of a failure is the one that matters
      show_watch();
      watch_->failed(now_);
    }
    throw;
  }
}

void ChannelFabric::on_skip(base::Cycles cycle) {
  if (watch_ != nullptr) show_waiting(*watch_, cycle);
  if (cycle - renewed_ >= Slot::kRenewEvery) renew_stamps(cycle);
  // Where nothing is held no output is wanted in the cycles passed over.
  if (held() == 0) ++step_;
}

/// What the last cycle left, and as long as it waits.
void ChannelFabric::show_waiting(RouterWatch& watch, base::Cycles end) {
  if (held() == 0) end = now_ + 1;
  for (base::Cycles cycle = now_; cycle < end && watch.watches(cycle); ++cycle) {
    if (cycle == now_) read_watched_queues();
    watch.see(cycle, watched_queues_, {});
  }
}

EngineCounts ChannelFabric::counts() const {
  EngineCounts sum;
  sum.injected = injected_;
  for (const Band& band : bands_) {
    sum.injected += band.injected;
    sum.delivered += band.counts.delivered;
    sum.filtered += band.counts.filtered;
    sum.hops += band.counts.hops;
  }
  return sum;
}

std::uint64_t ChannelFabric::held() const {
  std::uint64_t came = injected_ + restored_;
  std::uint64_t left = 0;
  for (const Band& band : bands_) {
    came += band.injected + band.counts.hops;
    left += band.left;
  }
  return came - left;
}

void ChannelFabric::count_by_tile(const std::vector<std::uint32_t>& die_of_tile) {
  tile_counts_.assign(graph_.mesh().tiles(), {});
  die_of_tile_ = die_of_tile;
}

void ChannelFabric::set_watch(RouterWatch& watch) {
  watch_ = &watch;
  const base::Rectangle tiles = watch.tiles();
  for (std::uint32_t y = tiles.rows.begin; y < tiles.rows.end; ++y) {
    for (std::uint32_t x = tiles.columns.begin; x < tiles.columns.end; ++x) {
      for (std::uint8_t color = 0; color < kNumColors; ++color) {
        graph_.for_each_channel(leaf_of(graph_.mesh().tile(x, y), color), [this](std::uint32_t i) {
          records_[i].channel.input |= Channel::kWatched;
          watched_.push_back(i);
        });
      }
    }
  }
}

void ChannelFabric::read_watched_queues() {
  watched_queues_.clear();
  for (const std::uint32_t i : watched_) {
    const Channel& c = records_[i].channel;
    QueueFill fill{tile_of(c.leaf), c.port(), color_of(c.leaf), 0, c.capacity};
    for (std::uint8_t place = 0; place < c.capacity; ++place) {
      const std::uint64_t word = slot(records_[i], place).load(std::memory_order_relaxed);
      const bool here = (word & Slot::kFull) != 0 && Slot::due(word, now_);
      fill.wavelets = static_cast<std::uint8_t>(fill.wavelets + (here ? 1 : 0));
    }
    watched_queues_.push_back(fill);
  }
}

void ChannelFabric::show_watch() {
  for (Band& band : bands_) {
    given_.insert(given_.end(), band.events.begin(), band.events.end());
    band.events.clear();
  }
  std::sort(given_.begin(), given_.end(), [](const LinkEvent& a, const LinkEvent& b) {
    return std::tie(a.tile, a.given, a.port) < std::tie(b.tile, b.given, b.port);
  });
  watch_->see(now_, watched_queues_, given_);
}

std::vector<HeldQueue> ChannelFabric::held_queues() const {
  std::vector<HeldQueue> held;
  for (std::uint32_t leaf = 0; leaf < graph_.mesh().tiles() * kNumColors; ++leaf) {
    graph_.for_each_channel(leaf, [&](std::uint32_t i) {
      const Channel& c = records_[i].channel;
      HeldQueue queue;
      queue.leaf = leaf;
      queue.input = c.port();
      for (std::uint8_t place = 0; place < c.capacity; ++place) {
        const std::uint64_t word = slot(records_[i], place).load(std::memory_order_relaxed);
        queue.wavelets += (word & Slot::kFull) != 0 ? 1 : 0;
      }
      if (queue.wavelets == 0) return;
      queue.wants = PortSet::from_bits(c.pending != 0 ? c.pending : c.outputs);
      const auto state = switches_.find(leaf);
      if (state != switches_.end()) {
        queue.position = state->second.position;
        queue.halted = state->second.halted;
      }
      held.push_back(queue);
    });
  }
  return held;
}

std::size_t ChannelFabric::bytes() const {
  return std::size_t{graph_.size()} * sizeof(Record) + graph_.overflow_slots() * 8 +
         graph_.size() / 4 + parked_.size() * sizeof(Parked) +
         std::size_t{graph_.mesh().tiles()} * (2 * kNumColors + kNumPorts + 4) + arbiters_.bytes() +
         credits_.size();
}

/// Stamps that have come due long ago are set to a cycle from now on, so that they stay in the past.
/// What nobody waits for comes due within a few cycles: all stamps have, if the cycle is far away.
void ChannelFabric::renew_stamps(base::Cycles cycle) {
  const bool is_far = cycle - now_ >= Slot::kRenewEvery / 2;
  const base::Cycles renewed = is_far ? cycle : now_;
  for (std::uint32_t leaf = 0; leaf < graph_.mesh().tiles() * kNumColors; ++leaf) {
    graph_.for_each_channel(leaf, [&](std::uint32_t i) {
      for (std::uint8_t place = 0; place < records_[i].channel.capacity; ++place) {
        Record::Word& word = slot(records_[i], place);
        const std::uint64_t old = word.load(std::memory_order_relaxed);
        if (!is_far && !Slot::due(old, now_)) continue;
        word.store((old & Slot::kPayload) | Slot::stamp(renewed), std::memory_order_relaxed);
      }
    });
  }
  renewed_ = renewed;
}

}  // namespace wse::fabric
