// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "wse/fabric/active_set.h"
#include "wse/fabric/channel_graph.h"
#include "wse/fabric/deadlock.h"
#include "wse/fabric/prefetch.h"
#include "wse/fabric/router_watch.h"

namespace wse::fabric {

struct AheadPiece;
class BandTeam;
class RouterTwin;
class TwinPoints;

/// The fabric for everyday use: visits the channels that hold wavelets, and those only. Equal to
/// ReferenceFabric in every delivery and cycle (testbenches/fabric/engines_test.cpp).
class ChannelFabric final : public Engine {
 public:
  /// Routes must have passed check_routes(). Rows are divided among as many threads; results do not
  /// depend on their number.
  ChannelFabric(RouteTable routes, const EngineConfig& config, std::uint32_t threads = 1);
  ~ChannelFabric() override;

  std::uint32_t source(std::uint32_t tile, std::uint8_t color) const override {
    return graph_.find_ramp(tile, color);
  }
  bool inject(std::uint32_t source, const Wavelet& wavelet) override;
  /// inject() will soon be called for this source.
  void prefetch(std::uint32_t source) const {
    fabric::prefetch(&records_[source]);
    fabric::prefetch(&records_[source] + 1);  // its queue runs on
  }
  void return_credit(std::uint32_t leaf) override;
  void step(EngineSink& sink) override;
  bool can_move() const override;
  EngineCounts counts() const override;
  std::uint64_t held() const override;

  /// For what was simulated elsewhere until now: puts a wavelet into a queue from where it leaves
  /// in `due` at the earliest, and notes that a channel left by all its outputs a cycle ago.
  void restore(std::uint32_t channel, const Wavelet& wavelet, base::Cycles due);
  void restore_grant(std::uint32_t channel);

  /// Copies that left a tile, and wavelets that its compute engine gave.
  struct TileCounts {
    std::uint32_t links = 0;
    std::uint32_t ramp = 0;
    std::uint32_t injected = 0;
    std::uint32_t die_crossings = 0;  ///< of the links
  };
  /// Counts by tile from now on.
  void count_by_tile(const std::vector<std::uint32_t>& die_of_tile);
  TileCounts* tile_counts() { return tile_counts_.empty() ? nullptr : tile_counts_.data(); }

  /// Leaves a router out and exchanges what its five ports carry with another implementation of it in
  /// each cycle. Before the first cycle. step() may then throw a TwinError.
  void set_twin(std::uint32_t tile, std::unique_ptr<RouterTwin> twin);

  /// Before the first cycle; the watch must outlive the fabric.
  void set_watch(RouterWatch& watch);

  /// All queues that hold something; for explain_deadlock().
  std::vector<HeldQueue> held_queues() const;

  /// Some tiles of a row in one cycle of a fabric that runs ahead.
  class Piece {
   public:
    base::Cycles cycle() const { return cycle_; }
    std::uint32_t band() const { return band_; }
    std::uint32_t row() const { return row_; }
    std::uint32_t first_block() const { return first_block_; }
    std::uint32_t end_block() const { return end_block_; }
    /// As that of the fabric, for ramps of these tiles.
    bool inject(std::uint32_t source, const Wavelet& wavelet);

   private:
    friend class ChannelFabric;
    ChannelFabric* fabric_ = nullptr;
    ActiveSet* arrivals_ = nullptr;
    base::Cycles cycle_ = 0;
    std::uint32_t band_ = 0;
    std::uint32_t row_ = 0, first_block_ = 0, end_block_ = 0;
  };
  /// What compute engines give while a fabric runs ahead.
  class RunAheadSource {
   public:
    virtual ~RunAheadSource() = default;
    /// Called by several threads at once, for different rows.
    virtual void give(Piece& piece) = 0;
  };
  /// Whether there is enough to do, of a kind that does not ask for anything from outside.
  bool can_run_ahead() const;
  /// Runs kCyclesAhead cycles, not one after the other: some rows go ahead of those behind them,
  /// while their state is in a near cache. Deliveries of different cycles come in a mixed order;
  /// with several threads the sink must have one for each band. Only if can_run_ahead().
  static constexpr std::uint32_t kCyclesAhead = ChannelGraph::kCyclesAhead;
  void run_ahead(RunAheadSource& source, EngineSink& sink);

  const ChannelGraph& graph() const { return graph_; }
  std::size_t bytes() const;  ///< of records, slots and bitmaps

 private:
  template <bool Plain, bool Watched>
  friend class ChannelPass;
  friend class TwinPoints;
  static constexpr std::size_t kFlushAt = 4096;  ///< deliveries; stays in the cache
  static constexpr std::size_t kBatch = 64;      ///< visits

  /// What a band gives in a cycle, where its sink is the caller's.
  class Collector final : public EngineSink {
   public:
    void deliver(base::Cycles cycle, const Delivery* begin, const Delivery* end) override {
      cycle_ = cycle;
      deliveries_.insert(deliveries_.end(), begin, end);
    }
    void pass_on(EngineSink& sink) {
      if (deliveries_.empty()) return;
      sink.deliver(cycle_, deliveries_.data(), deliveries_.data() + deliveries_.size());
      deliveries_.clear();
    }

   private:
    base::Cycles cycle_ = 0;
    std::vector<Delivery> deliveries_;
  };
  /// Rows of tiles that one thread visits.
  struct Band {
    std::uint32_t first = 0;  ///< record
    std::uint32_t count = 0;
    ActiveSet active, next;
    /// Of a cycle that is so far ahead.
    ActiveSet& set(std::uint32_t ahead) { return ahead % 2 == 0 ? active : next; }
    std::vector<std::uint32_t> listed;    ///< room for the records of more than one batch
    std::vector<Delivery> deliveries;     ///< room for more than one batch
    std::vector<std::uint32_t> freed;     ///< leaves with a slot freed behind the ramp
    std::vector<std::uint64_t> commands;  ///< of wavelets that have passed
    std::vector<std::uint32_t> crossing;  ///< channels of other bands that were fed
    /// Queues of routers that are simulated elsewhere, and what they were fed.
    std::vector<std::pair<std::uint32_t, Wavelet>> to_twins;
    std::vector<std::uint32_t> from_twins;  ///< channels that such routers feed, with a slot freed
    EngineCounts counts;
    std::vector<LinkEvent> events;  ///< of watched routers
    Collector collector;
    EngineSink* sink = nullptr;
    base::Span rows{};
    std::uint64_t injected = 0;  ///< while running ahead
    std::uint64_t left = 0;      ///< wavelets that have left their queue
    bool waits = false;          ///< for a stamp in the future
  };
  struct Switch {
    std::uint8_t position = 0;
    bool halted = false;
  };
  struct Filter {
    RampFilter filter;
    std::uint32_t counter = 0;
  };
  /// Channels of a router that hold something and cannot move: nobody visits them until one of them
  /// is fed, a queue that they feed loses a wavelet, a credit comes or the switch moves.
  struct Parked {
    std::uint64_t members = 0;  ///< records from the first of the router on, as bits
    std::uint32_t first = 0;    ///< record of the router
  };

  Record::Word& slot(Record& record, std::uint8_t place) const {
    if (record.channel.capacity <= Record::kSlotsWithNext) return record.near_slot(place);
    return overflow_[record.slots[0].load(std::memory_order_relaxed) + place];
  }
  std::uint64_t head_of(Record& record) {
    return slot(record, record.channel.head).load(std::memory_order_relaxed);
  }
  bool put(Record& record, const Wavelet& wavelet, base::Cycles cycle, std::uint32_t latency);
  void count_link(std::uint32_t from, std::uint32_t to) {
    ++tile_counts_[from].links;
    tile_counts_[from].die_crossings += die_of_tile_[from] != die_of_tile_[to] ? 1 : 0;
  }
  void step_twins(EngineSink& sink);
  void obey_commands(std::vector<std::uint64_t>& commands);
  std::uint64_t moves() const;
  void scan(Band& band);
  void for_bands(const std::function<void(std::uint32_t)>& work);
  void start_ahead();
  void run_band_ahead(std::uint32_t band, RunAheadSource& source);
  void run_border_ahead(std::uint32_t above, RunAheadSource& source);
  void run_piece(std::uint32_t band, const AheadPiece& piece, RunAheadSource& source);
  void cross(Band& band, std::uint32_t ahead);
  Filter* filter(std::uint32_t leaf) { return &filters_.find(leaf)->second; }
  void join_bands(EngineSink& sink);
  void obey(std::uint32_t leaf, Command command);
  std::vector<std::uint32_t>& due_in(std::vector<std::vector<std::uint32_t>>& calendar,
                                     base::Cycles cycle) {
    return calendar[cycle & (calendar.size() - 1)];
  }
  void take_due();
  /// Has the parked channels of a router visited.
  void wake(std::uint32_t tile, Band& band, ActiveSet& set) {
    const Parked& parked = parked_[tile];
    if (parked.members == 0) return;
    set.add(parked.first + static_cast<std::uint32_t>(__builtin_ctzll(parked.members)) -
            band.first);
  }
  void find_filters();
  void read_watched_queues();
  void show_watch();
  void show_waiting(RouterWatch& watch, base::Cycles end);
  Band& band_of(std::uint32_t index);
  void renew_stamps(base::Cycles cycle);
  void on_skip(base::Cycles cycle) override;

  const EngineConfig config_;
  ChannelGraph graph_;
  Record* const records_;
  mutable PageArray<Record::Word> overflow_;
  PageArray<Arbiter> arbiters_;  ///< by tile, where outputs are shared
  std::vector<Parked> parked_;   ///< by tile; empty if nobody parks
  std::vector<Band> bands_;
  std::vector<std::uint8_t> credits_;                     ///< behind the ramp, by leaf
  std::vector<std::vector<std::uint32_t>> credits_due_;   ///< leaves, by cycle modulo their number
  std::vector<std::vector<std::uint32_t>> arrivals_due_;  ///< channels fed by ramps, likewise
  std::uint32_t under_way_ = 0;                           ///< of these two kinds
  std::unordered_map<std::uint32_t, Filter> filters_;     ///< by leaf
  std::unordered_map<std::uint32_t, Switch> switches_;    ///< by leaf, once moved
  std::mutex obeying_;                                    ///< switches_
  std::vector<TileCounts> tile_counts_;
  std::vector<std::uint32_t> die_of_tile_;
  std::uint64_t injected_ = 0;
  std::uint64_t restored_ = 0;
  std::uint32_t step_ = 1;
  base::Cycles renewed_ = 0;
  std::uint64_t moved_ = 0;  ///< copies in the last cycle
  std::unique_ptr<BandTeam> team_;
  std::unique_ptr<TwinPoints> twins_;
  RouterWatch* watch_ = nullptr;
  bool watching_ = false;               ///< in this cycle
  std::vector<std::uint32_t> watched_;  ///< channels
  std::vector<QueueFill> watched_queues_;
  std::vector<LinkEvent> given_;  ///< by compute engines of watched tiles
  bool moving_ = false;
  bool plain_ = false;  ///< for ChannelPass
};

}  // namespace wse::fabric
