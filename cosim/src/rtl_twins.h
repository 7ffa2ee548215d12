// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wse/cosim/router_twins.h"

namespace wse::cosim {

/// Written by the build: adds every twin that wse_add_rtl_twin() has made.
void add_rtl_twins(std::vector<RouterTwinKind>& all);

}  // namespace wse::cosim
