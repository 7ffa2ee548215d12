// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "gpt_layout.h"
#include "gpt_operations.h"
#include "gpt_tensors.h"
#include "wse/tiles/kernels/rowwise.h"

namespace wse::model {

/// Appends operations to a list: the kernel with its arrays placed, and what its lanes bring and take.
/// Addresses are those of the layout, bytes.
class GptKernels {
 public:
  GptKernels(const GptMesh& on, const tiles::MeshConfig& config, const GptLayout& layout)
      : on_(on), config_(config), layout_(layout) {}

  std::vector<GptOperation> take_operations() { return std::move(operations_); }

  /// y = x W.
  void multiply(const std::string& name, const MatrixPlace& w, std::uint32_t x, std::uint32_t y);
  /// Gradients of W for y = x W.
  void weight_gradient(const std::string& name, const MatrixPlace& w, std::uint32_t x,
                       std::uint32_t dy);
  void add_bias(const std::string& name, const VectorPlace& b, std::uint32_t y);
  void bias_gradient(const std::string& name, const VectorPlace& b, std::uint32_t dy);
  /// Scales and shifts lie at `offset` among the parameters.
  void norm(std::size_t offset, const GptLayout::Norm& at);
  void norm_gradient(std::size_t offset, const GptLayout::Norm& at, std::uint32_t dy,
                     std::uint32_t dx);
  void attention(const GptLayout::Layer& at);
  void attention_gradient(const GptLayout::Layer& at, std::uint32_t dy, std::uint32_t dqkv);
  void gelu(std::uint32_t x, std::uint32_t y);
  void gelu_gradient(std::uint32_t x, std::uint32_t dy, std::uint32_t dx);
  /// y = a + b.
  void add(std::uint32_t a, std::uint32_t b, std::uint32_t y);
  /// Rows of a table of `rows`, by the word of a token or its position.
  enum class Table { kWords, kPositions };
  void look_up(Table table, std::uint32_t x);
  void look_up_gradient(Table table, std::uint32_t dx);
  /// The mean loss, and the gradient of the logits.
  void loss();
  void loss_gradient();

 private:
  using Map = std::map<std::string, std::uint32_t>;
  tiles::MemoryMap map(Map addresses) const;
  GptOperation& append(std::string name, tiles::Kernel kernel);
  /// At the transaction level.
  base::WorkItem work(base::Operation operation, std::uint64_t inputs,
                      std::uint64_t outputs = 0) const;
  base::WorkItem vector_work(base::VectorKind kind, std::uint64_t elements) const;
  GptOperation& rowwise(const std::string& name, tiles::RowwiseOp op, bool backward,
                        std::uint32_t features, Map addresses);
  void norm_parameters(std::size_t offset);
  void attention(bool backward, const GptLayout::Layer& at, std::uint32_t dy, std::uint32_t dqkv);
  GptOperation& table(Table table, bool backward, std::uint32_t x);
  std::uint32_t table_rows(Table table) const;
  std::size_t table_offset(Table table) const;

  const GptMesh& on_;
  const tiles::MeshConfig& config_;
  const GptLayout& layout_;
  std::vector<GptOperation> operations_;
};

}  // namespace wse::model
