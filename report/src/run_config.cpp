// SPDX-License-Identifier: Apache-2.0
#include "wse/report/run_files.h"
#include "wse/report/run_folder.h"

namespace wse::report {

using json = nlohmann::ordered_json;

json config_json(const RunRecord& record, const model::Settings& settings, std::uint32_t steps,
                 bool cold_start) {
  json all = json::object();
  for (const model::Parameter& p : model::parameters()) {
    const model::Origin origin = model::origin_of(record.origins, p);
    all[p.path] = {
        {"value", parameter_json(settings, p)}, {"unit", p.unit},    {"source", origin.source},
        {"confidence", origin.confidence},      {"meaning", p.text}, {"place", origin.place}};
  }
  const json document = json::parse(record.model_document);
  return {
      {"command", record.command},
      {"model", {{"name", record.model_name}, {"file", record.model_file}, {"document", document}}},
      {"machine", settings.machine.name},
      {"parameters", all},
      {"options", {{"steps", steps}, {"cold_start", cold_start}}}};
}

}  // namespace wse::report
