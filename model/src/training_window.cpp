// SPDX-License-Identifier: Apache-2.0
#include "wse/model/training_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "window_block.h"
#include "wse/base/host_usage.h"
#include "wse/fabric/gemm_traffic.h"
#include "wse/model/mesh_config.h"
#include "wse/model/pipeline_plan.h"
#include "wse/model/systems.h"
#include "wse/model/training.h"

namespace wse::model {
namespace {

using base::EventKind;

constexpr std::uint32_t kMostTiles = 128;  ///< of a side

std::string text_of(const base::Rectangle& r) {
  return fmt::format("{}..{},{}..{}", r.columns.begin, r.columns.end - 1, r.rows.begin,
                     r.rows.end - 1);
}

tiles::DataType type_of(tiles::Precision precision) {
  switch (precision) {
    case tiles::Precision::kFp16:
      return tiles::DataType::kFp16;
    case tiles::Precision::kMixed:
      return tiles::DataType::kMixed;
    case tiles::Precision::kFp32:
      return tiles::DataType::kFp32;
  }
  return tiles::DataType::kFp32;
}

NamedMatrix matrix_of(const host::ModelSpec& model, const WindowChoice& choice) {
  NamedMatrix m;
  m.name = choice.matrix;
  m.backward = choice.pass == "input-gradient";
  m.matrix = choice.matrix == "qkv"          ? model.query_key_value()
             : choice.matrix == "up"         ? model.up()
             : choice.matrix == "projection" ? model.projection()
                                             : model.down();
  return m;
}

/// What can be said without a plan.
void check(const host::ModelSpec& model, const Settings& settings, const WindowChoice& choice) {
  base::ConfigErrors errors;
  const base::GeometryConfig& g = settings.machine.geometry;
  const std::string window = text_of(choice.tiles);
  const auto layers = static_cast<std::int64_t>(model.layers);
  errors.require(choice.tiles.columns.end <= g.user_columns && choice.tiles.rows.end <= g.user_rows,
                 "--window", window,
                 fmt::format("must lie in the user rectangle 0..{},0..{}", g.user_columns - 1,
                             g.user_rows - 1));
  errors.require(
      choice.tiles.columns.size() <= kMostTiles && choice.tiles.rows.size() <= kMostTiles,
      "--window", window, fmt::format("must be at most {0} x {0} tiles", kMostTiles));
  errors.require(choice.layer >= -1 && choice.layer < layers, "--window-layer", choice.layer,
                 fmt::format("must be a layer 0 .. {} of the model", layers - 1));
  const std::string& m = choice.matrix;
  const bool attention = m == "qkv" || m == "projection";
  errors.require(attention || m == "up" || m == "down", "--window-matrix", m,
                 "must be qkv, up, projection or down");
  errors.require(choice.pass == "forward" || choice.pass == "input-gradient", "--window-pass",
                 choice.pass, "must be forward or input-gradient");
  errors.require(settings.run.sparsity == 0, "run.sparsity", settings.run.sparsity,
                 "must be 0 with --window, whose weights are all sent");
  errors.require(settings.run.mode != "pipeline", "run.mode", settings.run.mode,
                 "must be stream with --window: a pipeline streams no weights");
  errors.throw_if_any();
  const auto layer = static_cast<std::uint64_t>(choice.layer >= 0 ? choice.layer : layers / 2);
  errors.require(attention || model.experts_of(layer) == 1, "--window-layer", layer,
                 "has experts, each with tokens of its own: choose another layer, or "
                 "--window-matrix qkv or projection");
  errors.require(!model.has_cross_attention(layer), "--window-layer", layer,
                 fmt::format("attends to an encoder: choose a layer 0 .. {}",
                             std::int64_t(model.encoder_layers) - 1));
  errors.throw_if_any();
}

/// Errors of a plan that is needed in any case come first.
TrainingPlan plan_of(const host::ModelSpec& model, const Settings& settings,
                     const WindowChoice& choice) {
  check(model, settings, choice);
  const TrainingPlan plan = make_plan(model, settings_of_one_system(settings));
  if (choose_mode(model, settings, plan).pipeline) {
    throw base::ConfigError("run.mode", settings.run.mode,
                            "must be stream with --window: auto takes a pipeline here");
  }
  return plan;
}

/// The copy of the features that has all columns of the window.
std::uint32_t copy_of(const base::Mapping& mapping, const base::Rectangle& tiles) {
  std::string copies;
  for (std::uint32_t copy = 0; copy < mapping.copies(); ++copy) {
    const base::Span own = mapping.columns_of_copy(copy);
    if (base::intersect(own, tiles.columns) == tiles.columns) return copy;
    copies += fmt::format("{}{}..{}", copy > 0 ? ", " : "", own.begin, own.end - 1);
  }
  throw base::ConfigError("--window", text_of(tiles),
                          "must lie in one copy of the features, columns " + copies);
}

void require_budget(const MachineConfig& machine, const base::Rectangle& tiles) {
  const base::Bytes tile = machine.sram.size_bytes;
  if (tiles.tiles() * tile <= machine.memory_budget_bytes) return;
  throw base::ConfigError("--window", text_of(tiles),
                          fmt::format("needs {} bytes for the SRAM of its tiles, "
                                      "memory.budget_bytes = {} is enough for {} tiles",
                                      tiles.tiles() * tile, machine.memory_budget_bytes,
                                      machine.memory_budget_bytes / tile));
}

double value_of(std::uint32_t bits, std::uint8_t bytes) {
  if (bytes == 2) bits = tiles::widen(bits);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

void WindowResult::require() const {
  if (std::abs(deviation()) > kMostDeviation) {
    throw RunFailed(fmt::format(
        "the window took {} cycles, the step's block {}: {:+.2f} %, at most {:g} % are allowed",
        cycles, coarse_cycles, 100 * deviation(), 100 * kMostDeviation));
  }
  if (!(max_rel_error <= error_bound)) {
    throw RunFailed(fmt::format(
        "sums of the window are off by {:.3g} of the largest, at most {:.3g} are allowed",
        max_rel_error, error_bound));
  }
}

TrainingWindow::TrainingWindow(const host::ModelSpec& model, const Settings& settings,
                               const WindowChoice& choice)
    : settings_(settings), plan_(plan_of(model, settings, choice)) {
  result_.tiles = choice.tiles;
  result_.layer = static_cast<std::uint64_t>(
      choice.layer >= 0 ? choice.layer : static_cast<std::int64_t>(model.layers) / 2);
  result_.matrix = choice.matrix;
  result_.pass = choice.pass;
  choose_block(model, choice);
  build(shape_of(matrix_of(model, choice).matrix, choice), choice);
}

void TrainingWindow::choose_block(const host::ModelSpec& model, const WindowChoice& choice) {
  const std::vector<base::WorkItem> schedule = host::build_schedule(model, plan_.schedule);
  const base::WorkItem* const item =
      first_block(schedule, model, result_.layer, matrix_of(model, choice));
  if (item == nullptr) {
    throw base::ConfigError("--window-matrix", choice.matrix,
                            fmt::format("is no matrix of layer {}", result_.layer));
  }
  item_ = *item;
  mapping_ = plan_.mapping.with_copies(item->copies);
  result_.copy = copy_of(mapping_, choice.tiles);
  block_.item = item->id;
  block_.tile = {choice.tiles.columns.begin, choice.tiles.rows.begin};
}

tiles::WindowGemmShape TrainingWindow::shape_of(const host::Matrix& matrix,
                                                const WindowChoice& choice) const {
  const base::Span own = mapping_.columns_of_copy(result_.copy);
  const base::Rectangle& tiles = choice.tiles;
  tiles::WindowGemmShape s;
  s.ring = own.size();
  s.columns = {tiles.columns.begin - own.begin, tiles.columns.end - own.begin};
  s.first_row = result_.copy * mapping_.rows() + tiles.rows.begin;
  s.rows = tiles.rows.size();
  s.type = type_of(settings_.run.precision_kind());
  const std::uint32_t wire = s.type == tiles::DataType::kFp32 ? 1 : 2;
  const auto tokens = static_cast<std::uint32_t>(mapping_.tokens_per_tile(item_.tokens));
  s.tile_tokens = (tokens + wire - 1) / wire * wire;
  s.transposed = choice.pass == "input-gradient";
  s.inputs = static_cast<std::uint32_t>(item_.inputs);
  s.outputs = static_cast<std::uint32_t>(s.transposed ? matrix.inputs : matrix.outputs);
  s.block_outputs = static_cast<std::uint32_t>(item_.outputs);
  return s;
}

void TrainingWindow::build(const tiles::WindowGemmShape& shape, const WindowChoice& choice) {
  const tiles::MeshConfig config = mesh_config(settings_.machine);
  require_budget(settings_.machine, choice.tiles);
  try {
    kernel_ = std::make_unique<tiles::WindowGemm>(shape, config, settings_.run.seed);
  } catch (const tiles::ProgramError& error) {
    throw base::ConfigError(
        "--window", text_of(choice.tiles),
        fmt::format("{}: smaller run.batch or run.block_bytes would fit", error.what()));
  }
  result_.block_outputs = shape.block_outputs;
  result_.tokens_a_tile = shape.tile_tokens;
  result_.features_a_tile = static_cast<std::uint32_t>(mapping_.features_per_tile(item_.inputs));
  KernelMachineConfig machine;
  machine.mesh = kernel_->config();
  machine.core_hz = settings_.machine.core_hz;
  machine.threads = choice.threads;
  machine.regions = cut();
  machine_ = std::make_unique<KernelMachine>("window", kernel_->kernel(), machine);
}

/// The window as the regions of the wafer cut it, then what stands around it.
std::vector<base::Rectangle> TrainingWindow::cut() {
  const base::WaferGeometry geometry(settings_.machine.geometry);
  const base::RegionLayout layout(geometry, settings_.machine.region_columns,
                                  settings_.machine.region_rows);
  const base::Rectangle inside = kernel_->working_tiles();
  const fabric::Mesh mesh = kernel_->kernel().mesh();
  std::vector<base::Rectangle> all;
  const auto shifted = [](base::Span span, base::Span from, base::Span to) {
    return base::Span{span.begin - from.begin + to.begin, span.end - from.begin + to.begin};
  };
  for (const base::RegionPart& part : layout.parts()) {
    const base::Rectangle piece = base::intersect(part.tiles, result_.tiles);
    if (piece.tiles() == 0) continue;
    all.push_back({shifted(piece.columns, result_.tiles.columns, inside.columns),
                   shifted(piece.rows, result_.tiles.rows, inside.rows)});
  }
  pieces_ = all.size();
  all.push_back({{0, mesh.columns}, {0, 1}});
  for (const base::Span side :
       {base::Span{0, inside.columns.begin}, base::Span{inside.columns.end, mesh.columns}}) {
    if (side.size() > 0) all.push_back({side, inside.rows});
  }
  return all;
}

void TrainingWindow::run(const std::function<void()>& every_some_cycles) {
  if (!block_.seen) throw RunFailed("the step ended without the block of the window");
  const base::Stopwatch stopwatch;
  tiles::WeightArrival arrival{block_.arrived_first, block_.arrived_last, block_.start, 0};
  arrival.launch = machine_->next_launch();
  kernel_->set_arrival(arrival);
  const fabric::Mesh mesh = kernel_->kernel().mesh();
  kernel_->fill([&](std::uint32_t tile, std::uint32_t address, const void* data, std::size_t n) {
    const base::Coordinate at = mesh.at(tile);
    machine_->copy_to({{at.x, at.x + 1}, {at.y, at.y + 1}}, address, data, n);
  });
  machine_->launch();
  machine_->wait_for_end(every_some_cycles);
  count_coarse();
  count();
  judge();
  result_.host_seconds = stopwatch.seconds();
}

void TrainingWindow::count_coarse() {
  const tiles::Precision precision = settings_.run.precision_kind();
  result_.coarse_cycles = block_.finish - block_.start;
  result_.coarse_events =
      tiles::events_of(item_, mapping_, settings_.machine.tile, precision, result_.tiles);
  const base::EventCounts traffic = fabric::gemm_events(
      fabric::gemm_traffic(item_, mapping_, result_.tiles, tiles::link_bits(precision)));
  for (std::size_t k = 0; k < traffic.size(); ++k) result_.coarse_events[k] += traffic[k];
}

/// Of the regions of the window. Wavelets are counted where they leave a tile: weights that enter at
/// its north edge are added.
void TrainingWindow::count() {
  const base::Rectangle inside = kernel_->working_tiles();
  tiles::EngineStats stats;
  fabric::EngineCounts wavelets;
  for (std::size_t r = 0; r < pieces_; ++r) {
    stats += machine_->stats(r);
    const base::EventCounts& activity = machine_->activity()[r];
    const std::uint64_t injected =
        at(activity, EventKind::kRouterTraversal) - at(activity, EventKind::kLinkHop);
    wavelets.hops += at(activity, EventKind::kLinkHop);
    wavelets.injected += injected;
    wavelets.delivered += at(activity, EventKind::kRamp) - injected;
  }
  base::Cycles first = tiles::EngineStats::kNever;
  base::Cycles last = 0;
  std::uint64_t busy = 0;
  for (std::uint32_t x = inside.columns.begin; x < inside.columns.end; ++x) {
    wavelets.hops += kernel_->weights_of_column(x);
    for (std::uint32_t y = inside.rows.begin; y < inside.rows.end; ++y) {
      const auto times = machine_->times({x, y});
      first = std::min(first, times.begin);
      last = std::max(last, times.end);
      busy += times.busy;
    }
  }
  result_.cycles = last - first;
  const std::uint64_t all = result_.cycles * inside.tiles();
  result_.busy_fraction = static_cast<double>(busy) / static_cast<double>(all);
  result_.events = tiles::events_of(stats, wavelets, all);
  hash_.add(result_.cycles);
  hash_.add(busy);
  for (const std::uint64_t n : result_.events) hash_.add(n);
}

/// Every sum that stays in a tile, or has left the window, against double precision.
void TrainingWindow::judge() {
  const fabric::Mesh mesh = kernel_->kernel().mesh();
  double error = 0;
  double largest = 0;
  std::vector<std::uint8_t> bytes;
  std::uint32_t read = ~0U;
  kernel_->expect([&](std::uint32_t tile, const tiles::Array& array, std::uint32_t first,
                      const std::vector<double>& reference) {
    if (tile != read) {
      const base::Coordinate at = mesh.at(tile);
      bytes.resize(array.bytes());
      machine_->copy_from({{at.x, at.x + 1}, {at.y, at.y + 1}}, array.address, bytes.data(),
                          bytes.size());
      read = tile;
    }
    for (std::size_t i = 0; i < reference.size(); ++i) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &bytes[(first + i) * array.element_bytes], array.element_bytes);
      hash_.add(bits);
      const double off = std::abs(value_of(bits, array.element_bytes) - reference[i]);
      if (!(off <= error)) error = off;  // not a number is as wrong as can be
      largest = std::max(largest, std::abs(reference[i]));
    }
  });
  result_.max_rel_error = largest > 0 ? error / largest : error;
  result_.error_bound = kernel_->error_bound();
  result_.result_hash = hash_.text();
}

}  // namespace wse::model
