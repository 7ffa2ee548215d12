// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/gradient_gemm.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "axpy_layout.h"
#include "line.h"
#include "terms_of.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {
namespace {

using fabric::Port;
using P = ProgramBuilder;

constexpr std::uint8_t kRowColor = 0;
constexpr std::uint8_t kColumnColors = 2;  // two in turn

std::uint8_t color_of(std::uint32_t row) {
  return static_cast<std::uint8_t>(kColumnColors + row % 2);
}
std::uint32_t sums_of_a_wavelet(DataType type) { return type == DataType::kFp16 ? 2 : 1; }

/// Elements from an input to the next one: a turn of the banks. Outputs lie side by side.
std::uint32_t stride(const GradientGemmShape& shape, const MemoryMap& map) {
  return map.stride_or(round_up(shape.tile_tokens(), kBankTurn / element_bytes_of(shape.type)));
}
std::uint32_t output_stride(const GradientGemmShape& shape, const MemoryMap& map) {
  return map.stride_or(shape.tile_tokens());
}

/// The program of the tiles of a column; `last`: of the last row, where the sums begin.
class TileProgram {
 public:
  TileProgram(const GradientGemmShape& shape, std::uint32_t column, std::uint32_t row,
              const MemoryMap& map)
      : shape_(shape),
        column_(column),
        columns_(shape.mesh.columns),
        last_row_(row == shape.mesh.rows),
        type_(shape.type),
        t_(shape.tile_tokens()),
        inputs_(shape.tile_inputs()),
        p_(fmt::format("gradients of column {}", column), map) {
    const std::uint8_t bytes = element_bytes_of(type_);
    const std::uint8_t sum_bytes = sum_bytes_of(type_);
    const std::uint32_t n = stride(shape, map);
    const std::uint32_t m = output_stride(shape, map);
    const Array x = p_.array("x", inputs_ * n, bytes);
    const Array dy = p_.array("dy", shape.tile_outputs() * m, bytes);
    begin_in_pair(p_, 2);
    const Array output = p_.array("output", t_, bytes);
    output_ = p_.all(output);
    all_dy_ = m == t_
                  ? p_.all(dy)
                  : p_.walk(dy, 0, {{t_, 1}, {shape.tile_outputs(), static_cast<std::int32_t>(m)}});
    for (std::uint32_t i = 0; i < inputs_; ++i) x_.push_back(p_.part(x, i * n, t_));
    for (std::uint32_t b = 0; b < 2; ++b) {
      const Array sums = p_.near_array(b == 0 ? "sums" : "sums 2", inputs_, sum_bytes);
      sums_[b] = p_.all(sums);
      for (std::uint32_t i = 0; i < inputs_; ++i) sum_[b].push_back(p_.walk(sums, i, {{t_, 0}}));
    }
    p_.input(0, kRowColor);
    p_.output(0, kRowColor);
    in_ = p_.fabric_in(0, bytes);
    out_ = p_.fabric_out(0, bytes);
    control_ = p_.control_out(0);
    if (!last_row_) {
      p_.input(2, color_of(row + 1));
      sums_in_ = p_.fabric_in(2, sum_bytes);
    }
    p_.output(2, color_of(row));
    sums_out_ = p_.fabric_out(2, sum_bytes);
  }

  Program write() {
    const std::uint32_t outputs = shape_.tile_outputs();
    p_.task("gradients").active = true;
    segment(outputs * column_);
    on_microthread(p_.vector(VectorOp::kMove, plain(), out_, all_dy_, P::integer(outputs * t_)),
                   kSend);
    segment(outputs);
    if (column_ + 1 < columns_) {
      on_microthread(p_.vector(VectorOp::kMove, DataType::kInt32, control_, P::integer(kHandOn),
                               P::integer(1)),
                     kSend);
    }
    segment(outputs * (columns_ - 1 - column_));
    p_.end();
    return p_.build();
  }

 private:
  static constexpr std::uint8_t kOutputsLeft = 0;
  enum : std::uint8_t { kSums, kSend };  // microthreads

  DataType plain() const { return type_ == DataType::kFp32 ? type_ : DataType::kFp16; }

  void segment(std::uint32_t outputs) {
    if (outputs % 2 != 0) output();
    if (outputs < 2) return;
    p_.set(kOutputsLeft, P::integer(outputs / 2));
    const std::uint16_t begin = p_.here();
    p_.scalar(VectorOp::kSub, DataType::kInt32, kOutputsLeft, P::r(kOutputsLeft), P::integer(1));
    output();
    output();
    p_.jump_if_not_zero(P::r(kOutputsLeft), begin);
  }
  void output() {
    const std::uint32_t b = buffer_;
    buffer_ = 1 - buffer_;
    p_.vector(VectorOp::kMove, plain(), output_, in_, P::integer(t_));
    p_.vector(VectorOp::kMove, type_, sums_[b], P::integer(0), P::integer(inputs_));
    for (std::uint32_t i = 0; i < inputs_; ++i) {
      p_.vector(VectorOp::kFma, type_, sum_[b][i], x_[i], output_, sum_[b][i], P::integer(t_));
    }
    const DataType of_sums = type_ == DataType::kFp16 ? type_ : DataType::kFp32;
    if (last_row_) {
      on_microthread(p_.vector(VectorOp::kMove, of_sums, sums_out_, sums_[b], P::integer(inputs_)),
                     kSums);
    } else {
      on_microthread(
          p_.vector(VectorOp::kAdd, of_sums, sums_out_, sums_in_, sums_[b], P::integer(inputs_)),
          kSums);
    }
  }

  const GradientGemmShape& shape_;
  const std::uint32_t column_, columns_;
  const bool last_row_;
  const DataType type_;
  const std::uint32_t t_, inputs_;
  std::uint32_t buffer_ = 0;
  P p_;
  Operand output_, all_dy_, in_, out_, control_, sums_in_, sums_out_;
  std::array<Operand, 2> sums_;
  std::array<std::vector<Operand>, 2> sum_;  ///< each as an accumulator
  std::vector<Operand> x_;
};

}  // namespace

std::uint32_t GradientGemmShape::tile_tokens() const {
  return round_up((tokens + mesh.rows - 1) / mesh.rows, lanes_of_wire(type));
}
std::uint32_t GradientGemmShape::tile_inputs() const {
  return round_up((inputs + mesh.columns - 1) / mesh.columns, sums_of_a_wavelet(type));
}

GradientGemm::GradientGemm(const GradientGemmShape& shape, const MeshConfig& config,
                           std::uint64_t seed, const MemoryMap& map)
    : shape_(shape),
      config_(config.compute),
      seed_(seed),
      map_(map),
      kernel_({shape.mesh.columns, shape.mesh.rows + 1}) {
  kernel_.name = "gradient gemm";
  check_stride(map, kernel_.name, shape.type, shape.tile_tokens());
  route();
  const fabric::Mesh mesh = kernel_.mesh();
  for (std::uint32_t x = 0; x < mesh.columns; ++x) {
    const std::uint16_t takes = kernel_.add(collector(x));
    const std::uint16_t last = kernel_.add(TileProgram(shape_, x, mesh.rows - 1, map).write());
    kernel_.program_of[mesh.tile(x, 0)] = takes;
    std::array<std::uint16_t, 2> of_rows{};  // by parity: colors of the column take turns
    for (std::uint32_t y = 1; y + 1 < mesh.rows; ++y) {
      if (y < 3) of_rows[y % 2] = kernel_.add(TileProgram(shape_, x, y, map).write());
      kernel_.program_of[mesh.tile(x, y)] = of_rows[y % 2];
    }
    kernel_.program_of[mesh.tile(x, mesh.rows - 1)] = last;
  }
  dw_ = *kernel_.programs[0].find_array("dw");
  x_ = *kernel_.programs[1].find_array("x");
  dy_ = *kernel_.programs[1].find_array("dy");
}

void GradientGemm::route() {
  const fabric::Mesh mesh = kernel_.mesh();
  for (std::uint32_t y = 1; y < mesh.rows; ++y) {
    route_turns(kernel_.routes, Line::row(mesh, y, 0, mesh.columns - 1), kRowColor);
  }
  for (std::uint32_t x = 0; x < mesh.columns; ++x) {
    for (std::uint32_t y = 1; y < mesh.rows; ++y) {
      kernel_.routes.set(mesh.tile(x, y), color_of(y), {Port::kRamp, Port::kNorth});
      kernel_.routes.set(mesh.tile(x, y - 1), color_of(y), {Port::kSouth, Port::kRamp});
    }
  }
}

/// Takes the gradients of a column.
Program GradientGemm::collector(std::uint32_t column) const {
  const std::uint32_t n = shape_.tile_outputs() * shape_.mesh.columns * shape_.tile_inputs();
  const std::uint8_t bytes = sum_bytes_of(shape_.type);
  P p(fmt::format("collector of column {}", column));
  const Array dw = p.array("dw", n, bytes);
  p.input(0, color_of(1));
  const Operand in = p.fabric_in(0, bytes);
  p.task("take").active = true;
  p.vector(VectorOp::kMove, bytes == 2 ? DataType::kFp16 : DataType::kFp32, p.all(dw), in,
           P::integer(n));
  p.end();
  return p.build();
}

base::Rectangle GradientGemm::working_tiles() const {
  return {{0, kernel_.mesh().columns}, {1, kernel_.mesh().rows}};
}

base::Cycles GradientGemm::predicted() const {
  const std::uint64_t t = shape_.tile_tokens();
  const std::uint64_t inputs = shape_.tile_inputs();
  const std::uint64_t outputs = std::uint64_t{shape_.tile_outputs()} * shape_.mesh.columns;
  const TileConfig tile = tile_config_of(config_);
  const CostTerms terms{tile, precision_of(shape_.type)};
  return terms.axpy(outputs * inputs, t) +
         terms.gradient_start(outputs, t, inputs, shape_.mesh.columns) +
         terms.column_reduction(outputs, inputs) + CostTerms::output_start(outputs);
}

double GradientGemm::error_bound() const {
  if (shape_.type != DataType::kFp16) return 1e-5;
  return std::ldexp(1.0, -11) * (1 + std::sqrt(shape_.tokens));
}

// Data ----------------------------------------------------------------------------------------------

double GradientGemm::number(std::uint32_t which, std::uint32_t feature, std::uint32_t token) const {
  const std::uint32_t features = which == 0 ? shape_.inputs : shape_.outputs;
  if (feature >= features || token >= shape_.tokens) return 0;
  const std::uint64_t stream = std::uint64_t{which} << 32 | feature;
  return rounded(random_number(seed_, stream, token), element_bytes_of(shape_.type));
}

void GradientGemm::fill(TileMesh& mesh) const {
  const fabric::Mesh m = kernel_.mesh();
  const std::uint32_t t = shape_.tile_tokens();
  const auto put = [&](std::uint32_t which, const Array& array, std::uint32_t features,
                       std::uint32_t distance) {
    for (std::uint32_t x = 0; x < m.columns; ++x) {
      for (std::uint32_t y = 1; y < m.rows; ++y) {
        for (std::uint32_t f = 0; f < features; ++f) {
          std::vector<double> values;
          for (std::uint32_t k = 0; k < t; ++k) {
            values.push_back(number(which, x * features + f, (y - 1) * t + k));
          }
          write_numbers(mesh, m.tile(x, y), array, values, f * distance);
        }
      }
    }
  };
  put(0, x_, shape_.tile_inputs(), stride(shape_, map_));
  put(1, dy_, shape_.tile_outputs(), output_stride(shape_, map_));
}

void GradientGemm::compare(Comparison& comparison) const {
  const std::uint32_t inputs = shape_.tile_inputs();
  std::vector<std::vector<double>> x(std::size_t{inputs} * shape_.mesh.columns);
  for (std::uint32_t i = 0; i < x.size(); ++i) {
    for (std::uint32_t token = 0; token < shape_.tokens; ++token) {
      x[i].push_back(number(0, i, token));
    }
  }
  for (std::uint32_t o = 0; o < shape_.outputs; ++o) {
    std::vector<double> dy;
    for (std::uint32_t token = 0; token < shape_.tokens; ++token) dy.push_back(number(1, o, token));
    for (std::uint32_t column = 0; column < shape_.mesh.columns; ++column) {
      std::vector<double> sums(inputs, 0);
      for (std::uint32_t i = 0; i < inputs; ++i) {
        for (std::uint32_t token = 0; token < shape_.tokens; ++token) {
          sums[i] += x[column * inputs + i][token] * dy[token];
        }
      }
      comparison.add(column, dw_, sums, o * inputs);
    }
  }
}

}  // namespace wse::tiles
