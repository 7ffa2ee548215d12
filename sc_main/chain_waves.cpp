// SPDX-License-Identifier: Apache-2.0
#include "chain_waves.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include "wse/report/files.h"

namespace wse::cli {
namespace {

/// A kernel with the routes and programs of all: which signals there are.
tiles::Kernel all_of(fabric::Mesh mesh, const std::vector<const tiles::Kernel*>& kernels) {
  tiles::Kernel all(mesh);
  for (const tiles::Kernel* kernel : kernels) {
    const fabric::Mesh part = kernel->mesh();
    const std::uint32_t left_out = (mesh.rows - part.rows) * mesh.columns;
    for (std::uint32_t tile = 0; tile < part.tiles(); ++tile) {
      for (std::uint8_t color = 0; color < fabric::kNumColors; ++color) {
        const fabric::ColorRoute* route = kernel->routes.find(tile, color);
        if (route == nullptr) continue;
        const fabric::ColorRoute* known = all.routes.find(tile + left_out, color);
        const fabric::ColorRoute other = known == nullptr ? fabric::ColorRoute() : *known;
        all.routes.set(tile + left_out, color,
                       {other.inputs() | route->inputs(), other.outputs() | route->outputs()});
      }
    }
    all.programs.insert(all.programs.end(), kernel->programs.begin(), kernel->programs.end());
  }
  return all;
}

}  // namespace

/// Cycles and tiles of a kernel to those of the chain.
class ChainWaves::InChain final : public fabric::RouterWatch, public tiles::EngineWatch {
 public:
  InChain(report::FabricWaves* waves, report::KernelTimeline* timeline,
          const report::FabricWaveSelection& selection, const fabric::Mesh& mesh,
          std::uint32_t first_row, base::Cycles begin)
      : waves_(waves),
        timeline_(timeline),
        selection_(selection),
        tiles_(up(selection.tiles, first_row)),
        left_out_(first_row * mesh.columns),
        first_row_(first_row),
        begin_(begin) {}

  base::Rectangle tiles() const override { return tiles_; }
  bool watches(base::Cycles cycle) override { return waves_->watches(begin_ + cycle); }
  void see(base::Cycles cycle, const std::vector<fabric::QueueFill>& queues,
           const std::vector<fabric::LinkEvent>& events) override {
    queues_ = queues;
    events_ = events;
    for (fabric::QueueFill& queue : queues_) queue.tile += left_out_;
    for (fabric::LinkEvent& event : events_) event.tile += left_out_;
    waves_->see(begin_ + cycle, queues_, events_);
  }
  void deadlock(base::Cycles cycle) override { waves_->deadlock(begin_ + cycle); }
  void failed(base::Cycles cycle) override { waves_->failed(begin_ + cycle); }
  bool watches(base::Coordinate tile) const override { return tiles_.contains(tile); }
  void task(base::Coordinate tile, base::Cycles cycle, const tiles::Program& program,
            std::uint32_t number, bool begins) override {
    const base::Coordinate at = down(tile);
    cycle += begin_;
    if (waves_ != nullptr) waves_->task(at, cycle, program, number, begins);
    if (timed(at, 0, cycle, begins)) timeline_->task(at, cycle, program, number, begins);
  }
  void operation(base::Coordinate tile, base::Cycles cycle, const tiles::Program& program,
                 std::uint32_t thread, std::uint32_t instruction, bool begins) override {
    const base::Coordinate at = down(tile);
    cycle += begin_;
    if (waves_ != nullptr) waves_->operation(at, cycle, program, thread, instruction, begins);
    if (timed(at, 1 + thread, cycle, begins)) {
      timeline_->operation(at, cycle, program, thread, instruction, begins);
    }
  }

 private:
  static base::Rectangle up(const base::Rectangle& tiles, std::uint32_t rows) {
    const auto of = [rows](std::uint32_t y) { return y < rows ? 0 : y - rows; };
    return {tiles.columns, {of(tiles.rows.begin), of(tiles.rows.end)}};
  }
  base::Coordinate down(base::Coordinate tile) const { return {tile.x, tile.y + first_row_}; }
  /// Whether the timeline shows it: what begins between the cycles of the selection, and its end.
  bool timed(base::Coordinate tile, std::uint32_t track, base::Cycles cycle, bool begins) {
    if (timeline_ == nullptr) return false;
    const auto key = std::make_tuple(tile.y, tile.x, track);
    if (!begins) return shown_.erase(key) != 0;
    const bool inside = selection_.from <= cycle && cycle <= selection_.to;
    if (inside) shown_.insert(key);
    return inside;
  }

  report::FabricWaves* const waves_;
  report::KernelTimeline* const timeline_;
  const report::FabricWaveSelection& selection_;
  const base::Rectangle tiles_;
  const std::uint32_t left_out_, first_row_;
  const base::Cycles begin_;
  std::vector<fabric::QueueFill> queues_;
  std::vector<fabric::LinkEvent> events_;
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> shown_;  ///< under way
};

ChainWaves::ChainWaves(const NocWaveOptions& options, std::string timeline, fabric::Mesh mesh,
                       const std::vector<const tiles::Kernel*>& kernels, std::uint64_t core_hz,
                       const std::string& folder)
    : timeline_file_(std::move(timeline)), folder_(folder) {
  if (options.file.empty() && timeline_file_.empty()) return;
  const tiles::Kernel all = all_of(mesh, kernels);
  selection_ = options.selection(mesh);
  if (!timeline_file_.empty()) timeline_.emplace(selection_.tiles);
  waves_.emplace(options, all.routes, core_hz, folder);
  names_ = {"none"};
  for (const tiles::Kernel* kernel : kernels) {
    if (std::find(names_.begin(), names_.end(), kernel->name) == names_.end()) {
      names_.push_back(kernel->name);
    }
  }
  if (waves_->watch() == nullptr) return;
  waves_->watch()->add_engines(all);
  waves_->watch()->add_kernels(names_);
}

ChainWaves::~ChainWaves() = default;

void ChainWaves::before(tiles::TileMesh& mesh, std::uint32_t first_row) {
  if (!waves_) return;
  report::FabricWaves* const waves = waves_->watch();
  report::KernelTimeline* const timeline = timeline_ ? &*timeline_ : nullptr;
  watch_ = std::make_unique<InChain>(waves, timeline, selection_, mesh.kernel().mesh(), first_row,
                                     begin_);
  if (waves != nullptr) {
    const auto name = std::find(names_.begin(), names_.end(), mesh.kernel().name);
    waves->kernel(begin_, static_cast<std::uint32_t>(name - names_.begin()));
    mesh.fabric().set_watch(*watch_);
  }
  mesh.engines().add_watch(*watch_);
}

void ChainWaves::after(const tiles::TileMesh& mesh) {
  const base::Cycles end = begin_ + mesh.cycles();
  if (timeline_ && begin_ <= selection_.to && end > selection_.from) {
    timeline_->kernel(mesh.kernel().name, std::max(begin_, selection_.from),
                      std::min(end - 1, selection_.to) + 1);
  }
  begin_ = end;
}

void ChainWaves::finish() {
  if (!waves_) return;
  waves_->finish();
  if (timeline_) {
    report::write_file((std::filesystem::path(folder_) / timeline_file_).string(),
                       timeline_->json());
  }
}

std::string ChainWaves::files() const {
  if (!waves_) return "";
  return (timeline_file_.empty() ? "" : ", " + timeline_file_) + waves_->files();
}

}  // namespace wse::cli
