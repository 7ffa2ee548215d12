// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "wse/base/mapping.h"
#include "wse/host/schedule.h"

namespace wse::model {

/// Bytes of activations a token keeps on the wafer, without padding: 34 L d, or 2 L d + 34 d with
/// recomputation [korthikanti2022], and the gradient of the widest intermediate. Kept layers of
/// `schedule` count as they are.
base::Bytes activation_bytes_per_token(const host::ModelSpec& model,
                                       const host::ScheduleConfig& schedule);

/// Bytes of activations in the tile that holds most, with `sequences` on the wafer: tokens and features
/// of a tile are rounded up, each layer by its own copies; and two sets of sums, fp32.
base::Bytes activation_bytes_of_tile(const host::ModelSpec& model,
                                     const host::ScheduleConfig& schedule, std::uint64_t sequences,
                                     const base::Mapping& mapping);

/// The same for the end of the forward pass: what is kept, and the scores of all tokens over the
/// vocabulary.
base::Bytes score_bytes_of_tile(const host::ModelSpec& model, const host::ScheduleConfig& schedule,
                                std::uint64_t sequences, const base::Mapping& mapping);

/// Tokens that fit at once, if a tile has so many bytes for activations and all layers have the copies
/// of `mapping`.
std::uint64_t tokens_that_fit(const host::ModelSpec& model, const host::ScheduleConfig& schedule,
                              base::Bytes tile_bytes, const base::Mapping& mapping);

}  // namespace wse::model
