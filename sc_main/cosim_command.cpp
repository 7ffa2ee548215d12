// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "commands.h"
#include "settings_options.h"
#include "wse/base/config_errors.h"
#include "wse/cosim/lockstep.h"

namespace wse::cli {

int cosim_command(const Arguments& arguments) {
  static constexpr const char* kUsage =
      "usage: wse cosim noc|kernel [options of that command] --twin "
      "KIND@X,Y=rtl:NAME|remote:unix:PATH .. [--lockstep] [--mutant N]\n"
      "       wse cosim campaign router|sram|tile [--cycles N] [--seeds N] [--json]\n";
  if (!arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h")) {
    std::cout << kUsage;
    return kDone;
  }
  const std::string command = arguments.empty() ? "" : arguments[0];
  const Arguments rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  try {
    if (command == "noc") return cosim_noc_command(rest);
    if (command == "campaign") return campaign_command(rest);
    if (command == "kernel") return cosim_kernel_command(rest);
  } catch (const cosim::Mismatch& mismatch) {
    if (command == "campaign") throw;
    throw cosim::Mismatch(std::string(mismatch.what()) +
                          "\n  replay: " + command_line("cosim", arguments));
  }
  throw base::ConfigError("wse cosim", command, "must be noc, kernel or campaign");
}

}  // namespace wse::cli
