// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wse/model/energy_ledger.h"
#include "wse/model/io_bound.h"
#include "wse/model/pipeline_plan.h"
#include "wse/model/recorder.h"
#include "wse/model/streamed_bytes.h"
#include "wse/model/systems.h"
#include "wse/model/wafer.h"

namespace wse::model {

/// A run that could not be brought to its end; exit status 1.
class RunFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
/// A run that the user ended; exit status 130.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// How far a run is.
struct Progress {
  double fraction = 0;     ///< of all work items, the warm-up step included
  std::uint32_t step = 0;  ///< 1 .. steps; 0: the warm-up step
  std::uint32_t steps = 1;
  base::Phase phase = base::Phase::kIdle;  ///< of the item that is being executed
  std::uint32_t layer = 0;
  std::uint64_t layers = 0;
};

struct TrainingOptions {
  std::uint32_t steps = 1;
  bool cold_start =
      false;  ///< begin at the temperature of the coolant, else in the steady state of the step
  ConstructionOrder order = ConstructionOrder::kForward;
  std::function<bool()> interrupted = [] { return false; };
  Recorder::Observer observer = [](const RunSample&, const power::WindowSample&) {};
  base::Timeline* timeline = nullptr;  ///< records the measured steps
  tiles::BlockWatch* block =
      nullptr;  ///< notes the first execution of an item in the measured steps
  /// When the result is complete and the machine is still there.
  std::function<void()> finished = [] {};
  std::function<void(const Progress&)> progress = [](const Progress&) {};  ///< once a window
};

/// Results of one run, per step where a step is meant. Of several systems one is simulated: bytes,
/// energy, power and temperature are those of one, multiply-adds and tokens those of all.
struct TrainingResult {
  host::ModelSpec model;
  TrainingPlan plan;  ///< of the system that is simulated
  BatchShares shares;
  std::optional<PipelinePlan> pipeline;  ///< empty: weights are streamed
  std::string mode_reason;
  double efficiency = 1;  ///< estimated_efficiency()
  Settings settings;
  std::uint32_t steps = 1;
  double step_seconds = 0;
  base::Cycles simulated_cycles = 0;  ///< of the measured steps
  base::Bytes bytes_in = 0;           ///< a step, weights
  base::Bytes bytes_out = 0;          ///< a step, gradients
  StreamedBytes streamed;             ///< the same by phase, and by what they are
  IoBound io_bound;
  base::Bytes sample_bytes_in = 0;
  base::Bytes sample_bytes_out = 0;
  std::uint64_t executed_multiply_adds = 0;             ///< a step, counted by the tiles
  std::uint64_t useful_multiply_adds = 0;               ///< a step, without recomputation
  std::array<double, tiles::kNumCauses> time_ledger{};  ///< fractions
  /// Seconds of a step: outside the layers, then layer by layer.
  std::vector<Recorder::CauseSeconds> layer_seconds;
  Recorder::PhaseSeconds phase_seconds{};  ///< seconds of a step
  std::uint64_t expert_tokens = 0;         ///< a step, over all sparse layers: routed to experts
  std::uint64_t dropped_tokens = 0;        ///< of these, beyond an expert's capacity
  double energy_j = 0;                     ///< a step
  std::vector<double> energy_by_kind;
  std::vector<double> energy_by_die;
  std::vector<double> energy_by_phase;
  double energy_by_trace = 0;
  EnergyLedger energy_ledger;  ///< J a step, by phase and cause
  double wafer_power_mean_w = 0;
  double wafer_power_peak_w = 0;
  double temperature_mean_c = 0;
  double temperature_peak_c = 0;
  double throttled_fraction = 0;
  std::uint64_t wavelet_hops = 0;
  std::uint64_t die_crossings = 0;
  std::uint64_t contention_cycles = 0;
  std::vector<host::LaneStats> lanes;
  std::vector<RunSample> samples;
  std::vector<power::WindowSample> power_trace;
  double elaboration_seconds = 0;
  double host_seconds = 0;
  std::uint64_t max_rss_bytes = 0;
  std::string result_hash;

  std::uint64_t tokens() const { return shares.batch * plan.schedule.sequence; }
  double tokens_per_step() const { return static_cast<double>(tokens()); }
  /// Of all systems; where shares differ, those with the smaller one are taken to draw the same.
  double energy_of_all_j() const { return energy_j * static_cast<double>(shares.systems); }
  double tokens_per_second() const { return tokens_per_step() / step_seconds; }
  double useful_flops_per_second() const {
    return 2.0 * static_cast<double>(useful_multiply_adds) / step_seconds;
  }
  /// Against wafer.cores_rated x fp16 lanes x 2 x clock.core_hz of all systems.
  double utilization() const;
};

/// Elaborates a CS-2 and trains. One run a process: SystemC elaborates once.
TrainingResult train(const host::ModelSpec& model, const Settings& settings,
                     const power::EnergyTable& energy, const TrainingOptions& options);

}  // namespace wse::model
