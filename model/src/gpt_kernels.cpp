// SPDX-License-Identifier: Apache-2.0
#include "gpt_kernels.h"

#include <utility>

#include "wse/tiles/kernels/attention.h"
#include "wse/tiles/kernels/column_kernels.h"
#include "wse/tiles/kernels/embedding.h"
#include "wse/tiles/kernels/gradient_gemm.h"
#include "wse/tiles/kernels/streamed_gemm.h"

namespace wse::model {
namespace {

using tiles::DataType;
using tiles::MeshMemory;
using tiles::RowwiseOp;

/// Kernels that judge themselves draw data from a seed; these get theirs from the lanes.
constexpr std::uint64_t kNoData = 0;

/// Of an array of the programs in a row of a kernel.
std::uint32_t address_of(const tiles::Kernel& kernel, const char* name, std::uint32_t row = 0) {
  return kernel.program(kernel.mesh().tile(0, row))->find_array(name)->address;
}

void write(MeshMemory& memory, std::uint32_t tile, std::uint32_t address,
           const std::vector<float>& numbers) {
  memory.write(tile, address, numbers.data(), 4 * numbers.size());
}
std::vector<float> read(const MeshMemory& memory, std::uint32_t tile, std::uint32_t address,
                        std::size_t n) {
  std::vector<float> numbers(n);
  memory.read(tile, address, numbers.data(), 4 * n);
  return numbers;
}

/// Of a product of all tokens, fp32.
template <class Shape>
Shape gemm_shape(const GptMesh& on, const MatrixPlace& w) {
  Shape shape;
  shape.mesh = on.mesh;
  shape.tokens = on.all_tokens();
  shape.inputs = w.inputs.features();
  shape.outputs = w.outputs.features();
  shape.type = DataType::kFp32;
  return shape;
}
/// Weights of it, or their gradients, with padding.
template <class Shape>
std::uint64_t weights_of(const Shape& shape) {
  return std::uint64_t{shape.mesh.columns} * shape.mesh.columns * shape.tile_outputs() *
         shape.tile_inputs();
}

}  // namespace

tiles::MemoryMap GptKernels::map(Map addresses) const {
  return {std::move(addresses), layout_.end, on_.stride()};
}

GptOperation& GptKernels::append(std::string name, tiles::Kernel kernel) {
  kernel.name = name;
  tiles::check(kernel, config_.sram.size_bytes, config_.compute.cache_bytes);
  operations_.push_back({std::move(name), std::move(kernel), {}, {}});
  return operations_.back();
}

base::WorkItem GptKernels::work(base::Operation operation, std::uint64_t inputs,
                                std::uint64_t outputs) const {
  base::WorkItem item;
  item.operation = operation;
  item.inputs = inputs;
  item.outputs = outputs;
  item.tokens = item.most_tokens = on_.all_tokens();
  return item;
}

base::WorkItem GptKernels::vector_work(base::VectorKind kind, std::uint64_t elements) const {
  base::WorkItem item = work(base::Operation::kVector, elements);
  item.vector = kind;
  return item;
}

// Matrices and biases --------------------------------------------------------------------------------

void GptKernels::multiply(const std::string& name, const MatrixPlace& w, std::uint32_t x,
                          std::uint32_t y) {
  const auto shape = gemm_shape<tiles::StreamedGemmShape>(on_, w);
  const tiles::StreamedGemm gemm(shape, config_, kNoData, map({{"x", x}, {"y", y}}));
  GptOperation& operation = append(name, gemm.kernel());
  operation.work = work(base::Operation::kGemmForward, shape.inputs, shape.outputs);
  operation.weight_words = weights_of(shape);
  const std::uint32_t address = address_of(operation.kernel, "weights");
  operation.fill = [w, shape, address](MeshMemory& memory, const GptStreams& streams) {
    const std::uint32_t each = shape.tile_outputs();
    for (std::uint32_t column = 0; column < shape.mesh.columns; ++column) {
      std::vector<float> words;
      for (std::uint32_t o = 0; o < each * shape.mesh.columns; ++o) {
        const std::uint32_t output = w.outputs.at(shape.column_of_output(o), o % each);
        for (std::uint32_t i = 0; i < shape.tile_inputs(); ++i) {
          const std::uint32_t input = w.inputs.at(column, i);
          const bool padding = input == kNoFeature || output == kNoFeature;
          words.push_back(padding ? 0
                                  : static_cast<float>(streams.parameters[w.at(input, output)]));
        }
      }
      write(memory, column, address, words);
    }
  };
}

void GptKernels::weight_gradient(const std::string& name, const MatrixPlace& w, std::uint32_t x,
                                 std::uint32_t dy) {
  const auto shape = gemm_shape<tiles::GradientGemmShape>(on_, w);
  const tiles::GradientGemm gemm(shape, config_, kNoData, map({{"x", x}, {"dy", dy}}));
  GptOperation& operation = append(name, gemm.kernel());
  operation.work = work(base::Operation::kGemmWeightGradient, shape.inputs, shape.outputs);
  operation.gradient_words = weights_of(shape);
  const std::uint32_t address = address_of(operation.kernel, "dw");
  operation.take = [w, shape, address](const MeshMemory& memory, GptStreams& streams) {
    const std::uint32_t each = shape.tile_outputs();
    const std::uint32_t inputs = shape.tile_inputs();
    const std::uint32_t outputs = each * shape.mesh.columns;
    for (std::uint32_t column = 0; column < shape.mesh.columns; ++column) {
      const std::vector<float> words = read(memory, column, address, std::size_t{outputs} * inputs);
      for (std::uint32_t o = 0; o < outputs; ++o) {
        const std::uint32_t output = w.outputs.at(o / each, o % each);
        for (std::uint32_t i = 0; i < inputs; ++i) {
          const std::uint32_t input = w.inputs.at(column, i);
          if (input == kNoFeature || output == kNoFeature) continue;
          streams.gradients[w.at(input, output)] += words[std::size_t{o} * inputs + i];
        }
      }
    }
  };
}

void GptKernels::add_bias(const std::string& name, const VectorPlace& b, std::uint32_t y) {
  GptOperation& operation = append(
      name, tiles::add_bias({on_.mesh, on_.tokens(), b.features.in_tile()}, map({{"y", y}})));
  const std::uint32_t address = address_of(operation.kernel, "bias");
  const std::uint32_t columns = on_.mesh.columns;
  operation.weight_words = std::uint64_t{columns} * b.features.in_tile();
  operation.fill = [b, address, columns](MeshMemory& memory, const GptStreams& streams) {
    for (std::uint32_t column = 0; column < columns; ++column) {
      std::vector<float> words;
      for (std::uint32_t i = 0; i < b.features.in_tile(); ++i) {
        const std::uint32_t feature = b.features.at(column, i);
        words.push_back(
            feature == kNoFeature ? 0 : static_cast<float>(streams.parameters[b.offset + feature]));
      }
      write(memory, column, address, words);
    }
  };
}

void GptKernels::bias_gradient(const std::string& name, const VectorPlace& b, std::uint32_t dy) {
  GptOperation& operation =
      append(name, tiles::sum_tokens({on_.mesh, on_.tokens(), b.features.in_tile()},
                                     config_.compute, map({{"dy", dy}})));
  const std::uint32_t address = address_of(operation.kernel, "sums");
  const std::uint32_t columns = on_.mesh.columns;
  operation.gradient_words = std::uint64_t{columns} * b.features.in_tile();
  operation.take = [b, address, columns](const MeshMemory& memory, GptStreams& streams) {
    for (std::uint32_t column = 0; column < columns; ++column) {
      const std::vector<float> sums = read(memory, column, address, b.features.in_tile());
      for (std::uint32_t i = 0; i < sums.size(); ++i) {
        const std::uint32_t feature = b.features.at(column, i);
        if (feature != kNoFeature) streams.gradients[b.offset + feature] += sums[i];
      }
    }
  };
}

void GptKernels::add(std::uint32_t a, std::uint32_t b, std::uint32_t y) {
  append("residual", tiles::add_activations({on_.mesh, on_.tokens(), on_.features(on_.shape.width)},
                                            map({{"a", a}, {"b", b}, {"y", y}})))
      .work = vector_work(base::VectorKind::kResidual, on_.shape.width);
}

// Token by token --------------------------------------------------------------------------------------

GptOperation& GptKernels::rowwise(const std::string& name, RowwiseOp op, bool backward,
                                  std::uint32_t features, Map addresses) {
  tiles::RowwiseShape shape;
  shape.mesh = on_.mesh;
  shape.tokens = on_.all_tokens();
  shape.features = features;
  shape.op = op;
  shape.backward = backward;
  return append(name, tiles::Rowwise(shape, config_, kNoData, map(std::move(addresses))).kernel());
}

void GptKernels::norm_parameters(std::size_t offset) {
  const std::uint32_t each = on_.features(on_.shape.width);
  GptOperation& operation =
      append("norm parameters",
             tiles::broadcast_down(on_.mesh, 2 * each, map({{"result", layout_.norm_parameters}})));
  const std::uint32_t address = address_of(operation.kernel, "source");
  const std::uint32_t columns = on_.mesh.columns;
  const std::uint32_t width = on_.shape.width;
  operation.weight_words = std::uint64_t{columns} * 2 * each;
  operation.fill = [=](MeshMemory& memory, const GptStreams& streams) {
    for (std::uint32_t column = 0; column < columns; ++column) {
      std::vector<float> words;
      for (std::uint32_t i = 0; i < 2 * each; ++i) {
        const std::size_t place = offset + i / each * width + column * each + i % each;
        words.push_back(static_cast<float>(streams.parameters[place]));
      }
      write(memory, column, address, words);
    }
  };
}

void GptKernels::norm(std::size_t offset, const GptLayout::Norm& at) {
  norm_parameters(offset);
  const std::uint32_t each = on_.features(on_.shape.width);
  rowwise("norm", RowwiseOp::kLayerNorm, false, on_.shape.width,
          {{"x", at.x},
           {"y", at.y},
           {"mean", at.mean},
           {"rstd", at.rstd},
           {"scale", layout_.norm_parameters},
           {"shift", layout_.norm_parameters + 4 * each}})
      .work = vector_work(base::VectorKind::kNormForward, on_.shape.width);
}

void GptKernels::norm_gradient(std::size_t offset, const GptLayout::Norm& at, std::uint32_t dy,
                               std::uint32_t dx) {
  norm_parameters(offset);
  const std::uint32_t each = on_.features(on_.shape.width);
  rowwise("norm gradient", RowwiseOp::kLayerNorm, true, on_.shape.width,
          {{"x", at.x},
           {"y", dx},
           {"dy", dy},
           {"mean", at.mean},
           {"rstd", at.rstd},
           {"scale", layout_.norm_parameters},
           {"shift", layout_.norm_parameters + 4 * each},
           {"value", layout_.norm_sums}})
      .work = vector_work(base::VectorKind::kNormBackward, on_.shape.width);
  // The gradients of the parameters are the last numbers of the value.
  const tiles::Array value = *operations_.back().kernel.programs.front().find_array("value");
  const std::uint32_t first = value.address + value.bytes() - 4 * 2 * each;
  GptOperation& operation =
      append("norm parameters gradient",
             tiles::lift_first_row(on_.mesh, 2 * each, map({{"source", first}})));
  const std::uint32_t address = address_of(operation.kernel, "result");
  const std::uint32_t columns = on_.mesh.columns;
  const std::uint32_t width = on_.shape.width;
  operation.gradient_words = std::uint64_t{columns} * 2 * each;
  operation.take = [=](const MeshMemory& memory, GptStreams& streams) {
    for (std::uint32_t column = 0; column < columns; ++column) {
      const std::vector<float> words = read(memory, column, address, 2 * each);
      for (std::uint32_t i = 0; i < 2 * each; ++i) {
        streams.gradients[offset + i / each * width + column * each + i % each] += words[i];
      }
    }
  };
}

void GptKernels::gelu(std::uint32_t x, std::uint32_t y) {
  rowwise("gelu", RowwiseOp::kGelu, false, on_.shape.feed_forward, {{"x", x}, {"y", y}}).work =
      vector_work(base::VectorKind::kGeluForward, on_.shape.feed_forward);
}

void GptKernels::gelu_gradient(std::uint32_t x, std::uint32_t dy, std::uint32_t dx) {
  rowwise("gelu gradient", RowwiseOp::kGelu, true, on_.shape.feed_forward,
          {{"x", x}, {"dy", dy}, {"y", dx}})
      .work = vector_work(base::VectorKind::kGeluBackward, on_.shape.feed_forward);
}

// Attention -------------------------------------------------------------------------------------------

void GptKernels::attention(bool backward, const GptLayout::Layer& at, std::uint32_t dy,
                           std::uint32_t dqkv) {
  tiles::AttentionShape shape;
  shape.mesh = on_.mesh;
  shape.tokens = on_.shape.positions;
  shape.heads = on_.shape.heads;
  shape.head_features = on_.shape.head_features();
  shape.backward = backward;
  const std::uint32_t keys = on_.features(on_.shape.width) * on_.stride() * 4;
  base::WorkItem item =
      work(backward ? base::Operation::kAttentionBackward : base::Operation::kAttentionForward,
           on_.shape.width);
  item.tokens = item.most_tokens = item.pattern.sequence = on_.shape.positions;
  item.heads = on_.shape.heads;
  for (std::uint32_t s = 0; s < on_.sequences; ++s) {
    const std::uint32_t first = 4 * s * on_.sequence_tokens();
    Map addresses{{"q", at.qkv + first},
                  {"kv", at.qkv + keys + first},
                  {"y", at.context + first},
                  {"log sum", at.log_sums + first}};
    if (backward) {
      addresses["dy"] = dy + first;
      addresses["dq"] = dqkv + first;
      addresses["dkv"] = dqkv + keys + first;
    }
    append(backward ? "attention gradient" : "attention",
           tiles::Attention(shape, config_, kNoData, map(std::move(addresses))).kernel())
        .work = item;
  }
}

void GptKernels::attention(const GptLayout::Layer& at) { attention(false, at, 0, 0); }

void GptKernels::attention_gradient(const GptLayout::Layer& at, std::uint32_t dy,
                                    std::uint32_t dqkv) {
  attention(true, at, dy, dqkv);
}

// Tables ----------------------------------------------------------------------------------------------

std::uint32_t GptKernels::table_rows(Table table) const {
  return table == Table::kWords ? on_.shape.vocabulary : on_.shape.positions;
}
std::size_t GptKernels::table_offset(Table table) const {
  const host::GptOffsets at(on_.shape);
  return table == Table::kWords ? at.words() : at.positions();
}

/// With the numbers of its tokens.
GptOperation& GptKernels::table(Table table, bool backward, std::uint32_t x) {
  tiles::EmbeddingShape shape;
  shape.mesh = on_.mesh;
  shape.tokens = on_.all_tokens();
  shape.features = on_.shape.width;
  shape.vocabulary = table_rows(table);
  shape.backward = backward;
  const std::string name = table == Table::kWords ? "embedding" : "positions";
  GptOperation& operation =
      append(backward ? name + " gradient" : name,
             tiles::Embedding(shape, config_, kNoData, map({{"x", x}})).kernel());
  // The host adds positions before it streams a token.
  if (table == Table::kWords) {
    operation.work = vector_work(base::VectorKind::kEmbedding, on_.shape.width);
  }
  const std::uint32_t address = address_of(operation.kernel, "tokens");
  operation.fill = [on = on_, table, address](MeshMemory& memory, const GptStreams& streams) {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t y = 0; y < on.mesh.rows; ++y) {
      for (std::uint32_t k = 0; k < on.tokens(); ++k) {
        const std::uint32_t token = on.token(y, k);
        rows.push_back(table == Table::kWords ? streams.batch.tokens[token]
                                              : token % on.shape.positions);
      }
    }
    for (std::uint32_t column = 0; column < on.mesh.columns; ++column) {
      memory.write(column, address, rows.data(), 4 * rows.size());
    }
  };
  return operation;
}

void GptKernels::look_up(Table which, std::uint32_t x) {
  GptOperation& operation = table(which, false, x);
  const std::uint32_t address = address_of(operation.kernel, "table");
  const std::size_t offset = table_offset(which);
  const std::uint32_t each = on_.features(on_.shape.width);
  operation.weight_words = std::uint64_t{table_rows(which)} * each * on_.mesh.columns;
  operation.fill = [tokens = operation.fill, width = on_.shape.width, rows = table_rows(which),
                    columns = on_.mesh.columns, each, address,
                    offset](MeshMemory& memory, const GptStreams& streams) {
    tokens(memory, streams);
    for (std::uint32_t column = 0; column < columns; ++column) {
      std::vector<float> words;
      for (std::uint32_t i = 0; i < rows * each; ++i) {
        const std::size_t place = offset + i / each * width + column * each + i % each;
        words.push_back(static_cast<float>(streams.parameters[place]));
      }
      write(memory, column, address, words);
    }
  };
}

void GptKernels::look_up_gradient(Table which, std::uint32_t dx) {
  GptOperation& operation = table(which, true, dx);
  const std::uint32_t address = address_of(operation.kernel, "table");
  const std::size_t offset = table_offset(which);
  const std::uint32_t each = on_.features(on_.shape.width);
  const std::uint32_t columns = on_.mesh.columns;
  const std::uint32_t n = table_rows(which) * each;
  operation.gradient_words = std::uint64_t{columns} * n;
  operation.fill = [tokens = operation.fill, columns, address, n](MeshMemory& memory,
                                                                  const GptStreams& streams) {
    tokens(memory, streams);
    for (std::uint32_t column = 0; column < columns; ++column) {
      write(memory, column, address, std::vector<float>(n));
    }
  };
  operation.take = [columns, address, n, each, offset, width = on_.shape.width](
                       const MeshMemory& memory, GptStreams& streams) {
    for (std::uint32_t column = 0; column < columns; ++column) {
      const std::vector<float> words = read(memory, column, address, n);
      for (std::uint32_t i = 0; i < n; ++i) {
        streams.gradients[offset + i / each * width + column * each + i % each] += words[i];
      }
    }
  };
}

// Loss ------------------------------------------------------------------------------------------------

void GptKernels::loss() {
  GptOperation& targets = append(
      "targets", tiles::scatter_down(on_.mesh, on_.tokens(), map({{"result", layout_.targets}})));
  const std::uint32_t source = address_of(targets.kernel, "source");
  targets.fill = [on = on_, source](MeshMemory& memory, const GptStreams& streams) {
    std::vector<std::uint32_t> words;
    for (std::uint32_t y = 0; y < on.mesh.rows; ++y) {
      for (std::uint32_t k = 0; k < on.tokens(); ++k) {
        words.push_back(streams.batch.targets[on.token(y, k)]);
      }
    }
    for (std::uint32_t column = 0; column < on.mesh.columns; ++column) {
      memory.write(column, source, words.data(), 4 * words.size());
    }
  };
  rowwise("cross-entropy", RowwiseOp::kCrossEntropy, false, on_.shape.vocabulary,
          {{"x", layout_.logits}, {"target", layout_.targets}, {"loss", layout_.losses}})
      .work = vector_work(base::VectorKind::kLoss, on_.shape.vocabulary);
  GptOperation& sum = append("loss", tiles::sum_tokens({on_.mesh, on_.tokens(), 1}, config_.compute,
                                                       map({{"dy", layout_.losses}})));
  const std::uint32_t sums = address_of(sum.kernel, "sums");
  // All columns have the same.
  sum.take = [sums, n = on_.all_tokens()](const MeshMemory& memory, GptStreams& streams) {
    streams.loss = double{read(memory, 0, sums, 1).front()} / n;
  };
}

void GptKernels::loss_gradient() {
  rowwise("cross-entropy gradient", RowwiseOp::kCrossEntropy, true, on_.shape.vocabulary,
          {{"x", layout_.logits}, {"target", layout_.targets}, {"y", layout_.dlogits}})
      .work_with = "cross-entropy";
}

}  // namespace wse::model
