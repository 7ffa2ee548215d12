// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/mesh_gemm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "axpy_layout.h"
#include "line.h"
#include "wse/base/config_errors.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {
namespace {

using P = ProgramBuilder;

constexpr DataType kInt32 = DataType::kInt32;

/// Blocks of a tile and the product of two of them.
class BlockProgram {
 public:
  enum : std::uint8_t { kFactor, kRowOfA, kRowOfC, kRowsLeft, kStepsLeft, kStep };

  BlockProgram(const std::string& name, const MeshGemmShape& shape)
      : shape_(shape),
        type_(shape.type),
        m_(shape.block_m()),
        k_(shape.block_k()),
        n_(shape.block_n()),
        b_layout_(type_, n_),
        p_(name) {
    const std::uint8_t bytes = element_bytes_of(type_);
    for (const char* suffix : {"", " 2"}) {
      a_.push_back(p_.array(std::string("a") + suffix, m_ * k_, bytes));
    }
    for (const char* suffix : {"", " 2"}) {
      begin_in_pair(p_, 0);
      b_.push_back(p_.array(std::string("b") + suffix, b_layout_.elements(k_), bytes));
    }
    begin_in_pair(p_, AxpyLayout::sum_pair(type_));
    c_ = p_.array("c", m_ * row_of_c(shape), sum_bytes_of(type_));
    row_ = p_.at_register(p_.part(c_, 0, n_), kRowOfC);
    for (const Array& b : b_) {
      for (std::uint32_t l = 0; l < k_; ++l) rows_of_b_.push_back(b_layout_.walk(p_, b, l));
    }
  }

  /// Elements between rows of C: a turn of the banks.
  static std::uint32_t row_of_c(const MeshGemmShape& shape) {
    return round_up(shape.block_n(), kBankTurn / sum_bytes_of(shape.type));
  }
  P& program() { return p_; }
  DataType type() const { return type_; }
  const Array& a(std::uint32_t buffer) const { return a_[buffer]; }
  const Array& b(std::uint32_t buffer) const { return b_[buffer]; }

  void clear() {
    p_.vector(VectorOp::kMove, type_, p_.all(c_), P::integer(0), P::integer(c_.elements));
  }
  /// C += A B of the blocks in a buffer.
  void multiply(std::uint32_t buffer) {
    const std::uint32_t bytes = element_bytes_of(type_);
    p_.set(kRowOfA, P::integer(a_[buffer].address));
    p_.set(kRowOfC, P::integer(0));
    p_.set(kRowsLeft, P::integer(m_));
    const std::uint16_t begin = p_.here();
    for (std::uint32_t l = 0; l < k_; ++l) {
      p_.load(kFactor, P::r(kRowOfA), type_, P::integer(l * bytes));
      p_.vector(VectorOp::kFma, type_, row_, rows_of_b_[buffer * k_ + l], P::r(kFactor), row_,
                P::integer(n_));
    }
    add(kRowOfA, k_ * bytes);
    add(kRowOfC, row_of_c(shape_) * c_.element_bytes);
    p_.scalar(VectorOp::kSub, kInt32, kRowsLeft, P::r(kRowsLeft), P::integer(1));
    p_.jump_if_not_zero(P::r(kRowsLeft), begin);
  }
  void add(std::uint8_t r, std::uint32_t n) {
    p_.scalar(VectorOp::kAdd, kInt32, r, P::r(r), P::integer(n));
  }
  void send(std::uint8_t thread, Operand out, const Array& block) {
    const DataType type = element_bytes_of(type_) == 2 ? DataType::kFp16 : DataType::kFp32;
    on_microthread(p_.vector(VectorOp::kMove, type, out, p_.all(block), P::integer(block.elements)),
                   thread);
  }
  void receive(std::uint8_t thread, Operand in, const Array& block) {
    const DataType type = element_bytes_of(type_) == 2 ? DataType::kFp16 : DataType::kFp32;
    on_microthread(p_.vector(VectorOp::kMove, type, p_.all(block), in, P::integer(block.elements)),
                   thread);
  }
  /// Waits until microthreads have finished.
  void wait(std::initializer_list<std::uint8_t> threads) {
    for (const std::uint8_t thread : threads) {
      on_microthread(
          p_.vector(VectorOp::kMove, kInt32, p_.part(c_, 0, 1), P::integer(0), P::integer(0)),
          thread);
      if (c_.element_bytes == 2) p_.last().type = DataType::kInt16;
    }
  }
  Program build() {
    p_.end();
    return p_.build();
  }

 private:
  const MeshGemmShape& shape_;
  const DataType type_;
  const std::uint32_t m_, k_, n_;
  const AxpyLayout b_layout_;
  ProgramBuilder p_;
  std::vector<Array> a_, b_;  ///< two buffers each
  Array c_;
  Operand row_;
  std::vector<Operand> rows_of_b_;  ///< by buffer, by row
};

}  // namespace

std::string name_of(MeshGemmAlgorithm algorithm) {
  switch (algorithm) {
    case MeshGemmAlgorithm::kSumma:
      return "summa";
    case MeshGemmAlgorithm::kCannon:
      return "cannon";
    case MeshGemmAlgorithm::kInterleaved:
      return "interleaved";
  }
  return {};
}

std::uint32_t MeshGemmShape::block_k() const {
  return round_up((k + side() - 1) / side(), lanes_of_wire(type));
}
std::uint32_t MeshGemmShape::block_n() const {
  return round_up((n + side() - 1) / side(), lanes_of_wire(type));
}

MeshGemm::MeshGemm(const MeshGemmShape& shape, const MeshConfig& config, std::uint64_t seed)
    : shape_(shape), config_(config.compute), seed_(seed), kernel_(shape.mesh) {
  if (shape.mesh.columns != shape.mesh.rows) {
    throw base::ConfigError("--mesh", fmt::format("{}x{}", shape.mesh.columns, shape.mesh.rows),
                            "must be square for a GEMM by " + name_of(shape.algorithm));
  }
  kernel_.name = "gemm " + name_of(shape.algorithm);
  if (shape.algorithm == MeshGemmAlgorithm::kSumma) {
    make_summa_kernel();
  } else {
    make_ring_kernel();
  }
  const Program& any = kernel_.programs.front();
  a_ = *any.find_array("a");
  b_ = *any.find_array("b");
  c_ = *any.find_array("c");
}

// Rings ---------------------------------------------------------------------------------------------

void MeshGemm::make_ring_kernel() {
  const bool folded = shape_.algorithm == MeshGemmAlgorithm::kInterleaved;
  const std::uint32_t p = shape_.side();
  const auto ring = [folded](const Line& line, std::uint8_t colors) {
    return folded ? LineRing::folded(line, colors) : LineRing::wrapped(line, colors);
  };
  constexpr std::uint8_t kOfB = 4;  // the first color
  for (std::uint32_t i = 0; i < p; ++i) {
    ring(Line::row(shape_.mesh, i, 0, p - 1), 0).route(kernel_.routes);
    ring(Line::column(shape_.mesh, i, 0, p - 1), kOfB).route(kernel_.routes);
  }
  const LineRing row = ring(Line::row(shape_.mesh, 0, 0, p - 1), 0);
  std::map<std::array<std::uint8_t, 4>, std::uint16_t> programs;
  for (std::uint32_t tile = 0; tile < shape_.mesh.tiles(); ++tile) {
    const base::Coordinate at = shape_.mesh.at(tile);
    const std::uint32_t j = row.rank(at.x);
    const std::uint32_t i = row.rank(at.y);
    std::array<std::uint8_t, 4> colors{};  // a in, a out, b in, b out
    if (p > 1) {
      colors = {row.receives(j), row.sends(j), static_cast<std::uint8_t>(kOfB + row.receives(i)),
                static_cast<std::uint8_t>(kOfB + row.sends(i))};
    }
    const auto [it, is_new] = programs.emplace(colors, 0);
    if (is_new) {
      BlockProgram b(kernel_.name, shape_);
      P& program = b.program();
      Operand a_in, a_out, b_in, b_out;
      const std::uint8_t bytes = element_bytes_of(shape_.type);
      if (p > 1) {
        program.input(0, colors[0]);
        program.output(2, colors[1]);
        program.input(1, colors[2]);
        program.output(3, colors[3]);
        a_in = program.fabric_in(0, bytes);
        a_out = program.fabric_out(2, bytes);
        b_in = program.fabric_in(1, bytes);
        b_out = program.fabric_out(3, bytes);
      }
      program.task("multiply").active = true;
      b.clear();
      const auto exchange_and_multiply = [&](std::uint32_t from) {
        b.send(0, a_out, b.a(from));
        b.send(1, b_out, b.b(from));
        b.receive(2, a_in, b.a(1 - from));
        b.receive(3, b_in, b.b(1 - from));
        b.multiply(from);
        b.wait({0, 1, 2, 3});
      };
      const std::uint32_t pairs = (p - 1) / 2;
      if (pairs > 0) {
        program.set(BlockProgram::kStepsLeft, P::integer(pairs));
        const std::uint16_t begin = program.here();
        exchange_and_multiply(0);
        exchange_and_multiply(1);
        program.scalar(VectorOp::kSub, kInt32, BlockProgram::kStepsLeft,
                       P::r(BlockProgram::kStepsLeft), P::integer(1));
        program.jump_if_not_zero(P::r(BlockProgram::kStepsLeft), begin);
      }
      const bool odd = (p - 1) % 2 != 0;
      if (odd) exchange_and_multiply(0);
      b.multiply(odd ? 1 : 0);
      it->second = kernel_.add(b.build());
    }
    kernel_.program_of[tile] = it->second;
  }
}

// SUMMA ---------------------------------------------------------------------------------------------

namespace {

class SummaProgram {
 public:
  SummaProgram(const std::string& name, const MeshGemmShape& shape, std::array<bool, 2> is_last)
      : b_(name, shape), steps_(shape.side()), is_last_(is_last) {
    P& p = b_.program();
    const std::uint8_t bytes = element_bytes_of(shape.type);
    for (const std::uint8_t axis : {std::uint8_t{0}, std::uint8_t{1}}) {
      p.input(axis, axis);
      p.output(axis, axis);
      in_[axis] = p.fabric_in(axis, bytes);
      out_[axis] = p.fabric_out(axis, bytes);
      control_[axis] = p.control_out(axis);
    }
    // The own blocks, which are sent once.
    own_a_ = p.array("own a", b_.a(0).elements, bytes);
    own_b_ = p.array("own b", b_.b(0).elements, bytes);
  }

  Program write() {
    P& p = b_.program();
    p.task("multiply").active = true;
    b_.clear();
    p.set(kStep, P::integer(0));
    fetch(0);
    b_.wait({kReceiveA, kReceiveB});
    const std::uint32_t pairs = (steps_ - 1) / 2;
    if (pairs > 0) {
      p.set(BlockProgram::kStepsLeft, P::integer(pairs));
      const std::uint16_t begin = p.here();
      step(0);
      step(1);
      p.scalar(VectorOp::kSub, kInt32, BlockProgram::kStepsLeft, P::r(BlockProgram::kStepsLeft),
               P::integer(1));
      p.jump_if_not_zero(P::r(BlockProgram::kStepsLeft), begin);
    }
    const bool odd = (steps_ - 1) % 2 != 0;
    if (odd) step(0);
    hand_on();
    b_.multiply(odd ? 1 : 0);
    return b_.build();
  }

 private:
  static constexpr std::uint8_t kStep = BlockProgram::kStep;  // that is fetched or multiplied next
  static constexpr std::uint8_t kTest = 6;
  enum : std::uint8_t { kReceiveA, kReceiveB, kSendA, kSendB };

  /// Multiplies the blocks in a buffer while those of the next step come.
  void step(std::uint32_t buffer) {
    hand_on();
    b_.add(kStep, 1);
    fetch(1 - buffer);
    b_.multiply(buffer);
    b_.wait({kReceiveA, kReceiveB});
  }

  /// The blocks of step kStep, which one tile of each axis sends to all.
  void fetch(std::uint32_t buffer) {
    for (const std::uint8_t axis : {std::uint8_t{0}, std::uint8_t{1}}) {
      const auto thread = [axis](std::uint8_t of_a) {
        return static_cast<std::uint8_t>(of_a + axis);
      };
      if_mine(axis, [&] { b_.send(thread(kSendA), out_[axis], axis == 0 ? own_a_ : own_b_); });
      b_.receive(thread(kReceiveA), in_[axis], axis == 0 ? b_.a(buffer) : b_.b(buffer));
    }
  }
  /// In the tiles whose blocks are those of step kStep.
  template <class What>
  void if_mine(std::uint8_t axis, const What& what) {
    P& p = b_.program();
    p.scalar(VectorOp::kEqual, kInt32, kTest, P::r(axis == 0 ? kColumnRegister : kRowRegister),
             P::r(kStep));
    const std::uint16_t not_mine = p.here();
    p.jump_if_zero(P::r(kTest));
    what();
    p.at(not_mine).target = p.here();
  }

  /// Whoever has sent the blocks that are multiplied now lets the next tile send.
  void hand_on() {
    for (const std::uint8_t axis : {std::uint8_t{0}, std::uint8_t{1}}) {
      if (is_last_[axis]) continue;
      if_mine(axis, [&] {
        on_microthread(b_.program().vector(VectorOp::kMove, kInt32, control_[axis],
                                           P::integer(kHandOn), P::integer(1)),
                       static_cast<std::uint8_t>(kSendA + axis));
      });
    }
  }

  BlockProgram b_;
  const std::uint32_t steps_;
  const std::array<bool, 2> is_last_;  ///< of its row, of its column
  std::array<Operand, 2> in_, out_, control_;
  Array own_a_, own_b_;
};

}  // namespace

void MeshGemm::make_summa_kernel() {
  const std::uint32_t p = shape_.side();
  for (std::uint32_t i = 0; i < p; ++i) {
    route_turns(kernel_.routes, Line::row(shape_.mesh, i, 0, p - 1), 0);
    route_turns(kernel_.routes, Line::column(shape_.mesh, i, 0, p - 1), 1);
  }
  std::map<std::array<bool, 2>, std::uint16_t> programs;
  for (std::uint32_t tile = 0; tile < shape_.mesh.tiles(); ++tile) {
    const base::Coordinate at = shape_.mesh.at(tile);
    const std::array<bool, 2> is_last{at.x + 1 == p, at.y + 1 == p};
    const auto [it, is_new] = programs.emplace(is_last, 0);
    if (is_new) it->second = kernel_.add(SummaProgram(kernel_.name, shape_, is_last).write());
    kernel_.program_of[tile] = it->second;
  }
}

// Data ----------------------------------------------------------------------------------------------

std::uint32_t MeshGemm::rank(std::uint32_t place) const {
  if (shape_.algorithm != MeshGemmAlgorithm::kInterleaved) return place;
  return LineRing::folded(Line::row(shape_.mesh, 0, 0, shape_.side() - 1), 0).rank(place);
}

double MeshGemm::number(std::uint32_t which, std::uint32_t row, std::uint32_t column,
                        std::uint32_t rows, std::uint32_t columns) const {
  if (row >= rows || column >= columns) return 0;
  const std::uint64_t stream = std::uint64_t{which} << 32 | row;
  return rounded(random_number(seed_, stream, column), element_bytes_of(shape_.type));
}

void MeshGemm::fill(TileMesh& mesh) const {
  const bool summa = shape_.algorithm == MeshGemmAlgorithm::kSumma;
  const Program& any = kernel_.programs.front();
  const Array a = summa ? *any.find_array("own a") : a_;
  const Array b = summa ? *any.find_array("own b") : b_;
  const std::uint32_t p = shape_.side();
  const std::uint32_t bm = shape_.block_m();
  const std::uint32_t bk = shape_.block_k();
  const std::uint32_t bn = shape_.block_n();
  const AxpyLayout layout(shape_.type, bn);
  for (std::uint32_t tile = 0; tile < shape_.mesh.tiles(); ++tile) {
    const base::Coordinate at = shape_.mesh.at(tile);
    const std::uint32_t i = rank(at.y);
    const std::uint32_t j = rank(at.x);
    const std::uint32_t of_a = summa ? j : (i + j) % p;
    const std::uint32_t of_b = summa ? i : (i + j) % p;
    std::vector<double> block(std::size_t{bm} * bk);
    for (std::uint32_t r = 0; r < bm; ++r) {
      for (std::uint32_t l = 0; l < bk; ++l) {
        block[r * bk + l] = number(0, i * bm + r, of_a * bk + l, shape_.m, shape_.k);
      }
    }
    write_numbers(mesh, tile, a, block);
    block.assign(b.elements, 0);
    for (std::uint32_t l = 0; l < bk; ++l) {
      for (std::uint32_t c = 0; c < bn; ++c) {
        block[layout.element(l, c)] = number(1, of_b * bk + l, j * bn + c, shape_.k, shape_.n);
      }
    }
    write_numbers(mesh, tile, b, block);
  }
}

void MeshGemm::compare(Comparison& comparison) const {
  const std::uint32_t bm = shape_.block_m();
  const std::uint32_t bn = shape_.block_n();
  std::vector<double> b(std::size_t{shape_.k} * shape_.n);
  for (std::uint32_t l = 0; l < shape_.k; ++l) {
    for (std::uint32_t c = 0; c < shape_.n; ++c) {
      b[std::size_t{l} * shape_.n + c] = number(1, l, c, shape_.k, shape_.n);
    }
  }
  std::vector<std::uint32_t> places(shape_.side());
  for (std::uint32_t place = 0; place < shape_.side(); ++place) places[rank(place)] = place;
  for (std::uint32_t row = 0; row < shape_.m; ++row) {
    std::vector<double> sums(shape_.n, 0);
    for (std::uint32_t l = 0; l < shape_.k; ++l) {
      const double a = number(0, row, l, shape_.m, shape_.k);
      for (std::uint32_t c = 0; c < shape_.n; ++c) sums[c] += a * b[std::size_t{l} * shape_.n + c];
    }
    for (std::uint32_t first = 0; first < shape_.n; first += bn) {
      const std::uint32_t end = std::min(first + bn, shape_.n);
      comparison.add(shape_.mesh.tile(places[first / bn], places[row / bm]), c_,
                     {sums.begin() + first, sums.begin() + end},
                     row % bm * BlockProgram::row_of_c(shape_));
    }
  }
}

base::Cycles MeshGemm::predicted() const {
  const std::uint32_t lanes = config_.lanes(VectorOp::kFma, shape_.type);
  const base::Cycles product =
      shape_.block_m() * (shape_.block_k() * (base::ceil_div(shape_.block_n(), lanes) + 1) + 4);
  const std::uint64_t received =
      base::ceil_div(std::uint64_t{a_.elements} + b_.elements, lanes_of_wire(shape_.type));
  const std::uint64_t p = shape_.side();
  // Of SUMMA a tile sends its own blocks once.
  if (shape_.algorithm == MeshGemmAlgorithm::kSumma) return p * (product + received) + received;
  return p * product + (p - 1) * 2 * received;
}

double MeshGemm::error_bound() const {
  if (shape_.type != DataType::kFp16) return 1e-5;
  return std::ldexp(1.0, -11) * (1 + std::sqrt(shape_.k));
}

}  // namespace wse::tiles
