// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "wse/base/clock_epochs.h"
#include "wse/base/mapping.h"
#include "wse/base/pending_activity.h"
#include "wse/base/region_layout.h"
#include "wse/base/timeline.h"
#include "wse/fabric/die_mesh.h"
#include "wse/fabric/edge_ports.h"
#include "wse/fabric/fabric_config.h"
#include "wse/fabric/lane_block.h"
#include "wse/fabric/ramp_frame.h"

namespace wse::fabric {

/// What wavelets and lanes carry.
enum class Cargo : std::uint32_t {
  kWeights,    ///< to the tiles; of weight gradients: output gradients along the rows
  kSums,       ///< partial sums along rows
  kGradients,  ///< sums of weight gradients along columns, and gradients on their way out
  kSamples,    ///< embedded tokens and their gradients, between the lanes and the tiles
  kMoved,      ///< activations that change their tile
  kCount
};
inline constexpr std::size_t kNumCargoes = static_cast<std::size_t>(Cargo::kCount);
/// Events that cost energy, by what was carried.
using CargoEvents = std::array<base::EventCounts, kNumCargoes>;

/// Counters of a run, by what they cost.
struct FabricStats {
  std::uint64_t wavelet_hops = 0;   ///< router to router
  std::uint64_t die_crossings = 0;  ///< of these, over a scribe line
  base::Bytes bytes_in = 0;         ///< over all lanes, weights and samples
  base::Bytes bytes_out = 0;
  std::array<CargoEvents, base::kNumPhases> events{};
};

/// The fabric at the transaction level, without SystemC: streams between lanes and dies over
/// bundles of links.
///
/// Weights enter at the edge ports of a lane, travel packed along a row to the die columns that own
/// their features, are unpacked and multicast down the columns. Partial sums are reduced along rows
/// (forward, input gradient) or columns (weight gradient); gradients leave by the lanes. Messages
/// are filed by their stamp: results do not depend on the order of the calls.
class StreamFabric {
 public:
  StreamFabric(const FabricConfig& config, const IoConfig& io, const base::WaferGeometry& geometry,
               const base::RegionLayout& layout, const base::Mapping& mapping,
               std::uint32_t sum_bits, const base::ClockEpochs& epochs);

  void receive_share(std::uint32_t lane, const LaneBlock& block, base::Cycles now);
  void receive_stream(const RampStream& stream, base::Cycles now);

  /// Stamp of the earliest message that waits; kNever without one.
  static constexpr base::Cycles kNever = ~base::Cycles{0};
  base::Cycles next_event() const;

  struct ToLane {
    std::uint32_t lane;
    LaneBlock block;
  };
  struct ToPart {
    std::uint32_t part;
    RampStream stream;
  };
  /// Handles all messages stamped up to `now`; what they cause is in to_lanes and to_parts until
  /// the next call.
  void advance(base::Cycles now);
  const std::vector<ToLane>& to_lanes() const { return to_lanes_; }
  const std::vector<ToPart>& to_parts() const { return to_parts_; }

  /// Where to add what happens to items, if anywhere.
  void set_timeline(base::Timeline* timeline) { timeline_ = timeline; }

  base::PendingActivity& activity(std::uint32_t die) { return activity_[die]; }
  const FabricStats& stats() const { return stats_; }
  base::Cycles contention_cycles() const { return mesh_.contention_cycles(); }
  bool idle() const { return inbox_.empty() && flights_.empty(); }

 private:
  struct Message {
    base::Cycles stamp;
    std::uint32_t order;  ///< shares before streams
    std::uint32_t item;
    std::uint32_t source;  ///< lane or part
    base::Cycles other;    ///< of a share: its last cycle; of a stream: its first
    base::Bytes bytes;
    const base::WorkItem* work;
    bool operator>(const Message& that) const;
  };
  /// A work item between its first share and its last part.
  struct Flight {
    std::uint32_t shares = 0;
    std::vector<std::uint32_t> arrived;  ///< shares, by column of dies
    std::uint64_t tiles_done = 0;
    std::vector<base::Cycles> first;       ///< by die
    std::vector<base::Cycles> last;        ///< by die
    std::vector<std::uint64_t> die_tiles;  ///< tiles of the die that are done
    base::Cycles finish = 0;               ///< last tile of all
    base::Cycles reduced = 0;              ///< last sum in place
  };
  /// Where a lane enters and which die columns it feeds.
  struct LaneRoute {
    bool west = true;
    std::uint32_t die_row = 0;
    std::vector<std::uint32_t> die_columns;  ///< in the order in which the stream meets them
    std::vector<base::Span> columns;         ///< user columns fed in each
  };
  /// Of all lanes, for a number of copies of the feature dimension.
  struct Routes {
    std::vector<LaneRoute> lanes;
    std::vector<std::uint32_t> feeders;  ///< lanes that feed a column of dies
  };

  void push(Message message);
  void trace(base::Track track, const base::WorkItem& item, base::Cycles begin, base::Cycles end);
  const Routes& routes_of(const base::WorkItem& item);
  Routes route_lanes(const base::Mapping& mapping) const;
  base::Mapping mapping_of(const base::WorkItem& item) const {
    return mapping_.with_copies(item.copies);
  }
  void handle_share(const Message& message);
  void tell_in_order(std::uint32_t column);
  void tell_column(std::uint32_t column, const base::WorkItem& item, const Flight& flight);
  void distribute(const Message& message, Flight& flight);
  void multicast_column(const Message& message, const LaneRoute& route, std::size_t target,
                        base::Cycles head, Flight& flight);
  void handle_done(const Message& message);
  void reduce(const base::WorkItem& item, std::uint32_t die, base::Cycles start,
              base::Cycles finish, Flight& flight);
  void complete(const base::WorkItem& item, const Flight& flight);
  void send_gradients(const base::WorkItem& item, base::Cycles ready);
  void tell_parts(StreamKind kind, const base::WorkItem& item, base::Cycles cycle);
  void count_part(const base::WorkItem& item, const base::RegionPart& part, base::Cycles start,
                  base::Cycles finish);
  bool at_north_of_die(const base::RegionPart& part) const;
  bool at_west_of_die(const base::RegionPart& part) const;
  std::uint64_t moved_hops(const base::WorkItem& item, const base::RegionPart& part) const;
  void count_row(std::uint32_t die, base::Phase phase, Cargo cargo, std::uint64_t wavelets,
                 base::Cycles first, base::Cycles last, bool crosses);
  base::EventCounts& events(base::Phase phase, Cargo cargo) {
    return stats_.events[static_cast<std::size_t>(phase)][static_cast<std::size_t>(cargo)];
  }

  const FabricConfig config_;
  const IoConfig io_;
  const base::WaferGeometry& geometry_;
  const base::RegionLayout& layout_;
  const base::Mapping mapping_;
  const std::uint32_t sum_bits_;  ///< of a partial sum of a row on the wire
  const base::ClockEpochs& epochs_;
  DieMesh mesh_;
  std::map<std::uint32_t, Routes> routes_;  ///< by copies
  std::vector<std::uint64_t> user_tiles_;   ///< by die
  std::vector<Message> inbox_;              ///< heap by stamp
  std::map<std::uint32_t, Flight> flights_;
  std::vector<std::deque<const base::WorkItem*>> untold_;  ///< by column of dies, in their order
  std::vector<base::Picoseconds> lane_out_free_;
  std::vector<EdgePorts> ports_in_;  ///< by lane
  std::vector<EdgePorts> ports_out_;
  std::vector<base::PendingActivity> activity_;
  std::vector<ToLane> to_lanes_;
  std::vector<ToPart> to_parts_;
  FabricStats stats_;
  base::Timeline* timeline_ = nullptr;
};

}  // namespace wse::fabric
