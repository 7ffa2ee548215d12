// SPDX-License-Identifier: Apache-2.0
#include "wse/report/kernel_report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace wse::report {

using json = nlohmann::ordered_json;

namespace {

double hops_per_cpu_second(const KernelRecord& r) {
  const auto hops = static_cast<double>(r.result.wavelet_hops);
  return r.host.cpu_seconds > 0 ? hops / r.host.cpu_seconds : 0.0;
}

/// Whole numbers without a point.
json number(double value) {
  if (value == std::floor(value)) return static_cast<std::int64_t>(value);
  return value;
}

json events_json(const base::EventCounts& events) {
  json object = json::object();
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
    if (events[k] != 0) object[std::string(name_of(static_cast<base::EventKind>(k)))] = events[k];
  }
  return object;
}

std::string size_of(const KernelRecord& r) {
  if (r.words != 0) return fmt::format("of {} words", r.words);
  std::string text;
  for (const auto& [name, value] : r.sizes) {
    text += fmt::format("{}{} {:g}", text.empty() ? "with " : ", ", name, value);
  }
  return text;
}

}  // namespace

json kernel_json(const KernelRecord& r) {
  const tiles::KernelResult& result = r.result;
  json object = {{"kernel", r.kernel},
                 {"algorithm", r.algorithm},
                 {"mesh", {r.mesh.columns, r.mesh.rows}},
                 {"words", r.words},
                 {"dtype", name_of(r.type)}};
  for (const auto& [name, value] : r.sizes) object[name] = number(value);
  object.update(json{
      {"seed", r.seed},
      {"cycles", result.cycles},
      {"predicted_cycles", r.predicted},
      {"microseconds", static_cast<double>(result.cycles) / static_cast<double>(r.core_hz) * 1e6},
      {"busy_fraction", result.busy_fraction},
      {"wavelet_hops", result.wavelet_hops},
      {"delivered", result.delivered},
      {"flops", result.flops},
      {"sram_reads", {{"bits_64", result.banks.reads64}, {"bits_32", result.banks.reads32}}},
      {"sram_writes", {{"bits_64", result.banks.writes64}, {"bits_32", result.banks.writes32}}},
      {"bank_conflict_cycles", result.banks.conflict_cycles},
      {"dynamic_energy_j", r.dynamic_j},
      {"energy_events", events_json(result.events)},
      {"on_all_cores",
       {{"wafer_power_w", r.everywhere.wafer_w()},
        {"dynamic_w", r.everywhere.dynamic_w},
        {"leakage_w", r.everywhere.leakage_w},
        {"system_power_w", r.everywhere.system_w},
        {"temperature_c", r.everywhere.mean_c}}},
      {"max_abs_error", result.max_abs_error},
      {"max_rel_error", result.max_rel_error},
      {"state_bytes_per_tile", static_cast<double>(result.state_bytes) / r.mesh.tiles()},
      {"host_cpu_seconds", r.host.cpu_seconds},
      {"host_seconds", r.host_seconds},
      {"hops_per_cpu_second", hops_per_cpu_second(r)},
      {"max_rss_bytes", r.host.max_rss_bytes},
      {"result_hash", result.result_hash}});
  if (!r.twins.empty()) {
    object["twins"] = r.twins;
    object["twin_routers"] = r.twin_routers;
    if (r.twin_skew) object["twin_skew"] = r.twin_skew->json();
    object["twin_srams"] = r.twin_srams;
    object["twin_tiles"] = r.twin_tiles;
    object["mismatches"] = 0;  // the first one ends a run
  }
  if (r.measured) object["measured_cycles"] = result.measured_cycles;
  return object;
}

std::string kernel_summary(const KernelRecord& r) {
  const tiles::KernelResult& result = r.result;
  std::string text;
  const auto line = [&text](const char* name, const std::string& value) {
    text += fmt::format("  {:<22} {}\n", name, value);
  };
  text +=
      fmt::format("{}{}{} {} of {} on {} x {} tiles\n", r.kernel, r.algorithm.empty() ? "" : " ",
                  r.algorithm, size_of(r), name_of(r.type), r.mesh.columns, r.mesh.rows);
  line("cycles",
       fmt::format("{}, {:.3f} us at {:.4g} GHz", result.cycles,
                   static_cast<double>(result.cycles) / static_cast<double>(r.core_hz) * 1e6,
                   static_cast<double>(r.core_hz) / 1e9));
  if (r.predicted > 0) {
    const double error =
        100.0 * (static_cast<double>(result.cycles) / static_cast<double>(r.predicted) - 1);
    line("closed form", fmt::format("{} cycles, the run is {:+.2f} % from it", r.predicted, error));
  }
  if (r.measured) {
    line("counters of the tiles", fmt::format("{} cycles", result.measured_cycles));
  }
  line("tiles busy", fmt::format("{:.2f} % of their cycles, {} lost to bank conflicts",
                                 100 * result.busy_fraction, result.banks.conflict_cycles));
  line("fabric", fmt::format("{} wavelet-hops, {} wavelets delivered", result.wavelet_hops,
                             result.delivered));
  line("arithmetic", fmt::format("{} floating-point operations", result.flops));
  line("energy",
       fmt::format("{:.4g} J dynamic, {:.3g} pJ a flop; all cores of a program: {:.2f} kW "
                   "uncapped at {:.1f} C",
                   r.dynamic_j,
                   result.flops == 0 ? 0 : 1e12 * r.dynamic_j / static_cast<double>(result.flops),
                   r.everywhere.wafer_w() / 1e3, r.everywhere.mean_c));
  line("largest error", fmt::format("{:.3g}, {:.3g} of the largest value, against double precision",
                                    result.max_abs_error, result.max_rel_error));
  line("result hash", result.result_hash);
  line("simulated in",
       fmt::format("{:.2f} s of CPU, {:.3g} million hops a second, {:.0f} MB", r.host.cpu_seconds,
                   hops_per_cpu_second(r) / 1e6, static_cast<double>(r.host.max_rss_bytes) / 1e6));
  if (r.twin_skew) text += r.twin_skew->text();
  return text;
}

void KernelTimeline::task(base::Coordinate tile, base::Cycles cycle, const tiles::Program& program,
                          std::uint32_t number, bool begins) {
  events_.push_back({tile, cycle, program.tasks[number].name, 0, begins});
}

void KernelTimeline::operation(base::Coordinate tile, base::Cycles cycle,
                               const tiles::Program& program, std::uint32_t thread,
                               std::uint32_t instruction, bool begins) {
  const tiles::Instruction& i = program.instructions[instruction];
  events_.push_back({tile, cycle,
                     fmt::format("{}: {} {}", instruction, name_of(i.op), name_of(i.type)),
                     1 + thread, begins});
}

void KernelTimeline::kernel(const std::string& name, base::Cycles begin, base::Cycles end) {
  events_.push_back({{}, begin, name, kKernels, true});
  events_.push_back({{}, end - 1, name, kKernels, false});
}

std::string KernelTimeline::json() const {
  using Json = nlohmann::ordered_json;
  Json all = Json::array();
  std::set<std::pair<std::uint32_t, std::uint32_t>> named;
  const auto name = [&all](const char* what, std::uint32_t pid, std::uint32_t tid,
                           const std::string& text) {
    all.push_back(
        {{"ph", "M"}, {"name", what}, {"pid", pid}, {"tid", tid}, {"args", {{"name", text}}}});
  };
  for (const Event& event : events_) {
    const bool kernel = event.track == kKernels;
    const std::uint32_t tid = kernel ? 0 : event.track;
    const std::uint32_t pid = kernel
                                  ? 0
                                  : 1 + (event.tile.y - tiles_.rows.begin) * tiles_.columns.size() +
                                        event.tile.x - tiles_.columns.begin;
    if (named.insert({pid, ~0U}).second) {
      name("process_name", pid, 0,
           kernel ? "kernels" : fmt::format("tile ({}, {})", event.tile.x, event.tile.y));
    }
    if (named.insert({pid, tid}).second) {
      name("thread_name", pid, tid,
           kernel             ? "kernels"
           : event.track == 0 ? "tasks"
           : event.track == 1 ? "main thread"
                              : fmt::format("microthread {}", event.track - 2));
    }
    // A stretch takes in the cycle of its last step.
    all.push_back({{"ph", event.begins ? "B" : "E"},
                   {"name", event.name},
                   {"pid", pid},
                   {"tid", tid},
                   {"ts", event.cycle + (event.begins ? 0 : 1)}});
  }
  return Json{{"displayTimeUnit", "ns"},
              {"otherData", {{"unit", "a microsecond of this trace is a cycle"}}},
              {"traceEvents", all}}
             .dump() +
         "\n";
}

}  // namespace wse::report
