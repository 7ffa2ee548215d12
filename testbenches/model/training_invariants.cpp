// SPDX-License-Identifier: Apache-2.0
#include "model/training_invariants.h"

#include <algorithm>
#include <numeric>

#include "support/presets.h"
#include "wse/base/random.h"

namespace wse::model {
namespace {

using tiles::Cause;

std::uint64_t tiles_of(const Settings& settings) {
  const base::GeometryConfig& g = settings.machine.geometry;
  return std::uint64_t{g.user_columns} * g.user_rows;
}

void expect_bytes(const Expected& expected, const Measured& m) {
  EXPECT_EQ(m.bytes_in, expected.bytes_in);
  EXPECT_EQ(m.bytes_out, expected.bytes_out);
  EXPECT_EQ(m.sample_bytes_in, expected.sample_bytes);
  EXPECT_EQ(m.sample_bytes_out, expected.sample_bytes);
}

void expect_multiply_adds(const Expected& expected, const TrainingCase& c, const Measured& m) {
  EXPECT_EQ(m.useful, expected.useful);
  EXPECT_GE(m.executed + expected.dropped, m.useful);
  if (expected.executed) {
    EXPECT_EQ(m.executed, *expected.executed);
  }
  if (m.throttled > 0) return;
  // The accounts counted as many events: energies are at the nominal voltage.
  constexpr std::array kKinds{base::EventKind::kFmacFp16, base::EventKind::kFmacMixed,
                              base::EventKind::kFmacFp32};
  const auto kind = kKinds[static_cast<std::size_t>(c.settings.run.precision_kind())];
  const double each = testing_support::energy_preset().joules(kind);
  EXPECT_NEAR(m.multiply_add_j / each / static_cast<double>(m.executed), 1, 1e-9);
}

void expect_lower_bounds(const TrainingCase& c, const Measured& m) {
  const MachineConfig& machine = c.settings.machine;
  const double rate = lane_bytes_per_second(c.settings);
  const double hz = static_cast<double>(machine.core_hz);
  EXPECT_GE(m.step_seconds, static_cast<double>(m.bytes_in + m.sample_bytes_in) / rate);
  EXPECT_GE(m.step_seconds, static_cast<double>(m.bytes_out + m.sample_bytes_out) / rate);
  // A wavelet of four bytes an edge port and cycle.
  const double ports = 4 * hz * machine.io.edge_ports_per_lane * machine.io.lanes;
  EXPECT_GE(m.step_seconds, static_cast<double>(m.bytes_in + m.sample_bytes_in) / ports);
  EXPECT_GE(m.step_seconds, static_cast<double>(m.bytes_out + m.sample_bytes_out) / ports);
  const double lanes = machine.tile.lanes(c.settings.run.precision_kind());
  const double work =
      static_cast<double>(m.executed) / (static_cast<double>(tiles_of(c.settings)) * lanes);
  // A layer is visited on the way forward and on the way back.
  const double changes =
      static_cast<double>(2 * m.micro_batches * c.model.layers * machine.tile.layer_change_cycles);
  EXPECT_GE(m.step_seconds, (work + changes) / hz);
}

void expect_ledgers(const TrainingCase& c, const Measured& m) {
  EXPECT_NEAR(std::accumulate(m.time_ledger.begin(), m.time_ledger.end(), 0.0), 1, 1e-9);
  for (const double share : m.time_ledger) EXPECT_GE(share, 0);
  double phases = 0;
  for (const auto& phase : m.phase_seconds) {
    phases = std::accumulate(phase.begin(), phase.end(), phases);
  }
  // A cycle of each window may lie on its other side.
  const double slack =
      2e-3 + 10 / (m.step_seconds * static_cast<double>(c.settings.machine.core_hz));
  EXPECT_NEAR(phases / m.step_seconds, 1, slack);
  EXPECT_NEAR(m.layer_seconds / m.step_seconds, 1, slack);
  for (const double sum : {m.energy_by_kind, m.energy_by_die, m.energy_by_phase, m.energy_by_trace,
                           m.energy_ledger.total()}) {
    EXPECT_NEAR(sum / m.energy_j, 1, 1e-9);
  }
  EXPECT_EQ(m.energy_ledger.unclaimed, 0u);
  double still = 0;
  const CauseJoules causes = m.energy_ledger.by_cause();
  for (std::size_t cause = 0; cause < kNumEnergyCauses; ++cause) {
    EXPECT_GE(m.energy_ledger.still[cause], 0);
    EXPECT_GE(causes[cause], m.energy_ledger.still[cause] * (1 - 1e-9));
    still += m.energy_ledger.still[cause];
  }
  EXPECT_GT(still, 0);
}

/// A model whose matrices are most of its work, in blocks that are small beside it, and lanes that
/// answer at once.
TrainingCase matrices_case(std::uint64_t seed) {
  base::Random random(seed);
  TrainingCase c = random_case(seed);
  host::ModelSpec& m = c.model;
  m = {};
  m.name = m.type = "matrices";
  m.layers = random.between(2, 4);
  m.heads = 4;
  m.width = m.attention_width = m.key_value_width = 32ULL * random.between(2, 4);
  m.feed_forward = m.width * random.between(2, 4);
  m.vocabulary = 32;
  m.positions = 16;
  m.parallel_blocks = random.below(2) == 0;
  MachineConfig& machine = c.settings.machine;
  machine.io.buffer_bytes = 1 << 30;
  machine.io.edge_ports_per_lane = 64;
  machine.io.efficiency_ppm = 900'000;
  machine.lane_latency_ps = 1000;
  machine.memoryx.latency_ps = 0;
  machine.memoryx.bytes_per_second = 1'000'000'000'000'000ULL;
  machine.tile.layer_change_cycles = 0;
  machine.tile.gradient_buffers = 64;
  machine.sram.size_bytes = 4 << 20;
  c.settings.run.block_bytes = 1024;
  c.settings.run.batch = 4ULL * random.between(4, 8);
  c.settings.run.micro_batches = 1;
  c.settings.run.copies = 1;
  c.settings.run.recompute = random.below(2) == 0 ? "full" : "none";
  c.options.cold_start = true;
  set_lane_bytes_per_second(c.settings, 1e13);
  return c;
}

/// Bytes a second that each phase needs, at least and at most, so that lanes and tiles take the same
/// time; of a run that lanes did not bind.
struct BreakEven {
  double least = 0;
  double most = 0;
};
BreakEven break_even(const Measured& fast) {
  const double passes = fast.recomputed_layers > 0 ? 3 : 2;
  const double once = static_cast<double>(fast.bytes_in) / passes;
  const double forward = once / fast.busy_seconds(base::Phase::kForward);
  const double back =
      std::max((passes - 1) * once, static_cast<double>(fast.bytes_out)) /
      (fast.busy_seconds(base::Phase::kRecompute) + fast.busy_seconds(base::Phase::kBackward));
  return {std::min(forward, back), std::max(forward, back)};
}

double lane_wait(const Measured& m) {
  return m.share(Cause::kWeightWait) + m.share(Cause::kGradientWait);
}

/// The last gradients leave, and the first weights come, when nothing else is left to do.
double seconds_before_update(const Measured& m) {
  return m.step_seconds * (1 - m.share(Cause::kUpdateWait));
}

}  // namespace

void expect_counts(std::uint64_t seed) {
  const TrainingCase c = random_case(seed);
  SCOPED_TRACE(describe(c, seed));
  const Measured m = c.run();
  const Expected expected = expected_of(c, m);
  expect_multiply_adds(expected, c, m);
  expect_bytes(expected, m);
  expect_lower_bounds(c, m);
  expect_ledgers(c, m);
}

void expect_same_hash_however_built(std::uint64_t seed) {
  const TrainingCase c = random_case(seed);
  SCOPED_TRACE(describe(c, seed));
  const Measured whole = c.run();
  base::Random random(seed);
  TrainingCase cut = c;
  const base::GeometryConfig& g = c.settings.machine.geometry;
  cut.settings.machine.region_columns = random.between(1, g.user_columns);
  cut.settings.machine.region_rows = random.between(1, g.user_rows);
  cut.settings.machine.geometry.defect_seed = seed + 1;
  const Measured m = cut.run();
  EXPECT_STREQ(m.hash, whole.hash) << "regions of " << cut.settings.machine.region_columns << " x "
                                   << cut.settings.machine.region_rows;
  expect_ledgers(cut, m);
  for (std::size_t cause = 0; cause < kNumEnergyCauses; ++cause) {
    EXPECT_NEAR(m.energy_ledger.by_cause()[cause], whole.energy_ledger.by_cause()[cause],
                1e-6 * whole.energy_j)
        << energy_cause_name(cause);
  }
  TrainingCase reversed = c;
  reversed.options.order = ConstructionOrder::kReverse;
  EXPECT_STREQ(reversed.run().hash, whole.hash);
}

void expect_two_steps_to_be_twice_one(std::uint64_t seed) {
  TrainingCase c = random_case(seed);
  c.options.cold_start = true;
  SCOPED_TRACE(describe(c, seed));
  const Measured one = c.run();
  c.options.steps = 2;
  const Measured two = c.run();
  EXPECT_EQ(two.executed, one.executed);  // a step
  EXPECT_EQ(two.bytes_in, one.bytes_in);
  EXPECT_EQ(two.bytes_out, one.bytes_out);
  EXPECT_STRNE(two.hash, one.hash);
  EXPECT_NEAR(static_cast<double>(two.cycles), 2.0 * static_cast<double>(one.cycles),
              4 + 1e-5 * static_cast<double>(one.cycles));
  for (std::size_t cause = 0; cause < kNumEnergyCauses; ++cause) {
    const double dynamic_one = one.energy_ledger.by_cause()[cause] - one.energy_ledger.still[cause];
    const double dynamic_two = two.energy_ledger.by_cause()[cause] - two.energy_ledger.still[cause];
    EXPECT_NEAR(dynamic_two, dynamic_one, 1e-6 * one.energy_j) << energy_cause_name(cause);
  }
}

// T >= T* and T < T*, as bandwidths: with B = 2 B* a phase has twice the tokens that hide its weights.
void expect_break_even(std::uint64_t seed) {
  TrainingCase c = matrices_case(seed);
  SCOPED_TRACE(describe(c, seed));
  const Measured fast = c.run();
  EXPECT_LT(lane_wait(fast), 0.02);
  const BreakEven at = break_even(fast);
  set_lane_bytes_per_second(c.settings, 2 * at.most);
  const Measured above = c.run();
  EXPECT_LT(lane_wait(above), 0.1);
  EXPECT_LT(seconds_before_update(above), 1.12 * seconds_before_update(fast));
  set_lane_bytes_per_second(c.settings, at.least / 2);
  const Measured below = c.run();
  EXPECT_GT(lane_wait(below), 0.35);
  EXPECT_GT(below.step_seconds, 1.6 * fast.step_seconds);
}

void expect_twice_the_lanes_to_halve(std::uint64_t seed) {
  TrainingCase c = matrices_case(seed);
  SCOPED_TRACE(describe(c, seed));
  const double bound = break_even(c.run()).least;
  set_lane_bytes_per_second(c.settings, bound / 60);
  const Measured slow = c.run();
  set_lane_bytes_per_second(c.settings, bound / 30);
  const Measured twice = c.run();
  EXPECT_NEAR(slow.step_seconds / twice.step_seconds, 2, 0.06);
}

// A lane that is faster than its edge ports: a wavelet of four bytes a port and cycle.
void expect_edge_ports_to_bind(std::uint64_t seed) {
  TrainingCase c = matrices_case(seed);
  MachineConfig& machine = c.settings.machine;
  machine.io.lanes = 1 + static_cast<std::uint32_t>(seed % 2);
  machine.io.edge_ports_per_lane = 1;
  c.settings.run.batch = 1;
  set_lane_bytes_per_second(c.settings, 1e12);
  SCOPED_TRACE(describe(c, seed));
  const Measured m = c.run();
  const double rate = 4 * static_cast<double>(machine.core_hz) * machine.io.lanes;
  const double passes = m.recomputed_layers > 0 ? 3 : 2;
  const double forward = static_cast<double>(m.bytes_in) / passes;
  const double back =
      std::max(static_cast<double>(m.bytes_in) - forward, static_cast<double>(m.bytes_out));
  EXPECT_GE(m.step_seconds, (forward + back) / rate);
}

void expect_dense_again(std::uint64_t seed) {
  TrainingCase c = random_case(seed);
  SCOPED_TRACE(describe(c, seed));
  const Measured dense = c.run();
  c.settings.run.sparsity = 1e-7;  // rounds to a density of one
  EXPECT_STREQ(c.run().hash, dense.hash);
  c.settings.run.sparsity = 0.5;
  const Measured half = c.run();
  EXPECT_STRNE(half.hash, dense.hash);
  EXPECT_LT(half.executed, dense.executed);
}

// Sizes that divide, and lanes that bind neither run: what differs are the sums of weight gradients,
// which come once a micro-batch whatever its tokens.
void expect_any_micro_batch_to_do(std::uint64_t seed) {
  TrainingCase c = matrices_case(seed);
  base::Random random(seed);
  base::GeometryConfig& g = c.settings.machine.geometry;
  g.die_columns = g.die_rows = 2;
  g.die_tiles_columns = g.die_tiles_rows = 5;
  g.fabric_columns = g.fabric_rows = 10;
  g.user_columns = g.user_rows = 8;
  g.user_x = g.user_y = 1;
  MachineConfig& machine = c.settings.machine;
  machine.tile.vector_start_cycles = 0;
  machine.tile.lanes_mixed = 2;
  machine.sram.size_bytes = 16 << 20;
  c.settings.run.precision = "mixed";
  const std::uint64_t sequences = 8ULL * g.user_rows * random.between(1, 2);  // of a micro-batch
  c.settings.run.batch = 4 * sequences;
  SCOPED_TRACE(describe(c, seed));
  std::array<Measured, 3> runs;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    c.settings.run.micro_batches = 1ULL << i;
    runs[i] = c.run();
    ASSERT_EQ(runs[i].micro_batches, 1ULL << i);
    EXPECT_LT(lane_wait(runs[i]), 0.01);
    EXPECT_NEAR(runs[i].tokens_per_second() / runs[0].tokens_per_second(), 1, 0.04);
    for (const Cause cause : {Cause::kMultiplyAdd, Cause::kAttention, Cause::kVector}) {
      EXPECT_NEAR(runs[i].share(cause) * runs[i].step_seconds /
                      (runs[0].share(cause) * runs[0].step_seconds),
                  1, cause == Cause::kVector ? 0.1 : 0.01)
          << name_of(cause);
    }
  }
  // A quarter of a step more, for each layer and micro-batch once each way.
  machine.tile.layer_change_cycles = runs[2].cycles / (4 * 2 * 4 * c.model.layers);
  EXPECT_NEAR(c.run().tokens_per_second() / runs[2].tokens_per_second(), 0.8, 0.02);
}

void expect_ledgers_of_a_pipeline(std::uint64_t seed) {
  TrainingCase c = random_case(seed);
  c.model.experts = c.model.encoder_layers = c.model.relative_buckets = 0;
  c.settings.run.mode = "pipeline";
  c.settings.run.copies = c.settings.run.block_bytes = 0;  // of streamed weights
  c.settings.machine.sram.size_bytes = 1 << 20;
  SCOPED_TRACE(describe(c, seed));
  const Measured m = c.run();
  EXPECT_EQ(m.bytes_in, 0u);
  EXPECT_EQ(m.useful, expected_of(c, m).useful);
  EXPECT_GE(m.executed, m.useful);
  expect_ledgers(c, m);
  c.options.order = ConstructionOrder::kReverse;
  EXPECT_STREQ(c.run().hash, m.hash);
}

void for_seeds(std::uint64_t first, std::uint64_t number, void (*check)(std::uint64_t)) {
  for (std::uint64_t seed = first; seed < first + number; ++seed) {
    try {
      check(seed);
    } catch (const std::exception& error) {
      ADD_FAILURE() << describe(random_case(seed), seed) << ": " << error.what();
    }
  }
}

}  // namespace wse::model
