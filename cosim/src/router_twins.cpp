// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/router_twins.h"

#include "rtl_twins.h"
#include "wse/base/config_errors.h"

namespace wse::cosim {

const std::vector<RouterTwinKind>& router_twins() {
  static const std::vector<RouterTwinKind> kAll = [] {
    std::vector<RouterTwinKind> all;
    add_rtl_twins(all);
    return all;
  }();
  return kAll;
}

const RouterTwinKind& router_twin(const std::string& name, const std::string& what) {
  std::vector<std::string> names;
  for (const RouterTwinKind& kind : router_twins()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  if (names.empty()) {
    throw base::ConfigError(what, name, "cannot be: this program was built without Verilator");
  }
  const std::string near = base::nearest_name(name, names);
  throw base::ConfigError(
      what, name,
      "is no RTL that was built in" +
          (near.empty() ? ", see wse list twins" : "; did you mean " + near + "?"));
}

std::unique_ptr<fabric::RouterTwin> make_router_twin(const RouterTwinKind& kind,
                                                     const RouterSetup& setup) {
  if (setup.own_slots > kind.slots) {
    throw base::ConfigError(
        "rtl:" + kind.name, fmt::format("{} slots a queue", kind.slots),
        fmt::format("is too short: fabric.queue_depth and the latencies of this "
                    "machine need {}",
                    setup.own_slots));
  }
  return kind.make(setup);
}

}  // namespace wse::cosim
