// SPDX-License-Identifier: Apache-2.0
#include "sweep_input.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "commands.h"
#include "wse/host/model_spec.h"
#include "wse/power/energy_table.h"
#include "wse/report/run_folder.h"

namespace wse::cli {
namespace {

namespace fs = std::filesystem;

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Runs a part and collects what it finds wrong; violations without a place get this one.
template <class Part>
void collect(base::ConfigErrors& errors, const std::string& place, const Part& part) {
  try {
    part();
  } catch (const base::ConfigError& error) {
    for (base::Violation v : error.violations()) {
      if (v.place.empty()) v.place = place;
      errors.violations().push_back(v);
    }
  }
}

/// A preset, or a file beside the sweep file, or a file as seen from here.
std::string resolve(const model::SweepFile& sweep, const model::Assignment& given,
                    const std::string& folder, const std::string& ending) {
  const fs::path beside = fs::path(sweep.file).parent_path() / given.value;
  std::error_code ignored;
  const bool is_preset =
      given.value.find('/') == std::string::npos &&
      fs::is_regular_file(home() + "/configs/" + folder + "/" + given.value + ending, ignored);
  if (!is_preset && fs::exists(beside, ignored)) return beside.string();
  return preset_file(given.path, given.value, folder, ending);
}

/// One entry a model of the file, an empty one where it cannot be read.
std::vector<model::SweepModel> read_models(const model::SweepFile& sweep,
                                           base::ConfigErrors& errors) {
  std::vector<model::SweepModel> models;
  for (const model::Assignment& given : sweep.models) {
    models.emplace_back();
    collect(errors, given.place, [&] {
      model::SweepModel& m = models.back();
      m.file = resolve(sweep, given, "models", ".json");
      m.name = model_name(m.file);
      host::read_model(m.file, m.name);
      m.document = read_text(m.file);
    });
  }
  return models;
}

std::string read_energy_table(const std::string& given) {
  const std::string file = energy_table_file(given);
  power::EnergyTable::read(file);
  return read_text(file);
}

/// True if the points are to be expanded; what speaks against it is a violation.
bool count_is_wanted(const model::SweepFile& sweep, const AskCount& ask,
                     base::ConfigErrors& errors) {
  const std::uint64_t count = sweep.count();
  const std::string text = count == ~std::uint64_t{0} ? "2^64 or more" : fmt::format("{}", count);
  if (count > model::kSweepPointsMost) {
    errors.add("points", text, fmt::format("must be at most {}", model::kSweepPointsMost),
               sweep.file);
    return false;
  }
  if (count <= model::kSweepPointsAsked) return true;
  if (errors.empty() && ask(count)) return true;
  errors.add(
      "points", text,
      fmt::format("are more than {}: say --yes if so many are wanted", model::kSweepPointsAsked),
      sweep.file);
  return false;
}

}  // namespace

SweepInput read_sweep_input(const std::string& given, const AskCount& ask) {
  const std::string file = preset_file("FILE", given, "sweeps", ".yaml");
  base::ConfigErrors errors;
  model::SweepFile sweep = model::read_sweep(file, report::result_keys(), errors);
  const bool wanted = count_is_wanted(sweep, ask, errors);
  SweepRunner::Files files;
  model::Settings base;
  model::Origins origins;
  collect(errors, sweep.machine.place, [&] {
    files.machine = resolve(sweep, sweep.machine, "machines", ".yaml");
    model::read_settings(files.machine, base, origins, errors, home() + "/configs/machines");
  });
  collect(errors, sweep.run.place, [&] {
    if (sweep.run.value.empty()) return;
    files.run = resolve(sweep, sweep.run, "runs", ".yaml");
    model::read_settings(files.run, base, origins, errors);
  });
  std::vector<model::SweepModel> models = read_models(sweep, errors);
  if (sweep.models
          .empty()) {  // said already; the points of the parameters are checked all the same
    sweep.models.push_back({"model", "", ""});
    models.emplace_back();
  }
  SweepInput input{model::SweepPlan(std::move(sweep), base, origins, std::move(models)), files};
  if (wanted) input.plan.expand(read_energy_table, errors);
  errors.throw_if_any();
  return input;
}

}  // namespace wse::cli
