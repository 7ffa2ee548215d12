// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/cosim/bank_twins.h"
#include "wse/cosim/router_twins.h"
#include "wse/cosim/tile_rtl.h"

namespace wse::cosim {

/// All RTL of this program, by kind.
struct RtlTwins {
  std::vector<RouterTwinKind> routers;
  std::vector<BankTwinKind> banks;
  std::vector<TileTwinKind> tiles;
};

/// Written by the build: adds every twin that wse_add_rtl_twin() has made.
void add_rtl_twins(RtlTwins& all);
const RtlTwins& rtl_twins();

}  // namespace wse::cosim
