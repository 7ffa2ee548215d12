// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace wse::fabric {

/// The tree that the wavelets of one ramp and color take.
struct Circuit {
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// Where copies end.
  struct Leaf {
    std::uint32_t leaf;   ///< tile and color
    std::uint32_t depth;  ///< hops from the source
  };
  std::uint32_t channel = kNone;  ///< of the source
  std::uint32_t source_leaf = 0;
  std::uint32_t group = kNone;
  bool flows = true;         ///< may be handled as a whole
  std::uint32_t depth = 0;   ///< hops to the farthest router
  std::uint64_t hops = 0;    ///< links of the tree
  std::vector<Leaf> leaves;  ///< empty unless it may flow
};

}  // namespace wse::fabric
