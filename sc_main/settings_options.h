// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "wse/model/parameters.h"

namespace wse::cli {

/// --machine FILE, --run FILE and --set PATH=VALUE, shared by the commands that build a machine.
struct SettingsOptions {
  std::string machine = "cs2";
  std::string run;
  std::vector<std::string> set;

  void add_to(boost::program_options::options_description& options);
  /// Reads and validates; throws ConfigError with every violation.
  model::Settings read(model::Origins& origins) const;
};

/// Files of the project are told from its folder on, so that results do not depend on where it is.
void shorten_places(model::Origins& origins);

/// Parses a command's options; prints the help and returns false when it was asked for. Throws
/// ConfigError.
bool parse_options(const std::vector<std::string>& arguments,
                   const boost::program_options::options_description& options,
                   const boost::program_options::positional_options_description& positions,
                   const std::string& usage, boost::program_options::variables_map& values);

/// A command as it can be typed again.
std::string command_line(const std::string& command, const std::vector<std::string>& arguments);

}  // namespace wse::cli
