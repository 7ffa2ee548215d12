// SPDX-License-Identifier: Apache-2.0
#include "window_option.h"

#include <iostream>

#include "wse/base/text_forms.h"
#include "wse/report/files.h"
#include "wse/report/wave_file.h"

namespace wse::cli {

namespace po = boost::program_options;

void WindowOptions::add_to(po::options_description& options) {
  options.add_options()(
      "window", po::value(&window)->value_name("X0..X1,Y0..Y1=cycle"),
      "run a rectangle of user tiles cycle by cycle in the first block of a matrix of a layer")(
      "window-layer", po::value(&choice.layer)->value_name("N"),
      "0 the first (default the middle)")("window-matrix",
                                          po::value(&choice.matrix)->value_name("NAME"),
                                          "qkv, up (default), projection or down")(
      "window-pass", po::value(&choice.pass)->value_name("PASS"),
      "forward (default) or input-gradient")("window-threads", po::value(&threads)->value_name("N"),
                                             "bands of rows of its fabric (default 1)")(
      "wave-tiles", po::value(&wave_tiles)->value_name("X0..X1,Y0..Y1"),
      "waves of these tiles of the window; --wave-from and --wave-to are its cycles then")(
      "window-wave", po::value(&wave)->value_name("FILE"),
      "their file, .vcd or .fst, in the folder of the results (default window.vcd)");
}

void WindowOptions::check_given(const po::variables_map& values, WaveOptions& waves) {
  base::ConfigErrors errors;
  for (const auto& [option, value] : values) {
    const bool describes = option.rfind("window-", 0) == 0 || option == "wave-tiles";
    errors.require(!describes || given(), "--" + option, "given",
                   "describes a window, of which --window X0..X1,Y0..Y1=cycle is to be given");
  }
  errors.require(values.count("window-wave") == 0 || !wave_tiles.empty(), "--window-wave", wave,
                 "needs --wave-tiles, which says of which tiles");
  errors.throw_if_any();
  if (wave_tiles.empty()) return;
  std::swap(from, waves.from);
  std::swap(to, waves.to);
}

model::WindowChoice WindowOptions::read() const {
  const std::size_t end = window.find('=');
  const auto tiles = base::parse_tiles(window.substr(0, end));
  if (!tiles || end == std::string::npos || window.substr(end) != "=cycle") {
    throw base::ConfigError("--window", window, "must be X0..X1,Y0..Y1=cycle");
  }
  base::ConfigErrors errors;
  errors.require(threads >= 1 && threads <= 256, "--window-threads", threads, "must be 1 .. 256");
  errors.require(choice.layer >= 0 || choice.layer == -1, "--window-layer", choice.layer,
                 "must not be negative");
  errors.throw_if_any();
  model::WindowChoice read = choice;
  read.tiles = *tiles;
  read.threads = static_cast<std::uint32_t>(threads);
  return read;
}

/// Cycles of the simulation to those of the window.
class WindowWaves::SinceLaunch final : public fabric::RouterWatch, public tiles::EngineWatch {
 public:
  SinceLaunch(report::FabricWaves& waves, const model::KernelMachine& machine)
      : waves_(waves), machine_(machine) {}
  base::Rectangle tiles() const override { return waves_.tiles(); }
  bool watches(base::Cycles cycle) override {
    return cycle >= machine_.launched() && waves_.watches(since(cycle));
  }
  void see(base::Cycles cycle, const std::vector<fabric::QueueFill>& queues,
           const std::vector<fabric::LinkEvent>& events) override {
    waves_.see(since(cycle), queues, events);
  }
  bool watches(base::Coordinate tile) const override { return waves_.tiles().contains(tile); }
  void task(base::Coordinate tile, base::Cycles cycle, const tiles::Program& program,
            std::uint32_t number, bool begins) override {
    waves_.task(tile, since(cycle), program, number, begins);
  }
  void operation(base::Coordinate tile, base::Cycles cycle, const tiles::Program& program,
                 std::uint32_t thread, std::uint32_t instruction, bool begins) override {
    waves_.operation(tile, since(cycle), program, thread, instruction, begins);
  }

 private:
  base::Cycles since(base::Cycles cycle) const { return cycle - machine_.launched(); }
  report::FabricWaves& waves_;
  const model::KernelMachine& machine_;
};

namespace {

report::FabricWaveSelection selection_of(const WindowOptions& options,
                                         const base::Rectangle& window,
                                         const base::Rectangle& mesh_tiles) {
  base::ConfigErrors errors;
  report::FabricWaveSelection selection;
  const auto tiles = base::parse_tiles(options.wave_tiles);
  const bool inside = tiles && base::intersect(*tiles, window) == *tiles;
  errors.require(
      inside, "--wave-tiles", options.wave_tiles,
      fmt::format("must be X0..X1,Y0..Y1 in the window, {}..{},{}..{}", window.columns.begin,
                  window.columns.end - 1, window.rows.begin, window.rows.end - 1));
  errors.require(options.from >= 0, "--wave-from", options.from, "must not be negative");
  errors.require(options.to == -1 || options.to >= options.from, "--wave-to", options.to,
                 "must not be before --wave-from");
  errors.throw_if_any();
  selection.shift = {window.columns.begin - mesh_tiles.columns.begin,
                     window.rows.begin - mesh_tiles.rows.begin};
  const auto in_mesh = [](base::Span span, std::uint32_t shift) {
    return base::Span{span.begin - shift, span.end - shift};
  };
  selection.tiles = {in_mesh(tiles->columns, selection.shift.x),
                     in_mesh(tiles->rows, selection.shift.y)};
  selection.from = static_cast<base::Cycles>(options.from);
  if (options.to >= 0) selection.to = static_cast<base::Cycles>(options.to);
  return selection;
}

}  // namespace

WindowWaves::WindowWaves(const WindowOptions& options, model::TrainingWindow& window,
                         std::uint64_t core_hz, const std::string& folder) {
  if (options.wave_tiles.empty()) return;
  const auto selection = selection_of(options, window.result().tiles, window.mesh_tiles());
  waves_.emplace(options.wave, selection, window.kernel().routes, core_hz, folder);
  waves_->watch()->add_engines(window.kernel());
  watch_ = std::make_unique<SinceLaunch>(*waves_->watch(), window.machine());
  window.machine().set_watch(*watch_);
  window.machine().add_watch(*watch_);
}

WindowWaves::~WindowWaves() = default;

void WindowWaves::finish() {
  if (waves_) waves_->finish();
}

std::string WindowWaves::files() const { return waves_ ? waves_->files() : ""; }

}  // namespace wse::cli
