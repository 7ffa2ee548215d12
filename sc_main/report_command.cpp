// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "commands.h"
#include "settings_options.h"
#include "wse/report/files.h"
#include "wse/report/run_files.h"

namespace wse::cli {

namespace po = boost::program_options;

int report_command(const Arguments& arguments) {
  std::string folder;
  po::options_description options("options");
  options.add_options()("dir", po::value(&folder)->required()->value_name("DIR"),
                        "folder of a run, as --out of wse train left it");
  po::positional_options_description positions;
  positions.add("dir", 1);
  po::variables_map values;
  if (!parse_options(arguments, options, positions, "wse report DIR", values)) return kDone;
  report::rebuild_report(folder);
  std::cout << folder << "/report.html" << std::endl;
  return kDone;
}

}  // namespace wse::cli
