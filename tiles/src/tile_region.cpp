// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/tile_region.h"

#include "window_posts.h"
#include "wse/base/check.h"

namespace wse::tiles {

using base::WorkItem;

namespace {

/// What a tile keeps of a layer between the forward and the backward pass, at the transaction
/// level.
struct CheckpointRecord {
  std::uint32_t layer = 0;
  std::uint32_t die = 0;
  std::uint64_t tokens = 0;
  std::uint64_t tag = 0;

  friend bool operator==(const CheckpointRecord& a, const CheckpointRecord& b) {
    return a.layer == b.layer && a.die == b.die && a.tokens == b.tokens && a.tag == b.tag;
  }
};

CheckpointRecord record_of(const WorkItem& item, std::uint32_t die) {
  return {item.layer, die, item.tokens,
          (std::uint64_t{item.layer} << 32 | die) * 0x9e3779b97f4a7c15ULL};
}

}  // namespace

TileRegion::TileRegion(const sc_core::sc_module_name& name,
                       const std::vector<base::RegionPart>& parts,
                       const base::WaferGeometry& geometry, const base::Mapping& mapping,
                       const TileConfig& config, std::uint64_t sram_bytes_per_tile,
                       Precision precision, const base::ClockEpochs& epochs,
                       const base::WindowTicker& ticker)
    : sc_core::sc_module(name),
      memory_socket("memory_socket", parts.size()),
      epochs_(epochs),
      ticker_(ticker),
      sram_bytes_per_tile_(sram_bytes_per_tile),
      window_cycles_(parts.size()),
      window_times_(parts.size()),
      window_places_(parts.size()) {
  for (const base::RegionPart& p : parts) {
    parts_.emplace_back(p, mapping, config, precision);
    const std::uint32_t columns = geometry.config().die_columns;
    const base::Coordinate first{geometry.user_columns_of(p.die % columns).begin,
                                 geometry.user_rows_of(p.die / columns).begin};
    first_core_.push_back(p.tiles.contains(first)
                              ? std::optional<std::uint64_t>(geometry.core_of_user(first))
                              : std::nullopt);
  }
  ramp_in_socket.on_receive([this](fabric::RampFrame& frame) { receive(frame); });
  SC_HAS_PROCESS(TileRegion);
  SC_METHOD(end_window);
  sensitive << ticker.tick();
  dont_initialize();
}

PartCore& TileRegion::part(std::uint32_t index) {
  for (PartCore& p : parts_) {
    if (p.part().index == index) return p;
  }
  WSE_CHECK(false, std::string(name()) + ": a frame for another region");
  return parts_.front();
}

void TileRegion::receive(fabric::RampFrame& frame) {
  for (const fabric::RampStream& stream : frame.streams) {
    PartCore& to = part(stream.part);
    to.receive(stream);
    while (const auto done = to.next_done()) {
      touch_checkpoint(static_cast<std::size_t>(&to - parts_.data()), *done->item);
      frame_.clear();
      frame_.cycle = epochs_.cycle_at_or_after(base::now());
      frame_.streams.push_back(*done);
      ramp_out_socket.send(frame_);
    }
  }
}

/// The record of a layer is written on the way forward and must be found again on the way back.
void TileRegion::touch_checkpoint(std::size_t index, const WorkItem& item) {
  if (item.operation != base::Operation::kLayerChange || !first_core_[index]) return;
  CheckpointRecord record = record_of(item, parts_[index].part().die);
  const std::uint64_t slots = sram_bytes_per_tile_ / 2 / sizeof(CheckpointRecord);
  const std::uint64_t offset = item.layer % slots * sizeof(CheckpointRecord);
  if (item.phase == base::Phase::kForward) {
    access(index, tlm::TLM_WRITE_COMMAND, offset, &record, sizeof record);
    return;
  }
  CheckpointRecord found;
  access(index, tlm::TLM_READ_COMMAND, offset, &found, sizeof found);
  // Where the SRAM has fewer slots than there are layers, a later layer has taken the slot.
  const bool taken = found.layer > item.layer && found.layer % slots == item.layer % slots;
  WSE_CHECK(taken || found == record,
            std::string(name()) + ": the checkpoint of the layer is not in the SRAM");
}

void TileRegion::access(std::size_t index, tlm::tlm_command command, std::uint64_t offset,
                        void* data, unsigned length) {
  tlm::tlm_generic_payload trans;
  trans.set_command(command);
  trans.set_address(*first_core_[index] * sram_bytes_per_tile_ + offset);
  trans.set_data_ptr(static_cast<unsigned char*>(data));
  trans.set_data_length(length);
  trans.set_streaming_width(length);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  memory_socket[index]->b_transport(trans, delay);
  if (!trans.is_response_ok()) {
    SC_REPORT_ERROR("/wse/tiles/memory_refused", trans.get_response_string().c_str());
  }
}

void TileRegion::begin_step(base::Cycles cycle) {
  for (PartCore& p : parts_) p.begin_step(cycle);
}

void TileRegion::end_step(base::Cycles cycle) {
  for (PartCore& p : parts_) p.end_step(cycle);
}

void TileRegion::reset_stats() {
  stats_ = {};
  for (PartCore& p : parts_) p.reset_tally();
}

void TileRegion::set_watch(BlockWatch& watch) {
  for (PartCore& p : parts_) {
    if (p.part().tiles.contains(watch.tile)) p.set_watch(&watch);
  }
}

void TileRegion::end_window() { report_window(ticker_.ended(), ticker_.end_of(ticker_.ended())); }

void TileRegion::report_window(std::uint64_t window, base::Picoseconds end) {
  const base::Cycles until = epochs_.cycle_at_or_after(end);
  for (std::size_t i = 0; i < parts_.size(); ++i)
    report_part(i, window, parts_[i].take_until(until));
}

void TileRegion::report_part(std::size_t index, std::uint64_t window, const PartWindow& done) {
  const base::RegionPart& p = parts_[index].part();
  const std::uint64_t tiles = p.tiles.tiles();
  window_cycles_[index] = done.cycles;
  window_times_[index] = {};
  window_places_[index].clear();
  for (const Segment& s : done.segments) {
    const base::Picoseconds time = epochs_.time_of(s.end) - epochs_.time_of(s.begin);
    window_times_[index][static_cast<std::size_t>(s.cause)] += time;
    window_places_[index][s.place][static_cast<std::size_t>(s.cause)] += time;
  }
  for (std::size_t phase = 0; phase < base::kNumPhases; ++phase) {
    for (std::size_t cause = 0; cause < kNumCauses; ++cause) {
      stats_.tile_cycles[phase][cause] += done.cycles[phase][cause] * tiles;
    }
    post_phase(memory_socket[index], activity_socket, p, static_cast<base::Phase>(phase), window,
               total(done.cycles[phase]), done.events[phase]);
  }
}

}  // namespace wse::tiles
