// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/program_options.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "wse/base/config_errors.h"
#include "wse/cosim/router_twins.h"

namespace wse::cli {

/// --twin, --lockstep and --mutant of `wse cosim`.
struct TwinOptions {
  std::vector<std::string> twin;
  bool lockstep = false;
  std::uint32_t mutant = 0;

  void add_to(boost::program_options::options_description& options);
};

/// Routers of a mesh that are simulated elsewhere.
class TwinPlaces {
 public:
  TwinPlaces() = default;
  /// Throws ConfigError with every violation.
  TwinPlaces(const TwinOptions& options, fabric::Mesh mesh);

  bool empty() const { return kinds_.empty(); }
  std::size_t size() const { return kinds_.size(); }
  const std::vector<std::string>& names() const { return options_.twin; }
  /// Null where the model stays.
  std::unique_ptr<fabric::RouterTwin> make(std::uint32_t tile, const fabric::RouteTable& routes,
                                           const fabric::EngineConfig& config) const;
  /// Puts all of them into a fabric before its first cycle.
  template <class Fabric>
  void put_into(Fabric& fabric, const fabric::RouteTable& routes,
                const fabric::EngineConfig& config) const {
    for (const auto& entry : kinds_) {
      fabric.set_twin(entry.first, make(entry.first, routes, config));
    }
  }

 private:
  void add(const std::string& text, base::ConfigErrors& errors);

  TwinOptions options_;
  fabric::Mesh mesh_{0, 0};
  std::map<std::uint32_t, const cosim::RouterTwinKind*> kinds_;  ///< by tile
};

}  // namespace wse::cli
