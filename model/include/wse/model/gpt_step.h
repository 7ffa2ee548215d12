// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "wse/host/reference_gpt.h"
#include "wse/model/gpt_mesh.h"
#include "wse/tiles/kernel_chain.h"
#include "wse/tiles/tile_config.h"

namespace wse::model {

struct GptOperation;

/// What the kernels of an operation do in a step beside their cycles.
struct GptOperationPlan {
  /// Of what kind the work is, in the time ledger.
  enum class Work { kMatrix, kAttention, kVector, kParameters };

  std::string name;
  std::uint64_t runs = 0;
  Work work = Work::kParameters;
  /// At the transaction level, all runs; none: it has no time of its own there.
  std::optional<base::Cycles> predicted;
  std::string predicted_with;        ///< the operation whose prediction has it, if any
  std::uint64_t weight_words = 0;    ///< that the lanes bring, padding included
  std::uint64_t gradient_words = 0;  ///< that they take
};

/// The training step of a GPT at the cycle level. Every matrix product, norm, attention, GELU, loss and
/// gradient is a kernel of programs on compute engines, one after the other on the same memory:
/// activations stay where they are. Row 0 stands for the lanes: parameters and tokens come in there,
/// rounded to fp32, gradients and the sum of the losses go out. The optimizer is the host's.
///
/// Time     that of its kernels, one after the other, the last one's end before the next one's begin;
///          loading programs is counted beside it.
/// Errors   fp32, sums of 64 to 256 products in an order that depends on the mesh.
class GptStep {
 public:
  /// Throws ConfigError if the mesh does not divide the model or a tile does not hold its share, with the
  /// least that fits.
  GptStep(const GptMesh& on, const tiles::MeshConfig& config, std::uint32_t threads = 1);
  ~GptStep();

  /// A step with these parameters; `batch` has as many sequences as the mesh was made for.
  host::GptResult run(const std::vector<double>& parameters, const host::TokenBatch& batch,
                      const tiles::ChainHooks& hooks = {});

  /// Bytes of a tile that stay from operation to operation.
  std::uint32_t activation_bytes() const { return activation_bytes_; }
  std::size_t operations() const;
  /// By operation, in the order of the first runs; with the cost terms of the transaction level for these
  /// tiles.
  std::vector<GptOperationPlan> plan(const tiles::TileConfig& tile) const;
  /// Of all operations, in their order.
  std::vector<const tiles::Kernel*> kernels() const;
  /// Costs of all steps so far.
  const tiles::KernelChain& chain() const { return chain_; }

  /// The mesh of fewest tiles whose tiles hold their share, if any does.
  static std::optional<fabric::Mesh> least_mesh(const GptMesh& on, const tiles::MeshConfig& config);

 private:
  const GptMesh on_;
  std::vector<GptOperation> operations_;
  std::uint32_t activation_bytes_ = 0;
  tiles::KernelChain chain_;
};

}  // namespace wse::model
