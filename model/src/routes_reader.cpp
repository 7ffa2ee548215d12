// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "wse/base/text_forms.h"
#include "wse/model/routes_file.h"
#include "yaml_reader.h"

namespace wse::model {
namespace {

using fabric::ColorRoute;
using fabric::OwnRoutes;
using fabric::Port;
using fabric::PortSet;
using fabric::RampFilter;

class RoutesReader : private YamlReader {
 public:
  using YamlReader::YamlReader;

  OwnRoutes read() {
    const std::optional<YAML::Node> loaded = load();
    if (!loaded) return {};
    const YAML::Node& root = *loaded;
    read_mesh(root);
    if (!errors_.empty()) return {};
    routes_.routes = fabric::RouteTable(mesh_);
    entries(
        root, "routes",
        {{"mesh", [](const YAML::Node&) {}},
         {"routes", [this](const YAML::Node& n) { each(n, "routes", &RoutesReader::route); }},
         {"sources", [this](const YAML::Node& n) { each(n, "sources", &RoutesReader::source); }}});
    if (errors_.empty()) check();
    return std::move(routes_);
  }

 private:
  void each(const YAML::Node& list, const std::string& what,
            void (RoutesReader::*use)(const YAML::Node&)) {
    if (!list.IsSequence() || list.size() == 0) return add(list, what, "must be a list of entries");
    for (const YAML::Node& item : list) {
      if (item.IsMap()) {
        (this->*use)(item);
      } else {
        add(item, what, "must be a map");
      }
    }
  }

  void read_mesh(const YAML::Node& root) {
    const YAML::Node node = root.IsMap() ? root["mesh"] : YAML::Node();
    if (!node.IsDefined() || !node.IsScalar()) {
      errors_.add("mesh", "", "must be given as WxH, columns and rows", place(root.Mark()));
      return;
    }
    const auto size = base::parse_size(node.Scalar());
    constexpr std::uint32_t kLargest = 4096;
    if (!size || size->tiles() == 0 || size->columns.end > kLargest || size->rows.end > kLargest) {
      return add(node, "mesh", "must be WxH, 1 .. 4096 columns and rows");
    }
    mesh_ = {size->columns.end, size->rows.end};
  }

  std::uint64_t whole(const YAML::Node& node, const std::string& what, std::uint64_t most) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const bool digits =
        !text.empty() && text.size() < 12 &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    const std::uint64_t value = digits ? std::stoull(text) : 0;
    if (!digits || value > most) add(node, what, fmt::format("must be 0 .. {}", most));
    return value;
  }
  bool flag(const YAML::Node& node, const std::string& what) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (text != "true" && text != "false") add(node, what, "must be true or false");
    return text == "true";
  }
  Use tiles_into(std::optional<base::Rectangle>& tiles) {
    return [this, &tiles](const YAML::Node& node) {
      tiles = base::parse_tiles(node.IsScalar() ? node.Scalar() : "");
      if (!tiles) {
        add(node, "tiles", "must be X0..X1,Y0..Y1");
      } else if (tiles->columns.end > mesh_.columns || tiles->rows.end > mesh_.rows) {
        add(node, "tiles",
            fmt::format("must lie in the mesh of {} x {} tiles", mesh_.columns, mesh_.rows));
        tiles.reset();
      }
    };
  }
  Use color_into(std::optional<std::uint8_t>& color) {
    return [this, &color](const YAML::Node& node) {
      color = static_cast<std::uint8_t>(whole(node, "color", fabric::kNumColors - 1));
    };
  }

  PortSet ports(const YAML::Node& node, const std::string& what) {
    static const std::map<std::string, Port> kNames{{"north", Port::kNorth},
                                                    {"east", Port::kEast},
                                                    {"south", Port::kSouth},
                                                    {"west", Port::kWest},
                                                    {"ramp", Port::kRamp}};
    PortSet set;
    const auto take = [&](const YAML::Node& name) {
      const auto it = kNames.find(name.IsScalar() ? name.Scalar() : "");
      if (it == kNames.end()) return add(name, what, "must be north, east, south, west or ramp");
      set = set | it->second;
    };
    if (node.IsSequence()) {
      for (const YAML::Node& name : node) take(name);
    } else {
      take(node);
    }
    return set;
  }

  void route(const YAML::Node& entry) {
    std::optional<base::Rectangle> tiles;
    std::optional<std::uint8_t> color;
    ColorRoute r;
    bool plain = false, switched = false;
    const auto side = [this, &plain](PortSet& set, const char* what) -> Use {
      return [this, &plain, &set, what](const YAML::Node& node) {
        plain = true;
        set = ports(node, what);
      };
    };
    entries(entry, "routes",
            {{"tiles", tiles_into(tiles)},
             {"color", color_into(color)},
             {"from", side(r.positions[0].inputs, "from")},
             {"to", side(r.positions[0].outputs, "to")},
             {"positions",
              [&](const YAML::Node& node) {
                switched = true;
                positions(node, r);
              }},
             {"ring", [&](const YAML::Node& node) { r.ring = flag(node, "ring"); }},
             {"pop", [&](const YAML::Node& node) { r.pop = pop(node); }},
             {"filter", [&](const YAML::Node& node) { r.filter = filter(node); }}});
    if (plain == switched) add(entry, "routes", "needs from and to, or positions");
    if (!needs(entry, "routes", tiles.has_value(), "tiles") ||
        !needs(entry, "routes", color.has_value(), "color")) {
      return;
    }
    constexpr std::size_t kMostKinds = 60'000;
    if (routes_.routes.kinds() > kMostKinds) {
      return add(entry, "routes", fmt::format("must be at most {} different ones", kMostKinds));
    }
    for (std::uint32_t y = tiles->rows.begin; y < tiles->rows.end; ++y) {
      for (std::uint32_t x = tiles->columns.begin; x < tiles->columns.end; ++x) {
        routes_.routes.set(mesh_.tile(x, y), *color, r);
      }
    }
  }
  bool needs(const YAML::Node& entry, const char* what, bool given, const std::string& key) {
    // A key that is there but wrong has been reported.
    if (!given && !entry[key].IsDefined()) add(entry, what, "needs " + key);
    return given;
  }

  void positions(const YAML::Node& list, ColorRoute& r) {
    const std::string rule = fmt::format("must be a list of 1 .. {}", fabric::kMaxSwitchPositions);
    if (!list.IsSequence() || list.size() == 0 || list.size() > fabric::kMaxSwitchPositions) {
      return add(list, "positions", rule);
    }
    r.position_count = static_cast<std::uint8_t>(list.size());
    std::size_t p = 0;
    for (const YAML::Node& item : list) {
      fabric::SwitchPosition& position = r.positions[p++];
      entries(item, "positions",
              {{"from", [&](const YAML::Node& node) { position.inputs = ports(node, "from"); }},
               {"to", [&](const YAML::Node& node) { position.outputs = ports(node, "to"); }}});
    }
  }
  fabric::PopMode pop(const YAML::Node& node) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (text == "always") return fabric::PopMode::kAlways;
    if (text == "advance") return fabric::PopMode::kOnAdvance;
    if (text != "never") add(node, "pop", "must be never, always or advance");
    return fabric::PopMode::kNever;
  }
  RampFilter filter(const YAML::Node& node) {
    RampFilter f;
    const auto bounds = [&](RampFilter::Kind kind) -> Use {
      return [this, &f, kind](const YAML::Node& map) {
        f.kind = kind;
        const auto index = [this](std::uint16_t& value, const char* what) -> Use {
          return [this, &value, what](const YAML::Node& n) {
            value = static_cast<std::uint16_t>(whole(n, what, 0xffff));
          };
        };
        Keys keys{{"first", index(f.first, "first")}, {"last", index(f.last, "last")}};
        if (kind == RampFilter::Kind::kCounter) {
          keys["period"] = [this, &f](const YAML::Node& n) {
            f.period = static_cast<std::uint32_t>(whole(n, "period", 0xffffffff));
          };
        }
        entries(map, "filter", keys);
      };
    };
    entries(node, "filter",
            {{"counter", bounds(RampFilter::Kind::kCounter)},
             {"range", bounds(RampFilter::Kind::kRange)}});
    const bool is_one = node.IsMap() && node.size() == 1;
    if (f.kind == RampFilter::Kind::kNone || !is_one) {
      add(node, "filter", "needs counter or range, one of them");
    } else if (f.kind == RampFilter::Kind::kCounter && f.first >= f.period) {
      add(node, "filter", "first must be less than the period, or nothing passes");
    }
    return f;
  }

  void source(const YAML::Node& entry) {
    std::optional<base::Rectangle> tiles;
    std::optional<std::uint8_t> color;
    bool advance = false;
    entries(entry, "sources",
            {{"tiles", tiles_into(tiles)},
             {"color", color_into(color)},
             {"advance", [&](const YAML::Node& node) { advance = flag(node, "advance"); }}});
    if (!needs(entry, "sources", tiles.has_value(), "tiles") ||
        !needs(entry, "sources", color.has_value(), "color")) {
      return;
    }
    for (std::uint32_t y = tiles->rows.begin; y < tiles->rows.end; ++y) {
      for (std::uint32_t x = tiles->columns.begin; x < tiles->columns.end; ++x) {
        routes_.sources.push_back({mesh_.tile(x, y), *color, advance});
        source_places_[{mesh_.tile(x, y), *color}] = place(entry.Mark());
      }
    }
  }

  /// Rules that need the whole file.
  void check() {
    if (routes_.sources.empty()) errors_.add("sources", "", "must be given", file_);
    const std::size_t before = errors_.violations().size();
    fabric::check_routes(routes_.routes, errors_);
    for (std::size_t i = before; i < errors_.violations().size(); ++i) {
      errors_.violations()[i].place = file_;
    }
    std::stable_sort(routes_.sources.begin(), routes_.sources.end(),
                     [](const auto& a, const auto& b) { return a.tile < b.tile; });
    std::map<std::pair<std::uint32_t, std::uint8_t>, int> given;
    for (const OwnRoutes::Source& source : routes_.sources) {
      const base::Coordinate at = mesh_.at(source.tile);
      const std::string& where = source_places_[{source.tile, source.color}];
      const auto violate = [&](const char* rule) {
        errors_.add("sources", fmt::format("tile ({}, {}), color {}", at.x, at.y, source.color),
                    rule, where);
      };
      const ColorRoute* route = routes_.routes.find(source.tile, source.color);
      if (route == nullptr || !route->inputs().contains(Port::kRamp)) {
        violate("needs a route from the ramp");
      }
      if (++given[{source.tile, source.color}] == 2) violate("is given twice");
      if (errors_.violations().size() >= kMost) return;
    }
  }

  static constexpr std::size_t kMost = 20;
  fabric::Mesh mesh_{0, 0};
  OwnRoutes routes_;
  std::map<std::pair<std::uint32_t, std::uint8_t>, std::string> source_places_;
};

}  // namespace

fabric::OwnRoutes read_routes(const std::string& file, base::ConfigErrors& errors) {
  return RoutesReader(file, errors).read();
}

}  // namespace wse::model
