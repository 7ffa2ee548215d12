// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/kernels/streamed_gemm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "axpy_layout.h"
#include "line.h"
#include "terms_of.h"
#include "turns.h"
#include "wse/tiles/cost_terms.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {
namespace {

using fabric::Port;
using fabric::PortSet;
using P = ProgramBuilder;

constexpr std::uint8_t kWeightColor = 0;
constexpr std::uint8_t kRingColors = 1;  // four
constexpr std::uint8_t kRingInput = 1;   // queues
constexpr std::uint8_t kRingOutput = 2;
LineRing ring_of(const StreamedGemmShape& shape) {
  return LineRing::folded(Line::row(shape.mesh, 0, 0, shape.mesh.columns - 1), kRingColors);
}

/// The program of the tiles of a rank that hold activations.
class TileProgram {
 public:
  TileProgram(const StreamedGemmShape& shape, const ComputeConfig& config, const LineRing& ring,
              std::uint32_t rank, const MemoryMap& map)
      : shape_(shape),
        ring_(ring),
        rank_(rank),
        type_(shape.type),
        t_(shape.tile_tokens()),
        inputs_(shape.tile_inputs()),
        outputs_(shape.tile_outputs()),
        p_(fmt::format("activations of rank {}", rank), map) {
    const std::uint8_t bytes = element_bytes_of(type_);
    const std::uint8_t sum_bytes = sum_bytes_of(type_);
    const AxpyLayout layout(type_, t_, map);
    x_ = p_.array("x", layout.elements(inputs_), bytes);
    const bool near = 2 * t_ * sum_bytes <= config.cache_bytes;
    // What is left over of sums is written to y, at the pace of wavelets.
    begin_in_pair(p_, type_ == DataType::kFp32 ? 2 : 0);
    y_ = p_.array("y", layout.elements(outputs_), bytes);
    if (!near) begin_in_pair(p_, AxpyLayout::sum_pair(type_));
    for (Array& sum : sums_) {
      const std::uint32_t n = near ? t_ : round_up(t_, kBankTurn / sum_bytes);
      sum = near ? p_.near_array(&sum == &sums_[0] ? "sum 0" : "sum 1", n, sum_bytes)
                 : p_.array(&sum == &sums_[0] ? "sum 0" : "sum 1", n, sum_bytes);
    }
    p_.input(0, kWeightColor);
    if (ring.size() > 1) {
      p_.input(kRingInput, ring.receives(rank));
      p_.output(kRingOutput, ring.sends(rank));
      in_ = p_.fabric_in(kRingInput, bytes);
      out_ = p_.fabric_out(kRingOutput, bytes);
    }
    own_ = p_.at_register(layout.walk(p_, y_, 0), kOutput);
    for (std::uint32_t b = 0; b < 2; ++b) sum_[b] = p_.part(sums_[b], 0, t_);
    if (sparse()) {
      features_.push_back(p_.at_register(layout.walk(p_, x_, 0), kAddress));
    } else {
      for (std::uint32_t i = 0; i < inputs_; ++i) {
        features_.push_back(layout.walk(p_, x_, i));
      }
    }
  }

  Program write() {
    p_.task("multiply").active = true;
    const std::uint32_t ranks = ring_.size();
    if (ranks == 1) {
      segment(Role::kAlone, 1);
    } else if (rank_ == 0) {
      segment(Role::kEnd, 1);
      segment(Role::kPass, ranks - 2);
      segment(Role::kBegin, 1);
    } else {
      segment(Role::kPass, rank_ - 1);
      segment(Role::kBegin, 1);
      segment(Role::kEnd, 1);
      segment(Role::kPass, ranks - 1 - rank_);
    }
    p_.end();
    return p_.build();
  }

 private:
  static constexpr std::uint8_t kWeight = 0;
  static constexpr std::uint8_t kAddress = 1;  // of the feature of a sparse weight
  static constexpr std::uint8_t kOutput = 2;   // address of the next result, less that of the first
  static constexpr std::uint8_t kLeft = 3;

  /// What the tile is to an output: the first on the way around the ring, or the owner.
  enum class Role : std::uint8_t { kBegin, kPass, kEnd, kAlone };

  bool sparse() const { return shape_.density < 1; }

  /// All outputs of so many ranks.
  void segment(Role role, std::uint32_t ranks) {
    in_turns_of_two(p_, kLeft, outputs_ * ranks, [&] { output(role); });
  }

  void output(Role role) {
    sparse() ? multiply_sparse() : multiply_dense();
    const Operand sum = sum_[buffer_];
    buffer_ = 1 - buffer_;
    const Operand n = P::integer(t_);
    switch (role) {
      case Role::kBegin:
        on_microthread(p_.vector(VectorOp::kMove, type_, out_, sum, n), 0);
        break;
      case Role::kPass:
        on_microthread(p_.vector(VectorOp::kAdd, type_, out_, in_, sum, n), 0);
        break;
      case Role::kEnd:
        on_microthread(p_.vector(VectorOp::kAdd, type_, own_, in_, sum, n), 0);
        break;
      case Role::kAlone:
        on_microthread(p_.vector(VectorOp::kMove, type_, own_, sum, n), 0);
        break;
    }
    if (role == Role::kEnd || role == Role::kAlone) {
      const AxpyLayout layout(type_, t_, p_.map());
      const std::uint32_t to = layout.first(owned_ + 1) - layout.first(owned_);
      p_.scalar(VectorOp::kAdd, DataType::kInt32, kOutput, P::r(kOutput),
                P::integer(to * y_.element_bytes));
      owned_ = 1 - owned_;
    }
  }

  void multiply(bool first, const Operand& feature) {
    const Operand sum = sum_[buffer_];
    const Operand n = P::integer(t_);
    if (first) {
      p_.vector(VectorOp::kMul, type_, sum, feature, P::r(kWeight), n);
    } else {
      p_.vector(VectorOp::kFma, type_, sum, feature, P::r(kWeight), sum, n);
    }
  }

  void multiply_dense() {
    for (std::uint32_t i = 0; i < inputs_; ++i) {
      p_.receive(kWeight, 0, type_);
      multiply(i == 0, features_[i]);
    }
  }

  void receive_sparse(std::vector<std::uint16_t>& ends) {
    ends.push_back(p_.here());
    if (type_ == DataType::kFp32) {
      p_.receive(kAddress, 0, DataType::kInt32, 0);
      p_.receive(kWeight, 0, type_);
    } else {
      p_.receive(kWeight, 0, type_, 0);
    }
  }

  /// Weights until a control wavelet; none leaves sums of zero.
  void multiply_sparse() {
    constexpr std::uint32_t kTurn = 8;
    std::vector<std::uint16_t> empty;
    std::vector<std::uint16_t> ends;
    receive_sparse(empty);
    multiply(true, features_[0]);
    const std::uint16_t begin = p_.here();
    for (std::uint32_t i = 0; i < kTurn; ++i) {
      receive_sparse(ends);
      multiply(false, features_[0]);
    }
    p_.jump(begin);
    p_.at(empty[0]).target = p_.here();
    p_.vector(VectorOp::kMove, type_, sum_[buffer_], P::integer(0), P::integer(t_));
    for (const std::uint16_t i : ends) p_.at(i).target = p_.here();
  }

  const StreamedGemmShape& shape_;
  const LineRing& ring_;
  const std::uint32_t rank_;
  const DataType type_;
  const std::uint32_t t_, inputs_, outputs_;
  std::uint32_t buffer_ = 0;
  std::uint32_t owned_ = 0;  ///< results of the tile so far, modulo 2
  ProgramBuilder p_;
  Array x_, y_;
  std::array<Array, 2> sums_;
  Operand in_, out_, own_;
  std::array<Operand, 2> sum_;
  std::vector<Operand> features_;
};

}  // namespace

std::uint32_t StreamedGemmShape::tile_tokens() const {
  const std::uint32_t each = (tokens + mesh.rows - 1) / mesh.rows;
  return round_up(each, lanes_of_wire(type));
}

std::uint32_t StreamedGemmShape::column_of_output(std::uint32_t output) const {
  return ring_of(*this).place(output / tile_outputs());
}

StreamedGemm::StreamedGemm(const StreamedGemmShape& shape, const MeshConfig& config,
                           std::uint64_t seed, const MemoryMap& map)
    : shape_(shape),
      config_(config.compute),
      queue_depth_(config.fabric.queue_depth),
      tile_(tile_config_of(config.compute)),
      seed_(seed),
      map_(map),
      kernel_({shape.mesh.columns, shape.mesh.rows + 1}) {
  kernel_.name = "streamed gemm";
  check_stride(map, kernel_.name, shape.type, shape.tile_tokens());
  make_data();
  route();
  const LineRing ring = ring_of(shape);
  const std::uint16_t feeder = kernel_.add(weight_program());
  const fabric::Mesh mesh = kernel_.mesh();
  for (std::uint32_t x = 0; x < mesh.columns; ++x) {
    kernel_.program_of[mesh.tile(x, 0)] = feeder;
    const std::uint16_t number =
        kernel_.add(TileProgram(shape_, config_, ring, ring.rank(x), map).write());
    for (std::uint32_t y = 1; y < mesh.rows; ++y) kernel_.program_of[mesh.tile(x, y)] = number;
  }
  const Program& any = kernel_.programs.back();
  x_ = *any.find_array("x");
  y_ = *any.find_array("y");
  weights_ = *kernel_.programs.front().find_array("weights");
  counts_ = *kernel_.programs.front().find_array("counts");
}

void StreamedGemm::route() {
  const fabric::Mesh mesh = kernel_.mesh();
  route_down(kernel_.routes, mesh, kWeightColor);
  for (std::uint32_t y = 1; y < mesh.rows; ++y) {
    LineRing::folded(Line::row(mesh, y, 0, mesh.columns - 1), kRingColors).route(kernel_.routes);
  }
}

/// Sends the words of each output, and a control wavelet behind them where they are not always as
/// many.
Program StreamedGemm::weight_program() const {
  constexpr std::uint8_t kLeft = 0;
  constexpr std::uint8_t kWords = 1;
  constexpr std::uint8_t kAt = 2;
  const bool sparse = shape_.density < 1;
  std::uint64_t most = 0;
  for (std::uint32_t x = 0; x < shape_.mesh.columns; ++x) {
    most = std::max(most, weights_of_column(x));
  }
  const std::uint64_t words = most * (sparse && shape_.type == DataType::kFp32 ? 2 : 1);
  if (words > (std::uint64_t{1} << 20)) {
    throw ProgramError(fmt::format("{}: {} weights a column; a tile of the first row holds fewer",
                                   kernel_.name, most));
  }
  ProgramBuilder p("weights");
  const Array weights =
      p.array("weights", static_cast<std::uint32_t>(std::max<std::uint64_t>(words, 1)));
  const Array counts = p.array("counts", all_outputs());
  p.output(2, kWeightColor);
  const Operand out = p.fabric_out(2);
  p.task("weights").active = true;
  if (!sparse) {
    p.vector(VectorOp::kMove, DataType::kInt32, out, p.all(weights),
             P::integer(static_cast<std::int64_t>(words)));
    p.end();
    return p.build();
  }
  const Operand next = p.circular(weights);
  const Operand control = p.control_out(2);
  p.set(kLeft, P::integer(all_outputs()));
  p.set(kAt, P::integer(counts.address));
  const std::uint16_t begin = p.here();
  p.load(kWords, P::r(kAt));
  p.vector(VectorOp::kMove, DataType::kInt32, out, next, P::r(kWords));
  p.vector(VectorOp::kMove, DataType::kInt32, control, P::integer(0), P::integer(1));
  p.scalar(VectorOp::kAdd, DataType::kInt32, kAt, P::r(kAt), P::integer(4));
  p.scalar(VectorOp::kSub, DataType::kInt32, kLeft, P::r(kLeft), P::integer(1));
  p.jump_if_not_zero(P::r(kLeft), begin);
  p.end();
  return p.build();
}

// Data ----------------------------------------------------------------------------------------------

void StreamedGemm::make_data() {
  const std::uint8_t bytes = element_bytes_of(shape_.type);
  const std::uint32_t inputs = shape_.tile_inputs() * shape_.mesh.columns;
  activations_.resize(std::size_t{inputs} * all_tokens());
  for (std::uint32_t i = 0; i < shape_.inputs; ++i) {
    for (std::uint32_t t = 0; t < shape_.tokens; ++t) {
      activations_[std::size_t{i} * all_tokens() + t] =
          rounded(random_number(seed_, 1 + t, i), bytes);
    }
  }
  for (std::uint32_t o = 0; o < all_outputs(); ++o) {
    for (std::uint32_t rank = 0; rank < shape_.mesh.columns; ++rank) {
      weight_data_.push_back(make_weights(rank, o));
    }
  }
}

/// Of the features of a rank, in order, for an output: without zeros if it is sparse, with those of
/// the padding else.
std::vector<StreamedGemm::Weight> StreamedGemm::make_weights(std::uint32_t rank,
                                                             std::uint32_t output) const {
  std::vector<Weight> all;
  for (std::uint32_t i = 0; i < shape_.tile_inputs(); ++i) {
    const std::uint32_t input = rank * shape_.tile_inputs() + i;
    const bool padding = input >= shape_.inputs || output >= shape_.outputs;
    const double value = padding ? 0 : weight(input, output);
    if (shape_.density == 1 || value != 0) all.push_back({i, value});
  }
  return all;
}

double StreamedGemm::weight(std::uint32_t input, std::uint32_t output) const {
  if (shape_.transposed) std::swap(input, output);
  const std::uint64_t stream = (std::uint64_t{1} << 32) + output;
  if (shape_.density < 1) {
    const double place = (random_number(seed_ + 1, stream, input) + 1.0) / 2;
    if (place >= shape_.density) return 0;
  }
  return rounded(random_number(seed_, stream, input), element_bytes_of(shape_.type));
}

std::uint64_t StreamedGemm::weights_of_column(std::uint32_t x) const {
  const std::uint32_t rank = ring_of(shape_).rank(x);
  std::uint64_t sum = 0;
  for (std::uint32_t o = 0; o < all_outputs(); ++o) sum += weights(rank, o).size();
  return sum;
}

void StreamedGemm::fill(TileMesh& mesh) const {
  const fabric::Mesh m = kernel_.mesh();
  const std::uint32_t t = shape_.tile_tokens();
  const AxpyLayout layout(shape_.type, shape_.tile_tokens(), map_);
  const bool sparse = shape_.density < 1;
  const LineRing ring = ring_of(shape_);
  for (std::uint32_t x = 0; x < m.columns; ++x) {
    const std::uint32_t rank = ring.rank(x);
    std::vector<std::uint32_t> words;
    std::vector<std::uint32_t> counts;
    for (std::uint32_t o = 0; o < all_outputs(); ++o) {
      const std::size_t before = words.size();
      for (const Weight& w : weights(rank, o)) {
        const std::uint32_t address = layout.first(w.input) * x_.element_bytes;
        const std::uint32_t bits = bits_of_number(w.value, x_.element_bytes);
        if (shape_.type != DataType::kFp32) {
          words.push_back(bits | address << 16);
        } else {
          if (sparse) words.push_back(address);
          words.push_back(bits);
        }
      }
      counts.push_back(static_cast<std::uint32_t>(words.size() - before));
    }
    mesh.write(m.tile(x, 0), weights_.address, words.data(), 4 * words.size());
    mesh.write(m.tile(x, 0), counts_.address, counts.data(), 4 * counts.size());
    for (std::uint32_t y = 1; y < m.rows; ++y) {
      for (std::uint32_t i = 0; i < shape_.tile_inputs(); ++i) {
        const double* const first =
            &activations_[std::size_t{rank * shape_.tile_inputs() + i} * all_tokens() +
                          std::size_t{y - 1} * t];
        for (std::uint32_t k = 0; k < t; ++k) {
          write_numbers(mesh, m.tile(x, y), x_, {first[k]}, layout.element(i, k));
        }
      }
    }
  }
}

void StreamedGemm::compare(Comparison& comparison) const {
  const fabric::Mesh m = kernel_.mesh();
  const std::uint32_t t = shape_.tile_tokens();
  const LineRing ring = ring_of(shape_);
  const AxpyLayout layout(shape_.type, shape_.tile_tokens(), map_);
  for (std::uint32_t o = 0; o < shape_.outputs; ++o) {
    std::vector<double> sums(all_tokens());
    for (std::uint32_t rank = 0; rank < m.columns; ++rank) {
      for (const Weight& w : weights(rank, o)) {
        const double* const x =
            &activations_[std::size_t{rank * shape_.tile_inputs() + w.input} * all_tokens()];
        for (std::uint32_t k = 0; k < sums.size(); ++k) sums[k] += w.value * x[k];
      }
    }
    const std::uint32_t x = ring.place(o / shape_.tile_outputs());
    for (std::uint32_t y = 1; y < m.rows; ++y) {
      for (std::uint32_t k = 0; k < t; ++k) {
        comparison.add(m.tile(x, y), y_, {sums[(y - 1) * t + k]},
                       layout.element(o % shape_.tile_outputs(), k));
      }
    }
  }
}

base::Rectangle StreamedGemm::working_tiles() const {
  return {{0, kernel_.mesh().columns}, {1, kernel_.mesh().rows}};
}

base::Cycles StreamedGemm::predicted() const {
  const CostTerms terms = cost_terms();
  const std::uint32_t t = shape_.tile_tokens();
  if (shape_.density == 1) {
    const std::uint64_t all = std::uint64_t{all_outputs()} * shape_.tile_inputs();
    return terms.axpy(all, t) + terms.vector_start(all) + terms.row_reduction(all_outputs(), t) +
           CostTerms::output_start(all_outputs());
  }
  return predicted_sparse(terms);
}

/// Outputs one after the other, as all ranks go through them: a rank multiplies an output while its
/// reduction of the one before takes steps of the datapath in turn with it, and begins a reduction
/// when that before it has ended. A word is added after that of the rank before has come, and given
/// once the next rank has room for it.
base::Cycles StreamedGemm::predicted_sparse(const CostTerms& terms) const {
  constexpr base::Cycles kHop = 5;     // from a rank to the next one
  constexpr base::Cycles kOutput = 2;  // control wavelet, half a countdown and jump
  constexpr base::Cycles kStart = 1;   // of a reduction, when the one before has ended
  // Words between two ranks: queues of their engines, of a ramp and of two links.
  const std::uint32_t queues =
      config_.output_depths[kRingOutput] + 3 * queue_depth_ + config_.input_depths[kRingInput];
  const std::uint32_t p = shape_.mesh.columns;
  const std::uint32_t t = shape_.tile_tokens();
  const auto words = static_cast<std::uint32_t>(terms.row_reduction(1, t));
  const base::Cycles receive = shape_.type == DataType::kFp32 ? 2 : 1;
  const base::Cycles weight = terms.axpy(1, t) + receive;
  const base::Cycles clear = base::ceil_div(t, config_.lanes(VectorOp::kMove, shape_.type));
  const auto work_of = [&](std::uint32_t r, std::uint32_t o) -> base::Cycles {
    if (o == all_outputs()) return 0;
    const std::size_t n = weights(r, o).size();
    return kOutput + (n == 0 ? clear : n * weight + (n - 1) / 8);
  };
  std::vector<base::Cycles> now(p, 0);        // of the reduction of a rank
  std::vector<base::Cycles> work(p, 0);       // steps left of the output that it multiplies
  const std::uint32_t kept = words + queues;  // cycles in which a rank gave its last words
  std::vector<std::vector<base::Cycles>> given(p, std::vector<base::Cycles>(kept, 0));
  std::uint64_t word = 0;
  for (std::uint32_t r = 0; r < p; ++r) work[r] = work_of(r, 0);
  const auto wait_until = [&](std::uint32_t r, base::Cycles cycle) {
    if (cycle <= now[r]) return;
    work[r] -= std::min(work[r], cycle - now[r]);
    now[r] = cycle;
  };
  for (std::uint32_t o = 0; o < all_outputs(); ++o) {
    for (std::uint32_t r = 0; r < p; ++r) {
      now[r] += work[r] + kStart;
      work[r] = work_of(r, o + 1);
    }
    const std::uint32_t first = o / shape_.tile_outputs() + 1;
    for (std::uint32_t w = 0; w < words; ++w, ++word) {
      for (std::uint32_t i = 0; i < p; ++i) {
        const std::uint32_t r = (first + i) % p;
        if (i > 0) wait_until(r, given[(r + p - 1) % p][word % kept] + kHop);
        if (i + 1 < p && word >= queues) {
          wait_until(r, given[(r + 1) % p][(word - queues) % kept]);
        }
        const base::Cycles shared = std::min<base::Cycles>(work[r], 1);
        work[r] -= shared;
        now[r] += 1 + shared;
        given[r][word % kept] = now[r];
      }
    }
  }
  return *std::max_element(now.begin(), now.end());
}

CostTerms StreamedGemm::cost_terms() const { return CostTerms{tile_, precision_of(shape_.type)}; }

double StreamedGemm::error_bound() const {
  if (shape_.type == DataType::kFp32) return 1e-5;
  const double wire = shape_.mesh.columns;
  const double in_tile = shape_.type == DataType::kFp16 ? shape_.tile_inputs() : 0;
  return std::ldexp(1.0, -11) * (1 + std::sqrt(wire + in_tile * wire));
}

}  // namespace wse::tiles
