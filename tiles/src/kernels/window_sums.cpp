// SPDX-License-Identifier: Apache-2.0
#include "window_sums.h"

#include <cmath>

#include "wse/tiles/half.h"

namespace wse::tiles {
namespace {

/// How the tiles of a ring add, in the order in which they do, bit for bit; and in double precision.
class RowSums {
 public:
  RowSums(DataType type, std::uint32_t tokens) : type_(type), own_(tokens), exact_(tokens) {}

  /// The sums of a tile over its inputs: `x` by input, by token.
  void multiply(const float* x, const float* w, std::uint32_t inputs) {
    const std::size_t t = own_.size();
    for (std::size_t k = 0; k < t; ++k) own_[k] = product(x[k], w[0]);
    for (std::uint32_t i = 1; i < inputs; ++i) add_products(x + i * t, w[i]);
    exact_.assign(t, 0);
    for (std::uint32_t i = 0; i < inputs; ++i) {
      const double weight = w[i];
      for (std::size_t k = 0; k < t; ++k) exact_[k] += weight * static_cast<double>(x[i * t + k]);
    }
  }
  /// What a tile sends on: what it hears and its own.
  void pass(std::vector<float>& sum, std::vector<double>& exact, bool begins) const {
    for (std::size_t k = 0; k < own_.size(); ++k) {
      sum[k] = on_wire(begins ? own_[k] : sum[k] + own_[k]);
      exact[k] = begins ? exact_[k] : exact[k] + exact_[k];
    }
  }

 private:
  float on_wire(float value) const {
    return type_ == DataType::kFp32 ? value : Half::of(value).value();
  }
  float product(float x, float w) const {
    return type_ == DataType::kFp16 ? Half::of(x * w).value() : x * w;
  }
  void add_products(const float* x, float w) {
    const std::size_t t = own_.size();
    switch (type_) {
      case DataType::kFp16:
        for (std::size_t k = 0; k < t; ++k) {
          own_[k] = fma(Half::of(x[k]), Half::of(w), Half::of(own_[k])).value();
        }
        return;
      case DataType::kMixed:  // products of two fp16 are exact
        for (std::size_t k = 0; k < t; ++k) own_[k] = x[k] * w + own_[k];
        return;
      default:
        for (std::size_t k = 0; k < t; ++k) own_[k] = std::fma(x[k], w, own_[k]);
    }
  }

  const DataType type_;
  std::vector<float> own_;
  std::vector<double> exact_;
};

/// All sums of a row of tiles.
class RowWalk {
 public:
  RowWalk(const WindowGemmShape& shape, const WindowData& data,
          const std::vector<WindowPlace>& places)
      : shape_(shape),
        data_(data),
        place_of_rank_(shape.ring, kNone32),
        places_(places),
        sums_(shape.type, shape.tile_tokens),
        x_(std::size_t{data.first_input(shape.ring)} * shape.tile_tokens),
        sum_(shape.tile_tokens),
        exact_(shape.tile_tokens) {
    for (std::uint32_t p = 0; p < places.size(); ++p) place_of_rank_[places[p].rank] = p;
    for (std::uint32_t o = 0; o < shape.block_outputs; ++o) {
      for (std::uint32_t i = 0; i < data.first_input(shape.ring); ++i) {
        weights_.push_back(static_cast<float>(data.weight(i, shape.first_output + o)));
      }
    }
  }

  void walk(std::uint32_t row, std::vector<std::vector<double>>& to) {
    const std::uint32_t t = shape_.tile_tokens;
    for (std::uint32_t i = 0; i < data_.first_input(shape_.ring); ++i) {
      for (std::uint32_t k = 0; k < t; ++k) {
        x_[std::size_t{i} * t + k] =
            static_cast<float>(data_.activation(i, (shape_.first_row + row) * t + k));
      }
    }
    for (std::uint32_t o = 0; o < shape_.block_outputs; ++o) walk_output(o, to);
  }

 private:
  static constexpr std::uint32_t kNone32 = ~0U;

  void walk_output(std::uint32_t o, std::vector<std::vector<double>>& to) {
    const std::uint32_t output = shape_.first_output + o;
    const std::uint32_t owner = output / shape_.outputs_of_rank();
    const float* const w = &weights_[std::size_t{o} * data_.first_input(shape_.ring)];
    for (std::uint32_t i = 1; i <= shape_.ring; ++i) {
      const std::uint32_t rank = (owner + i) % shape_.ring;
      const std::uint32_t first = data_.first_input(rank);
      sums_.multiply(&x_[std::size_t{first} * shape_.tile_tokens], w + first, data_.inputs(rank));
      const std::uint32_t p = place_of_rank_[rank];
      const bool gets = p != kNone32 && !places_[p].hears;
      if (gets) {  // nothing comes for an output that begins here
        for (const float value : sum_) to[p].push_back(i == 1 ? 0.0 : static_cast<double>(value));
      }
      sums_.pass(sum_, exact_, i == 1);
      const bool keeps = p != kNone32 && !gets && has_place(shape_, places_[p], output);
      if (keeps) to[p].insert(to[p].end(), exact_.begin(), exact_.end());
    }
  }

  const WindowGemmShape& shape_;
  const WindowData& data_;
  std::vector<std::uint32_t> place_of_rank_;
  const std::vector<WindowPlace>& places_;
  RowSums sums_;
  std::vector<float> x_, weights_;
  std::vector<float> sum_;
  std::vector<double> exact_;
};

}  // namespace

WindowData::WindowData(const WindowGemmShape& shape, std::uint64_t seed)
    : shape_(shape), seed_(seed), first_{0} {
  const LineRing ring = window_ring(shape);
  for (std::uint32_t rank = 0; rank < shape.ring; ++rank) {
    first_.push_back(first_.back() + shape.inputs_of(ring.place(rank)));
  }
}

double WindowData::activation(std::uint32_t input, std::uint32_t token) const {
  return rounded(random_number(seed_, 1 + std::uint64_t{token}, input),
                 element_bytes_of(shape_.type));
}

double WindowData::weight(std::uint32_t input, std::uint32_t output) const {
  if (input >= shape_.inputs) return 0;
  if (shape_.transposed) std::swap(input, output);
  const std::uint64_t stream = (std::uint64_t{1} << 32) + output;
  return rounded(random_number(seed_, stream, input), element_bytes_of(shape_.type));
}

std::vector<std::vector<double>> window_sums(const WindowGemmShape& shape, const WindowData& data,
                                             const std::vector<WindowPlace>& places) {
  std::vector<std::vector<double>> sums(places.size());
  RowWalk walk(shape, data, places);
  for (std::uint32_t row = 0; row < shape.rows; ++row) walk.walk(row, sums);
  return sums;
}

}  // namespace wse::tiles
