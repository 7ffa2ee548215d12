// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/tile_twins.h"

#include <fmt/format.h>

#include "rtl_twins.h"
#include "tile_program.h"

namespace wse::cosim {
namespace {

using base::EventKind;
using tiles::EngineStats;

// Counters of wse_tile.sv.
enum Counter : std::uint32_t {
  kFirstIssue = 1,
  kLastIssue,
  kEnd,
  kBusy,
  kElements,
  kMultiplied,
  kSteps,
  kConflicts,
  kReads64,
  kWrites64,
  kReads32,
  kWrites32,
  kNear,
  kIssueEnd,
  kFlops,
  kIntegers,
  kStarts  ///< of tasks, of microthreads, of the main thread with a wavelet
};

/// A tile of RTL with its program.
class RtlTile final : public tiles::TileTwin {
 public:
  RtlTile(std::unique_ptr<TileRtl> rtl, const tiles::TileSetup& setup) : rtl_(std::move(rtl)) {
    for (const TileWrite& w : tile_program(setup)) rtl_->write(w.kind, w.address, w.value);
  }

  base::VcdSource* trace() override { return rtl_->trace(); }
  tiles::RampPins outputs() const override { return rtl_->outputs(); }
  void clock(const tiles::RampPins& from_router) override { rtl_->clock(from_router); }
  void launch() override { rtl_->write(TileRtl::Write::kLaunch, 0, 0); }
  bool busy() const override { return rtl_->busy(); }
  bool finished() const override { return rtl_->finished(); }
  std::string fault() const override {
    return rtl_->fault() ? "a step past its memory or off a word, or a wavelet without a queue"
                         : "";
  }
  void write(std::uint32_t address, std::uint32_t word) override {
    rtl_->write(TileRtl::Write::kMemory, address / 4, word);
  }
  std::uint32_t read(std::uint32_t address) const override {
    return rtl_->probe(TileRtl::Probe::kMemory, address / 4);
  }

  EngineStats stats() const override {
    EngineStats s;
    if (count(kFirstIssue) != 0) s.first_issue = count(kFirstIssue) - 1;
    s.end = count(kEnd);
    if (count(kLastIssue) != 0) s.last_issue = count(kLastIssue) - 1;
    s.busy_cycles = count(kBusy);
    s.flops = count(kFlops);
    s.elements = count(kElements);
    s.banks = {count(kReads64), count(kWrites64), count(kReads32), count(kWrites32),
               count(kConflicts)};
    const std::uint64_t floats = count(kElements) - count(kIntegers);
    base::at(s.events, EventKind::kFmacFp32) = count(kMultiplied);
    base::at(s.events, EventKind::kAddFp32) = floats - count(kMultiplied);
    base::at(s.events, EventKind::kIntAlu) = count(kIntegers) + 6 * count(kSteps);
    base::at(s.events, EventKind::kLocalCache) = count(kNear) + 2 * count(kSteps);
    base::at(s.events, EventKind::kTaskSwitch) = count(kStarts);
    base::at(s.events, EventKind::kControlCycle) = s.running_cycles();
    base::at(s.events, EventKind::kClockRunning) = s.running_cycles();
    return s;
  }
  tiles::ComputeEngines::TileTimes times() const override {
    tiles::ComputeEngines::TileTimes t;
    if (count(kFirstIssue) != 0) t.begin = count(kFirstIssue) - 1;
    t.end = count(kIssueEnd);
    t.busy = count(kBusy);
    return t;
  }

 private:
  std::uint64_t count(Counter counter) const {
    return rtl_->probe(TileRtl::Probe::kCounter, counter);
  }
  std::unique_ptr<TileRtl> rtl_;
};

}  // namespace

const std::vector<TileTwinKind>& tile_twins() { return rtl_twins().tiles; }

const TileTwinKind& tile_twin(const std::string& name, const std::string& what) {
  return find_twin(tile_twins(), "tile", name, what);
}

std::unique_ptr<tiles::TileTwin> make_tile_twin(const TileTwinKind& kind,
                                                const tiles::TileSetup& setup) {
  if (setup.sram.size_bytes > std::uint64_t{kind.size} * 4) {
    throw base::ConfigError("rtl:" + kind.name, fmt::format("{} words", kind.size),
                            fmt::format("is too small: a tile of this machine has {} bytes "
                                        "(tile.sram.size_bytes)",
                                        setup.sram.size_bytes));
  }
  return std::make_unique<RtlTile>(kind.make(setup.mutant, setup.checked), setup);
}

}  // namespace wse::cosim
