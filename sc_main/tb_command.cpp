// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "commands.h"
#include "settings_options.h"
#include "wse/report/files.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;

void require_known(const std::string& name) {
  std::vector<std::string> names;
  for (const Bench& bench : benches()) names.push_back(bench.name);
  for (const std::string& known : names) {
    if (name == known) return;
  }
  const std::string near = base::nearest_name(name, names);
  throw base::ConfigError("NAME", name,
                          "is no bench (wse list benches)" +
                              (near.empty() ? std::string() : "; did you mean " + near + "?"));
}

/// Where the benches were built, unless WSE_BENCHES says otherwise.
std::string program_of(const std::string& name) {
  const char* const given = std::getenv("WSE_BENCHES");
  const std::string folder = given != nullptr && *given != '\0' ? given : WSE_BENCH_DIR;
  const std::string program = folder + "/" + name + "_bench";
  if (access(program.c_str(), X_OK) == 0) return program;
  throw base::ConfigError("bench", program,
                          "is not built: cmake --build build/release --target wse_benches, or set "
                          "WSE_BENCHES to the folder that has it");
}

}  // namespace

const std::vector<Bench>& benches() {
  static const std::vector<Bench> kBenches{
      {"die", "the compute engines of a die, driven with work items over their ramp"},
      {"kernel", "four tiles: a program of your own, a dot product along a row"},
      {"power", "the power monitor, fed with activity: budget, clock and temperature"},
      {"router", "the fabric of four dies: a block of weights from a lane to the ramps"},
      {"sram", "the SRAM of a die: transport, DMI, a refused access, activity"},
      {"wafer", "a whole wafer and a host: one training step of a tiny model"}};
  return kBenches;
}

int tb_command(const Arguments& arguments) {
  std::string name;
  std::string out;
  bool source = false;
  po::options_description options("options");
  options.add_options()("name", po::value(&name)->required()->value_name("NAME"),
                        "bench, see wse list benches")("out", po::value(&out)->value_name("DIR"),
                                                       "folder of the waves (default out/tb-NAME)")(
      "source", po::bool_switch(&source), "print where the source is, to copy it");
  po::positional_options_description positions;
  positions.add("name", 1);
  po::variables_map values;
  if (!parse_options(arguments, options, positions, "wse tb NAME [options]", values)) return kDone;
  require_known(name);
  if (source) {
    std::cout << home() << "/testbenches/benches/" << name << "_bench.cpp\n";
    return kDone;
  }
  const std::string program = program_of(name);
  if (out.empty()) out = "out/tb-" + name;
  report::prepare_folder(out);
  execl(program.c_str(), program.c_str(), out.c_str(), static_cast<char*>(nullptr));
  throw base::ConfigError("bench", program, "cannot be started");
}

}  // namespace wse::cli
