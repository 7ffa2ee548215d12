// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "wse/base/work_item.h"
#include "wse/host/gpt_shape.h"
#include "wse/host/text_tokens.h"
#include "wse/model/gpt_mesh.h"
#include "wse/tiles/mesh_memory.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::model {

/// What goes in and out through the lanes in a step.
struct GptStreams {
  const std::vector<double>& parameters;
  const host::TokenBatch& batch;
  std::vector<double>& gradients;
  double loss = 0;
};

/// A kernel on the memory that the one before has left; row 0 stands for the lanes.
struct GptOperation {
  std::string name;  ///< the same in all layers
  tiles::Kernel kernel;
  /// Fills row 0 with what the lanes bring; null: nothing.
  std::function<void(tiles::MeshMemory&, const GptStreams&)> fill;
  /// Reads from row 0 what they take; null: nothing.
  std::function<void(const tiles::MeshMemory&, GptStreams&)> take;
  /// The same work at the transaction level; none: it has no time of its own there.
  std::optional<base::WorkItem> work{};
  std::string work_with{};         ///< the operation whose work there is this one's as well, if any
  std::uint64_t weight_words = 0;  ///< that row 0 sends to the tiles, padding included
  std::uint64_t gradient_words = 0;  ///< and gets from them
};

/// All operations of a training step in their order. Throws ProgramError if a tile does not hold its
/// share.
std::vector<GptOperation> gpt_operations(const GptMesh& on, const tiles::MeshConfig& config);

}  // namespace wse::model
