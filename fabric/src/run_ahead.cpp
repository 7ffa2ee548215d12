// SPDX-License-Identifier: Apache-2.0
// Several cycles of a ChannelFabric, block by block. Each band of rows does what it can without the
// others; then what is left at their borders is done.
#include "band_team.h"
#include "channel_pass.h"
#include "wse/base/check.h"
#include "wse/fabric/ahead_order.h"
#include "wse/fabric/channel_fabric.h"

namespace wse::fabric {
namespace {

AheadShape shape_of(const ChannelGraph& graph) {
  AheadShape shape;
  shape.blocks = graph.blocks();
  shape.strip = graph.strip();
  shape.cycles = ChannelFabric::kCyclesAhead;
  return shape;
}

}  // namespace

bool ChannelFabric::can_run_ahead() const {
  if (graph_.blocks() == 0 || !credits_.empty() || watch_ != nullptr || twins_ != nullptr) {
    return false;
  }
  for (const Band& band : bands_) {
    if (bands_.size() > 1 && band.rows.size() < 2 * kCyclesAhead) return false;
  }
  return held() >= config_.copies_to_run_ahead;
}

void ChannelFabric::run_ahead(RunAheadSource& source, EngineSink& sink) {
  WSE_CHECK(can_run_ahead(), "run_ahead() where it cannot be");
  static_assert(kCyclesAhead % 2 == 0, "the sets of active records have changed places evenly");
  start_ahead();
  if (bands_.size() == 1) {
    bands_.front().sink = &sink;
    run_band_ahead(0, source);
  } else {
    for (std::uint32_t b = 0; b < bands_.size(); ++b) {
      bands_[b].sink = sink.for_band(b);
      WSE_CHECK(bands_[b].sink != nullptr, "no sink for a band");
    }
    for_bands([&](std::uint32_t b) { run_band_ahead(b, source); });
    for (Band& band : bands_) cross(band, 0);
    // A border belongs to two bands: every other one at a time.
    for (const std::uint32_t turn : {0U, 1U}) {
      for_bands([&](std::uint32_t b) {
        if (b % 2 == turn && b + 1 < bands_.size()) run_border_ahead(b, source);
      });
    }
  }
  now_ += kCyclesAhead;
  step_ += kCyclesAhead;
  moving_ = true;
}

/// What ramps have under way becomes active; visited too early it waits.
void ChannelFabric::start_ahead() {
  if (now_ + kCyclesAhead - renewed_ >= Slot::kRenewEvery) renew_stamps(now_);
  for (std::vector<std::uint32_t>& due : arrivals_due_) {
    for (const std::uint32_t index : due) {
      Band& band = band_of(index);
      band.active.add(index - band.first);
    }
    under_way_ -= static_cast<std::uint32_t>(due.size());
    due.clear();
  }
}

void ChannelFabric::run_band_ahead(std::uint32_t b, RunAheadSource& source) {
  AheadShape shape = shape_of(graph_);
  shape.rows = bands_[b].rows;
  shape.shrinks_above = b > 0;
  shape.shrinks_below = b + 1 < bands_.size();
  for_each_ahead(shape, [&](const AheadPiece& piece) { run_piece(b, piece, source); });
}

void ChannelFabric::run_border_ahead(std::uint32_t above, RunAheadSource& source) {
  const AheadShape shape = shape_of(graph_);
  const std::uint32_t border = bands_[above].rows.end;
  for_each_beside(border, shape, [&](const AheadPiece& piece) {
    const std::uint32_t b = piece.row < border ? above : above + 1;
    run_piece(b, piece, source);
    cross(bands_[b], piece.cycle);
  });
}

void ChannelFabric::run_piece(std::uint32_t b, const AheadPiece& piece, RunAheadSource& source) {
  Band& band = bands_[b];
  const std::uint32_t ahead = piece.cycle;
  const auto word_of = [&](std::uint32_t block) -> std::size_t {
    if (block < graph_.blocks()) {
      return (graph_.first_record(piece.row, block) - band.first) / 64;
    }
    if (piece.row + 1 == band.rows.end) return (band.count + 63) / 64;
    return (graph_.first_record(piece.row + 1, 0) - band.first) / 64;
  };
  const std::size_t begin = word_of(piece.first);
  const std::size_t end = word_of(piece.end);
  if (plain_) {
    ChannelPass<true, false>(*this, band, ahead).run(begin, end);
  } else {
    ChannelPass<false, false>(*this, band, ahead).run(begin, end);
  }
  if (!band.commands.empty()) {
    const std::lock_guard<std::mutex> lock(obeying_);
    obey_commands(band.commands);
  }
  band.freed.clear();
  Piece given;
  given.fabric_ = this;
  given.band_ = b;
  given.cycle_ = now_ + ahead;
  given.arrivals_ = &band.set(ahead + config_.ramp_cycles);
  given.row_ = piece.row;
  given.first_block_ = piece.first;
  given.end_block_ = piece.end;
  source.give(given);
}

/// What a band has fed in others becomes active there in the cycle after `ahead`.
void ChannelFabric::cross(Band& band, std::uint32_t ahead) {
  for (const std::uint32_t index : band.crossing) {
    Band& other = band_of(index);
    other.set(ahead + 1).add(index - other.first);
  }
  band.crossing.clear();
}

bool ChannelFabric::Piece::inject(std::uint32_t source, const Wavelet& wavelet) {
  if (!fabric_->put(fabric_->records_[source], wavelet, cycle_, fabric_->config_.ramp_cycles))
    return false;
  Band& band = fabric_->bands_[band_];
  arrivals_->add(source - band.first);
  ++band.injected;
  if (!fabric_->tile_counts_.empty()) {
    ++fabric_->tile_counts_[tile_of(fabric_->records_[source].channel.leaf)].injected;
  }
  return true;
}

}  // namespace wse::fabric
