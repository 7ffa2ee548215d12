// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/stencil25.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "wse/tiles/program_builder.h"

namespace wse::tiles {
namespace {

using fabric::ColorRoute;
using fabric::PopMode;
using fabric::Port;
using fabric::PortSet;
using P = ProgramBuilder;

constexpr std::array<Port, 4> kDirections{Port::kEast, Port::kWest, Port::kSouth, Port::kNorth};
constexpr DataType kFp32 = DataType::kFp32;
constexpr DataType kInt32 = DataType::kInt32;

/// Of the second derivative, eighth order; the first one is that of the cell itself.
constexpr std::array<double, 5> kCoefficients{-205.0 / 72, 8.0 / 5, -1.0 / 5, 8.0 / 315,
                                              -1.0 / 560};

}  // namespace

std::uint32_t StencilShape::blocks() const {
  constexpr std::uint32_t kMost = 400;  // more do not fit the memory
  const std::uint32_t most = block == 0 ? kMost : block;
  return (nz + most - 1) / most;
}

std::uint32_t StencilShape::block_cells() const {
  return block == 0 ? (nz + blocks() - 1) / blocks() : block;
}

Stencil25::Stencil25(const StencilShape& shape, std::uint64_t seed)
    : shape_(shape), seed_(seed), kernel_(shape.mesh) {
  kernel_.name = "stencil25";
  route();
  std::map<std::array<std::uint32_t, 4>, std::uint16_t> programs;
  for (std::uint32_t tile = 0; tile < shape.mesh.tiles(); ++tile) {
    std::array<std::uint32_t, 4> senders{};
    for (std::size_t d = 0; d < 4; ++d) {
      senders[d] = std::min(kSenders, place(kDirections[d], shape.mesh.at(tile)) + 1);
    }
    const auto [it, is_new] = programs.emplace(senders, 0);
    if (is_new) it->second = kernel_.add(program(senders));
    kernel_.program_of[tile] = it->second;
  }
  const Program& any = kernel_.programs.front();
  cells_ = *any.find_array("cells");
  constants_ = *any.find_array("constants");
  along_z_ = *any.find_array("along z");
}

/// Tiles between this one and the edge where the direction begins.
std::uint32_t Stencil25::place(Port direction, base::Coordinate at) const {
  switch (direction) {
    case Port::kEast:
      return at.x;
    case Port::kWest:
      return shape_.mesh.columns - 1 - at.x;
    case Port::kSouth:
      return at.y;
    default:
      return shape_.mesh.rows - 1 - at.y;
  }
}

/// In each group of five the tiles send one after the other. Positions: 0 passes on, 1 sends, 2 hears
/// only itself, 3 is the last one to hear.
void Stencil25::route() {
  for (std::uint32_t tile = 0; tile < shape_.mesh.tiles(); ++tile) {
    for (std::uint8_t d = 0; d < 4; ++d) {
      const Port to = kDirections[d];
      const Port from = facing(to);
      const std::uint32_t i = place(to, shape_.mesh.at(tile));
      const bool is_last = shape_.mesh.neighbour(tile, to) == fabric::Mesh::kNone;
      PortSet on = Port::kRamp;
      if (!is_last) on = on | to;
      ColorRoute route;
      route.ring = true;
      route.pop = PopMode::kAlways;
      if (i == 0) {
        route.positions[0] = {Port::kRamp, on};
        route.positions[1] = {Port::kRamp, Port::kRamp};
        route.position_count = 2;
      } else {
        // The tiles of a group from the sender on: those before their turn pass on. The first tile of a
        // group begins with its turn, the last one as the last to hear.
        const std::uint32_t begin = i % kSenders == 0 ? 1 : i % kSenders == kSenders - 1 ? 3 : 0;
        const std::uint32_t count = i < kReach ? 3 : 4;
        const std::array<fabric::SwitchPosition, 4> cycle{
            {{from, on}, {Port::kRamp, on}, {Port::kRamp, Port::kRamp}, {from, Port::kRamp}}};
        for (std::uint32_t k = 0; k < count; ++k) {
          route.positions[k] = cycle[(begin + k) % count];
        }
        route.position_count = static_cast<std::uint8_t>(count);
      }
      kernel_.routes.set(tile, d, route);
    }
  }
}

Program Stencil25::program(const std::array<std::uint32_t, 4>& senders) const {
  enum : std::uint8_t { kReceived = 1, kDataSent = 5, kControlSent = 9, kSent = 13, kEpilog = 17 };
  enum : std::uint8_t {
    kReceivedCount = 1,
    kSentCount,
    kBlocksReceived,
    kBlocksSent,
    kStepsLeft,
    kNow,    ///< bytes to the cells of now
    kLast,   ///< bytes to those of the step before
    kSend,   ///< bytes to the next block that is sent
    kSum,    ///< bytes to the sums of the next block
    kFirstZ  ///< the four coefficients along z
  };
  const std::uint32_t b = shape_.block_cells();
  const std::uint32_t blocks = shape_.blocks();
  const std::uint32_t padded = b * blocks;
  const std::uint32_t column = padded + 2 * kReach;
  P p(fmt::format("stencil {} {} {} {}", senders[0], senders[1], senders[2], senders[3]));
  const Array cells = p.array("cells", 2 * column);
  const Array sums = p.array("sums", padded);
  const Array constants = p.array("constants", 4 * kSenders);
  const Array along_z = p.array("along z", kReach);
  const Array buffer = p.array("buffer", 4 * kSenders * b);
  const Array counts = p.array("steps", 1);
  std::array<Operand, 4> in, out, control, coefficients, products;
  for (std::uint8_t d = 0; d < 4; ++d) {
    p.input(d, d);
    p.output(d, d);
    in[d] = p.fabric_in(d);
    out[d] = p.fabric_out(d);
    control[d] = p.control_out(d);
    coefficients[d] = p.walk(constants, d * kSenders, {{b, 0}, {senders[d], 1}});
    products[d] = p.part(buffer, d * kSenders * b, senders[d] * b);
  }
  const Operand sent = p.at_register(p.part(cells, kReach, b), kSend);
  const Operand sum = p.at_register(p.walk(sums, 0, {{b, 1}, {4 * kSenders, 0}}), kSum);
  const Operand all_products = p.all(buffer);
  const Operand all_sums = p.part(sums, 0, shape_.nz);
  const Operand last = p.at_register(p.part(cells, kReach, shape_.nz), kLast);
  const auto add = [&](std::uint8_t r, Operand value) {
    p.scalar(VectorOp::kAdd, kInt32, r, P::r(r), value);
  };
  const auto receive = [&] {
    for (std::uint8_t d = 0; d < 4; ++d) {
      on_microthread(p.vector(VectorOp::kMul, kFp32, products[d], in[d], coefficients[d],
                              P::integer(senders[d] * b)),
                     d, Completion::kActivate, static_cast<std::uint8_t>(kReceived + d));
    }
  };
  const auto send = [&] {
    for (std::uint8_t d = 0; d < 4; ++d) {
      on_microthread(p.vector(VectorOp::kMove, kFp32, out[d], sent, P::integer(b)),
                     static_cast<std::uint8_t>(4 + d), Completion::kActivate,
                     static_cast<std::uint8_t>(kDataSent + d));
    }
  };
  /// Goes on when all four directions have come so far.
  const auto count = [&](std::uint8_t r) -> std::uint16_t {
    add(r, P::integer(1));
    p.scalar(VectorOp::kEqual, kInt32, 0, P::r(r), P::integer(4));
    const std::uint16_t jump = p.here();
    p.jump_if_not_zero(P::r(0));
    p.end();
    return jump;
  };

  p.task("begin").active = true;
  p.load(kStepsLeft, P::integer(counts.address));
  p.set(kLast, P::integer(column * 4));
  for (std::uint8_t i = 0; i < kReach; ++i) {
    p.load(static_cast<std::uint8_t>(kFirstZ + i), P::integer(along_z.address + 4 * i));
  }
  const std::uint16_t step = p.here();
  p.vector(VectorOp::kMove, kFp32, all_sums, P::number(0), P::integer(shape_.nz));
  p.set(kSend, P::r(kNow));
  p.set(kSum, P::integer(0));
  p.set(kBlocksReceived, P::integer(blocks));
  p.set(kBlocksSent, P::integer(blocks));
  receive();
  send();
  p.end();

  std::vector<std::uint16_t> jumps;
  for (std::uint8_t d = 0; d < 4; ++d) {
    p.task(fmt::format("received {}", d));
    jumps.push_back(count(kReceivedCount));
    if (d < 3) continue;
    for (const std::uint16_t jump : jumps) p.at(jump).target = p.here();
    p.set(kReceivedCount, P::integer(0));
    p.vector(VectorOp::kAdd, kFp32, sum, sum, all_products, P::integer(4 * kSenders * b));
    add(kSum, P::integer(4 * b));
    add(kBlocksReceived, P::integer(-1));
    const std::uint16_t done = p.here();
    p.jump_if_zero(P::r(kBlocksReceived));
    receive();
    p.end();
    p.at(done).target = p.here();
    const std::uint16_t waits = p.here();
    p.jump_if_not_zero(P::r(kBlocksSent));
    p.activate(kEpilog);
    p.at(waits).target = p.here();
    p.end();
  }
  const auto send_control = [&](std::uint8_t d, std::uint32_t commands, std::uint8_t then) {
    on_microthread(
        p.vector(VectorOp::kMove, kInt32, control[d], P::integer(commands), P::integer(1)),
        static_cast<std::uint8_t>(4 + d), Completion::kActivate,
        static_cast<std::uint8_t>(then + d));
    p.end();
  };
  // Commands for this router, the next one, and the last one that has heard: they move on.
  constexpr std::uint32_t kHandOn = 1U | 1U << 2 | 1U << (2 * kReach);
  for (std::uint8_t d = 0; d < 4; ++d) {
    p.task(fmt::format("data sent {}", d));
    send_control(d, kHandOn, kControlSent);
  }
  for (std::uint8_t d = 0; d < 4; ++d) {
    p.task(fmt::format("control sent {}", d));
    send_control(d, 1, kSent);
  }
  jumps.clear();
  for (std::uint8_t d = 0; d < 4; ++d) {
    p.task(fmt::format("sent {}", d));
    jumps.push_back(count(kSentCount));
    if (d < 3) continue;
    for (const std::uint16_t jump : jumps) p.at(jump).target = p.here();
    p.set(kSentCount, P::integer(0));
    add(kSend, P::integer(4 * b));
    add(kBlocksSent, P::integer(-1));
    const std::uint16_t done = p.here();
    p.jump_if_zero(P::r(kBlocksSent));
    send();
    p.end();
    p.at(done).target = p.here();
    const std::uint16_t waits = p.here();
    p.jump_if_not_zero(P::r(kBlocksReceived));
    p.activate(kEpilog);
    p.at(waits).target = p.here();
    p.end();
  }
  p.task("epilog");
  for (std::uint32_t i = 0; i <= 2 * kReach; ++i) {
    if (i == kReach) continue;
    const std::uint32_t distance = i < kReach ? kReach - i : i - kReach;
    const Operand shifted = p.at_register(p.part(cells, i, shape_.nz), kNow);
    p.vector(VectorOp::kFma, kFp32, all_sums, shifted, P::r(kFirstZ + distance - 1), all_sums,
             P::integer(shape_.nz));
  }
  p.vector(VectorOp::kSub, kFp32, last, all_sums, last, P::integer(shape_.nz));
  p.set(0, P::r(kNow));
  p.set(kNow, P::r(kLast));
  p.set(kLast, P::r(0));
  add(kStepsLeft, P::integer(-1));
  const std::uint16_t end = p.here();
  p.jump_if_zero(P::r(kStepsLeft));
  p.jump(step);
  p.at(end).target = p.here();
  p.end();
  return p.build();
}

// Data ----------------------------------------------------------------------------------------------

double Stencil25::cell(std::uint32_t which, std::uint32_t tile, std::uint32_t z) const {
  return random_number(seed_, 2 * std::uint64_t{tile} + which, z);
}

double Stencil25::speed(std::uint32_t tile) const {
  return rounded(0.06 + 0.02 * random_number(seed_, std::uint64_t{1} << 33, tile), 4);
}

void Stencil25::fill(TileMesh& mesh) const {
  const std::uint32_t column = cells_.elements / 2;
  for (std::uint32_t tile = 0; tile < shape_.mesh.tiles(); ++tile) {
    for (std::uint32_t which = 0; which < 2; ++which) {
      std::vector<double> values(column, 0);
      for (std::uint32_t z = 0; z < shape_.nz; ++z) values[kReach + z] = cell(which, tile, z);
      write_numbers(mesh, tile, cells_, values, which * column);
    }
    std::vector<double> constants(4 * std::size_t{kSenders}, 0);
    const double k = speed(tile);
    for (std::uint32_t d = 0; d < 4; ++d) {
      const std::uint32_t i = place(kDirections[d], shape_.mesh.at(tile));
      for (std::uint32_t turn = 0; turn < kSenders; ++turn) {
        const std::uint32_t distance = (i % kSenders + kSenders - turn) % kSenders;
        double& constant = constants[d * kSenders + turn];
        if (distance != 0) constant = k * kCoefficients[distance];
        // The cell itself counts once.
        if (distance == 0 && d == 0) constant = 2 + 3 * k * kCoefficients[0];
      }
    }
    write_numbers(mesh, tile, constants_, constants);
    std::vector<double> along_z;
    for (std::uint32_t i = 1; i <= kReach; ++i) along_z.push_back(k * kCoefficients[i]);
    write_numbers(mesh, tile, along_z_, along_z);
    const std::uint32_t steps = shape_.steps;
    mesh.write(tile, kernel_.programs.front().find_array("steps")->address, &steps, sizeof steps);
  }
}

std::vector<double> Stencil25::reference() const {
  const fabric::Mesh m = shape_.mesh;
  const std::size_t cells = std::size_t{m.tiles()} * shape_.nz;
  std::vector<double> now(cells);
  std::vector<double> last(cells);
  for (std::uint32_t tile = 0; tile < m.tiles(); ++tile) {
    for (std::uint32_t z = 0; z < shape_.nz; ++z) {
      now[std::size_t{tile} * shape_.nz + z] = cell(0, tile, z);
      last[std::size_t{tile} * shape_.nz + z] = cell(1, tile, z);
    }
  }
  const auto at = [&](std::int64_t x, std::int64_t y, std::int64_t z) {
    if (x < 0 || y < 0 || z < 0 || x >= m.columns || y >= m.rows || z >= shape_.nz) return 0.0;
    return now[static_cast<std::size_t>((y * m.columns + x) * shape_.nz + z)];
  };
  for (std::uint32_t step = 0; step < shape_.steps; ++step) {
    std::size_t i = 0;
    for (std::uint32_t tile = 0; tile < m.tiles(); ++tile) {
      const base::Coordinate c = m.at(tile);
      for (std::uint32_t z = 0; z < shape_.nz; ++z, ++i) {
        double sum = 3 * kCoefficients[0] * now[i];
        for (std::int64_t k = 1; k <= kReach; ++k) {
          sum += kCoefficients[static_cast<std::size_t>(k)] *
                 (at(c.x + k, c.y, z) + at(c.x - k, c.y, z) + at(c.x, c.y + k, z) +
                  at(c.x, c.y - k, z) + at(c.x, c.y, z + k) + at(c.x, c.y, z - k));
        }
        last[i] = 2 * now[i] - last[i] + speed(tile) * sum;
      }
    }
    std::swap(now, last);
  }
  return now;
}

void Stencil25::compare(Comparison& comparison) const {
  const std::vector<double> all = reference();
  const std::uint32_t first = kReach + (shape_.steps % 2 == 0 ? 0 : cells_.elements / 2);
  for (std::uint32_t tile = 0; tile < shape_.mesh.tiles(); ++tile) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(std::size_t{tile} * shape_.nz);
    comparison.add(tile, cells_, {begin, begin + shape_.nz}, first);
  }
}

}  // namespace wse::tiles
