// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wse/model/pipeline_placement.h"
#include "wse/model/plan.h"

namespace wse::model {

/// A stage where it lies.
struct PipelineStage {
  std::string name;
  base::Rectangle rectangle;        ///< user tiles
  tiles::StageConfig config;        ///< without its parts
  base::Bytes tile_bytes = 0;       ///< SRAM of the largest tile
  base::Cycles word_to_next = 0;    ///< of a single word
  std::uint64_t transfer_hops = 0;  ///< of a sample's results
};

/// All layers on the wafer at once: what was chosen, and what it takes by the cost terms.
struct PipelinePlan {
  std::uint64_t samples = 0;  ///< sequences of a step, one after the other
  std::uint64_t sequence = 0;
  std::uint64_t in_flight = 0;  ///< samples between the passes of the first stage, at most
  bool recompute = false;
  std::vector<StageLoad> loads;
  std::vector<PipelineStage> stages;
  std::size_t slowest = 0;
  base::Bytes state_bytes = 0;  ///< parameters, gradients and optimizer
  base::Bytes sram_bytes = 0;   ///< over the tiles of the stages, as full as the largest of each
  base::Cycles estimated_cycles = 0;  ///< of a step, from the first input at the first stage on

  std::uint64_t tiles() const;
};

/// Cycles of a step whose inputs are all there, by running its stages; longer steps than a few
/// times the pipeline are continued at the pace that they have reached.
base::Cycles pipeline_cycles(const std::vector<tiles::StageConfig>& stages);

/// Why the model cannot be trained as a pipeline whatever its size; empty if it can.
std::string pipeline_obstacle(const host::ModelSpec& model, const RunConfig& run);

/// The fastest pipeline for so many samples that fits, if any: with activations kept or recomputed, and
/// as many samples in flight as there are stages behind, or fewer.
std::optional<PipelinePlan> plan_pipeline(const host::ModelSpec& model, const Settings& settings,
                                          std::uint64_t samples);

/// Throws ConfigError that says by how much the pipeline does not fit, and what would.
[[noreturn]] void refuse_pipeline(const host::ModelSpec& model, const Settings& settings);

/// How a step is run, and why.
struct ModeChoice {
  std::optional<PipelinePlan> pipeline;  ///< empty: weights are streamed
  std::string reason;
};
/// By run.mode; auto takes the pipeline where it fits and is estimated to be faster than the streamed
/// step by a tenth.
ModeChoice choose_mode(const host::ModelSpec& model, const Settings& settings,
                       const TrainingPlan& stream);

/// The plan of a run in pipeline mode, in the terms of a streamed one: no pass of weights, a
/// micro-batch a sample.
TrainingPlan as_training_plan(const PipelinePlan& pipeline, const Settings& settings);

}  // namespace wse::model
