// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "wse/base/result_hash.h"
#include "wse/model/kernel_machine.h"
#include "wse/model/plan.h"
#include "wse/tiles/kernels/window_gemm.h"
#include "wse/tiles/region_core.h"

namespace wse::model {

/// Which part of a training step is looked at cycle by cycle.
struct WindowChoice {
  base::Rectangle tiles;         ///< in user coordinates
  std::int64_t layer = -1;       ///< -1: the middle one
  std::string matrix = "up";     ///< qkv, up, projection or down
  std::string pass = "forward";  ///< or input-gradient
  std::uint32_t threads = 1;     ///< of the fabric
};

/// What the step and the window count of the same block.
struct WindowResult {
  base::Rectangle tiles;
  std::uint64_t layer = 0;
  std::string matrix;
  std::string pass;
  std::uint32_t copy = 0;  ///< of the features
  std::uint32_t block_outputs = 0;
  std::uint32_t tokens_a_tile = 0;
  std::uint32_t features_a_tile = 0;  ///< of the fullest tile
  base::Cycles coarse_cycles = 0;     ///< of the block, at the part of the first tile
  base::Cycles cycles = 0;            ///< from the first issue of its tiles to the last
  base::EventCounts coarse_events{};  ///< of the tiles of the window
  base::EventCounts events{};
  double max_rel_error = 0;
  double error_bound = 0;
  double busy_fraction = 0;
  double host_seconds = 0;
  std::string result_hash;  ///< of cycles, events and results

  double deviation() const {
    return static_cast<double>(cycles) / static_cast<double>(coarse_cycles) - 1;
  }
  /// The cost terms are held within this much by the cycle level (CycleTermsTest).
  static constexpr double kMostDeviation = 0.05;
  /// Throws RunFailed if cycles or values are further off.
  void require() const;
};

/// A rectangle of tiles of a streamed training step as programs, wavelets and real data, on modules of its
/// own: the first block of a matrix. The step itself is simulated as always and decides all its totals; what
/// it tells of the block, the arrival of its weights and its start, drives the window behind the step.
///
/// Errors   ConfigError for windows that are not of one copy of the features, or too large, and for steps without such a
///          block. RunFailed if the step did not execute it; tiles::KernelFailure.
class TrainingWindow {
 public:
  /// Before the step is elaborated.
  TrainingWindow(const host::ModelSpec& model, const Settings& settings,
                 const WindowChoice& choice);

  /// For TrainingOptions.
  tiles::BlockWatch& block() { return block_; }
  const tiles::Kernel& kernel() const { return kernel_->kernel(); }
  KernelMachine& machine() { return *machine_; }
  /// Tiles of the window in the mesh of the kernel, which has what stands around them as well.
  base::Rectangle mesh_tiles() const { return kernel_->working_tiles(); }

  /// When the step is done, on the machine it ran on. Throws what `every_some_cycles` throws.
  void run(const std::function<void()>& every_some_cycles = {});
  const WindowResult& result() const { return result_; }

 private:
  void choose_block(const host::ModelSpec& model, const WindowChoice& choice);
  tiles::WindowGemmShape shape_of(const host::Matrix& matrix, const WindowChoice& choice) const;
  void build(const tiles::WindowGemmShape& shape, const WindowChoice& choice);
  std::vector<base::Rectangle> cut();
  void count_coarse();
  void count();
  void judge();

  const Settings settings_;
  const TrainingPlan plan_;
  base::Mapping mapping_{1, 1, 1};  ///< of the block
  base::WorkItem item_;
  WindowResult result_;
  tiles::BlockWatch block_;
  std::unique_ptr<tiles::WindowGemm> kernel_;
  std::size_t pieces_ = 1;  ///< regions of the window, the first ones
  std::unique_ptr<KernelMachine> machine_;
  base::ResultHash hash_;
};

}  // namespace wse::model
