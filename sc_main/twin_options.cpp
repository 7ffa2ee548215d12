// SPDX-License-Identifier: Apache-2.0
#include "twin_options.h"

#include "wse/base/text_forms.h"
#include "wse/cosim/lockstep.h"

namespace wse::cli {

namespace po = boost::program_options;

void TwinOptions::add_to(po::options_description& options) {
  options.add_options()(
      "twin", po::value(&twin)->composing()->value_name("KIND@X,Y=rtl:NAME"),
      "router@X,Y or router@X0..X1,Y0..Y1 is RTL, see wse list twins; as often as "
      "wanted")("lockstep", po::bool_switch(&lockstep),
                "compare each twin with the model in every clock, stop at the "
                "first difference (exit status 3)")("mutant", po::value(&mutant)->value_name("N"),
                                                    "plant fault N in every twin");
}

TwinPlaces::TwinPlaces(const TwinOptions& options, fabric::Mesh mesh)
    : options_(options), mesh_(mesh) {
  base::ConfigErrors errors;
  for (const std::string& text : options.twin) add(text, errors);
  if (options.twin.empty())
    errors.add("--twin", "", "must be given, such as router@1,1=rtl:router");
  for (const auto& [tile, kind] : kinds_) {
    if (options.mutant <= kind->mutants) continue;
    errors.require(false, "--mutant", options.mutant,
                   fmt::format("must be 0 .. {} for rtl:{}", kind->mutants, kind->name));
    break;
  }
  errors.throw_if_any();
}

void TwinPlaces::add(const std::string& text, base::ConfigErrors& errors) {
  const std::size_t at = text.find('@');
  const std::size_t equals = text.find('=');
  if (at == std::string::npos || equals == std::string::npos || equals < at) {
    return errors.add("--twin", text, "must be KIND@X,Y=rtl:NAME");
  }
  const std::string kind = text.substr(0, at);
  const std::string place = text.substr(at + 1, equals - at - 1);
  const std::string what = text.substr(equals + 1);
  if (kind != "router") errors.add("--twin", kind, "must be router");
  const auto tiles = base::parse_tiles(place);
  const bool inside = tiles && tiles->tiles() > 0 && tiles->columns.end <= mesh_.columns &&
                      tiles->rows.end <= mesh_.rows;
  if (!inside) {
    errors.add(
        "--twin", place,
        fmt::format("must be X,Y or X0..X1,Y0..Y1 within {}x{} tiles", mesh_.columns, mesh_.rows));
  }
  if (what.rfind("rtl:", 0) != 0) return errors.add("--twin", what, "must be rtl:NAME");
  const cosim::RouterTwinKind* twin = nullptr;
  try {
    twin = &cosim::router_twin(what.substr(4), "--twin");
  } catch (const base::ConfigError& error) {
    for (const base::Violation& v : error.violations()) errors.add(v.path, v.value, v.rule);
  }
  if (!inside || twin == nullptr) return;
  for (std::uint32_t y = tiles->rows.begin; y < tiles->rows.end; ++y) {
    for (std::uint32_t x = tiles->columns.begin; x < tiles->columns.end; ++x) {
      if (!kinds_.emplace(mesh_.tile(x, y), twin).second) {
        return errors.add("--twin", text, fmt::format("names router ({},{}) a second time", x, y));
      }
    }
  }
}

std::unique_ptr<fabric::RouterTwin> TwinPlaces::make(std::uint32_t tile,
                                                     const fabric::RouteTable& routes,
                                                     const fabric::EngineConfig& config) const {
  const auto kind = kinds_.find(tile);
  if (kind == kinds_.end()) return nullptr;
  fabric::RouterSetup setup = fabric::router_setup(routes, tile, config);
  setup.mutant = options_.mutant;
  setup.checked = options_.lockstep;
  auto twin = cosim::make_router_twin(*kind->second, setup);
  if (!options_.lockstep) return twin;
  const base::Coordinate at = mesh_.at(tile);
  return std::make_unique<cosim::LockstepRouter>(
      fmt::format("router ({},{}), rtl:{},", at.x, at.y, kind->second->name), std::move(twin),
      setup);
}

}  // namespace wse::cli
