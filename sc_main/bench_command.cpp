// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "fabric_benches.h"
#include "settings_options.h"
#include "sweep_scripts.h"
#include "wse/cosim/router_twins.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;
using json = nlohmann::ordered_json;

/// One row: what is run, in a process of its own, and what of its numbers is told.
struct Row {
  std::string name;
  std::string arguments;  ///< of the program
  std::string unit;
  std::function<double(const json&)> value;
  double bar;
  bool least = true;  ///< the value must be at least the bar, else at most
};

std::function<double(const json&)> key(const std::string& name, double scale) {
  return [name, scale](const json& object) { return object.at(name).get<double>() * scale; };
}

std::vector<Row> rows() {
  const auto hops = key("hops_per_cpu_second", 1e-6);
  const std::string m = "M hops/s";
  const auto noc = [](const std::string& rest) { return "noc --json " + rest; };
  std::vector<Row> rows{
      {"uniform, xy, 8 x 8 at 0.05",
       noc("--mesh 8x8 --pattern uniform --routing xy --rate 0.05 --cycles 300000"), m, hops, 10},
      {"uniform, xy, 64 x 64 at 0.025",
       noc("--mesh 64x64 --pattern uniform --routing xy --rate 0.025 --cycles 5000"), m, hops, 15},
      {"uniform, xy, 128 x 128 at 0.0125",
       noc("--mesh 128x128 --pattern uniform --routing xy --rate 0.0125 --cycles 3000"), m, hops,
       15},
      {"uniform, xy, 750 x 994 at 0.001",
       noc("--mesh 750x994 --pattern uniform --routing xy --rate 0.001 --cycles 300"), m, hops, 4},
      {"neighbor, 64 x 64 at 0.05",
       noc("--mesh 64x64 --pattern neighbor --rate 0.05 --cycles 50000"), m, hops, 8},
      {"shift 16, 64 x 64 at 0.05",
       noc("--mesh 64x64 --pattern shift --distance 16 --rate 0.05 --cycles 10000"), m, hops, 8},
      {"neighbor, 256 x 256 at 0.05",
       noc("--mesh 256x256 --pattern neighbor --rate 0.05 --cycles 4000"), m, hops, 6},
      {"shift 16, 256 x 256 at 0.05",
       noc("--mesh 256x256 --pattern shift --distance 16 --rate 0.05 --cycles 1000"), m, hops, 6},
      {"row-broadcast, 750 x 994, cycle",
       noc("--mesh 750x994 --pattern row-broadcast --rate 1 --cycles 1000"), m, hops, 60},
      {"halo radius 2, 750 x 994 at 0.1",
       noc("--mesh 750x994 --pattern halo --radius 2 --rate 0.1 --cycles 400"), m, hops, 10},
      {"4,000 streams on the wafer", "bench --measure streams", m, hops, 60},
      {"one wavelet walks over the wafer", "bench --measure walk", "M cycles/s",
       key("cycles_per_cpu_second", 1e-6), 1},
      {"row-broadcast of 1,000, 750 x 994, flow",
       noc("--mesh 750x994 --pattern row-broadcast --rate 1 --cycles 1000 --engine flow"),
       "s of CPU", key("host_cpu_seconds", 1), 0.5, false},
      {"8 colors routed on the wafer: time", "bench --measure elaborate", "s",
       key("elaboration_seconds", 1), 1, false},
      {"8 colors routed on the wafer: memory", "bench --measure elaborate", "GB",
       key("max_rss_bytes", 1e-9), 1, false},
      {"shift 16, 64 x 64: the core alone", "bench --measure core", m, hops, 0},
      {"shift 16, 64 x 64: through sockets", "bench --measure sockets", m, hops, 0},
      {"halo radius 2, 750 x 994: one thread",
       noc("--mesh 750x994 --pattern halo --radius 2 --rate 0.1 --cycles 400"), "s of wall",
       key("host_seconds", 1), 0, false},
      {"halo radius 2, 750 x 994: two threads",
       noc("--mesh 750x994 --pattern halo --radius 2 --rate 0.1 --cycles 400 --threads 2"),
       "s of wall", key("host_seconds", 1), 0, false},
      {"multiply-adds of fp32 on 64 x 64 tiles", "bench --measure compute", "M tile-cyc/s",
       key("tile_cycles_per_cpu_second", 1e-6), 15},
      {"reduce by chain, X-Y, 256 words, 512 x 512",
       "kernel reduce --algorithm chain --mesh 512x512 --words 256 --json", "s of CPU",
       key("host_cpu_seconds", 1), 20, false},
      {"a step of tiny-gpt, 16 x 16 tiles", "train tiny-gpt --fidelity cycle --json", "s of CPU",
       key("host_cpu_seconds", 1), 30, false},
      {"a window of 32 x 32 tiles, GPT-NeoX-20B",
       "train gpt-neox-20b --wave none --window 100..131,100..131=cycle --json", "s of wall",
       [](const json& object) { return object.at("window").at("host_seconds").get<double>(); }, 120,
       false}};
  if (!cosim::router_twins().empty()) {
    rows.push_back({"an RTL router in a mesh, of its own step", "bench --measure twin", "times",
                    key("ratio", 1), 1.5, false});
  }
  return rows;
}

/// Runs this program with other arguments and reads the object that it prints.
json run_self(const std::string& arguments) {
  const std::string folder =
      (std::filesystem::temp_directory_path() / fmt::format("wse_bench_{}", getpid())).string();
  std::string command = shell_word(std::filesystem::read_symlink("/proc/self/exe").string());
  command += " " + arguments;
  if (arguments.find("--json") != std::string::npos) command += " --out " + shell_word(folder);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string text;
  std::array<char, 4096> buffer;
  while (std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    text.append(buffer.data(), n);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return json::parse(text);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string verdict(const Row& row, double value) {
  if (row.bar == 0) return "";
  const bool holds = row.least ? value >= row.bar : value <= row.bar;
  return fmt::format("{} {:g}: {}", row.least ? "at least" : "at most", row.bar,
                     holds ? "holds" : "MISSED");
}

}  // namespace

int bench_command(const Arguments& arguments) {
  std::string measure;
  std::string only;
  std::int64_t runs = 5;
  po::options_description options("options");
  options.add_options()("runs", po::value(&runs)->value_name("N"),
                        "runs of each row, of which the median is told (default 5)")(
      "only", po::value(&only)->value_name("TEXT"), "rows whose name holds the text")(
      "measure", po::value(&measure)->value_name("NAME"),
      "one measurement in this process: streams, walk, elaborate, core, sockets, compute or "
      "twin");
  po::variables_map values;
  if (!parse_options(arguments, options, {}, "wse bench [options]", values)) return kDone;
  if (!measure.empty()) {
    std::cout << measure_fabric(measure).dump(2) << std::endl;
    return kDone;
  }
  base::ConfigErrors errors;
  errors.require(runs >= 1 && runs <= 1000, "--runs", runs, "must be 1 .. 1000");
  errors.throw_if_any();
  std::cout << fmt::format("{:<42} {:>9}  {:<10}  {:>9} .. {:<9}  {}\n", "work", "median", "unit",
                           "least", "most", "bar");
  bool any = false;
  for (const Row& row : rows()) {
    if (row.name.find(only) == std::string::npos) continue;
    any = true;
    std::vector<double> seen;
    for (std::int64_t i = 0; i < runs; ++i) seen.push_back(row.value(run_self(row.arguments)));
    const auto [least, most] = std::minmax_element(seen.begin(), seen.end());
    std::cout << fmt::format("{:<42} {:>9.3g}  {:<10}  {:>9.3g} .. {:<9.3g}  {}\n", row.name,
                             median(seen), row.unit, *least, *most, verdict(row, median(seen)))
              << std::flush;
  }
  if (!any) throw base::ConfigError("--only", only, "is in no row's name");
  return kDone;
}

}  // namespace wse::cli
