// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/program_options.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "partial_file.h"
#include "wse/fabric/router_twin.h"
#include "wse/fabric/traffic.h"
#include "wse/report/fabric_waves.h"

namespace wse::cli {

/// The wave options of commands that run at the cycle level.
struct NocWaveOptions {
  std::string file;  ///< empty: none
  std::string tiles;
  std::int64_t from = 0;
  std::int64_t to = -1;
  std::string trigger;
  std::int64_t before = 64;
  std::int64_t after = 64;
  bool has_twins = false;
  std::string rtl = "all";  ///< signals of twins: all, pins or none

  /// `twins`: the command puts RTL into the fabric.
  void add_to(boost::program_options::options_description& options, bool twins);
  /// Throws ConfigError: what describes waves needs some.
  void check_given(const boost::program_options::variables_map& values) const;
  /// Throws ConfigError.
  report::FabricWaveSelection selection(fabric::Mesh mesh) const;
};

/// Waves of a run of the fabric; they get their name when the run is whole.
class NocWaves {
 public:
  NocWaves(const NocWaveOptions& options, const fabric::RouteTable& routes, std::uint64_t core_hz,
           const std::string& folder);
  /// Of a selection; `file` in the folder.
  NocWaves(const std::string& file, const report::FabricWaveSelection& selection,
           const fabric::RouteTable& routes, std::uint64_t core_hz, const std::string& folder);
  ~NocWaves();
  NocWaves(const NocWaves&) = delete;
  NocWaves& operator=(const NocWaves&) = delete;

  report::FabricWaves* watch() { return waves_.get(); }
  /// Shows the signals of a twin of these routers as well; before the run. Throws ConfigError where
  /// they would be too many.
  void add_twin(std::uint32_t tile, fabric::RouterTwin& twin);
  /// Runs `work`. Where it ends in a deadlock or with a twin that is wrong the waves are whole, and
  /// it is said where they are; throws on.
  void record(const std::function<void()>& work);
  void finish();
  /// ", a.vcd, a.gtkw", or nothing.
  std::string files() const;

 private:
  void open(const std::string& file, const report::FabricWaveSelection& selection,
            const fabric::RouteTable& routes, std::uint64_t core_hz, const std::string& folder);
  void finish_at(const char* event);

  const fabric::Mesh mesh_;
  const std::string rtl_;
  std::size_t twins_ = 0;  ///< of which all signals are shown
  std::optional<PartialFile> file_;
  std::unique_ptr<report::FabricWaves> waves_;
};

}  // namespace wse::cli
