// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wse/base/host_usage.h"
#include "wse/power/load_power.h"
#include "wse/report/twin_skew.h"
#include "wse/tiles/kernels/kernel_job.h"

namespace wse::report {

/// A run of a kernel and what it took of the computer.
struct KernelRecord {
  std::string kernel;     ///< as on the command line
  std::string algorithm;  ///< empty where there is only one
  fabric::Mesh mesh{1, 1};
  tiles::DataType type = tiles::DataType::kFp32;
  std::uint32_t words = 0;  ///< of a vector; 0: it works on something else
  std::vector<std::pair<std::string, double>> sizes;  ///< what else, by name
  bool measured = false;                              ///< by the counters of the tiles
  base::Cycles predicted = 0;
  std::uint64_t seed = 0;
  std::uint64_t core_hz = 0;
  tiles::KernelResult result;
  double dynamic_j = 0;            ///< events of the run by the energy table
  power::LoadPower everywhere;     ///< of a wafer on which all cores of a program do this
  power::LoadPower idle;           ///< of one that waits, clocks gated
  std::vector<std::string> twins;  ///< routers of other makes, as they were asked for
  std::size_t twin_routers = 0;
  std::size_t twin_srams = 0;
  std::size_t twin_tiles = 0;
  std::optional<TwinSkew> twin_skew;
  base::HostUsage host;
  double host_seconds = 0;
};

/// The object of the command line's contract.
nlohmann::ordered_json kernel_json(const KernelRecord& record);
/// A few lines for a terminal.
std::string kernel_summary(const KernelRecord& record);

/// Tasks and vector operations of some tiles in the trace event format of Chrome and Perfetto: a
/// process a tile, a thread for tasks and one for each thread of the compute engine. A microsecond of
/// the trace is a cycle.
class KernelTimeline final : public tiles::EngineWatch {
 public:
  explicit KernelTimeline(const base::Rectangle& tiles) : tiles_(tiles) {}

  bool watches(base::Coordinate tile) const override { return tiles_.contains(tile); }
  void task(base::Coordinate tile, base::Cycles cycle, const tiles::Program& program,
            std::uint32_t number, bool begins) override;
  void operation(base::Coordinate tile, base::Cycles cycle, const tiles::Program& program,
                 std::uint32_t thread, std::uint32_t instruction, bool begins) override;
  /// A kernel of several, above the tiles.
  void kernel(const std::string& name, base::Cycles begin, base::Cycles end);
  std::string json() const;

 private:
  static constexpr std::uint32_t kKernels = ~0U;
  struct Event {
    base::Coordinate tile;
    base::Cycles cycle;
    std::string name;
    std::uint32_t track;  ///< 0: tasks; 1 + thread; kKernels
    bool begins;
  };
  const base::Rectangle tiles_;
  std::vector<Event> events_;
};

}  // namespace wse::report
