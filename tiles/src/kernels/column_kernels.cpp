// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/column_kernels.h"

#include <algorithm>

#include "axpy_layout.h"
#include "line.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {
namespace {

using fabric::Port;
using fabric::PortSet;
using P = ProgramBuilder;

constexpr DataType kFp32 = DataType::kFp32;
constexpr std::uint8_t kDown = 0;  // color of what comes from row 0
constexpr std::uint8_t kUp = 2;    // two colors in turn
constexpr std::uint8_t kDeep = 2;  // a queue that is deep in both directions

fabric::Mesh with_lanes(fabric::Mesh mesh) { return {mesh.columns, mesh.rows + 1}; }
std::uint8_t up_of(std::uint32_t row) { return static_cast<std::uint8_t>(kUp + row % 2); }

/// Program `first` in row 0, `others` behind it.
void set_programs(Kernel& kernel, std::uint16_t first, std::uint16_t others) {
  const fabric::Mesh mesh = kernel.mesh();
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    kernel.program_of[tile] = mesh.at(tile).y == 0 ? first : others;
  }
}

/// Row 0 sends all words of an array, in messages of which each ends with an advance if it is asked for.
Program sender(const char* array, std::uint32_t words, std::uint32_t messages, P::Last last) {
  P p("lanes");
  const Array source = p.array(array, words * messages);
  p.output(kDeep, kDown);
  p.task("send").active = true;
  for (std::uint32_t i = 0; i < messages; ++i) {
    p.vector(VectorOp::kMove, kFp32, p.fabric_out(kDeep, 4, last), p.part(source, i * words, words),
             P::integer(words));
  }
  p.end();
  return p.build();
}

Program receiver(const char* array, std::uint32_t words, std::uint8_t color, const MemoryMap& map) {
  P p("receive", map);
  const Array result = p.array(array, words);
  p.input(kDeep, color);
  p.task("receive").active = true;
  p.vector(VectorOp::kMove, kFp32, p.all(result), p.fabric_in(kDeep), P::integer(words));
  p.end();
  return p.build();
}

/// Elements from a feature to the next one.
std::uint32_t stride(const ColumnShape& shape, const MemoryMap& map) {
  return map.stride_or(round_up(shape.tokens, kBankTurn / 4));
}

/// Sums of tokens in row `y` of `rows`, those of the rows behind it added, go up.
Program summer(const ColumnShape& shape, const ComputeConfig& config, const MemoryMap& map,
               std::uint32_t y) {
  const bool is_last = y == shape.mesh.rows;
  const std::uint32_t most = std::min(config.cache_bytes / 4, shape.features);
  const std::uint32_t n = stride(shape, map);
  P p("sums of tokens", map);
  const Array dy = p.array("dy", shape.features * n);
  const Array sums = p.near_array("part", most);
  p.output(kDeep, up_of(y));
  const Operand out = p.fabric_out(kDeep);
  if (!is_last) p.input(kDeep, up_of(y + 1));
  p.task("sum").active = true;
  for (std::uint32_t first = 0; first < shape.features; first += most) {
    const std::uint32_t part = std::min(most, shape.features - first);
    const Operand all = p.part(sums, 0, part);
    p.vector(VectorOp::kMove, kFp32, all, P::number(0), P::integer(part));
    for (std::uint32_t i = 0; i < part; ++i) {
      const Operand sum = p.walk(sums, i, {{shape.tokens, 0}});
      p.vector(VectorOp::kAdd, kFp32, sum, p.part(dy, (first + i) * n, shape.tokens), sum,
               P::integer(shape.tokens));
    }
    is_last ? p.vector(VectorOp::kMove, kFp32, out, all, P::integer(part))
            : p.vector(VectorOp::kAdd, kFp32, out, p.fabric_in(kDeep), all, P::integer(part));
  }
  p.end();
  return p.build();
}

}  // namespace

Kernel broadcast_down(fabric::Mesh mesh, std::uint32_t words, const MemoryMap& map) {
  Kernel kernel(with_lanes(mesh));
  kernel.name = "broadcast down";
  route_down(kernel.routes, kernel.mesh(), kDown);
  const std::uint16_t first = kernel.add(sender("source", words, 1, P::Last::kPlain));
  set_programs(kernel, first, kernel.add(receiver("result", words, kDown, map)));
  return kernel;
}

Kernel scatter_down(fabric::Mesh mesh, std::uint32_t words, const MemoryMap& map) {
  Kernel kernel(with_lanes(mesh));
  kernel.name = "scatter down";
  for (std::uint32_t x = 0; x < mesh.columns; ++x) {
    route_scatter(kernel.routes, Line::column(kernel.mesh(), x, 0, mesh.rows), kDown);
  }
  const std::uint16_t first = kernel.add(sender("source", words, mesh.rows, P::Last::kAdvance));
  set_programs(kernel, first, kernel.add(receiver("result", words, kDown, map)));
  return kernel;
}

Kernel lift_first_row(fabric::Mesh mesh, std::uint32_t words, const MemoryMap& map) {
  Kernel kernel(with_lanes(mesh));
  kernel.name = "lift first row";
  P p("send", map);
  const Array source = p.array("source", words);
  p.output(kDeep, kUp);
  p.task("send").active = true;
  p.vector(VectorOp::kMove, kFp32, p.fabric_out(kDeep), p.all(source), P::integer(words));
  p.end();
  const std::uint16_t takes = kernel.add(receiver("result", words, kUp, {}));
  const std::uint16_t sends = kernel.add(p.build());
  for (std::uint32_t x = 0; x < mesh.columns; ++x) {
    kernel.program_of[kernel.mesh().tile(x, 0)] = takes;
    kernel.program_of[kernel.mesh().tile(x, 1)] = sends;
    kernel.routes.set(kernel.mesh().tile(x, 0), kUp, {Port::kSouth, Port::kRamp});
    kernel.routes.set(kernel.mesh().tile(x, 1), kUp, {Port::kRamp, Port::kNorth});
  }
  return kernel;
}

Kernel add_bias(const ColumnShape& shape, const MemoryMap& map) {
  constexpr std::uint8_t kBias = 0;
  Kernel kernel(with_lanes(shape.mesh));
  kernel.name = "bias";
  check_stride(map, kernel.name, kFp32, shape.tokens);
  route_down(kernel.routes, kernel.mesh(), kDown);
  P p("add bias", map);
  const std::uint32_t n = stride(shape, map);
  const Array y = p.array("y", shape.features * n);
  p.input(kDeep, kDown);
  p.task("add").active = true;
  for (std::uint32_t f = 0; f < shape.features; ++f) {
    const Operand feature = p.part(y, f * n, shape.tokens);
    p.receive(kBias, kDeep, kFp32);
    p.vector(VectorOp::kAdd, kFp32, feature, feature, P::r(kBias), P::integer(shape.tokens));
  }
  p.end();
  const std::uint16_t first = kernel.add(sender("bias", shape.features, 1, P::Last::kPlain));
  set_programs(kernel, first, kernel.add(p.build()));
  return kernel;
}

Kernel sum_tokens(const ColumnShape& shape, const ComputeConfig& config, const MemoryMap& map) {
  Kernel kernel(with_lanes(shape.mesh));
  kernel.name = "sums of tokens";
  check_stride(map, kernel.name, kFp32, shape.tokens);
  const fabric::Mesh mesh = kernel.mesh();
  const std::uint16_t takes = kernel.add(receiver("sums", shape.features, up_of(1), {}));
  for (std::uint32_t y = 1; y < mesh.rows; ++y) {
    // Rows differ as the last one, and in their colors.
    const bool is_new = y < 3 || y + 1 == mesh.rows;
    const std::uint16_t sends =
        is_new ? kernel.add(summer(shape, config, map, y)) : kernel.program_of[mesh.tile(0, y - 2)];
    for (std::uint32_t x = 0; x < mesh.columns; ++x) {
      kernel.program_of[mesh.tile(x, 0)] = takes;
      kernel.program_of[mesh.tile(x, y)] = sends;
      kernel.routes.set(mesh.tile(x, y), up_of(y), {Port::kRamp, Port::kNorth});
      kernel.routes.set(mesh.tile(x, y - 1), up_of(y), {Port::kSouth, Port::kRamp});
    }
  }
  return kernel;
}

Kernel add_activations(const ColumnShape& shape, const MemoryMap& map) {
  Kernel kernel(shape.mesh);
  kernel.name = "add activations";
  check_stride(map, kernel.name, kFp32, shape.tokens);
  const std::uint32_t n = stride(shape, map);
  P p("add", map);
  const Array a = p.array("a", shape.features * n);
  const Array b = p.array("b", shape.features * n);
  const Array y = p.array("y", shape.features * n);
  const auto all = [&](const Array& array) {
    return p.walk(array, 0, {{shape.tokens, 1}, {shape.features, static_cast<std::int32_t>(n)}});
  };
  p.task("add").active = true;
  p.vector(VectorOp::kAdd, kFp32, all(y), all(a), all(b),
           P::integer(std::int64_t{shape.tokens} * shape.features));
  p.end();
  const std::uint16_t number = kernel.add(p.build());
  for (std::uint16_t& program : kernel.program_of) program = number;
  return kernel;
}

}  // namespace wse::tiles
