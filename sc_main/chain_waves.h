// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "noc_waves.h"
#include "wse/report/kernel_report.h"

namespace wse::cli {

/// Waves and timeline of tiles over kernels that follow each other on one mesh: a cycle of the first one
/// is that number, the next one begins when it has ended. Tiles are those of the mesh.
class ChainWaves {
 public:
  /// `timeline`: its file in the folder; empty: none. Throws ConfigError.
  ChainWaves(const NocWaveOptions& options, std::string timeline, fabric::Mesh mesh,
             const std::vector<const tiles::Kernel*>& kernels, std::uint64_t core_hz,
             const std::string& folder);
  ~ChainWaves();
  ChainWaves(const ChainWaves&) = delete;
  ChainWaves& operator=(const ChainWaves&) = delete;

  /// Before and after each kernel; its first row is that of the mesh.
  void before(tiles::TileMesh& mesh, std::uint32_t first_row);
  void after(const tiles::TileMesh& mesh);
  void finish();
  /// ", timeline.json, a.vcd, a.gtkw", or nothing.
  std::string files() const;

 private:
  class InChain;
  const std::string timeline_file_;
  const std::string folder_;
  report::FabricWaveSelection selection_;
  std::vector<std::string> names_;  ///< of kernels, each once; the first is none
  std::optional<NocWaves> waves_;
  std::optional<report::KernelTimeline> timeline_;
  std::unique_ptr<InChain> watch_;  ///< of the kernel that runs
  base::Cycles begin_ = 0;
};

}  // namespace wse::cli
