// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/tiles/program_builder.h"

namespace wse::tiles {

/// Writes a body that works on two buffers in turn, so often; register `left` counts the turns.
template <class Body>
void in_turns_of_two(ProgramBuilder& p, std::uint8_t left, std::uint32_t times, const Body& body) {
  if (times % 2 != 0) body();
  if (times < 2) return;
  p.set(left, ProgramBuilder::integer(times / 2));
  const std::uint16_t begin = p.here();
  p.scalar(VectorOp::kSub, DataType::kInt32, left, ProgramBuilder::r(left),
           ProgramBuilder::integer(1));
  body();
  body();
  p.jump_if_not_zero(ProgramBuilder::r(left), begin);
}

}  // namespace wse::tiles
