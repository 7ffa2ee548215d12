// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/twin_kind.h"

#include <fmt/format.h>

#include "rtl_twins.h"

namespace wse::cosim {

void refuse_twin(const std::string& kind, const std::string& name, const std::string& what,
                 const std::vector<std::string>& names) {
  const RtlTwins& all = rtl_twins();
  if (all.routers.empty() && all.banks.empty() && all.tiles.empty()) {
    throw base::ConfigError(what, name, "cannot be: this program was built without Verilator");
  }
  const std::string near = base::nearest_name(name, names);
  throw base::ConfigError(
      what, name,
      fmt::format("is no RTL of kind {} that was built in{}", kind,
                  near.empty() ? ", see wse list twins" : "; did you mean " + near + "?"));
}

const RtlTwins& rtl_twins() {
  static const RtlTwins kAll = [] {
    RtlTwins all;
    add_rtl_twins(all);
    return all;
  }();
  return kAll;
}

}  // namespace wse::cosim
