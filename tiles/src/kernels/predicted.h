// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/units.h"
#include "wse/tiles/kernels/collective.h"

namespace wse::tiles {

// Closed forms of [luczynski2024] for P tiles and B words, T_R = 2.
base::Cycles predicted_star(std::uint64_t p, std::uint64_t b);
base::Cycles predicted_chain(std::uint64_t p, std::uint64_t b);
base::Cycles predicted_tree(std::uint64_t p, std::uint64_t b);
base::Cycles predicted_two_phase(std::uint64_t p, std::uint64_t b, std::uint64_t group);
base::Cycles predicted_ring(std::uint64_t p, std::uint64_t b);
base::Cycles predicted_broadcast(std::uint64_t columns, std::uint64_t rows, std::uint64_t b);
base::Cycles predicted_reduce(std::uint64_t p, std::uint64_t b, ReduceAlgorithm algorithm,
                              std::uint64_t group);
std::uint32_t default_group(std::uint32_t p);
/// Groups of tokens that a row-wise kernel works through, so small that vectors of a group fit the buffer
/// beside the datapath.
inline std::uint64_t token_groups(std::uint64_t tokens) { return base::ceil_div(tokens, 16); }
/// Of CollectivePlan::allreduce_rows.
base::Cycles predicted_allreduce_row(std::uint64_t p, std::uint64_t b);

}  // namespace wse::tiles
