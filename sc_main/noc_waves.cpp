// SPDX-License-Identifier: Apache-2.0
#include "noc_waves.h"

#include <iostream>
#include <regex>

#include "wse/base/text_forms.h"
#include "wse/cosim/lockstep.h"
#include "wse/fabric/deadlock.h"
#include "wse/report/files.h"
#include "wse/report/wafer_waves.h"
#include "wse/report/wave_file.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::cli {

namespace po = boost::program_options;
using Selection = report::FabricWaveSelection;

namespace {

constexpr std::uint64_t kMostTiles = 4096;
constexpr std::size_t kMostTwins = 32;  ///< with all of their signals, 15,000 a router

/// X0..X1,Y0..Y1, all included; or X,Y.
base::Rectangle tiles_of(const std::string& text, fabric::Mesh mesh, base::ConfigErrors& errors) {
  base::Rectangle tiles{{0, mesh.columns}, {0, mesh.rows}};
  if (!text.empty()) {
    const auto given = base::parse_tiles(text);
    if (!given) {
      errors.add("--wave-tiles", text, "must be X0..X1,Y0..Y1");
      return tiles;
    }
    tiles = *given;
    const bool inside = tiles.columns.end <= mesh.columns && tiles.rows.end <= mesh.rows;
    errors.require(inside, "--wave-tiles", text,
                   fmt::format("must lie in the mesh of {} x {} tiles", mesh.columns, mesh.rows));
  }
  errors.require(tiles.tiles() <= kMostTiles, "--wave-tiles", text.empty() ? "all" : text,
                 fmt::format("must be at most {} routers", kMostTiles));
  return tiles;
}

/// Of color=C@X,Y.
void read_trigger_tile(const std::string& text, const std::string& place, Selection& selection,
                       base::ConfigErrors& errors) {
  const auto tile = base::parse_tiles(place);
  if (!tile || tile->tiles() != 1) {
    return errors.add("--wave-trigger", text, "must be color=C or color=C@X,Y");
  }
  selection.tile = base::Coordinate{tile->columns.begin, tile->rows.begin};
  errors.require(selection.tiles.contains(*selection.tile), "--wave-trigger", text,
                 "must name a router of --wave-tiles");
}

/// color=C, color=C@X,Y, full=N, deadlock or mismatch.
void read_trigger(const std::string& text, bool has_twins, Selection& selection,
                  base::ConfigErrors& errors) {
  static const std::regex form("(color|full)=([0-9]{1,9})(@(.*))?|deadlock|mismatch");
  std::smatch match;
  if (text.empty()) return;
  if (!std::regex_match(text, match, form) || (match[1] == "full" && match[3].matched)) {
    errors.add("--wave-trigger", text,
               "must be color=C, color=C@X,Y, full=CYCLES, deadlock or mismatch");
    return;
  }
  if (text == "deadlock") {
    selection.trigger = Selection::Trigger::kDeadlock;
    return;
  }
  if (text == "mismatch") {
    errors.require(has_twins, "--wave-trigger", text, "can come with twins only: wse cosim");
    selection.trigger = Selection::Trigger::kMismatch;
    return;
  }
  const unsigned long number = std::stoul(match[2]);
  if (match[1] == "color") {
    errors.require(number < fabric::kNumColors, "--wave-trigger", text, "must be a color 0 .. 23");
    selection.trigger = Selection::Trigger::kColor;
    selection.color = static_cast<std::uint8_t>(number);
    if (match[3].matched) read_trigger_tile(text, match[4], selection, errors);
  } else {
    errors.require(number >= 1, "--wave-trigger", text, "must be at least one cycle");
    selection.trigger = Selection::Trigger::kQueueFull;
    selection.full_cycles = number;
  }
}

}  // namespace

void NocWaveOptions::add_to(po::options_description& options, bool twins) {
  has_twins = twins;
  if (twins) {
    options.add_options()("wave-rtl", po::value(&rtl)->value_name("SIGNALS"),
                          "of twins in the waves: all (default), pins or none");
  }
  options.add_options()("wave", po::value(&file)->value_name("FILE"),
                        "waves of routers, .vcd or .fst, in the folder of the results")(
      "wave-tiles", po::value(&tiles)->value_name("X0..X1,Y0..Y1"),
      "routers of the waves (default all)")("wave-from", po::value(&from)->value_name("C"),
                                            "first cycle of the waves (default 0)")(
      "wave-to", po::value(&to)->value_name("C"), "last cycle of the waves (default: the end)")(
      "wave-trigger", po::value(&trigger)->value_name("EVENT"),
      "record around color=C or color=C@X,Y (seen on a link), full=N (a queue full for N cycles), "
      "deadlock or mismatch (of a twin)")("wave-before", po::value(&before)->value_name("N"),
                                          "cycles kept from before the trigger (default 64)")(
      "wave-after", po::value(&after)->value_name("N"),
      "cycles recorded from the trigger on (default 64)");
}

void NocWaveOptions::check_given(const po::variables_map& values) const {
  base::ConfigErrors errors;
  if (values.count("wave") != 0) {
    errors.require(!file.empty(), "--wave", "\"\"", "must name a file");
  } else {
    for (const auto& [option, value] : values) {
      errors.require(option.rfind("wave-", 0) != 0, "--" + option, "given",
                     "describes waves, of which --wave FILE is to be given");
    }
  }
  errors.throw_if_any();
}

Selection NocWaveOptions::selection(fabric::Mesh mesh) const {
  base::ConfigErrors errors;
  Selection selection;
  selection.tiles = tiles_of(tiles, mesh, errors);
  errors.require(from >= 0, "--wave-from", from, "must not be negative");
  errors.require(to == -1 || to >= from, "--wave-to", to, "must not be before --wave-from");
  errors.require(before >= 0 && before <= 1'000'000, "--wave-before", before,
                 "must be 0 .. 1000000");
  errors.require(after >= 1, "--wave-after", after, "must be at least 1");
  errors.require(rtl == "all" || rtl == "pins" || rtl == "none", "--wave-rtl", rtl,
                 "must be all, pins or none");
  read_trigger(trigger, has_twins, selection, errors);
  errors.throw_if_any();
  selection.from = static_cast<base::Cycles>(from);
  if (to >= 0) selection.to = static_cast<base::Cycles>(to);
  selection.before = static_cast<base::Cycles>(before);
  selection.after = static_cast<base::Cycles>(after);
  return selection;
}

NocWaves::NocWaves(const NocWaveOptions& options, const fabric::RouteTable& routes,
                   std::uint64_t core_hz, const std::string& folder)
    : mesh_(routes.mesh()), rtl_(options.rtl) {
  if (options.file.empty()) return;
  open(options.file, options.selection(routes.mesh()), routes, core_hz, folder);
}

NocWaves::NocWaves(const std::string& file, const Selection& selection,
                   const fabric::RouteTable& routes, std::uint64_t core_hz,
                   const std::string& folder)
    : mesh_(routes.mesh()), rtl_("none") {
  open(file, selection, routes, core_hz, folder);
}

void NocWaves::open(const std::string& file, const Selection& selection,
                    const fabric::RouteTable& routes, std::uint64_t core_hz,
                    const std::string& folder) {
  file_.emplace(folder, file);
  waves_ = std::make_unique<report::FabricWaves>(report::open_wave_file(file_->partial()), routes,
                                                 selection, core_hz);
}

NocWaves::~NocWaves() {
  if (waves_ == nullptr) return;
  const bool nothing = waves_->cycles() == 0;
  waves_->close();
  if (nothing) {
    file_->discard();
  } else {
    std::cerr << "wse: the waves up to here are in " << file_->partial() << "\n";
  }
}

void NocWaves::add_twin(std::uint32_t tile, fabric::RouterTwin& twin) {
  if (waves_ == nullptr || rtl_ == "none" || !waves_->tiles().contains(mesh_.at(tile))) return;
  base::VcdSource* source = twin.trace();
  if (source == nullptr) return;
  const bool pins_only = rtl_ == "pins";
  if (!pins_only && ++twins_ > kMostTwins) {
    throw base::ConfigError(
        "--wave-rtl", rtl_,
        fmt::format("can be of {} twins at most: choose --wave-tiles, or pins", kMostTwins));
  }
  waves_->add_rtl(tile, *source, pins_only);
}

void NocWaves::record(const std::function<void()>& work) {
  try {
    work();
  } catch (const fabric::DeadlockError&) {
    finish_at("the deadlock");
    throw;
  } catch (const tiles::KernelFailure&) {
    finish_at("the deadlock");
    throw;
  } catch (const cosim::Mismatch&) {
    finish_at("the mismatch");
    throw;
  } catch (const base::TwinError&) {
    finish_at("the breach of the contract");
    throw;
  }
}

void NocWaves::finish() {
  if (waves_ == nullptr) return;
  waves_->close();
  if (waves_->cycles() == 0) {
    std::cerr << "wse: " << file_->path()
              << " holds no values: the cycles of --wave-from and --wave-to, "
              << "or the trigger, did not come\n";
  }
  file_->finish();
  const std::string folder = file_->folder();
  const std::string kernels = folder + "/" + file_->stem() + ".kernels.txt";
  if (!waves_->kernels().empty()) {
    report::write_file(kernels, report::translation_file(waves_->kernels()));
  }
  report::write_file(folder + "/" + file_->stem() + ".gtkw",
                     waves_->save_file(file_->name(), kernels));
  waves_.reset();
}

void NocWaves::finish_at(const char* event) {
  if (waves_ == nullptr) return;
  finish();
  std::cerr << "wse: waves up to " << event << " are in " << file_->path() << "\n";
}

std::string NocWaves::files() const {
  return file_ ? ", " + file_->name() + ", " + file_->stem() + ".gtkw" : "";
}

}  // namespace wse::cli
