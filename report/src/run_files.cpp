// SPDX-License-Identifier: Apache-2.0
#include "wse/report/run_files.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ledger_stats.h"
#include "power_stats.h"
#include "wse/report/files.h"
#include "wse/report/gpt_report.h"
#include "wse/report/page.h"
#include "wse/report/run_folder.h"
#include "wse/report/train_report.h"

namespace wse::report {

using json = nlohmann::ordered_json;

namespace {

/// The content of a JSON file; null if there is none or it is damaged, and why.
json read_or_null(const std::string& path, std::string& why) {
  std::ifstream file(path, std::ios::binary);
  json content = file ? json::parse(file, nullptr, false) : json(nullptr);
  if (content.is_object()) return content;
  why += (why.empty() ? "" : "; ") + std::filesystem::path(path).filename().string() +
         (file ? " is damaged" : " is missing");
  return nullptr;
}

/// Of a training at the cycle level. Throws ConfigError if its statistics are not whole.
std::string page_of_cycles(const json& stats, const std::string& folder) {
  for (const char* key :
       {"command", "mesh", "loss", "reference_loss", "time_ledger", "operations", "traffic"}) {
    if (stats.contains(key)) continue;
    throw base::ConfigError("DIR", folder, std::string("has a damaged stats.json: no ") + key);
  }
  return gpt_page(stats);
}

}  // namespace

std::string train_page(const json& stats, const json& config, const json& samples) {
  json data{{"kind", "train"}, {"stats", stats}, {"config", config}};
  if (samples.is_object()) data.update(samples);
  return page("train.html", data);
}

void write_run(const model::TrainingResult& result, const json& config,
               const base::Timeline* timeline, const json& window, const std::string& folder) {
  json stats = stats_json(result);
  if (!window.is_null()) stats["window"] = window;
  const json samples = samples_json(result, timeline);
  write_files({{folder + "/dies.csv", dies_csv(result)},
               {folder + "/power.csv", power_csv(result)},
               {folder + "/config.json", config.dump(2) + "\n"},
               {folder + "/ledger.json", ledger_json(result).dump(2) + "\n"},
               {folder + "/samples.json", samples.dump() + "\n"},
               {folder + "/report.html", train_page(stats, config, samples)},
               {folder + "/stats.json", stats.dump(2) + "\n"}});  // last: it marks a complete run
}

void rebuild_report(const std::string& folder) {
  RunFolder run = read_run("DIR", folder);
  if (run.stats.value("fidelity", "") == "cycle") {
    return write_file(folder + "/report.html", page_of_cycles(run.stats, folder));
  }
  for (const char* key : {"model", "machine", "fidelity", "step_seconds", "tokens_per_second",
                          "time_ledger", "bound", "residency", "energy_by_kind_j"}) {
    if (run.stats.contains(key) && !run.stats[key].is_null()) continue;
    throw base::ConfigError("DIR", folder, std::string("has a damaged stats.json: no ") + key);
  }
  std::string missing;
  const json samples = read_or_null(folder + "/samples.json", missing);
  if (!run.config.is_object()) run.config = read_or_null(folder + "/config.json", missing);
  if (!missing.empty()) {
    run.stats["incomplete"] = true;
    run.stats["incomplete_reason"] = missing;
  }
  write_file(folder + "/report.html", train_page(run.stats, run.config, samples));
}

}  // namespace wse::report
