// SPDX-License-Identifier: Apache-2.0
#include "twin_options.h"

#include <fmt/format.h>

#include "interrupt.h"
#include "wse/base/text_forms.h"
#include "wse/cosim/lockstep.h"
#include "wse/cosim/lockstep_tile.h"
#include "wse/memory/bank_model.h"
#include "wse/memory/banked_sram.h"

namespace wse::cli {

namespace po = boost::program_options;

namespace {

const std::string kRemote = "remote:unix:";

/// As --twin has it.
std::string text_of(const cosim::TwinKind& kind) {
  return kind.name.rfind(kRemote, 0) == 0 ? kind.name : "rtl:" + kind.name;
}

}  // namespace

void TwinOptions::add_to(po::options_description& options) {
  options.add_options()("twin", po::value(&twin)->composing()->value_name("KIND@X,Y=rtl:NAME"),
                        "router@X,Y, sram@X,Y or tile@X,Y, or KIND@X0..X1,Y0..Y1, is RTL, see wse "
                        "list twins; as often as "
                        "wanted")("lockstep", po::bool_switch(&lockstep),
                                  "compare each twin with the model in every clock, stop at the "
                                  "first difference (exit status 3)")(
      "skewed", po::bool_switch(&skewed),
      "compare the order in which routers pass wavelets on, not the clocks: for RTL that is "
      "pipelined in another way")("mutant", po::value(&mutant)->value_name("N"),
                                  "plant fault N in every twin")(
      "remote-timeout", po::value(&remote_timeout)->value_name("S"),
      "seconds that a simulator has to come, and for each answer (default 60)");
}

TwinPlaces::TwinPlaces(const TwinOptions& options, fabric::Mesh mesh, bool has_tiles)
    : options_(options), mesh_(mesh) {
  base::ConfigErrors errors;
  for (const std::string& text : options.twin) add(text, has_tiles, errors);
  if (options.twin.empty())
    errors.add("--twin", "", "must be given, such as router@1,1=rtl:router");
  errors.require(options.remote_timeout > 0 && options.remote_timeout <= 1e6, "--remote-timeout",
                 options.remote_timeout, "must be above 0 and up to 1000000 seconds");
  skew_ = std::make_shared<cosim::SkewReport>();
  if (options.skewed && options.lockstep) errors.add("--skewed", "", "cannot be with --lockstep");
  if (options.skewed && !(srams_.empty() && tiles_.empty())) {
    errors.add("--skewed", "", "is for routers: memories and tiles keep their clocks");
  }
  for (const auto& entry : srams_) {
    if (tiles_.count(entry.first) == 0) continue;
    const base::Coordinate at = mesh_.at(entry.first);
    errors.add("--twin", fmt::format("sram@{},{}", at.x, at.y),
               "cannot be beside tile@ there: RTL of a tile has its memory");
  }
  errors.throw_if_any();
  listen();
}

void TwinPlaces::add(const std::string& text, bool has_tiles, base::ConfigErrors& errors) {
  const std::size_t at = text.find('@');
  const std::size_t equals = text.find('=');
  if (at == std::string::npos || equals == std::string::npos || equals < at) {
    return errors.add("--twin", text, "must be KIND@X,Y=rtl:NAME or router@X,Y=remote:unix:PATH");
  }
  const std::string kind = text.substr(0, at);
  const std::string place = text.substr(at + 1, equals - at - 1);
  const std::string what = text.substr(equals + 1);
  const bool is_known = kind == "router" || kind == "sram" || kind == "tile";
  if (!is_known) errors.add("--twin", kind, "must be router, sram or tile");
  if (is_known && kind != "router" && !has_tiles) {
    errors.add("--twin", kind, "must be router: this traffic has no tiles, wse cosim kernel has");
  }
  const auto tiles = base::parse_tiles(place);
  const bool inside = tiles && tiles->tiles() > 0 && tiles->columns.end <= mesh_.columns &&
                      tiles->rows.end <= mesh_.rows;
  if (!inside) {
    errors.add(
        "--twin", place,
        fmt::format("must be X,Y or X0..X1,Y0..Y1 within {}x{} tiles", mesh_.columns, mesh_.rows));
  }
  const bool is_remote = what.rfind(kRemote, 0) == 0;
  if (!is_remote && what.rfind("rtl:", 0) != 0) {
    return errors.add("--twin", what, "must be rtl:NAME or remote:unix:PATH");
  }
  if (!inside || !is_known) return;
  if (is_remote) return add_remote(kind, what, *tiles, text, errors);
  const std::string name = what.substr(4);
  try {
    if (kind == "router") add(routers_, cosim::router_twin(name, "--twin"), *tiles, text, errors);
    if (kind == "sram") add(srams_, cosim::bank_twin(name, "--twin"), *tiles, text, errors);
    if (kind == "tile") add(tiles_, cosim::tile_twin(name, "--twin"), *tiles, text, errors);
  } catch (const base::ConfigError& error) {
    for (const base::Violation& v : error.violations()) errors.add(v.path, v.value, v.rule);
  }
}

void TwinPlaces::add_remote(const std::string& kind, const std::string& what,
                            const base::Rectangle& tiles, const std::string& text,
                            base::ConfigErrors& errors) {
  if (kind != "router") {
    return errors.add("--twin", what, "must be rtl:NAME: only routers are remote");
  }
  std::shared_ptr<Remote>& remote = remotes_[what.substr(kRemote.size())];
  if (remote == nullptr) {
    remote = std::make_shared<Remote>();
    remote->kind.name = what;
    remote->kind.mutants = 31;  // as many as the pins can name; the simulator knows which there are
  }
  add(routers_, remote->kind, tiles, text, errors);
  remote->routers += tiles.tiles();
}

void TwinPlaces::listen() {
  for (const auto& [path, remote] : remotes_) {
    remote->listener = std::make_unique<cosim::RemoteListener>(
        path, remote->routers, cosim::RemoteWait{options_.remote_timeout, interrupted}, "--twin");
  }
}

template <class Kind>
void TwinPlaces::add(Places<Kind>& places, const Kind& kind, const base::Rectangle& tiles,
                     const std::string& text, base::ConfigErrors& errors) {
  if (options_.mutant > kind.mutants) {
    errors.add("--mutant", std::to_string(options_.mutant),
               fmt::format("must be 0 .. {} for {}", kind.mutants, text_of(kind)));
  }
  for (std::uint32_t y = tiles.rows.begin; y < tiles.rows.end; ++y) {
    for (std::uint32_t x = tiles.columns.begin; x < tiles.columns.end; ++x) {
      if (places.emplace(mesh_.tile(x, y), &kind).second) continue;
      return errors.add("--twin", text, fmt::format("names ({},{}) a second time", x, y));
    }
  }
}

std::string TwinPlaces::name_of(const std::string& part, std::uint32_t tile,
                                const cosim::TwinKind& kind) const {
  const base::Coordinate at = mesh_.at(tile);
  return fmt::format("{} ({},{}), {},", part, at.x, at.y, text_of(kind));
}

std::unique_ptr<fabric::RouterTwin> TwinPlaces::make_router(
    std::uint32_t tile, const fabric::RouterSetup& setup) const {
  const cosim::RouterTwinKind& kind = *routers_.at(tile);
  const std::string name = name_of("router", tile, kind);
  std::unique_ptr<fabric::RouterTwin> twin;
  if (kind.name.rfind(kRemote, 0) == 0) {
    twin = remotes_.at(kind.name.substr(kRemote.size()))->listener->accept(name, setup);
  } else {
    twin = cosim::make_router_twin(kind, setup);
  }
  if (options_.skewed) {
    return std::make_unique<cosim::SkewedRouter>(name, std::move(twin), setup, *skew_);
  }
  if (!options_.lockstep) return twin;
  return std::make_unique<cosim::Lockstep<fabric::RouterTwin, fabric::RouterModel>>(
      name, std::move(twin), fabric::model_of(setup));
}

std::optional<report::TwinSkew> TwinPlaces::end_skewed() const {
  if (!options_.skewed) return std::nullopt;
  if (skew_->waiting != 0) {
    throw cosim::Mismatch(
        fmt::format("{} copies have not come out of routers of --twin", skew_->waiting));
  }
  return report::TwinSkew{skew_->checked, skew_->unordered, skew_->latencies};
}

std::unique_ptr<memory::TileSram> TwinPlaces::make_sram(std::uint32_t tile,
                                                        const memory::SramConfig& config) const {
  const cosim::BankTwinKind& kind = *srams_.at(tile);
  auto banks = cosim::make_bank_twins(kind, config, {0, options_.mutant, options_.lockstep});
  for (std::size_t b = 0; options_.lockstep && b < banks.size(); ++b) {
    banks[b] = std::make_unique<cosim::Lockstep<memory::BankTwin, memory::BankModel>>(
        name_of(fmt::format("bank {} of tile", b), tile, kind), std::move(banks[b]),
        std::make_unique<memory::BankModel>(cosim::words_of_bank(config)));
  }
  return std::make_unique<memory::BankedSram>(config, std::move(banks));
}

std::unique_ptr<tiles::TileTwin> TwinPlaces::make_tile(std::uint32_t tile,
                                                       tiles::TileSetup setup) const {
  const cosim::TileTwinKind& kind = *tiles_.at(tile);
  setup.mutant = options_.mutant;
  setup.checked = options_.lockstep;
  auto twin = cosim::make_tile_twin(kind, setup);
  if (!options_.lockstep) return twin;
  return std::make_unique<cosim::LockstepTile>(name_of("tile", tile, kind), std::move(twin),
                                               std::make_unique<tiles::TileModel>(setup));
}

void TwinPlaces::put_into(fabric::ChannelFabric& fabric, const fabric::RouteTable& routes,
                          const fabric::EngineConfig& config) const {
  put_routers(fabric, routes, config, 0);
}

void TwinPlaces::put_routers(fabric::ChannelFabric& fabric, const fabric::RouteTable& routes,
                             const fabric::EngineConfig& config, std::uint32_t first_row) const {
  const std::uint32_t left_out = first_row * mesh_.columns;
  for (const auto& entry : routers_) {
    if (entry.first < left_out) continue;
    const std::uint32_t tile = entry.first - left_out;
    fabric::RouterSetup setup = fabric::router_setup(routes, tile, config);
    setup.mutant = options_.mutant;
    setup.checked = options_.lockstep || options_.skewed;
    auto router = make_router(entry.first, setup);
    if (on_router_) on_router_(entry.first, *router);
    fabric.set_twin(tile, std::move(router));
  }
}

void TwinPlaces::put_into(tiles::TileMesh& mesh, const tiles::MeshConfig& config,
                          std::uint32_t first_row) const {
  fabric::EngineConfig fabric = config.fabric;
  fabric.receiver_depth = tiles::receiver_depths(mesh.kernel(), config.compute);
  put_routers(mesh.fabric(), mesh.kernel().routes, fabric, first_row);
  const std::uint32_t left_out = first_row * mesh_.columns;
  for (const auto& entry : srams_) {
    if (entry.first < left_out) continue;
    mesh.set_sram(entry.first - left_out, make_sram(entry.first, config.sram));
  }
  for (const auto& entry : tiles_) {
    if (entry.first < left_out) continue;
    const std::uint32_t tile = entry.first - left_out;
    mesh.set_tile(tile, make_tile(entry.first, mesh.setup_of(tile)));
  }
}

}  // namespace wse::cli
