// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "wse/model/gpt_mesh.h"

namespace wse::model {

inline constexpr std::uint32_t kNoFeature = 0xffffffff;

/// Which features lie where: one block a column after the other, or queries, keys and values of a column
/// side by side, as attention wants them.
class FeaturePlaces {
 public:
  static FeaturePlaces plain(const GptMesh& on, std::uint32_t features) {
    return {on, features, 1};
  }
  static FeaturePlaces of_heads(const GptMesh& on) { return {on, 3 * on.shape.width, 3}; }

  std::uint32_t features() const { return features_; }
  std::uint32_t in_tile() const { return in_tile_; }
  /// The feature that is number `i` in the tiles of a column; kNoFeature: padding.
  std::uint32_t at(std::uint32_t column, std::uint32_t i) const {
    const std::uint32_t each = in_tile_ / kinds_;
    const std::uint32_t feature = i / each * (features_ / kinds_) + column * each + i % each;
    return feature < features_ ? feature : kNoFeature;
  }

 private:
  FeaturePlaces(const GptMesh& on, std::uint32_t features, std::uint32_t kinds)
      : features_(features), kinds_(kinds), in_tile_(on.features(features)) {}

  std::uint32_t features_;
  std::uint32_t kinds_;
  std::uint32_t in_tile_;
};

/// A matrix among the parameters.
struct MatrixPlace {
  FeaturePlaces inputs, outputs;
  std::size_t offset;
  std::size_t input_stride, output_stride;

  std::size_t at(std::uint32_t input, std::uint32_t output) const {
    return offset + input * input_stride + output * output_stride;
  }
  MatrixPlace transposed() const { return {outputs, inputs, offset, output_stride, input_stride}; }
};

/// Numbers a feature among the parameters.
struct VectorPlace {
  FeaturePlaces features;
  std::size_t offset;
};

}  // namespace wse::model
