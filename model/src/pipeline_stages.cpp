// SPDX-License-Identifier: Apache-2.0
#include "wse/model/pipeline_stages.h"

#include <fmt/format.h>

#include <algorithm>

#include "wse/base/check.h"
#include "wse/host/schedule.h"
#include "wse/tiles/resident_terms.h"

namespace wse::model {
namespace {

using base::EventCounts;
using base::Phase;
using base::Rectangle;
using base::WorkItem;
using host::Matrix;
using host::ModelSpec;

/// Of a table whose optimizer state lies with the head: an fp16 copy and an fp32 gradient.
constexpr base::Bytes kCopyBytesPerParameter = 6;
/// A number that stands for a word, its position and its label.
constexpr base::Bytes kTokenBytes = 4;

std::uint64_t weights_of(const std::vector<ResidentMatrix>& matrices) {
  std::uint64_t sum = 0;
  for (const ResidentMatrix& m : matrices) sum += m.inputs * m.outputs;
  return sum;
}

StageLoad embedding_of(const ModelSpec& model, std::uint64_t sequence) {
  StageLoad load;
  load.name = "embedding";
  const std::uint64_t words = model.vocabulary + model.image_vocabulary;
  const std::uint64_t norm = model.embedding_norm ? model.norm_parameters() : 0;
  const std::uint64_t others = (model.embedding_parameters() - norm) / model.width - words;
  load.matrices = {
      {model.width, words, model.tied_head ? kCopyBytesPerParameter : kResidentBytesPerParameter},
      {model.width, others, kResidentBytesPerParameter}};
  load.vector_parameters = norm;
  load.look_ups = sequence;
  load.features = model.width;
  if (model.tied_head) load.shared_parameters = words * model.width;
  load.kept_bytes = sequence * kTokenBytes;
  load.working_bytes = 2 * sequence * model.width;
  load.result_bytes = 2 * sequence * model.width;
  return load;
}

StageLoad layer_of(const ModelSpec& model, std::uint64_t layer, std::uint64_t sequence,
                   bool recompute) {
  StageLoad load;
  load.name = fmt::format("layer {}", layer);
  load.place = static_cast<std::uint32_t>(layer) + 1;
  for (const Matrix& m : {model.query_key_value(), model.projection(), model.up(), model.down()}) {
    load.matrices.push_back({m.inputs, m.outputs, kResidentBytesPerParameter});
  }
  load.vector_parameters = model.layer_parameters(layer) - weights_of(load.matrices);
  const base::Bytes all = sequence * model.intermediate_bytes(layer);
  load.kept_bytes = recompute ? 2 * sequence * model.width : all;
  load.working_bytes = recompute ? all : 0;
  load.result_bytes = 2 * sequence * model.width;
  return load;
}

StageLoad head_of(const ModelSpec& model, std::uint64_t sequence) {
  StageLoad load;
  load.name = "head";
  std::uint64_t tied = 0;
  for (const host::TailMatrix& t : model.tail()) {
    load.matrices.push_back({t.matrix.inputs, t.matrix.outputs, kResidentBytesPerParameter});
    if (t.tied) tied += t.matrix.weights();
    const std::uint64_t tokens = t.per_sequence ? 1 : sequence;
    load.kept_bytes += 2 * tokens * (t.matrix.inputs + t.matrix.outputs);
  }
  load.vector_parameters = model.tail_parameters() + tied - weights_of(load.matrices);
  load.shared_parameters = tied;
  load.kept_bytes += 2 * sequence * model.width;
  return load;
}

/// One sequence through the whole model, cut where stages begin and end.
void add_items(const ModelSpec& model, std::uint64_t sequence, bool recompute,
               std::vector<StageLoad>& loads) {
  host::ScheduleConfig config;
  config.micro_batches = {1};
  config.sequence = sequence;
  config.recompute = recompute;
  config.block_bytes = 1ULL << 50;  // whole matrices
  bool seen_forward = false;
  bool seen_backward = false;
  for (const WorkItem& item : host::build_schedule(model, config)) {
    const bool forward = item.phase == Phase::kForward;
    bool& seen = forward ? seen_forward : seen_backward;
    seen = seen || item.in_layer;
    const bool embedding = forward != seen;  // before the layers on the way there, after them back
    StageLoad& load = item.in_layer ? loads[item.layer + 1]
                      : embedding   ? loads.front()
                                    : loads.back();
    load.items.push_back(item);
  }
}

bool same(const StageLoad& a, const StageLoad& b) {
  return a.items.size() == b.items.size() && a.vector_parameters == b.vector_parameters &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(),
                    [](const WorkItem& x, const WorkItem& y) { return x.same_work(y); });
}

std::uint64_t parameters_of_tile(const StageLoad& load, std::uint32_t columns, std::uint32_t rows) {
  std::uint64_t sum = base::ceil_div(load.vector_parameters, std::uint64_t{columns} * rows);
  for (const ResidentMatrix& m : load.matrices) {
    if (m.weight_bytes < kResidentBytesPerParameter) continue;  // updated elsewhere
    sum += base::ceil_div(m.inputs, columns) * base::ceil_div(m.outputs, rows);
  }
  return sum;
}

void add(tiles::CauseCycles& sum, const tiles::CauseCycles& more) {
  for (std::size_t c = 0; c < tiles::kNumCauses; ++c) sum[c] += more[c];
}
void add(tiles::CauseEvents& sum, const tiles::CauseEvents& more) {
  for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
    for (std::size_t k = 0; k < base::kNumEventKinds; ++k) sum[c][k] += more[c][k];
  }
}

tiles::ResidentTerms terms_of(const Rectangle& rectangle, const Settings& settings) {
  return {rectangle, settings.machine.tile, settings.run.precision_kind(), settings.machine.fabric};
}

}  // namespace

base::Bytes StageLoad::state_bytes() const {
  base::Bytes sum = vector_parameters * kResidentBytesPerParameter;
  for (const ResidentMatrix& m : matrices) sum += m.inputs * m.outputs * m.weight_bytes;
  return sum;
}

std::vector<StageLoad> stage_loads(const ModelSpec& model, std::uint64_t sequence, bool recompute,
                                   tiles::Precision precision) {
  WSE_CHECK(model.experts <= 1 && model.stacks() == 1,
            "a pipeline is of one stack of dense layers");
  std::vector<StageLoad> loads{embedding_of(model, sequence)};
  for (std::uint64_t layer = 0; layer < model.layers; ++layer) {
    loads.push_back(layer_of(model, layer, sequence, recompute));
  }
  loads.push_back(head_of(model, sequence));
  add_items(model, sequence, recompute, loads);
  const base::Bytes element = tiles::element_bytes(precision);
  for (std::size_t i = 0; i < loads.size(); ++i) {
    for (base::Bytes* bytes :
         {&loads[i].kept_bytes, &loads[i].working_bytes, &loads[i].result_bytes}) {
      *bytes = *bytes / 2 * element;
    }
    loads[i].kind = static_cast<std::uint32_t>(i);
    for (std::size_t j = 1; j < i && i + 1 < loads.size(); ++j) {
      if (!same(loads[i], loads[j])) continue;
      loads[i].kind = loads[j].kind;
      break;
    }
  }
  return loads;
}

tiles::StageCycles stage_cycles(const StageLoad& load, const Rectangle& rectangle,
                                const Settings& settings) {
  const tiles::ResidentTerms terms = terms_of(rectangle, settings);
  tiles::StageCycles c;
  for (const WorkItem& item : load.items) {
    tiles::CauseCycles& sum = item.phase == Phase::kForward     ? c.forward
                              : item.phase == Phase::kRecompute ? c.recompute
                                                                : c.backward;
    add(sum, terms.cycles(item));
  }
  constexpr auto kVector = static_cast<std::size_t>(tiles::Cause::kVector);
  const base::Cycles look_up = terms.look_up_cycles(load.look_ups, load.features);
  c.forward[kVector] += look_up;
  c.backward[kVector] += look_up;
  c.update[kVector] = tiles::ResidentTerms::update_cycles(
      parameters_of_tile(load, rectangle.columns.size(), rectangle.rows.size()));
  // fp32 gradients of the shared table one way, fp16 weights the other, over one side.
  const std::uint64_t side = std::min(rectangle.columns.size(), rectangle.rows.size());
  c.update[static_cast<std::size_t>(tiles::Cause::kReduction)] =
      base::ceil_div(load.shared_parameters + load.shared_parameters / 2, side);
  return c;
}

/// Activations are spread over all tiles of the stage.
base::Bytes stage_tile_bytes(const StageLoad& load, std::uint32_t columns, std::uint32_t rows,
                             std::uint64_t in_flight, const MachineConfig& machine) {
  const std::uint64_t tiles = std::uint64_t{columns} * rows;
  base::Bytes sum = machine.tile.code_bytes +
                    base::ceil_div(load.vector_parameters, tiles) * kResidentBytesPerParameter;
  base::Bytes buffers = 0;
  for (const ResidentMatrix& m : load.matrices) {
    const std::uint64_t inputs = base::ceil_div(m.inputs, columns);
    const std::uint64_t outputs = base::ceil_div(m.outputs, rows);
    sum += inputs * outputs * m.weight_bytes;
    buffers = std::max<base::Bytes>(buffers, 8 * (inputs + outputs));  // two of fp32 each
  }
  return sum + buffers + base::mul_div_up(in_flight, load.kept_bytes, tiles) +
         base::ceil_div(load.working_bytes, tiles);
}

namespace {

void count(const StageLoad& load, const tiles::ResidentTerms& terms, bool north, bool west,
           tiles::StagePart& p) {
  for (const WorkItem& item : load.items) {
    tiles::CauseEvents& sum = item.phase == Phase::kForward     ? p.forward
                              : item.phase == Phase::kRecompute ? p.recompute
                                                                : p.backward;
    add(sum, terms.events(item, p.part.tiles, north, west));
    (item.phase == Phase::kForward ? p.forward_multiply_adds : p.backward_multiply_adds) +=
        terms.multiply_adds(item, p.part.tiles);
  }
  if (load.look_ups == 0) return;
  for (tiles::CauseEvents* sum : {&p.forward, &p.backward}) {
    add(*sum, terms.look_up_events(load.look_ups, load.features, p.part.tiles));
  }
}

/// The share of the part, by its tiles, in something that the whole stage does.
void add_transfer(const Rectangle& whole, std::uint64_t before, std::uint64_t hops,
                  tiles::StagePart& p) {
  const std::uint64_t all = whole.tiles();
  const std::uint64_t share =
      base::mul_div(hops, before + p.part.tiles.tiles(), all) - base::mul_div(hops, before, all);
  for (tiles::CauseEvents* by : {&p.forward, &p.backward}) {  // activations, and their gradients
    EventCounts& counts = (*by)[static_cast<std::size_t>(tiles::Cause::kVectorStart)];
    at(counts, base::EventKind::kLinkHop) += share;
    at(counts, base::EventKind::kRouterTraversal) += share;
  }
}

}  // namespace

std::vector<tiles::StagePart> stage_parts(const StageLoad& load, const Rectangle& rectangle,
                                          const Settings& settings,
                                          const base::WaferGeometry& geometry,
                                          std::uint64_t transfer_hops) {
  const tiles::ResidentTerms terms = terms_of(rectangle, settings);
  const std::uint64_t parameters =
      parameters_of_tile(load, rectangle.columns.size(), rectangle.rows.size());
  std::vector<tiles::StagePart> parts;
  std::uint64_t before = 0;
  const std::uint32_t die_columns = geometry.config().die_columns;
  for (std::uint32_t die = 0; die < geometry.dies(); ++die) {
    const Rectangle on_die = base::intersect(
        rectangle,
        {geometry.user_columns_of(die % die_columns), geometry.user_rows_of(die / die_columns)});
    if (on_die.tiles() == 0) continue;
    tiles::StagePart p;
    p.part = {static_cast<std::uint32_t>(parts.size()), 0, die, on_die};
    count(load, terms, on_die.rows.begin > rectangle.rows.begin,
          on_die.columns.begin > rectangle.columns.begin, p);
    add_transfer(rectangle, before, transfer_hops, p);
    p.update = terms.update_events(parameters, on_die);
    before += on_die.tiles();
    parts.push_back(std::move(p));
  }
  return parts;
}

}  // namespace wse::model
