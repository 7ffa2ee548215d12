// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/tiles/kernels/collective.h"

namespace wse::tiles {

/// The allreduce of a row around a ring folded onto it: even tiles eastwards, odd ones back. Tile of
/// rank r sends chunk k - r in step k and receives chunk k - r + 1, modulo P: P - 1 steps that add, P - 1 that
/// keep the sum.
Collective ring_allreduce(const CollectiveShape& shape);

}  // namespace wse::tiles
