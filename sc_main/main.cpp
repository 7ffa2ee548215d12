// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <iostream>
#include <map>
#include <systemc>

#include "commands.h"
#include "wse/base/config_errors.h"
#include "wse/cosim/lockstep.h"
#include "wse/fabric/noc_run.h"
#include "wse/model/training.h"
#include "wse/tiles/kernel.h"

namespace {

using namespace wse;  // NOLINT: the executable names its own libraries

/// The kernel prints its banner before sc_main unless told otherwise; the output of a command is
/// its own.
const int g_no_banner = setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);

constexpr const char* kUsage =
    "usage: wse COMMAND [options]\n"
    "  train MODEL           one optimizer step of a model on a wafer\n"
    "  kernel NAME           a kernel on compute engines, cycle by cycle, with real data\n"
    "  noc                   synthetic traffic on the fabric, cycle by cycle\n"
    "  cosim noc|kernel      the same with routers that are RTL, in lockstep with the model\n"
    "  power --map FILE      temperatures of the wafer for a map of power\n"
    "  validate              kernels against published times\n"
    "  bench                 speed of the fabric on this computer\n"
    "  sweep FILE            many runs: parameters over their values, tables, best points\n"
    "  diff A B              what changed between two runs, in configuration and results\n"
    "  report DIR            makes the report of a run anew\n"
    "  explain PARAMETER     value, unit, source and confidence of a parameter\n"
    "  tb NAME               runs a short testbench to copy\n"
    "  list machines|models|kernels|parameters|patterns|benches|sweeps|twins\n"
    "  COMMAND --help        options of a command\n";

int run(const std::string& command, const cli::Arguments& arguments) {
  static const std::map<std::string, int (*)(const cli::Arguments&)> kCommands{
      {"train", cli::train_command},      {"sweep", cli::sweep_command},
      {"diff", cli::diff_command},        {"explain", cli::explain_command},
      {"list", cli::list_command},        {"tb", cli::tb_command},
      {"report", cli::report_command},    {"noc", cli::noc_command},
      {"bench", cli::bench_command},      {"kernel", cli::kernel_command},
      {"power", cli::power_command},      {"cosim", cli::cosim_command},
      {"validate", cli::validate_command}};
  if (command == "--help" || command == "-h" || command == "help") {
    std::cout << kUsage;
    return cli::kDone;
  }
  const auto it = kCommands.find(command);
  if (it != kCommands.end()) return it->second(arguments);
  std::vector<std::string> names;
  for (const auto& entry : kCommands) names.push_back(entry.first);
  const std::string near = base::nearest_name(command, names);
  throw base::ConfigError(
      "COMMAND", command,
      "is unknown" + (near.empty() ? std::string() : "; did you mean " + near + "?"));
}

}  // namespace

int sc_main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << kUsage;
    return cli::kBadUsage;
  }
  try {
    const int status = run(argv[1], cli::Arguments(argv + 2, argv + argc));
    if (std::cout.flush()) return status;
    std::cerr << "wse: standard output could not be written\n";
    return cli::kRunFailed;
  } catch (const base::ConfigError& error) {
    std::cerr << "wse: bad input\n" << error.what() << "\n";
    return cli::kBadUsage;
  } catch (const tiles::ProgramError& error) {
    std::cerr << "wse: a program that cannot run\n" << error.what() << "\n";
    return cli::kBadUsage;
  } catch (const cosim::Mismatch& error) {
    std::cerr << "wse: " << error.what() << "\n";
    return cli::kMismatch;
  } catch (const fabric::Interrupted&) {
    std::cerr << "wse: interrupted; earlier results are unchanged\n";
    return cli::kInterrupted;
  } catch (const model::Interrupted&) {
    std::cerr << "wse: interrupted; earlier results are unchanged\n";
    return cli::kInterrupted;
  } catch (const std::bad_alloc&) {
    std::cerr << "wse: this computer has not enough memory for the run\n";
    return cli::kRunFailed;
  } catch (const std::exception& error) {
    std::cerr << "wse: the run failed: " << error.what() << "\n";
    return cli::kRunFailed;
  }
}
