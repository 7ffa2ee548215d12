// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/noc_run.h"

#include <algorithm>
#include <array>
#include <memory>

#include "backlog.h"
#include "noc_network.h"
#include "wse/fabric/deadlock.h"
#include "wse/fabric/offers.h"
#include "wse/fabric/prefetch.h"

namespace wse::fabric {
namespace {

class NocRun final : private ChannelFabric::RunAheadSource {
  static constexpr std::size_t kBatch = 32;  // offers whose memory is asked for together
  static constexpr std::uint32_t kCyclesAhead = ChannelFabric::kCyclesAhead;
  static constexpr std::uint32_t kNobody = (1U << 30) - 1;
  using Piece = ChannelFabric::Piece;
  struct Way {
    std::uint32_t source;
    std::uint32_t target : 30;
    std::uint32_t advances : 1;
    std::uint32_t is_last : 1;  ///< then the first of the sender takes its turn
  };
  struct Offer {
    std::uint32_t sender;
    std::uint32_t tile;
    Parcel parcel;
  };
  /// Sources of some rows, served by one thread at a time.
  struct Band {
    Band(base::Span rows, const NocConfig& config, std::uint32_t blocks)
        : first_row(rows.begin),
          end_tile(rows.end * config.traffic.mesh.columns),
          backlog(rows.begin * config.traffic.mesh.columns,
                  rows.size() * config.traffic.mesh.columns, rows.size() * blocks) {}
    std::uint32_t first_row;
    std::uint32_t end_tile;
    Backlog backlog;
    bool waits = false;  ///< at the start of the cycle, any
    std::vector<Offer> offered;
  };
  /// Senders of one of the cycles that are run ahead, by tile, and the next of them in each row.
  struct Cycle {
    std::vector<std::uint32_t> senders;
    std::vector<std::uint32_t> next;
    void start_row() { next.push_back(static_cast<std::uint32_t>(senders.size())); }
  };

 public:
  explicit NocRun(const NocConfig& config)
      : config_(config),
        mesh_(config.traffic.mesh),
        traffic_(config.traffic),
        network_(make_network(config, traffic_)),
        offers_(config.traffic.rate / config.traffic.packet, traffic_.senders().size(),
                config.traffic.seed),
        dice_(config.traffic.seed ^ 0x5851f42d4c957f2dULL),
        block_columns_(network_->block_columns() == 0 ? mesh_.columns : network_->block_columns()),
        blocks_((mesh_.columns + block_columns_ - 1) / block_columns_),
        turns_(most_turns(traffic_)),
        next_turn_(turns_ > 1 ? traffic_.senders().size() : 0, 0),
        turn_(mesh_.tiles(), ~std::uint32_t{0}) {
    for (std::uint32_t b = 0; b < config.threads; ++b) {
      bands_.emplace_back(base::split(mesh_.rows, config.threads, b), config, blocks_);
    }
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
      for (Band& band : bands_) offer(band);
      network_->step(stats_);
      poll();
      if (backlog() == 0 && !network_->can_move()) {
        network_->skip_to(std::max(network_->now(), std::min(offers_.cycle(), end)));
      }
    }
    const std::uint64_t refused = backlog();
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
  std::uint32_t tile_of_sender(std::uint64_t sender) const { return traffic_.senders()[sender]; }

  std::uint64_t backlog() const {
    std::uint64_t sum = 0;
    for (const Band& band : bands_) sum += band.backlog.size();
    return sum;
  }

  /// What the sources of a band do in the cycle now().
  void offer(Band& band) {
    const base::Cycles cycle = network_->now();
    const auto inject = [this](const Parcel& parcel) { return network_->inject(parcel); };
    band.waits = band.backlog.size() != 0;
    if (band.waits) {
      for (std::uint32_t i = 0; i < band.backlog.blocks(); ++i) serve(band, i, cycle, inject);
    }
    const auto mine = [&] {
      return offers_.cycle() == cycle && tile_of_sender(offers_.sender()) < band.end_tile;
    };
    while (mine()) {
      for (; mine() && band.offered.size() < kBatch; offers_.next()) {
        look_ahead(band, static_cast<std::uint32_t>(offers_.sender()), cycle);
      }
      give_batch(band, inject);
    }
  }

  /// Some cycles at once: senders of all of them are drawn first, as they would be one by one.
  void run_ahead() {
    ahead_begin_ = network_->now();
    for (std::uint32_t s = 0; s < kCyclesAhead; ++s) {
      Cycle& cycle = ahead_[s];
      cycle.senders.clear();
      cycle.next.clear();
      for (; offers_.cycle() == ahead_begin_ + s; offers_.next()) {
        const std::uint32_t tile = tile_of_sender(offers_.sender());
        while (tile >= cycle.next.size() * mesh_.columns) cycle.start_row();
        cycle.senders.push_back(static_cast<std::uint32_t>(offers_.sender()));
      }
      while (cycle.next.size() < mesh_.rows) cycle.start_row();
    }
    network_->run_ahead(*this, stats_);
    poll();
  }

  void give(Piece& piece) override {
    Band& band = bands_[piece.band()];
    const base::Cycles now = piece.cycle();
    const auto inject = [&piece](const Parcel& parcel) {
      return piece.inject(parcel.source, parcel.wavelet());
    };
    band.waits = band.backlog.size() != 0;
    if (band.waits) {
      const std::uint32_t row = (piece.row() - band.first_row) * blocks_;
      for (std::uint32_t i = piece.first_block(); i < piece.end_block(); ++i) {
        serve(band, row + i, now, inject);
      }
    }
    Cycle& cycle = ahead_[now - ahead_begin_];
    const std::uint32_t column = std::min(piece.end_block() * block_columns_, mesh_.columns);
    const std::uint32_t end_tile = piece.row() * mesh_.columns + column;
    std::uint32_t& next = cycle.next[piece.row()];
    const auto mine = [&] {
      return next < cycle.senders.size() && tile_of_sender(cycle.senders[next]) < end_tile;
    };
    while (mine()) {
      for (; mine() && band.offered.size() < kBatch; ++next) {
        look_ahead(band, cycle.senders[next], now);
      }
      give_batch(band, inject);
    }
  }

  template <class Inject>
  void serve(Band& band, std::uint32_t block, base::Cycles cycle, const Inject& inject) {
    band.backlog.offer(block, [&](std::uint32_t tile, const Parcel& parcel) {
      if (!inject(parcel)) return false;
      turn_[tile] = static_cast<std::uint32_t>(cycle);
      return true;
    });
  }

  /// Three steps for each of many offers, so that memory answers meanwhile.
  void look_ahead(Band& band, std::uint32_t sender, base::Cycles cycle) {
    const std::uint32_t tile = tile_of_sender(sender);
    if (!ways_.empty()) prefetch(&ways_[std::size_t{sender} * turns_]);
    if (turns_ > 1) prefetch(&next_turn_[sender]);
    if (band.waits) {
      prefetch(&turn_[tile]);
      band.backlog.prefetch(tile);
    }
    band.offered.push_back({sender, tile, {tile, 0, static_cast<std::uint32_t>(cycle)}});
  }

  template <class Inject>
  void give_batch(Band& band, const Inject& inject) {
    for (Offer& offer : band.offered) fill(offer);
    for (const Offer& offer : band.offered) give(band, offer, inject);
    band.offered.clear();
  }

  void fill(Offer& offer) {
    Parcel& parcel = offer.parcel;
    if (ways_.empty()) {
      parcel.target = traffic_.target(offer.tile, 0, needs_dice_ ? dice_.next() : 0);
    } else {
      const std::uint32_t turn = turns_ == 1 ? 0 : next_turn_[offer.sender];
      const Way& way = ways_[std::size_t{offer.sender} * turns_ + turn];
      if (turns_ > 1) {
        next_turn_[offer.sender] = static_cast<std::uint8_t>(way.is_last != 0 ? 0 : turn + 1);
      }
      if (way.target == kNobody) {
        parcel.target = Traffic::kNobody;
        return;
      }
      parcel.source = way.source;
      parcel.target = way.target;
      parcel.advance = way.advances != 0;
    }
    network_->prefetch(parcel.source);
  }

  template <class Inject>
  void give(Band& band, const Offer& offer, const Inject& inject) {
    if (offer.parcel.target == Traffic::kNobody) return;
    std::uint32_t left = config_.traffic.packet;
    const bool waits =
        band.waits && (band.backlog.holds(offer.tile) || turn_[offer.tile] == offer.parcel.data);
    // The last wavelet of a packet is the one that advances.
    const auto parcel = [&] {
      Parcel next = offer.parcel;
      next.advance = next.advance && left == 1;
      return next;
    };
    if (!waits && inject(parcel())) --left;
    if (left == 0) return;
    const std::uint32_t row = offer.tile / mesh_.columns;
    const std::uint32_t column = offer.tile % mesh_.columns;
    const std::uint32_t block = (row - band.first_row) * blocks_ + column / block_columns_;
    for (; left > 0; --left) band.backlog.push(block, offer.tile, parcel());
  }

  static std::uint32_t most_turns(const Traffic& traffic) {
    if (traffic.config().pattern != Pattern::kRoutes) return traffic.turns(0);
    std::uint32_t most = 1;
    for (const std::uint32_t tile : traffic.senders()) most = std::max(most, traffic.turns(tile));
    return most;
  }

  /// Sources and colors of every sender, looked up once.
  void find_ways() {
    if (config_.traffic.routing == Routing::kXy) return;
    ways_.reserve(traffic_.senders().size() * turns_);
    for (const std::uint32_t tile : traffic_.senders()) {
      const std::uint32_t turns = traffic_.turns(tile);
      for (std::uint32_t turn = 0; turn < turns_; ++turn) {
        const std::uint32_t target = traffic_.target(tile, turn, 0);
        const bool nobody = target == Traffic::kNobody;
        Way way{};
        way.source = nobody ? 0 : network_->source(tile, target);
        way.target = (nobody ? kNobody : target) & kNobody;
        way.advances = traffic_.advances(tile, turn) ? 1U : 0U;
        way.is_last = turn + 1 == turns ? 1U : 0U;
        ways_.push_back(way);
      }
    }
  }

  void poll() {
    if (config_.interrupted && config_.interrupted()) throw Interrupted();
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
  const Mesh mesh_;
  const Traffic traffic_;
  const bool needs_dice_ = config_.traffic.pattern == Pattern::kUniform;
  std::unique_ptr<Network> network_;
  Offers offers_;
  base::Random dice_;
  const std::uint32_t block_columns_, blocks_;
  std::vector<Band> bands_;
  std::array<Cycle, kCyclesAhead> ahead_;
  base::Cycles ahead_begin_ = 0;
  const std::uint32_t turns_;            ///< targets that a sender takes in turn
  std::vector<Way> ways_;                ///< by sender and turn; empty with xy routing
  std::vector<std::uint8_t> next_turn_;  ///< by sender
  std::vector<std::uint32_t> turn_;      ///< last cycle in which a backlog was served, by tile
  LatencyStats stats_;
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
  errors.require(kind == EngineKind::kCycle, "--wave", "given", "needs --engine cycle");
}

NocResult run_noc(const NocConfig& config) { return NocRun(config).run(); }

}  // namespace wse::fabric
