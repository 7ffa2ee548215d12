// SPDX-License-Identifier: Apache-2.0
#include "ring.h"

#include <map>
#include <tuple>

#include "line.h"
#include "plan.h"
#include "wse/base/units.h"

namespace wse::tiles {
namespace {

struct RingShape {
  std::uint32_t p = 0;
  std::uint32_t chunk = 0;  ///< elements
  DataType type = DataType::kFp32;
  bool passes_on = false;  ///< one-word chunks are not stored on their way to the owner of the sum
};

Program write(const RingShape& s, const std::string& name, bool even, std::uint8_t in_color,
              std::uint8_t out_color) {
  constexpr std::uint8_t kRank = 1;
  constexpr std::uint8_t kElement = 2;
  constexpr std::uint8_t kLeft = 3;
  ProgramBuilder p(name);
  using P = ProgramBuilder;
  const std::uint8_t bytes = s.type == DataType::kFp16 ? 2 : 4;
  const Array x = p.array("input", s.p * s.chunk, bytes);
  p.same(x, "result");
  p.input(0, in_color);
  p.output(2, out_color);
  const Operand in = p.fabric_in(0, bytes);
  const Operand out = p.fabric_out(2, bytes);
  const Operand sent = p.circular(x);
  const Operand received = p.circular(x);
  const Operand count = P::integer(s.chunk);
  const auto send = [&] { p.vector(VectorOp::kMove, s.type, out, sent, count); };
  const auto sum = [&] { p.vector(VectorOp::kAdd, s.type, received, received, in, count); };
  const auto keep = [&] { p.vector(VectorOp::kMove, s.type, received, in, count); };
  // In turns of some steps, so that the jumps between them cost little.
  const auto repeat = [&](std::uint32_t steps, const auto& step) {
    constexpr std::uint32_t kTurn = 16;
    for (std::uint32_t i = 0; i < steps % kTurn; ++i) step();
    if (steps < kTurn) return;
    p.set(kLeft, P::integer(steps / kTurn));
    const std::uint16_t begin = p.here();
    p.scalar(VectorOp::kSub, DataType::kInt32, kLeft, P::r(kLeft), P::integer(1));
    for (std::uint32_t i = 0; i < kTurn; ++i) step();
    p.jump_if_not_zero(P::r(kLeft), begin);
  };
  p.task("ring").active = true;
  p.scalar(VectorOp::kShiftRight, DataType::kInt32, kRank, P::r(kColumnRegister), P::integer(1));
  if (!even) {
    p.scalar(VectorOp::kSub, DataType::kInt32, kRank, P::integer(s.p - 1), P::r(kRank));
  }
  p.scalar(VectorOp::kSub, DataType::kInt32, kElement, P::integer(s.p), P::r(kRank));
  p.scalar(VectorOp::kMul, DataType::kInt32, kElement, P::r(kElement), P::integer(s.chunk));
  p.seek(sent, P::r(kElement));
  p.scalar(VectorOp::kAdd, DataType::kInt32, kElement, P::r(kElement), P::integer(s.chunk));
  p.seek(received, P::r(kElement));
  if (s.passes_on) {
    send();
    p.vector(VectorOp::kAdd, s.type, out, received, in, P::integer((s.p - 2) * s.chunk));
    sum();
    p.scalar(VectorOp::kAdd, DataType::kInt32, kElement, P::r(kElement),
             P::integer((s.p - 2) * s.chunk));
    p.seek(sent, P::r(kElement));
  } else {
    repeat(s.p - 1, [&] {
      send();
      sum();
    });
  }
  repeat(s.p - 1, [&] {
    send();
    keep();
  });
  p.end();
  return p.build();
}

}  // namespace

Collective ring_allreduce(const CollectiveShape& shape) {
  const std::uint32_t p = shape.mesh.columns;
  if (shape.mesh.rows != 1) {
    throw base::ConfigError("--mesh", fmt::format("{}x{}", p, shape.mesh.rows),
                            "must have one row for an allreduce by ring");
  }
  if (shape.measured) {
    throw base::ConfigError("--measured", "given", "cannot be for an allreduce by ring");
  }
  if (p == 1) return allreduce(shape, AllreduceAlgorithm::kReduceBroadcast);
  RingShape ring;
  ring.p = p;
  ring.type = shape.type == DataType::kMixed ? DataType::kFp32 : shape.type;
  const std::uint32_t lanes = shape.type == DataType::kFp16 ? 2 : 1;
  ring.chunk = static_cast<std::uint32_t>(base::ceil_div(shape.words, p)) * lanes;
  ring.passes_on = shape.words < p;
  Collective collective(CollectiveKind::kAllreduce, shape);
  Kernel& kernel = collective.kernel;
  kernel.name = "allreduce ring";
  const LineRing folded = LineRing::folded(Line::row(shape.mesh, 0, 0, p - 1), 0);
  folded.route(kernel.routes);
  std::map<std::tuple<bool, std::uint8_t, std::uint8_t>, std::uint16_t> programs;
  for (std::uint32_t r = 0; r < p; ++r) {
    const std::uint32_t tile = folded.place(r);
    const std::tuple key(tile % 2 == 0, folded.receives(r), folded.sends(r));
    const auto [it, is_new] = programs.emplace(key, 0);
    if (is_new) {
      it->second = kernel.add(
          write(ring, kernel.name, std::get<0>(key), std::get<1>(key), std::get<2>(key)));
    }
    kernel.program_of[tile] = it->second;
  }
  collective.input = *kernel.programs.front().find_array("input");
  collective.result = *kernel.programs.front().find_array("result");
  collective.predicted = predicted_ring(p, shape.words);
  return collective;
}

}  // namespace wse::tiles
