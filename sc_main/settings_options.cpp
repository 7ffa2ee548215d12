// SPDX-License-Identifier: Apache-2.0
#include "settings_options.h"

#include <iostream>

#include "commands.h"
#include "sweep_scripts.h"

namespace wse::cli {

namespace po = boost::program_options;

void SettingsOptions::add_to(po::options_description& options) {
  options.add_options()("machine", po::value(&machine)->value_name("FILE"),
                        "machine file or preset (default cs2)")(
      "run", po::value(&run)->value_name("FILE"), "run file")(
      "set", po::value(&set)->composing()->value_name("PATH=VALUE"),
      "set a parameter, as often as wanted");
}

void shorten_places(model::Origins& origins) {
  const std::string start = home() + "/";
  for (auto& [path, origin] : origins) {
    if (origin.place.rfind(start, 0) == 0) origin.place.erase(0, start.size());
  }
}

model::Settings SettingsOptions::read(model::Origins& origins) const {
  model::Settings settings;
  base::ConfigErrors errors;
  model::read_settings(preset_file("--machine", machine, "machines", ".yaml"), settings, origins,
                       errors, home() + "/configs/machines");
  if (!run.empty())
    model::read_settings(preset_file("--run", run, "runs", ".yaml"), settings, origins, errors);
  for (const std::string& assignment : set) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      errors.add("--set", assignment, "must be PATH=VALUE");
      continue;
    }
    const std::string path = assignment.substr(0, equals);
    model::set_parameter(settings, path, assignment.substr(equals + 1), "--set", errors);
    origins.emplace_back(path, model::Origin{"-", "-", "--set"});
  }
  settings.machine.validate(errors);
  settings.run.validate(errors);
  errors.throw_if_any();
  return settings;
}

bool parse_options(const std::vector<std::string>& arguments,
                   const po::options_description& options,
                   const po::positional_options_description& positions, const std::string& usage,
                   po::variables_map& values) {
  po::options_description all(options);
  all.add_options()("help,h", "this text");
  try {
    po::store(
        po::command_line_parser(arguments)
            .options(all)
            .positional(positions)
            .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
            .run(),
        values);
    if (values.count("help") != 0) {
      std::cout << "usage: " << usage << "\n" << all;
      return false;
    }
    po::notify(values);
  } catch (const po::error& error) {
    throw base::ConfigError("usage", usage, error.what());
  }
  return true;
}

std::string command_line(const std::string& command, const std::vector<std::string>& arguments) {
  std::string line = "./wse " + command;
  for (const std::string& argument : arguments) line += " " + shell_word(argument);
  return line;
}

}  // namespace wse::cli
