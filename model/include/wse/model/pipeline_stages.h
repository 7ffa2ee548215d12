// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wse/host/model_spec.h"
#include "wse/model/settings.h"
#include "wse/tiles/stage_core.h"

namespace wse::model {

/// A matrix that stays in the SRAM of a stage: inputs over columns, outputs over rows.
struct ResidentMatrix {
  std::uint64_t inputs = 0;
  std::uint64_t outputs = 0;
  base::Bytes weight_bytes = 0;  ///< a weight, with gradient and optimizer
};

/// What a stage of the pipeline has to hold and to do for a sample, wherever it lies.
struct StageLoad {
  std::string name;         ///< embedding, layer 0 .., head
  std::uint32_t place = 0;  ///< in the ledger: 0 outside the layers, else layer + 1
  std::uint32_t kind = 0;   ///< stages of one kind ask the same
  std::vector<base::WorkItem> items;
  std::vector<ResidentMatrix> matrices;
  std::uint64_t vector_parameters = 0;  ///< of normalisations, and biases
  std::uint64_t look_ups = 0;           ///< words looked up in a table, and their gradients
  std::uint64_t features = 0;           ///< of a word
  std::uint64_t shared_parameters = 0;  ///< of a table that head and embedding share
  base::Bytes kept_bytes = 0;     ///< of a sample between its passes, over all tiles of the stage
  base::Bytes working_bytes = 0;  ///< of the sample that is being worked on, besides
  base::Bytes result_bytes = 0;   ///< of a sample, to the next stage

  base::Bytes state_bytes() const;
};

/// Bytes a parameter with its fp32 gradient and the optimizer's state.
inline constexpr base::Bytes kResidentBytesPerParameter = 16;

/// The embedding, every layer, and the head with the loss. The model has no experts and one stack.
std::vector<StageLoad> stage_loads(const host::ModelSpec& model, std::uint64_t sequence,
                                   bool recompute, tiles::Precision precision);

/// Cycles of a sample and of the update on a rectangle.
tiles::StageCycles stage_cycles(const StageLoad& load, const base::Rectangle& rectangle,
                                const Settings& settings);
/// Of the largest tile: code, parameters, buffers, and the activations of so many samples.
base::Bytes stage_tile_bytes(const StageLoad& load, std::uint32_t columns, std::uint32_t rows,
                             std::uint64_t in_flight, const MachineConfig& machine);
/// The events of the stage by die. `transfer_hops`: of a sample's results on their way to the next one.
std::vector<tiles::StagePart> stage_parts(const StageLoad& load, const base::Rectangle& rectangle,
                                          const Settings& settings,
                                          const base::WaferGeometry& geometry,
                                          std::uint64_t transfer_hops);

}  // namespace wse::model
