// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>

#include "commands.h"
#include "settings_options.h"

namespace wse::cli {
namespace po = boost::program_options;

int explain_command(const Arguments& arguments) {
  SettingsOptions settings_options;
  std::string path;
  po::options_description options("options");
  options.add_options()("parameter", po::value(&path)->required()->value_name("PARAMETER"),
                        "path of a parameter");
  settings_options.add_to(options);
  po::positional_options_description positions;
  positions.add("parameter", 1);
  po::variables_map values;
  if (!parse_options(arguments, options, positions, "wse explain PARAMETER [options]", values))
    return kDone;
  const model::Parameter* parameter = model::find_parameter(path);
  if (parameter == nullptr) {
    std::vector<std::string> known;
    for (const model::Parameter& p : model::parameters()) known.push_back(p.path);
    const std::string near = base::nearest_name(path, known);
    throw base::ConfigError("PARAMETER", path,
                            "is unknown" + (near.empty() ? "" : "; did you mean " + near + "?"));
  }
  model::Origins origins;
  const model::Settings settings = settings_options.read(origins);
  const model::Origin origin = model::origin_of(origins, *parameter);
  std::cout << fmt::format(
      "{} = {} {}\n  meaning     {}\n  source      {}\n  confidence  {} ({})\n  set in      {}\n",
      path, value_of(settings, *parameter), parameter->unit, parameter->text, origin.source,
      origin.confidence, model::meaning_of_confidence(origin.confidence), origin.place);
  return kDone;
}

}  // namespace wse::cli
