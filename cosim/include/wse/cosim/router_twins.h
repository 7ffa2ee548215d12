// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wse/cosim/twin_kind.h"
#include "wse/fabric/router_setup.h"
#include "wse/fabric/router_twin.h"

namespace wse::cosim {

using fabric::RouterSetup;

/// RTL of a router that can stand in for the model.
struct RouterTwinKind : TwinKind {
  std::function<std::unique_ptr<fabric::RouterTwin>(const RouterSetup&)> make;
};

/// Those that were built in. Without Verilator there are none.
const std::vector<RouterTwinKind>& router_twins();
/// Throws ConfigError for `what`, naming those that there are, or why there are none.
const RouterTwinKind& router_twin(const std::string& name, const std::string& what);
/// Makes one; throws ConfigError if its queues are too short for the machine.
std::unique_ptr<fabric::RouterTwin> make_router_twin(const RouterTwinKind& kind,
                                                     const RouterSetup& setup);

}  // namespace wse::cosim
