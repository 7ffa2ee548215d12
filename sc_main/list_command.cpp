// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>

#include "commands.h"
#include "kernel_choice.h"
#include "versus_option.h"
#include "wse/base/config_errors.h"
#include "wse/cosim/bank_twins.h"
#include "wse/cosim/router_twins.h"
#include "wse/cosim/tile_twins.h"
#include "wse/fabric/traffic.h"
#include "wse/model/parameters.h"

namespace wse::cli {
namespace {

template <class Kind>
void list_twins(const std::string& kind, const std::string& holds, const std::vector<Kind>& all) {
  for (const Kind& twin : all) {
    std::cout << fmt::format("{:<7} rtl:{:<12} {} {}, {} mutants, {}\n", kind, twin.name, twin.size,
                             holds, twin.mutants, twin.source);
  }
}

void list_twins() {
  list_twins("router", "slots a queue", cosim::router_twins());
  list_twins("sram", "words a bank", cosim::bank_twins());
  list_twins("tile", "words", cosim::tile_twins());
  if (cosim::router_twins().empty()) std::cout << "no RTL: built without Verilator\n";
  std::cout << "router  remote:unix:PATH   in another process, see cosim/remote/wse_remote.sv\n";
}

}  // namespace

int list_command(const Arguments& arguments) {
  const std::string what = arguments.size() == 1 ? arguments.front() : "";
  if (what == "machines") {
    for (const std::string& name : preset_names("machines", ".yaml")) std::cout << name << "\n";
  } else if (what == "models") {
    for (const std::string& name : preset_names("models", ".json")) std::cout << name << "\n";
  } else if (what == "sweeps") {
    for (const std::string& name : preset_names("sweeps", ".yaml")) std::cout << name << "\n";
  } else if (what == "clusters") {
    std::cout << cluster_list();
  } else if (what == "parameters") {
    for (const model::Parameter& p : model::parameters()) {
      std::cout << fmt::format("{:<45} {:<10} {}\n", p.path, p.unit, p.text);
    }
  } else if (what == "patterns") {
    for (const fabric::PatternInfo& pattern : fabric::patterns()) {
      std::cout << fmt::format("{:<17} {:<9} {}\n", pattern.name,
                               !pattern.xy     ? "color"
                               : pattern.color ? "color, xy"
                                               : "xy",
                               pattern.text);
    }
  } else if (what == "kernels") {
    std::cout << kernel_list();
  } else if (what == "benches") {
    for (const Bench& bench : benches())
      std::cout << fmt::format("{:<8} {}\n", bench.name, bench.text);
  } else if (what == "twins") {
    list_twins();
  } else {
    throw base::ConfigError(
        "usage", "wse list",
        "needs one of machines, models, kernels, parameters, patterns, benches, clusters, "
        "sweeps, twins");
  }
  return kDone;
}

}  // namespace wse::cli
