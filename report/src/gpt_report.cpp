// SPDX-License-Identifier: Apache-2.0
#include "wse/report/gpt_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "machine_json.h"
#include "units_text.h"
#include "wse/model/gpt_prediction.h"
#include "wse/report/page.h"

namespace wse::report {

using json = nlohmann::ordered_json;

namespace {

constexpr std::uint64_t kWordBytes = 4;

double steps_of(const GptRecord& r) { return static_cast<double>(r.training.steps); }
double core_hz(const GptRecord& r) { return static_cast<double>(r.machine.core_hz); }
std::uint64_t flops_of(const GptRecord& r) {
  std::uint64_t flops = 0;
  for (const tiles::OperationCost& cost : r.result.costs) flops += cost.flops;
  return flops;
}
double useful_flops_per_second(const GptRecord& r) {
  return 2.0 * static_cast<double>(r.useful_multiply_adds) / r.step_seconds();
}
/// Against the wafer's fp16 lanes, as that of the transaction level.
double utilization(const GptRecord& r) {
  const double most =
      2.0 * static_cast<double>(r.machine.cores_rated) * core_hz(r) * r.machine.tile.lanes_fp16;
  return useful_flops_per_second(r) / most;
}
double energy_j(const GptRecord& r) { return r.power.wafer_w() * r.step_seconds(); }
/// Events of the mesh, and what its tiles leak.
double mesh_energy_j(const GptRecord& r) {
  return (r.power.mesh_w + r.power.mesh_leakage_w) * r.step_seconds();
}
base::Cycles predicted_cycles(const GptRecord& r) {
  return model::predicted_cycles(r.result.plans) * r.training.steps;
}
double prediction_deviation(const GptRecord& r) {
  return static_cast<double>(predicted_cycles(r)) / static_cast<double>(r.result.cycles) - 1;
}
/// The clock stays as it is where nothing would slow it down; else nobody knows at this level.
json throttled_fraction(const GptRecord& r) {
  const power::PowerConfig& power = r.machine.power;
  if (r.wafer_peak_w() <= power.cap_w && r.power.hottest_c < power.throttle_c) return 0.0;
  return nullptr;
}

json ledger_json(const GptLedger& ledger) {
  return {{"multiply_add", ledger.multiply_add},
          {"start_and_reduction", ledger.start_and_reduction},
          {"attention", ledger.attention},
          {"vector", ledger.vector},
          {"parameters", ledger.parameters},
          {"wait", ledger.wait},
          {"idle", ledger.idle}};
}

json energy_ledger_json(const GptRecord& r) {
  json ledger = ledger_json(energy_of_step(r));
  ledger["unused_cores"] = unused_cores_j(r);
  return ledger;
}

json operation_json(const GptRecord& r, std::size_t i) {
  const tiles::OperationCost& cost = r.result.costs[i];
  const model::GptOperationPlan& plan = r.result.plans[i];
  const double all = static_cast<double>(cost.cycles) * r.training.on.with_lanes().tiles();
  json operation{{"name", cost.name},
                 {"count", cost.runs},
                 {"cycles", cost.cycles},
                 {"predicted_cycles", nullptr},
                 {"deviation", nullptr}};
  if (plan.predicted) operation["predicted_cycles"] = *plan.predicted * r.training.steps;
  if (const auto deviation =
          model::deviation_of(plan, r.result.plans, r.result.costs, r.training.steps)) {
    operation["deviation"] = *deviation;
  }
  if (!plan.predicted_with.empty()) operation["predicted_with"] = plan.predicted_with;
  operation.update({{"load_cycles", cost.load_cycles},
                    {"busy_fraction", static_cast<double>(cost.busy_cycles) / all},
                    {"flops", cost.flops},
                    {"wavelet_hops", cost.wavelet_hops},
                    {"bank_conflict_cycles", cost.bank_conflict_cycles}});
  return operation;
}

json operations_json(const GptRecord& r) {
  json operations = json::array();
  for (std::size_t i = 0; i < r.result.costs.size(); ++i)
    operations.push_back(operation_json(r, i));
  return operations;
}

std::uint64_t words_of(const GptRecord& r, std::uint64_t model::GptOperationPlan::*words) {
  std::uint64_t sum = 0;
  for (const model::GptOperationPlan& plan : r.result.plans) sum += plan.*words;
  return sum;
}
std::uint64_t hops_of(const GptRecord& r) {
  std::uint64_t hops = 0;
  for (const tiles::OperationCost& cost : r.result.costs) hops += cost.wavelet_hops;
  return hops;
}

json what_json(const GptRecord& r) {
  const model::GptMesh& on = r.training.on;
  const auto& adam = r.training.adam;
  return {{"model", r.model},
          {"parameters", r.result.parameters},
          {"fidelity", "cycle"},
          {"mesh", {on.mesh.columns, on.mesh.rows}},
          {"precision", "fp32"},
          {"text", r.text},
          {"characters", r.characters},
          {"seed", r.training.seed},
          {"steps", r.training.steps},
          {"batch", on.sequences},
          {"micro_batches", 1},
          {"passes", 2},
          {"recompute", false},
          {"tokens_per_step", on.all_tokens()},
          {"adam",
           {{"learning_rate", adam.learning_rate},
            {"beta_1", adam.beta_1},
            {"beta_2", adam.beta_2},
            {"epsilon", adam.epsilon}}},
          {"loss", r.result.loss},
          {"reference_loss", r.result.reference_loss},
          {"max_rel_loss_error", r.result.max_rel_error()}};
}

json time_json(const GptRecord& r) {
  const double tokens = r.training.on.all_tokens();
  const double per_step = static_cast<double>(flops_of(r)) / steps_of(r);
  return {{"step_seconds", r.step_seconds()},
          {"tokens_per_second", tokens / r.step_seconds()},
          {"useful_flops_per_second", useful_flops_per_second(r)},
          {"flops_per_second", per_step / r.step_seconds()},
          {"utilization", utilization(r)},
          {"mesh_utilization", r.mesh_utilization()},
          {"time_ledger", ledger_json(ledger_of(r))},
          {"bytes_in", kWordBytes * words_of(r, &model::GptOperationPlan::weight_words)},
          {"bytes_out", kWordBytes * words_of(r, &model::GptOperationPlan::gradient_words)}};
}

json power_json(const GptRecord& r) {
  return {{"energy_j", energy_j(r)},
          {"energy_per_token_j", energy_j(r) / r.training.on.all_tokens()},
          {"mesh_energy_j", mesh_energy_j(r)},
          {"dynamic_energy_j", r.dynamic_j.total()},
          {"energy_ledger", energy_ledger_json(r)},
          {"wafer_power_w", {{"mean", r.power.wafer_w()}, {"peak", r.wafer_peak_w()}}},
          {"power_by_kind_w",
           {{"mesh", r.power.mesh_w},
            {"idle_cores", r.power.others_w},
            {"leakage", r.power.leakage_w},
            {"constant", r.power.constant_w}}},
          {"system_power_w", r.machine.power.system_power_w(r.power.wafer_w())},
          {"temperature_c", {{"mean", r.power.mean_c}, {"peak", r.power.hottest_c}}},
          {"throttled_fraction", throttled_fraction(r)}};
}

json cost_json(const GptRecord& r) {
  return {{"machine", machine_json(r.machine)},
          {"simulated_cycles", r.result.cycles},
          {"predicted_cycles", predicted_cycles(r)},
          {"prediction_deviation", prediction_deviation(r)},
          {"scheduled_cycles", r.scheduled.cycles * r.training.steps},
          {"load_cycles", r.result.load_cycles},
          {"kernels_per_step", r.result.operations},
          {"wavelet_hops", hops_of(r)},
          {"activation_bytes_per_tile", r.result.activation_bytes},
          {"operations", operations_json(r)},
          {"elaboration_seconds", r.elaboration_seconds},
          {"host_cpu_seconds", r.host.cpu_seconds},
          {"host_seconds", r.host_seconds},
          {"max_rss_bytes", r.host.max_rss_bytes},
          {"result_hash", r.result.result_hash}};
}

}  // namespace

double GptRecord::step_cycles() const {
  return static_cast<double>(result.cycles) / static_cast<double>(training.steps);
}
double GptRecord::step_seconds() const {
  return step_cycles() / static_cast<double>(machine.core_hz);
}
double GptRecord::mesh_utilization() const {
  const double most = 2.0 * machine.tile.lanes_fp32 * training.on.mesh.tiles();
  return static_cast<double>(flops_of(*this)) / (most * static_cast<double>(result.cycles));
}

json gpt_json(const GptRecord& r) {
  json object = what_json(r);
  for (const json& part : {time_json(r), power_json(r), cost_json(r)}) object.update(part);
  if (!r.twins.empty()) object["twins"] = r.twins;
  return object;
}

json gpt_stats_json(const GptRecord& r) {
  json object = gpt_json(r);
  const fabric::Mesh mesh = r.training.on.with_lanes();
  object["command"] = r.command;
  object["traffic"] = {{"mesh_with_lanes", {mesh.columns, mesh.rows}},
                       {"hops_by_tile", r.result.hops_by_tile}};
  return object;
}

std::string gpt_page(const json& stats) { return page("gpt.html", {{"stats", stats}}); }

std::string gpt_summary(const GptRecord& r) {
  const model::GptMesh& on = r.training.on;
  std::string text =
      fmt::format("{} on {} x {} tiles of {}, {} optimizer step{} (fidelity: cycle)\n", r.model,
                  on.mesh.columns, on.mesh.rows, r.machine.name, r.training.steps,
                  r.training.steps == 1 ? "" : "s");
  const auto line = [&text](const char* name, const std::string& value) {
    text += fmt::format("  {:<22} {}\n", name, value);
  };
  const auto& loss = r.result.loss;
  line("loss", fmt::format("{:.4f} -> {:.4f}, within {:.1e} of double precision", loss.front(),
                           loss.back(), r.result.max_rel_error()));
  line("text", fmt::format("{}, {} characters", r.text, r.characters));
  line("cycles a step",
       fmt::format("{:.0f} in {} kernels, and {:.0f} to load their programs", r.step_cycles(),
                   r.result.operations, static_cast<double>(r.result.load_cycles) / steps_of(r)));
  line("time a step",
       fmt::format("{} at {:.4g} GHz, {:.0f} tokens/s", scaled(r.step_seconds(), kSeconds, 4),
                   core_hz(r) / 1e9, on.all_tokens() / r.step_seconds()));
  line("utilization", fmt::format("{:.1f} % of the multiply-adds of fp32 on the mesh",
                                  100 * r.mesh_utilization()));
  line("cost terms", fmt::format("{:.0f} cycles a step, {:+.1f} % from the run",
                                 static_cast<double>(predicted_cycles(r)) / steps_of(r),
                                 100 * prediction_deviation(r)));
  line("energy",
       fmt::format("{} a step on the mesh; the wafer draws {:.2f} kW at {:.1f} C",
                   scaled(mesh_energy_j(r), kJoules, 0), r.power.wafer_w() / 1e3, r.power.mean_c));
  std::vector<tiles::OperationCost> costs = r.result.costs;
  std::stable_sort(costs.begin(), costs.end(),
                   [](const auto& a, const auto& b) { return a.cycles > b.cycles; });
  std::string most;
  for (std::size_t i = 0; i < std::min<std::size_t>(costs.size(), 4); ++i) {
    most += fmt::format(
        "{}{} {:.0f} %", i == 0 ? "" : ", ", costs[i].name,
        100.0 * static_cast<double>(costs[i].cycles) / static_cast<double>(r.result.cycles));
  }
  line("most of it", most);
  line("host", fmt::format("{:.1f} s of CPU a step, {:.0f} MB", r.host.cpu_seconds / steps_of(r),
                           static_cast<double>(r.host.max_rss_bytes) / 1e6));
  line("result hash", r.result.result_hash);
  return text;
}

std::string loss_csv(const GptRecord& r) {
  std::string csv = "step,loss,reference_loss\n";
  for (std::size_t s = 0; s < r.result.loss.size(); ++s) {
    csv += fmt::format("{},{:.9g},{:.9g}\n", s, r.result.loss[s], r.result.reference_loss[s]);
  }
  return csv;
}

}  // namespace wse::report
