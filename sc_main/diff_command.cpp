// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <iostream>
#include <limits>

#include "commands.h"
#include "settings_options.h"
#include "wse/report/run_diff.h"

namespace wse::cli {

namespace po = boost::program_options;

int diff_command(const Arguments& arguments) {
  std::string a;
  std::string b;
  double tolerance = 0;
  bool json = false;
  bool all = false;
  po::options_description options("options");
  options.add_options()("a", po::value(&a)->required()->value_name("A"),
                        "run folder, or its stats.json")(
      "b", po::value(&b)->required()->value_name("B"), "the run to compare with it")(
      "tolerance", po::value(&tolerance)->value_name("R"),
      "largest relative change that is none (default 0)")("all", po::bool_switch(&all),
                                                          "show every change, not the 20 largest")(
      "json", po::bool_switch(&json), "print one JSON object");
  po::positional_options_description positions;
  positions.add("a", 1).add("b", 1);
  po::variables_map values;
  if (!parse_options(arguments, options, positions, "wse diff A B [options]", values)) return kDone;
  base::ConfigErrors errors;
  errors.require(std::isfinite(tolerance) && tolerance >= 0, "--tolerance", tolerance,
                 "must be at least 0");
  errors.throw_if_any();
  const report::RunFolder run_a = report::read_run("A", a);
  const report::RunFolder run_b = report::read_run("B", b);
  const report::RunDiff diff = report::diff_runs(run_a, run_b);
  if (json) {
    std::cout << report::diff_json(diff, run_a, run_b, tolerance).dump(2) << std::endl;
  } else {
    std::cout << report::diff_text(diff, run_a, run_b, tolerance, all) << std::flush;
  }
  return diff.beyond(tolerance) == 0 ? kDone : kRunFailed;
}

}  // namespace wse::cli
