// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "interrupt.h"
#include "settings_options.h"
#include "wse/base/host_usage.h"
#include "wse/base/text_forms.h"
#include "wse/fabric/noc_run.h"
#include "wse/model/stack_file.h"
#include "wse/power/power_map.h"
#include "wse/report/files.h"
#include "wse/report/power_report.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;

struct PowerOptions {
  SettingsOptions settings;
  std::string map;
  std::string grid;
  std::string stack;
  bool steady = false;
  double transient = 0;
  double dt = 0.001;
  double ambient = 0;
  bool no_coolant = false;
  std::string out;
  bool json = false;
  bool quiet = false;
  po::variables_map given;
};

bool read_options(const Arguments& arguments, PowerOptions& o) {
  po::options_description options("options");
  options.add_options()("map", po::value(&o.map)->value_name("FILE"),
                        "watts by die, CSV: row,col,power_W")(
      "grid", po::value(&o.grid)->value_name("NXxNY"),
      "cells, multiples of columns and rows of dies (default 4x4 a die)")(
      "stack", po::value(&o.stack)->value_name("FILE"),
      "layers and coolant (default: of the machine, silicon, TIM, two of copper)")(
      "steady", po::bool_switch(&o.steady), "the steady state (default)")(
      "transient", po::value(&o.transient)->value_name("T"),
      "T seconds from the moment that the power comes on")("dt", po::value(&o.dt)->value_name("S"),
                                                           "a step of it, seconds (default 0.001)")(
      "ambient", po::value(&o.ambient)->value_name("K"),
      "temperature at the start and of the coolant's inlet, kelvins (default: of the stack)")(
      "no-coolant", po::bool_switch(&o.no_coolant), "the coolant has that temperature everywhere")(
      "out", po::value(&o.out)->value_name("DIR"), "folder of the results (default out/power)")(
      "json", po::bool_switch(&o.json), "print one JSON object")("quiet", po::bool_switch(&o.quiet),
                                                                 "print nothing but errors");
  o.settings.add_to(options);
  po::positional_options_description positions;
  positions.add("map", 1);
  return parse_options(arguments, options, positions, "wse power --map FILE [options]", o.given);
}

power::MapRun run_of(const PowerOptions& o, const model::Settings& settings) {
  constexpr double kZeroC = 273.15;
  base::ConfigErrors errors;
  power::MapRun run;
  run.die_columns = settings.machine.geometry.die_columns;
  run.die_rows = settings.machine.geometry.die_rows;
  run.columns = settings.machine.thermal.die_columns * run.die_columns;
  run.rows = settings.machine.thermal.die_rows * run.die_rows;
  if (!o.grid.empty()) {
    const auto size = base::parse_size(o.grid);
    errors.require(size.has_value(), "--grid", o.grid, "must be NXxNY, columns and rows of cells");
    if (size) {
      run.columns = size->columns.end;
      run.rows = size->rows.end;
    }
  }
  run.stack = settings.machine.thermal.detailed_stack();
  if (!o.stack.empty()) model::read_stack(o.stack, run.stack, errors);
  if (o.given.count("ambient") != 0) {
    errors.require(o.ambient > 0 && o.ambient < 1000, "--ambient", o.ambient,
                   "must be a temperature in kelvins, below 1000");
    run.stack.inlet_c = o.ambient - kZeroC;
  }
  run.stack.coolant_warms = !o.no_coolant;
  const bool transient = o.given.count("transient") != 0;
  errors.require(!(transient && o.steady), "--steady", "with --transient",
                 "cannot be: one or the other");
  errors.require(transient || o.given.count("dt") == 0, "--dt", o.dt, "is for --transient");
  if (transient) run.transient = power::MapRun::Transient{o.transient, o.dt};
  if (errors.empty()) run.validate(errors);
  errors.throw_if_any();
  run.die_w = power::read_power_map(o.map, run.die_columns, run.die_rows);
  return run;
}

}  // namespace

int power_command(const Arguments& arguments) {
  PowerOptions o;
  if (!read_options(arguments, o)) return kDone;
  if (o.map.empty()) throw base::ConfigError("--map", "", "must name a CSV file of watts by die");
  model::Origins origins;
  report::PowerRecord record;
  record.run = run_of(o, o.settings.read(origins));
  record.map = o.map;
  record.command = command_line("power", arguments);
  const std::string out = o.out.empty() ? "out/power" : o.out;
  report::prepare_folder(out);
  const report::FolderLock lock(out);
  catch_interrupts();
  const base::Stopwatch stopwatch;
  record.result = power::run_map(record.run, [] {
    if (interrupted()) throw fabric::Interrupted();
  });
  record.host = base::host_usage();
  record.host_seconds = stopwatch.seconds();
  const std::string stats = report::power_json(record).dump(2) + "\n";
  std::vector<std::pair<std::string, std::string>> files{
      {out + "/report.html", report::power_page(record)},
      {out + "/stats.json", stats},
      {out + "/dies.csv", report::power_dies_csv(record)},
      {out + "/grid.csv", report::power_grid_csv(record)}};
  if (record.run.transient) files.emplace_back(out + "/trace.csv", report::power_trace_csv(record));
  report::write_files(files);
  if (o.json) {
    std::cout << stats << std::flush;
  } else if (!o.quiet) {
    std::cout << report::power_summary(record) << "  results in             " << out
              << "/ (report.html, stats.json, dies.csv, grid.csv"
              << (record.run.transient ? ", trace.csv" : "") << ")" << std::endl;
  }
  return kDone;
}

}  // namespace wse::cli
