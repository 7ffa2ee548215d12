// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "wse/host/model_spec.h"

namespace wse::model {

/// A matrix of a layer, as --window-matrix names it, and what is done with it.
struct NamedMatrix {
  std::string name;  ///< qkv, up, projection or down
  host::Matrix matrix;
  bool backward = false;  ///< the gradient of its inputs
};

/// The first block of the matrix in the schedule of a step; null if the layer has none. Of matrices
/// of the same tensor the schedule has qkv and up before projection and down, on the way back
/// the other way round.
const base::WorkItem* first_block(const std::vector<base::WorkItem>& schedule,
                                  const host::ModelSpec& model, std::uint64_t layer,
                                  const NamedMatrix& matrix);

}  // namespace wse::model
