// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/program_options.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "wse/base/config_errors.h"
#include "wse/base/coordinates.h"
#include "wse/cosim/bank_twins.h"
#include "wse/cosim/remote_listener.h"
#include "wse/cosim/router_twins.h"
#include "wse/cosim/skewed_router.h"
#include "wse/cosim/tile_twins.h"
#include "wse/report/twin_skew.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::cli {

/// --twin, --lockstep, --skewed, --mutant and --remote-timeout of `wse cosim`.
struct TwinOptions {
  std::vector<std::string> twin;
  bool lockstep = false;
  bool skewed = false;
  std::uint32_t mutant = 0;
  double remote_timeout = 60;

  void add_to(boost::program_options::options_description& options);
};

/// Parts of a mesh that are simulated elsewhere.
class TwinPlaces {
 public:
  TwinPlaces() = default;
  /// Throws ConfigError with every violation; `has_tiles`: there are compute engines and memories.
  TwinPlaces(const TwinOptions& options, fabric::Mesh mesh, bool has_tiles);

  bool empty() const { return routers_.empty() && srams_.empty() && tiles_.empty(); }
  const std::vector<std::string>& names() const { return options_.twin; }
  std::size_t routers() const { return routers_.size(); }
  std::size_t srams() const { return srams_.size(); }
  std::size_t tiles() const { return tiles_.size(); }
  /// Some are in other processes, which serve one run.
  bool any_remote() const { return !remotes_.empty(); }

  /// `call` sees each router before it is put in, with its tile.
  void on_router(std::function<void(std::uint32_t, fabric::RouterTwin&)> call) {
    on_router_ = std::move(call);
  }
  /// What routers with --skewed have done in a run that has ended. Throws a cosim::Mismatch if one has
  /// kept a wavelet.
  std::optional<report::TwinSkew> end_skewed() const;
  /// Puts the routers into a fabric before its first cycle.
  void put_into(fabric::ChannelFabric& fabric, const fabric::RouteTable& routes,
                const fabric::EngineConfig& config) const;
  /// Puts everything into a mesh of tiles before its first cycle, which are those of the places from a
  /// row on.
  void put_into(tiles::TileMesh& mesh, const tiles::MeshConfig& config,
                std::uint32_t first_row = 0) const;

 private:
  template <class Kind>
  using Places = std::map<std::uint32_t, const Kind*>;  ///< by tile

  /// Routers in simulators that come to one path.
  struct Remote {
    cosim::RouterTwinKind kind;
    std::size_t routers = 0;
    std::unique_ptr<cosim::RemoteListener> listener;
  };

  void add(const std::string& text, bool has_tiles, base::ConfigErrors& errors);
  void add_remote(const std::string& kind, const std::string& what, const base::Rectangle& tiles,
                  const std::string& text, base::ConfigErrors& errors);
  /// Last, so that nobody is heard by a run that cannot be.
  void listen();
  template <class Kind>
  void add(Places<Kind>& places, const Kind& kind, const base::Rectangle& tiles,
           const std::string& text, base::ConfigErrors& errors);
  void put_routers(fabric::ChannelFabric& fabric, const fabric::RouteTable& routes,
                   const fabric::EngineConfig& config, std::uint32_t first_row) const;
  std::unique_ptr<fabric::RouterTwin> make_router(std::uint32_t tile,
                                                  const fabric::RouterSetup& setup) const;
  std::unique_ptr<memory::TileSram> make_sram(std::uint32_t tile,
                                              const memory::SramConfig& config) const;
  std::unique_ptr<tiles::TileTwin> make_tile(std::uint32_t tile, tiles::TileSetup setup) const;
  std::string name_of(const std::string& part, std::uint32_t tile,
                      const cosim::TwinKind& kind) const;

  TwinOptions options_;
  fabric::Mesh mesh_{0, 0};
  std::function<void(std::uint32_t, fabric::RouterTwin&)> on_router_;
  std::shared_ptr<cosim::SkewReport> skew_;  ///< routers hold on to it
  Places<cosim::RouterTwinKind> routers_;
  Places<cosim::BankTwinKind> srams_;
  Places<cosim::TileTwinKind> tiles_;
  std::map<std::string, std::shared_ptr<Remote>> remotes_;  ///< by path
};

}  // namespace wse::cli
