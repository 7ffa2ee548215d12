// SPDX-License-Identifier: Apache-2.0
#include "model/training_cases.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "support/in_child.h"
#include "support/presets.h"
#include "wse/base/random.h"

namespace wse::model {
namespace {

using base::Random;

double sum(const std::vector<double>& v) { return std::accumulate(v.begin(), v.end(), 0.0); }

Measured measured(const TrainingResult& r) {
  Measured m;
  m.step_seconds = r.step_seconds;
  m.cycles = r.simulated_cycles;
  m.bytes_in = r.bytes_in;
  m.bytes_out = r.bytes_out;
  m.sample_bytes_in = r.sample_bytes_in;
  m.sample_bytes_out = r.sample_bytes_out;
  m.executed = r.executed_multiply_adds;
  m.useful = r.useful_multiply_adds;
  m.dropped = r.dropped_tokens;
  m.tokens = r.tokens();
  m.time_ledger = r.time_ledger;
  m.phase_seconds = r.phase_seconds;
  for (const Recorder::CauseSeconds& layer : r.layer_seconds) {
    m.layer_seconds = std::accumulate(layer.begin(), layer.end(), m.layer_seconds);
  }
  m.energy_j = r.energy_j;
  m.energy_by_kind = sum(r.energy_by_kind);
  m.energy_by_die = sum(r.energy_by_die);
  m.energy_by_phase = sum(r.energy_by_phase);
  m.energy_by_trace = r.energy_by_trace;
  for (const auto kind :
       {base::EventKind::kFmacFp16, base::EventKind::kFmacMixed, base::EventKind::kFmacFp32}) {
    m.multiply_add_j += r.energy_by_kind[static_cast<std::size_t>(kind)];
  }
  m.throttled = r.throttled_fraction;
  m.energy_ledger = r.energy_ledger;
  m.micro_batches = r.plan.schedule.micro_batches.size();
  for (std::uint64_t layer = 0; layer < r.model.layers; ++layer) {
    m.recomputed_layers += host::recomputes(r.plan.schedule, r.model, layer) ? 1 : 0;
  }
  m.scores_again = r.plan.schedule.scores_again;
  std::strncpy(m.hash, r.result_hash.c_str(), sizeof m.hash - 1);
  return m;
}

bool coin(Random& random, std::uint32_t one_in = 2) { return random.below(one_in) == 0; }

void random_tail(Random& random, host::ModelSpec& m) {
  m.embedding_norm = coin(random, 3);
  m.final_norm = coin(random);
  m.tied_head = coin(random);
  m.head_bias = coin(random);
  m.head_transform = coin(random, 3);
  constexpr std::array kHeads{host::Head::kNone, host::Head::kLanguageModel, host::Head::kPooler,
                              host::Head::kClassifier, host::Head::kPretraining};
  m.head = coin(random) ? host::Head::kLanguageModel : kHeads[random.below(kHeads.size())];
}

/// Of GPT, BERT, gated, parallel, sparse and two-stack models.
host::ModelSpec random_model(Random& random) {
  host::ModelSpec m;
  m.name = "random";
  m.type = "random";
  m.layers = random.between(1, 4);
  m.heads = random.between(1, 6);
  m.attention_width = m.heads * random.between(2, 16);
  m.width = coin(random) ? m.attention_width : random.between(8, 96);
  m.key_value_width = coin(random, 3) ? m.attention_width / m.heads : m.attention_width;
  m.feed_forward = random.between(8, 300);
  m.vocabulary = random.between(20, 500);
  m.positions = random.between(3, 64);
  m.learned_positions = coin(random);
  m.relative_positions = coin(random, 4);
  m.causal = coin(random);
  m.gated = coin(random);
  m.relu = coin(random);
  m.attention_bias = coin(random);
  m.feed_forward_bias = coin(random);
  m.norm_bias = coin(random);
  random_tail(random, m);
  m.parallel_blocks = coin(random, 3);
  if (m.parallel_blocks) {
    m.norms_per_layer = random.between(1, 2);
    return m;
  }
  if (m.layers > 1 && coin(random, 3)) {
    m.encoder_layers = random.between(1, static_cast<std::uint32_t>(m.layers) - 1);
    m.relative_buckets = coin(random) ? random.between(4, 32) : 0;
  }
  if (coin(random, 3)) {
    m.experts = random.between(2, 9);
    m.encoder_expert_step = random.between(0, 2);
    m.decoder_expert_step = random.between(1, 2);
    m.router_bias = coin(random);
  }
  return m;
}

void random_mesh(Random& random, MachineConfig& machine) {
  base::GeometryConfig& g = machine.geometry;
  g.die_columns = random.between(1, 3);
  g.die_rows = random.between(1, 2);
  g.die_tiles_columns = random.between(4, 12);
  g.die_tiles_rows = random.between(4, 12);
  g.fabric_columns = g.die_columns * g.die_tiles_columns - random.between(0, 1);
  g.fabric_rows = g.die_rows * g.die_tiles_rows - random.between(0, 1);
  g.user_x = random.between(0, 1);
  g.user_y = random.between(0, 1);
  g.user_columns = g.fabric_columns - g.user_x - random.between(0, 1);
  g.user_rows = g.fabric_rows - g.user_y - random.between(0, 1);
  g.defects = 0;
  machine.cores_rated =
      std::uint64_t{g.die_columns} * g.die_rows * g.die_tiles_columns * g.die_tiles_rows;
  machine.fabric.hop_latency_cycles = random.between(1, 4);
  machine.fabric.ramp_latency_cycles = random.between(1, 4);
  machine.fabric.unpack_cycles = random.between(0, 3);
}

Settings random_settings(Random& random) {
  Settings s = testing_support::machine_preset("tiny");
  MachineConfig& machine = s.machine;
  random_mesh(random, machine);
  machine.core_hz = 100'000'000ULL * random.between(2, 14);
  machine.io.lanes = random.between(1, 6);
  machine.io.edge_ports_per_lane = random.between(1, 4);
  machine.io.bits_per_second =
      static_cast<std::uint64_t>(1e8 * std::pow(10.0, 0.1 * random.between(0, 30)));
  machine.io.efficiency_ppm = 100'000 * random.between(5, 10);
  machine.io.buffer_bytes = 4096ULL << random.between(0, 8);
  machine.lane_latency_ps = 1000ULL * random.between(1, 2000);
  machine.tile.lanes_fp16 = 4 * random.between(1, 2);
  machine.tile.lanes_mixed = random.between(1, 3);
  machine.tile.lanes_fp32 = random.between(1, 2);
  machine.tile.vector_start_cycles = random.between(0, 3);
  machine.tile.layer_change_cycles = coin(random) ? 0 : random.between(1, 20'000);
  machine.tile.gradient_buffers = random.between(1, 4);
  machine.sram.size_bytes = 16'384ULL << random.between(0, 3);
  RunConfig& run = s.run;
  constexpr std::array kPrecisions{"fp16", "mixed", "fp32"};
  constexpr std::array kRecompute{"auto", "full", "none"};
  run.mode = "stream";
  run.precision = kPrecisions[random.below(kPrecisions.size())];
  run.recompute = kRecompute[random.below(kRecompute.size())];
  run.batch = random.between(1, 12);
  run.copies = random.between(0, 3);
  run.block_bytes = 512ULL << random.between(0, 8);
  run.seed = random.next() % 1000;
  run.capacity_factor = 0.25 * random.between(3, 8);
  run.expert_imbalance = 0.1 * random.between(0, 5);
  return s;
}

/// Multiply-adds of a layer: all of a forward pass, and what a recomputation does again.
struct LayerAdds {
  std::uint64_t forward = 0;
  std::uint64_t again = 0;
};

struct LayerSizes {
  bool encoder, cross, sparse, begins;
};
LayerSizes sizes_of(const host::ModelSpec& m, std::uint64_t layer) {
  LayerSizes s{};
  s.encoder = layer < m.encoder_layers;
  s.cross = m.encoder_layers > 0 && !s.encoder;
  s.begins = layer == 0 || layer == m.encoder_layers;
  const std::uint64_t step = s.encoder ? m.encoder_expert_step : m.decoder_expert_step;
  const std::uint64_t place = s.encoder ? layer : layer - m.encoder_layers;
  s.sparse = m.experts > 1 && step > 0 && (step == 1 || place % step == 1);
  return s;
}

LayerAdds adds_of(const host::ModelSpec& m, const LayerSizes& layer, std::uint64_t tokens,
                  std::uint64_t sequences) {
  const std::uint64_t length = tokens / sequences;
  const std::uint64_t d = m.width;
  const std::uint64_t a = m.attention_width;
  const std::uint64_t triangle = length * (length + 1) / 2;
  const bool causal = m.causal && !layer.encoder;
  const std::uint64_t scores = 2 * a * sequences * (causal ? triangle : length * length);
  const std::uint64_t all_scores = 2 * a * sequences * length * length;
  const std::uint64_t qkv =
      tokens * d * ((m.relative_positions ? 2 : 1) * a + 2 * m.key_value_width);
  const std::uint64_t projection = tokens * a * d;
  const std::uint64_t up = tokens * d * (m.gated ? 2 : 1) * m.feed_forward;
  const std::uint64_t down = tokens * m.feed_forward * d;
  const std::uint64_t cross =
      layer.cross ? tokens * d * (a + 2 * m.key_value_width) + all_scores + projection : 0;
  const std::uint64_t router = layer.sparse ? tokens * d * m.experts : 0;
  LayerAdds adds;
  adds.forward = qkv + scores + projection + cross + router + up + down;
  adds.again = adds.forward - down - (m.parallel_blocks ? projection : 0);
  return adds;
}

/// Numbers of a layer that stream.
std::uint64_t numbers_of(const host::ModelSpec& m, const LayerSizes& layer) {
  const std::uint64_t d = m.width;
  const std::uint64_t a = m.attention_width;
  const std::uint64_t kv = m.key_value_width;
  const auto matrix = [](std::uint64_t in, std::uint64_t out, bool bias) {
    return in * out + (bias ? out : 0);
  };
  const std::uint64_t norm = m.norm_bias ? 2 * d : d;
  std::uint64_t n = matrix(d, (m.relative_positions ? 2 : 1) * a + 2 * kv, m.attention_bias) +
                    matrix(a, d, m.attention_bias) + m.norms_per_layer * norm;
  n += (layer.sparse ? m.experts : 1) *
       (matrix(d, (m.gated ? 2 : 1) * m.feed_forward, m.feed_forward_bias) +
        matrix(m.feed_forward, d, m.feed_forward_bias));
  if (layer.sparse) n += matrix(d, m.experts, m.router_bias);
  if (layer.cross) {
    n += norm + matrix(d, a, m.attention_bias) + matrix(d, 2 * kv, m.attention_bias) +
         matrix(a, d, m.attention_bias);
  }
  if (layer.begins) n += m.relative_buckets * m.heads;
  return n;
}

/// What follows the last layer, and the norms of the embedding: numbers, and multiply-adds of a
/// forward pass; those of the scores alone.
struct Tail {
  std::uint64_t numbers = 0;
  std::uint64_t adds = 0;
  std::uint64_t scores = 0;
};
Tail tail_of(const host::ModelSpec& m, std::uint64_t tokens, std::uint64_t sequences) {
  using host::Head;
  const std::uint64_t d = m.width;
  const std::uint64_t norm = m.norm_bias ? 2 * d : d;
  const std::uint64_t stacks = m.encoder_layers > 0 ? 2 : 1;
  Tail t;
  t.numbers = stacks * norm * ((m.final_norm ? 1 : 0) + (m.embedding_norm ? 1 : 0));
  const auto add = [&t](std::uint64_t in, std::uint64_t out, bool bias, std::uint64_t rows) {
    t.numbers += in * out + (bias ? out : 0);
    t.scores = in * out * rows;  // of the last one
    t.adds += t.scores;
  };
  const bool labels = m.head == Head::kClassifier || m.head == Head::kPretraining;
  if (labels || m.head == Head::kPooler) add(d, d, true, sequences);
  if (labels) add(d, 2, true, sequences);
  if (m.head != Head::kLanguageModel && m.head != Head::kPretraining) return t;
  if (m.head_transform) {
    add(d, d, true, tokens);
    t.numbers += norm;
  }
  add(d, m.vocabulary, m.head_bias, tokens);
  return t;
}

}  // namespace

double Measured::busy_seconds(base::Phase phase) const {
  double seconds = 0;
  for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
    if (c == static_cast<std::size_t>(tiles::Cause::kWeightWait) ||
        c == static_cast<std::size_t>(tiles::Cause::kGradientWait)) {
      continue;
    }
    seconds += phase_seconds[static_cast<std::size_t>(phase)][c];
  }
  return seconds;
}

Measured TrainingCase::run() const {
  return testing_support::in_child([this] {
    return measured(train(model, settings, testing_support::energy_preset(), options));
  });
}

TrainingCase random_case(std::uint64_t seed) {
  for (Random random(seed);;) {
    TrainingCase c;
    c.model = random_model(random);
    c.settings = random_settings(random);
    c.options.cold_start = !coin(random, 4);
    base::ConfigErrors errors;
    c.model.validate("random", errors);
    c.settings.machine.validate(errors);
    c.settings.run.validate(errors);
    if (!errors.empty()) continue;
    try {
      make_plan(c.model, c.settings);
    } catch (const base::ConfigError&) {
      continue;  // too large
    }
    return c;
  }
}

std::string describe(const TrainingCase& c, std::uint64_t seed) {
  const host::ModelSpec& m = c.model;
  const base::GeometryConfig& g = c.settings.machine.geometry;
  return fmt::format(
      "seed {}: {} layers ({} of an encoder), width {}, attention {}, feed-forward {}, {} experts, "
      "vocabulary {}, {} tokens x {}, {} x {} tiles on {} x {} dies, {} lanes of {:.3g} b/s, {}, "
      "recompute {}, copies {}",
      seed, m.layers, m.encoder_layers, m.width, m.attention_width, m.feed_forward, m.experts,
      m.vocabulary, m.positions, c.settings.run.batch, g.user_columns, g.user_rows, g.die_columns,
      g.die_rows, c.settings.machine.io.lanes,
      static_cast<double>(c.settings.machine.io.bits_per_second), c.settings.run.precision,
      c.settings.run.recompute, c.settings.run.copies);
}

Expected expected_of(const TrainingCase& c, const Measured& run) {
  const host::ModelSpec& m = c.model;
  const std::uint64_t sequences = c.settings.run.batch;
  const std::uint64_t tokens = sequences * m.positions;
  Expected e;
  std::uint64_t layers_in = 0;
  std::uint64_t layers_out = 0;
  std::uint64_t forward = 0;
  std::uint64_t again = 0;
  for (std::uint64_t l = 0; l < m.layers; ++l) {
    const LayerSizes sizes = sizes_of(m, l);
    const LayerAdds adds = adds_of(m, sizes, tokens, sequences);
    const bool recomputed = l < run.recomputed_layers;
    forward += adds.forward;
    again += recomputed ? adds.again : 0;
    layers_in += (recomputed ? 3 : 2) * numbers_of(m, sizes);
    layers_out += numbers_of(m, sizes);
  }
  const Tail tail = tail_of(m, tokens, sequences);
  e.useful = 3 * (forward + tail.adds);
  const std::uint64_t up = m.width * (m.gated ? 2 : 1) * m.feed_forward;
  e.dropped = run.dropped * 3 * (up + m.feed_forward * m.width);
  const bool all = run.recomputed_layers == m.layers;
  if (run.dropped == 0 || all || run.recomputed_layers == 0) {
    e.executed = e.useful + again + (run.scores_again ? tail.scores : 0) - e.dropped -
                 (all ? run.dropped * up : 0);
  }
  e.bytes_in = run.micro_batches * 2 * (layers_in + 2 * tail.numbers);
  e.bytes_out = run.micro_batches * 2 * (layers_out + tail.numbers);
  e.sample_bytes = (m.encoder_layers > 0 ? 2 : 1) * tokens * m.width * 2;
  return e;
}

double lane_bytes_per_second(const Settings& settings) {
  const fabric::IoConfig& io = settings.machine.io;
  return static_cast<double>(io.bits_per_second) * static_cast<double>(io.efficiency_ppm) / 1e6 *
         io.lanes / 8;
}

void set_lane_bytes_per_second(Settings& settings, double rate) {
  fabric::IoConfig& io = settings.machine.io;
  io.bits_per_second = static_cast<std::uint64_t>(
      std::llround(rate * 8 / io.lanes / (static_cast<double>(io.efficiency_ppm) / 1e6)));
}

}  // namespace wse::model
