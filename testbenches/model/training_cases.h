// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "wse/model/training.h"

namespace wse::model {

/// What a run is judged by; it comes through a pipe.
struct Measured {
  double step_seconds = 0;
  std::uint64_t cycles = 0;  ///< of all measured steps
  base::Bytes bytes_in = 0;
  base::Bytes bytes_out = 0;
  base::Bytes sample_bytes_in = 0;
  base::Bytes sample_bytes_out = 0;
  std::uint64_t executed = 0;
  std::uint64_t useful = 0;
  std::uint64_t dropped = 0;
  std::uint64_t tokens = 0;
  std::array<double, tiles::kNumCauses> time_ledger{};
  Recorder::PhaseSeconds phase_seconds{};
  double layer_seconds = 0;  ///< over all layers and causes
  double energy_j = 0;
  double energy_by_kind = 0;  ///< sums
  double energy_by_die = 0;
  double energy_by_phase = 0;
  double energy_by_trace = 0;
  double multiply_add_j = 0;  ///< of the kinds of multiply-adds
  double throttled = 0;
  EnergyLedger energy_ledger;
  std::uint64_t micro_batches = 0;
  std::uint64_t recomputed_layers = 0;  ///< the first ones
  bool scores_again = false;
  char hash[24] = {};

  double tokens_per_second() const { return static_cast<double>(tokens) / step_seconds; }
  double share(tiles::Cause cause) const { return time_ledger[static_cast<std::size_t>(cause)]; }
  /// Seconds of a phase in which tiles did not wait for the lanes.
  double busy_seconds(base::Phase phase) const;
};

/// A model and a machine.
struct TrainingCase {
  host::ModelSpec model;
  Settings settings;
  TrainingOptions options;

  /// In a process of its own.
  Measured run() const;
};

/// Drawn from a seed; what no plan fits is drawn again.
TrainingCase random_case(std::uint64_t seed);
/// For a failure.
std::string describe(const TrainingCase& c, std::uint64_t seed);

/// Counts from the sizes of a model, by the rules of the issue and not by the code under test.
struct Expected {
  std::uint64_t useful = 0;  ///< three forward passes
  /// And what is recomputed; without tokens that were dropped, where all layers are alike in that.
  std::optional<std::uint64_t> executed;
  std::uint64_t dropped = 0;  ///< of `useful`, not executed
  base::Bytes bytes_in = 0;
  base::Bytes bytes_out = 0;
  base::Bytes sample_bytes = 0;  ///< each way
};
/// Of the run that was planned so.
Expected expected_of(const TrainingCase& c, const Measured& run);

/// Payload of all lanes.
double lane_bytes_per_second(const Settings& settings);
void set_lane_bytes_per_second(Settings& settings, double rate);

}  // namespace wse::model
