// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "wse/base/config_errors.h"
#include "wse/fabric/own_routes.h"

namespace wse::fabric {

/// How a wavelet finds its way: by the routes of its color, or by the destination it carries.
enum class Routing : std::uint8_t { kColor, kXy };

enum class Pattern : std::uint8_t {
  kNeighbor,
  kShift,
  kRowBroadcast,
  kColumnBroadcast,
  kHalo,
  kAllToEdge,
  kHotspot,
  kUniform,
  kTranspose,
  kTornado,
  kBitComplement,
  kRoutes,
};

struct PatternInfo {
  Pattern pattern;
  std::string name;
  std::string text;  ///< one line
  bool color = false;
  bool xy = false;
};
const std::vector<PatternInfo>& patterns();
const PatternInfo& info_of(Pattern pattern);

/// Synthetic traffic, as `wse noc` offers it.
struct TrafficConfig {
  Mesh mesh{8, 8};
  Pattern pattern = Pattern::kNeighbor;
  Routing routing = Routing::kColor;
  double rate = 0.05;           ///< wavelets a tile and cycle, in (0, 1]
  std::uint64_t cycles = 1000;  ///< in which wavelets are offered
  std::uint32_t radius = 1;     ///< of a halo
  std::uint32_t distance = 1;   ///< of a shift, tiles
  std::uint32_t packet = 1;     ///< wavelets that are offered together
  std::uint64_t seed = 1;
  std::shared_ptr<const OwnRoutes> own;  ///< of the pattern kRoutes, on this mesh

  void validate(base::ConfigErrors& errors) const;
};

/// Who sends, and where to. A target is a color, or with xy routing a tile.
class Traffic {
 public:
  static constexpr std::uint32_t kNobody = ~std::uint32_t{0};

  /// Throws ConfigError if no tile of the mesh has a destination.
  explicit Traffic(const TrafficConfig& config);

  const TrafficConfig& config() const { return config_; }
  /// Tiles that send, in rising order.
  const std::vector<std::uint32_t>& senders() const { return senders_; }
  /// Routes of the colors; empty with xy routing.
  RouteTable routes() const;
  /// Target of the n-th packet of a sender, n from 0; `dice` is a random number, used by uniform
  /// traffic only. kNobody if there is none: then the packet is not offered.
  std::uint32_t target(std::uint32_t sender, std::uint32_t n, std::uint64_t dice) const;
  /// Whether the last wavelet of that packet advances the switches that it passes.
  bool advances(std::uint32_t sender, std::uint32_t n) const;
  /// Targets that a sender takes in turn: target() is the same for n and n + turns().
  std::uint32_t turns(std::uint32_t sender) const;

 private:
  base::Span own_sources(std::uint32_t tile) const;
  bool sends(std::uint32_t tile) const;
  std::uint32_t fixed_destination(std::uint32_t tile) const;

  const TrafficConfig config_;
  std::vector<std::uint32_t> senders_;
};

}  // namespace wse::fabric
