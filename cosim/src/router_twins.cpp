// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/router_twins.h"

#include <fmt/format.h>

#include "rtl_twins.h"

namespace wse::cosim {

const std::vector<RouterTwinKind>& router_twins() { return rtl_twins().routers; }

const RouterTwinKind& router_twin(const std::string& name, const std::string& what) {
  return find_twin(router_twins(), "router", name, what);
}

std::unique_ptr<fabric::RouterTwin> make_router_twin(const RouterTwinKind& kind,
                                                     const RouterSetup& setup) {
  if (setup.own_slots > kind.size) {
    throw base::ConfigError(
        "rtl:" + kind.name, fmt::format("{} slots a queue", kind.size),
        fmt::format("is too short: fabric.queue_depth and the latencies of this "
                    "machine need {}",
                    setup.own_slots));
  }
  return kind.make(setup);
}

}  // namespace wse::cosim
