// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "settings_options.h"
#include "wse/model/training.h"
#include "wse/report/tornado_table.h"

namespace wse::cli {

/// The run that a tornado is about.
struct TornadoInputs {
  const SettingsOptions& options;
  const model::Settings& settings;
  const model::Origins& origins;
  const model::TrainingResult& result;
  std::string model_file;
  std::string model_name;
  std::string command;
  bool cold_start = false;
  bool quiet = false;
  std::string out;
};

/// Makes a run for each changed value, as many at once as there are processors, in OUT/tornado/:
/// runs that are there already are taken over. Only their numbers are kept.
report::TornadoTable run_tornado(const TornadoInputs& inputs);

/// Writes tornado.html, tornado.csv and tornado.json into OUT.
void write_tornado(const report::TornadoTable& table, const std::string& out);

}  // namespace wse::cli
