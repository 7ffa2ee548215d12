// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/noc_run.h"

#include <algorithm>
#include <array>
#include <memory>

#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/deadlock.h"
#include "wse/fabric/flow_fabric.h"
#include "wse/fabric/offers.h"
#include "wse/fabric/xy_fabric.h"

namespace wse::fabric {
namespace {

/// A wavelet at its source: to a color, or with xy routing to a tile.
struct Parcel {
  std::uint32_t source = 0;  ///< of the network
  std::uint32_t target = 0;
  std::uint32_t data = 0;
};

/// The two kinds of networks behind one face.
class Network {
 public:
  virtual ~Network() = default;
  /// Where a tile gives wavelets for a target to the network.
  virtual std::uint32_t source(std::uint32_t tile, std::uint32_t target) const = 0;
  virtual void prefetch(std::uint32_t source) const = 0;
  virtual bool inject(const Parcel& parcel) = 0;
  virtual void step(EngineSink& sink) = 0;
  virtual void skip_to(base::Cycles cycle) = 0;
  virtual base::Cycles now() const = 0;
  virtual bool can_move() const = 0;
  virtual EngineCounts counts() const = 0;
  virtual std::uint64_t held() const = 0;
  virtual std::size_t bytes() const = 0;
  virtual std::string explain_deadlock() const = 0;
  /// Rows from which on blocks begin that can run ahead of each other; one if there are none.
  virtual std::vector<std::uint32_t> blocks() const = 0;
  virtual bool can_run_ahead() const = 0;
  virtual void run_ahead(std::uint32_t cycles, ChannelFabric::RunAheadSource& source,
                         EngineSink& sink) = 0;
  virtual void set_watch(RouterWatch& watch) = 0;
};

template <class Fabric>
class NetworkOf final : public Network {
 public:
  template <class... Arguments>
  explicit NetworkOf(Arguments&&... arguments) : fabric_(std::forward<Arguments>(arguments)...) {}

  std::uint32_t source(std::uint32_t tile, std::uint32_t target) const override {
    if constexpr (std::is_same_v<Fabric, XyFabric>) {
      return tile;
    } else {
      return fabric_.source(tile, static_cast<std::uint8_t>(target));
    }
  }
  void prefetch(std::uint32_t source) const override { fabric_.prefetch(source); }
  bool inject(const Parcel& parcel) override {
    if constexpr (std::is_same_v<Fabric, XyFabric>) {
      return fabric_.inject(parcel.source, parcel.target, parcel.data);
    } else {
      return fabric_.inject(parcel.source,
                            {parcel.data, static_cast<std::uint8_t>(parcel.target), false, false});
    }
  }
  void step(EngineSink& sink) override { fabric_.step(sink); }
  void skip_to(base::Cycles cycle) override { fabric_.skip_to(cycle); }
  base::Cycles now() const override { return fabric_.now(); }
  bool can_move() const override { return fabric_.can_move(); }
  EngineCounts counts() const override { return fabric_.counts(); }
  std::uint64_t held() const override { return fabric_.held(); }
  std::size_t bytes() const override { return fabric_.bytes(); }
  std::vector<std::uint32_t> blocks() const override {
    std::vector<std::uint32_t> rows;
    if constexpr (kRunsAhead) {
      for (const ChannelGraph::Block& block : fabric_.graph().blocks()) {
        rows.push_back(block.first_row);
      }
      return rows;
    }
    return {0};
  }
  bool can_run_ahead() const override {
    if constexpr (kRunsAhead) return fabric_.can_run_ahead();
    return false;
  }
  void run_ahead(std::uint32_t cycles, ChannelFabric::RunAheadSource& source,
                 EngineSink& sink) override {
    if constexpr (kRunsAhead) fabric_.run_ahead(cycles, source, sink);
  }
  void set_watch(RouterWatch& watch) override {
    if constexpr (std::is_same_v<Fabric, ChannelFabric>) fabric_.set_watch(watch);
  }
  std::string explain_deadlock() const override {
    if constexpr (std::is_same_v<Fabric, XyFabric>) {
      return "deadlock, which routes along rows and then columns do not allow";
    } else {
      return fabric::explain_deadlock(fabric_.graph().routes(), fabric_.held_queues(), now());
    }
  }

 private:
  static constexpr bool kRunsAhead = std::is_same_v<Fabric, ChannelFabric>;
  Fabric fabric_;
};

std::unique_ptr<Network> make_network(const NocConfig& config, const Traffic& traffic) {
  if (config.traffic.routing == Routing::kXy) {
    return std::make_unique<NetworkOf<XyFabric>>(config.traffic.mesh, config.engine);
  }
  if (config.kind == EngineKind::kFlow) {
    return std::make_unique<NetworkOf<FlowFabric>>(traffic.routes(), config.engine);
  }
  return std::make_unique<NetworkOf<ChannelFabric>>(traffic.routes(), config.engine,
                                                    config.threads);
}

/// Queues without bound, one a tile; only tiles that wait cost anything.
class Backlog {
 public:
  Backlog(std::uint32_t tiles, std::size_t blocks) : last_(tiles, kNone), waiting_(blocks) {}

  void prefetch(std::uint32_t tile) const { __builtin_prefetch(&last_[tile]); }
  bool holds(std::uint32_t tile) const { return last_[tile] != kNone; }
  std::uint64_t size() const { return size_; }

  void push(std::uint32_t block, std::uint32_t tile, Parcel parcel) {
    std::uint32_t node = free_;
    if (node == kNone) {
      node = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back();
    } else {
      free_ = nodes_[node].next;
    }
    nodes_[node] = {parcel, kNone};
    if (last_[tile] == kNone) {
      waiting_[block].push_back({tile, node});
    } else {
      nodes_[last_[tile]].next = node;
    }
    last_[tile] = node;
    ++size_;
  }
  /// Offers the first of each queue of a block to give(tile, parcel), which says whether it was
  /// taken.
  template <class Give>
  void offer(std::uint32_t block, Give&& give) {
    std::vector<Waiting>& waiting = waiting_[block];
    std::size_t kept = 0;
    for (Waiting& w : waiting) {
      if (give(w.tile, nodes_[w.first].parcel)) {
        const std::uint32_t node = w.first;
        w.first = nodes_[node].next;
        nodes_[node].next = free_;
        free_ = node;
        --size_;
      }
      if (w.first == kNone) {
        last_[w.tile] = kNone;
      } else {
        waiting[kept++] = w;
      }
    }
    waiting.resize(kept);
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  struct Node {
    Parcel parcel;
    std::uint32_t next;
  };
  struct Waiting {
    std::uint32_t tile;
    std::uint32_t first;
  };
  std::vector<std::uint32_t> last_;            ///< node by tile
  std::vector<std::vector<Waiting>> waiting_;  ///< by block
  std::vector<Node> nodes_;
  std::uint32_t free_ = kNone;
  std::uint64_t size_ = 0;
};

class NocRun final : private ChannelFabric::RunAheadSource {
  static constexpr std::size_t kBatch = 32;         // offers whose memory is asked for together
  static constexpr std::uint32_t kCyclesAhead = 8;  // even; each costs the cache a block
  struct Way {
    std::uint32_t source;
    std::uint32_t target;
  };
  struct Offer {
    std::uint32_t sender;
    std::uint32_t tile;
    Parcel parcel;
  };

 public:
  explicit NocRun(const NocConfig& config)
      : config_(config),
        traffic_(config.traffic),
        network_(make_network(config, traffic_)),
        offers_(config.traffic.rate / config.traffic.packet, traffic_.senders().size(),
                config.traffic.seed),
        dice_(config.traffic.seed ^ 0x5851f42d4c957f2dULL),
        block_rows_(network_->blocks()),
        backlog_(config.traffic.mesh.tiles(), block_rows_.size()),
        turns_(traffic_.turns()),
        packets_(turns_ > 1 ? traffic_.senders().size() : 0, 0),
        turn_(config.traffic.mesh.tiles(), ~std::uint32_t{0}) {
    find_ways();
    if (config.watch != nullptr) network_->set_watch(*config.watch);
  }

  NocResult run() {
    const base::Cycles end = config_.traffic.cycles;
    while (network_->now() < end) {
      if (network_->now() + kCyclesAhead <= end && network_->can_run_ahead()) {
        run_ahead();
        continue;
      }
      offer();
      network_->step(stats_);
      poll();
      if (backlog_.size() == 0 && !network_->can_move()) {
        network_->skip_to(std::max(network_->now(), std::min(offers_.cycle(), end)));
      }
    }
    const std::uint64_t refused = backlog_.size();
    const std::uint64_t accepted = network_->counts().injected;
    while (network_->can_move()) {
      network_->step(stats_);
      poll();
    }
    network_->skip_to(network_->now() + 1);
    if (network_->held() != 0) {
      if (config_.watch != nullptr) config_.watch->deadlock(network_->now());
      throw DeadlockError(network_->explain_deadlock());
    }
    stats_.finish();
    return result(refused, accepted);
  }

 private:
  /// What sources do in the cycle now().
  void offer() {
    sources_wait_ = backlog_.size() != 0;
    for (std::uint32_t block = 0; sources_wait_ && block < block_rows_.size(); ++block) {
      serve_backlog(block);
    }
    while (offers_.cycle() == network_->now()) {
      offered_.clear();
      for (; offers_.cycle() == network_->now() && offered_.size() < kBatch; offers_.next()) {
        look_ahead(static_cast<std::uint32_t>(offers_.sender()));
      }
      for (Offer& offer : offered_) fill(offer, needs_dice_ ? dice_.next() : 0);
      for (const Offer& offer : offered_) give(offer);
    }
  }

  /// Some cycles at once: senders of all of them are drawn first, as they would be one by one.
  void run_ahead() {
    const base::Cycles begin = network_->now();
    for (std::uint32_t s = 0; s < kCyclesAhead; ++s) {
      ahead_[s].clear();
      ahead_next_[s] = 0;
      for (; offers_.cycle() == begin + s; offers_.next()) {
        ahead_[s].push_back(static_cast<std::uint32_t>(offers_.sender()));
      }
    }
    ahead_begin_ = begin;
    network_->run_ahead(kCyclesAhead, *this, stats_);
    poll();
  }

  void give(std::uint32_t block) override {
    const auto s = static_cast<std::size_t>(network_->now() - ahead_begin_);
    sources_wait_ = backlog_.size() != 0;
    if (sources_wait_) serve_backlog(block);
    const bool last = block + 1 == block_rows_.size();
    const Mesh mesh = config_.traffic.mesh;
    const std::uint32_t end = last ? mesh.tiles() : block_rows_[block + 1] * mesh.columns;
    const std::vector<std::uint32_t>& senders = ahead_[s];
    std::size_t& next = ahead_next_[s];
    while (next < senders.size() && traffic_.senders()[senders[next]] < end) {
      offered_.clear();
      for (; next < senders.size() && traffic_.senders()[senders[next]] < end &&
             offered_.size() < kBatch;
           ++next) {
        look_ahead(senders[next]);
      }
      for (Offer& offer : offered_) fill(offer, 0);
      for (const Offer& offer : offered_) give(offer);
    }
  }

  void serve_backlog(std::uint32_t block) {
    backlog_.offer(block, [&](std::uint32_t tile, const Parcel& parcel) {
      if (!network_->inject(parcel)) return false;
      turn_[tile] = parcel_data();
      return true;
    });
  }

  std::uint32_t block_of(std::uint32_t tile) const {
    const std::uint32_t row = tile / config_.traffic.mesh.columns;
    const auto it = std::upper_bound(block_rows_.begin(), block_rows_.end(), row);
    return static_cast<std::uint32_t>(it - block_rows_.begin()) - 1;
  }

  std::uint32_t parcel_data() const { return static_cast<std::uint32_t>(network_->now()); }

  /// Three steps for each of many offers, so that memory answers meanwhile.
  void look_ahead(std::uint32_t sender) {
    const std::uint32_t tile = traffic_.senders()[sender];
    if (!ways_.empty()) __builtin_prefetch(&ways_[std::size_t{sender} * turns_]);
    if (turns_ > 1) __builtin_prefetch(&packets_[sender], 1);
    if (sources_wait_) {
      __builtin_prefetch(&turn_[tile]);
      backlog_.prefetch(tile);
    }
    offered_.push_back({sender, tile, {tile, 0, parcel_data()}});
  }

  void fill(Offer& offer, std::uint64_t dice) {
    Parcel& parcel = offer.parcel;
    if (ways_.empty()) {
      parcel.target = traffic_.target(offer.tile, 0, dice);
    } else {
      const std::uint32_t turn = turns_ == 1 ? 0 : packets_[offer.sender]++ % turns_;
      const Way& way = ways_[std::size_t{offer.sender} * turns_ + turn];
      parcel.source = way.source;
      parcel.target = way.target;
      if (way.target == Traffic::kNobody) return;
    }
    network_->prefetch(parcel.source);
  }

  void give(const Offer& offer) {
    if (offer.parcel.target == Traffic::kNobody) return;
    std::uint32_t left = config_.traffic.packet;
    const bool waits =
        sources_wait_ && (backlog_.holds(offer.tile) || turn_[offer.tile] == offer.parcel.data);
    if (!waits && network_->inject(offer.parcel)) --left;
    for (; left > 0; --left) backlog_.push(block_of(offer.tile), offer.tile, offer.parcel);
  }

  /// Sources and colors of every sender, looked up once.
  void find_ways() {
    if (config_.traffic.routing == Routing::kXy) return;
    ways_.reserve(traffic_.senders().size() * turns_);
    for (const std::uint32_t tile : traffic_.senders()) {
      for (std::uint32_t turn = 0; turn < turns_; ++turn) {
        const std::uint32_t target = traffic_.target(tile, turn, 0);
        ways_.push_back({target == Traffic::kNobody ? 0 : network_->source(tile, target), target});
      }
    }
  }

  void poll() {
    if ((++polls_ & 0x3ff) == 0 && config_.interrupted && config_.interrupted()) {
      throw Interrupted();
    }
  }

  NocResult result(std::uint64_t refused, std::uint64_t accepted) const {
    const EngineCounts counts = network_->counts();
    NocResult r;
    r.injected = counts.injected;
    r.refused = refused;
    r.offered = r.injected + refused;
    r.delivered = stats_.delivered();
    r.hops = counts.hops;
    r.cycles = stats_.delivered() == 0 ? network_->now() : stats_.last_cycle() + 1;
    r.latency_sum = stats_.sum();
    r.latency_max = stats_.max();
    r.latencies = stats_.histogram();
    r.senders = traffic_.senders().size();
    r.accepted_rate = static_cast<double>(accepted) / static_cast<double>(r.senders) /
                      static_cast<double>(config_.traffic.cycles);
    r.state_bytes = network_->bytes();
    base::ResultHash hash;
    for (const std::uint64_t value : {r.offered, r.injected, r.refused, r.hops, r.cycles}) {
      hash.add(value);
    }
    stats_.add_to(hash);
    r.result_hash = hash.text();
    return r;
  }

  const NocConfig& config_;
  const Traffic traffic_;
  const bool needs_dice_ = config_.traffic.pattern == Pattern::kUniform;
  std::unique_ptr<Network> network_;
  Offers offers_;
  base::Random dice_;
  const std::vector<std::uint32_t> block_rows_;
  Backlog backlog_;
  std::array<std::vector<std::uint32_t>, kCyclesAhead> ahead_;  ///< senders, by cycle
  std::array<std::size_t, kCyclesAhead> ahead_next_{};
  base::Cycles ahead_begin_ = 0;
  const std::uint32_t turns_;  ///< targets that a sender takes in turn
  std::vector<Way> ways_;      ///< by sender and turn; empty with xy routing
  std::vector<Offer> offered_;
  std::vector<std::uint8_t> packets_;  ///< offered so far, modulo 256, by sender
  std::vector<std::uint32_t> turn_;    ///< last cycle in which a backlog was served, by tile
  bool sources_wait_ = false;          ///< at the start of the cycle, any
  LatencyStats stats_;
  std::uint64_t polls_ = 0;
};

}  // namespace

void NocConfig::validate(base::ConfigErrors& errors) const {
  traffic.validate(errors);
  errors.require(threads >= 1 && threads <= 256 && threads <= traffic.mesh.rows, "--threads",
                 threads, "must be 1 .. 256 and at most the rows of the mesh");
  const bool xy = traffic.routing == Routing::kXy;
  errors.require(kind == EngineKind::kCycle || !xy, "--engine", "flow",
                 "needs --routing color: xy routing depends on the data");
  errors.require(threads == 1 || (!xy && kind == EngineKind::kCycle), "--threads", threads,
                 "must be 1 with --routing xy or --engine flow");
}

void NocConfig::validate_watch(base::ConfigErrors& errors) const {
  errors.require(traffic.routing == Routing::kColor && kind == EngineKind::kCycle, "--wave",
                 "given", "needs --routing color and --engine cycle");
}

NocResult run_noc(const NocConfig& config) { return NocRun(config).run(); }

}  // namespace wse::fabric
