// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

#include "model/training_cases.h"

namespace wse::model {

/// What must hold for every model on every machine, each for one seed (workload.md, section 9).
void expect_counts(std::uint64_t seed);
void expect_same_hash_however_built(std::uint64_t seed);
void expect_two_steps_to_be_twice_one(std::uint64_t seed);
void expect_break_even(std::uint64_t seed);
void expect_twice_the_lanes_to_halve(std::uint64_t seed);
void expect_edge_ports_to_bind(std::uint64_t seed);
void expect_dense_again(std::uint64_t seed);
void expect_any_micro_batch_to_do(std::uint64_t seed);
/// All layers on the wafer at once.
void expect_ledgers_of_a_pipeline(std::uint64_t seed);

/// Runs a check for seeds from `first` on; a run that throws is a failure of its seed.
void for_seeds(std::uint64_t first, std::uint64_t number, void (*check)(std::uint64_t));

}  // namespace wse::model
