// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "wse/cosim/tile_rtl.h"
#include "wse/tiles/tile_twin.h"

namespace wse::cosim {

/// RTL of tiles that was built in. Without Verilator there is none.
const std::vector<TileTwinKind>& tile_twins();
/// Throws ConfigError for `what`, naming those that there are, or why there are none.
const TileTwinKind& tile_twin(const std::string& name, const std::string& what);
/// Makes one and gives it the program of its tile; throws ConfigError if the program or the machine is
/// not one that such RTL can run.
std::unique_ptr<tiles::TileTwin> make_tile_twin(const TileTwinKind& kind,
                                                const tiles::TileSetup& setup);

}  // namespace wse::cosim
