// SPDX-License-Identifier: Apache-2.0
#include "wse/report/train_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "machine_json.h"
#include "pipeline_stats.h"
#include "power_stats.h"
#include "streaming_stats.h"
#include "units_text.h"
#include "wse/model/binding.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;
using model::TrainingResult;

json ledger_json(const TrainingResult& r) {
  json ledger = json::object();
  for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
    ledger[std::string(name_of(static_cast<tiles::Cause>(c)))] = r.time_ledger[c];
  }
  return ledger;
}

/// Of all systems, as `energy_j` is.
std::vector<double> of_all(std::vector<double> values, const TrainingResult& r) {
  for (double& v : values) v *= static_cast<double>(r.shares.systems);
  return values;
}

/// Joules of all systems.
json energy_ledger_json(const TrainingResult& r) {
  const model::CauseJoules causes = r.energy_ledger.by_cause();
  json ledger = json::object();
  for (std::size_t c = 0; c < causes.size(); ++c) {
    ledger[std::string(model::energy_cause_name(c))] =
        causes[c] * static_cast<double>(r.shares.systems);
  }
  return ledger;
}

json by_name(const std::vector<double>& values,
             const std::function<std::string_view(std::size_t)>& name) {
  json object = json::object();
  for (std::size_t i = 0; i < values.size(); ++i) object[std::string(name(i))] = values[i];
  return object;
}

json binding_json(const TrainingResult& r) {
  const model::Binding b = model::binding_of(r.time_ledger);
  return {{"by", b.by()},
          {"compute", b.compute},
          {"io", b.io},
          {"sram", b.sram},
          {"latency", b.latency}};
}

json residency_json(const TrainingResult& r) {
  const model::Residency m = model::residency_of(r.model, r.settings, r.plan);
  return {{"sram_built_bytes", m.sram_built},
          {"sram_program_bytes", m.sram_program},
          {"activations_bytes", m.activations},
          {"weights_in_flight_bytes", m.weights_in_flight},
          {"gradients_waiting_bytes", m.gradients_waiting},
          {"code_and_sums_bytes", m.code_and_sums},
          {"free_bytes", m.free},
          {"parameter_state_bytes", m.parameter_state},
          {"parameter_capacity_bytes", m.parameter_capacity}};
}

/// Empty for a pipeline, whose stages are mapped one by one.
json mapping_json(const TrainingResult& r) {
  json mapping = json::array();
  if (r.pipeline) return mapping;
  for (const model::MappedLayers& m : model::mapped_layers(r.model, r.plan)) {
    json place = {{"copies", m.copies},
                  {"tokens_a_tile", m.tokens_a_tile},
                  {"features_a_tile", m.features_a_tile}};
    if (m.head) {
      place["head"] = true;
    } else {
      place["layers"] = {m.first, m.last};
      place["recompute"] = m.recompute;
    }
    mapping.push_back(place);
  }
  return mapping;
}

/// Empty for one system.
json swarmx_json(const TrainingResult& r) {
  const model::BatchShares& shares = r.shares;
  if (shares.systems == 1) return json::object();
  const host::SwarmX tree = model::tree_of(r.settings);
  const double n = static_cast<double>(shares.systems);
  return {
      {"levels", tree.levels()},
      {"nodes", tree.nodes()},
      {"latency_s", static_cast<double>(tree.latency()) * 1e-12},
      {"sequences_a_system", shares.larger},
      {"systems_with_one_less", shares.systems - shares.with_larger},
      {"estimated_efficiency", r.efficiency},
      {"energy_a_system_j", r.energy_j},
      {"system_power_a_system_w", r.settings.machine.power.system_power_w(r.wafer_power_mean_w)},
      {"wafers_power_w", {{"mean", n * r.wafer_power_mean_w}, {"peak", n * r.wafer_power_peak_w}}}};
}

/// What lanes and tiles needed each on their own; the larger one binds.
double lane_busy_seconds(const TrainingResult& r) {
  base::Picoseconds most = 0;
  for (const host::LaneStats& lane : r.lanes) most = std::max(most, lane.busy);
  return static_cast<double>(most) * 1e-12 / r.steps;
}

double lane_stall_fraction(const TrainingResult& r) {
  base::Picoseconds sum = 0;
  for (const host::LaneStats& lane : r.lanes) sum += lane.stalled;
  return static_cast<double>(sum) * 1e-12 / static_cast<double>(r.lanes.size()) /
         (r.step_seconds * r.steps);
}

}  // namespace

json train_json(const TrainingResult& r) {
  const power::PowerConfig& power = r.settings.machine.power;
  return {{"model", r.model.name},
          {"parameters", r.model.parameters()},
          {"mode", r.pipeline ? "pipeline" : "stream"},
          {"mode_reason", r.mode_reason},
          {"pipeline", pipeline_json(r)},
          {"systems", r.shares.systems},
          {"batch", r.shares.batch},
          {"micro_batches", r.plan.schedule.micro_batches.size()},
          {"passes", r.plan.passes},
          {"recompute", r.plan.schedule.recompute},
          {"precision", r.settings.run.precision},
          {"copies", r.plan.mapping.copies()},
          {"mapping", mapping_json(r)},
          {"kept_layers", r.plan.schedule.kept_layers},
          {"tokens_per_step", r.tokens()},
          {"step_seconds", r.step_seconds},
          {"tokens_per_second", r.tokens_per_second()},
          {"useful_flops_per_second", r.useful_flops_per_second()},
          {"utilization", r.utilization()},
          {"useful_fmac", r.useful_multiply_adds},
          {"executed_fmac", r.executed_multiply_adds},
          {"time_ledger", ledger_json(r)},
          {"bound", binding_json(r)},
          {"residency", residency_json(r)},
          {"expert_tokens", r.expert_tokens},
          {"dropped_tokens", r.dropped_tokens},
          {"bytes_in", r.bytes_in},
          {"bytes_out", r.bytes_out},
          {"streamed", streamed_json(r)},
          {"io_bound", io_bound_json(r)},
          {"sample_bytes_in", r.sample_bytes_in},
          {"sample_bytes_out", r.sample_bytes_out},
          {"lane_busy_seconds", lane_busy_seconds(r)},
          {"lane_stalled_fraction", lane_stall_fraction(r)},
          {"energy_j", r.energy_of_all_j()},
          {"energy_per_token_j", r.energy_of_all_j() / r.tokens_per_step()},
          {"energy_ledger", energy_ledger_json(r)},
          {"wafer_power_w", {{"mean", r.wafer_power_mean_w}, {"peak", r.wafer_power_peak_w}}},
          {"system_power_w",
           static_cast<double>(r.shares.systems) * power.system_power_w(r.wafer_power_mean_w)},
          {"swarmx", swarmx_json(r)},
          {"temperature_c", {{"mean", r.temperature_mean_c}, {"peak", r.temperature_peak_c}}},
          {"throttled_fraction", r.throttled_fraction},
          {"machine", machine_json(r.settings.machine)},
          {"fidelity", "transaction"},
          {"calibrated", {"tile.layer_change_cycles"}},
          {"simulated_cycles", r.simulated_cycles},
          {"elaboration_seconds", r.elaboration_seconds},
          {"host_seconds", r.host_seconds},
          {"max_rss_bytes", r.max_rss_bytes},
          {"result_hash", r.result_hash}};
}

json stats_json(const TrainingResult& r) {
  json stats = train_json(r);
  stats["steps"] = r.steps;
  stats["activity_window_s"] = r.plan.window_s;
  stats["block_bytes"] = r.plan.schedule.block_bytes;
  stats["energy_by_kind_j"] = by_name(of_all(r.energy_by_kind, r),
                                      [](std::size_t k) { return power::energy_kind_name(k); });
  stats["energy_by_phase_j"] = by_name(of_all(r.energy_by_phase, r), [](std::size_t p) {
    return name_of(static_cast<base::Phase>(p));
  });
  stats["energy_by_die_j"] = of_all(r.energy_by_die, r);
  stats["power"] = power_stats(r);
  stats["energy_by_trace_j"] = r.energy_by_trace * static_cast<double>(r.shares.systems);
  stats["wavelet_hops"] = r.wavelet_hops;
  stats["die_crossings"] = r.die_crossings;
  stats["contention_cycles"] = r.contention_cycles;
  stats["activation_bytes"] = r.plan.activation_bytes;
  stats["activation_limit_bytes"] = r.plan.activation_limit;
  stats["tile_activation_bytes"] = r.plan.tile_bytes;
  stats["tile_activation_limit_bytes"] = r.plan.tile_limit;
  json lanes = json::array();
  for (const host::LaneStats& lane : r.lanes) {
    lanes.push_back({{"bytes_in", lane.bytes_in},
                     {"bytes_out", lane.bytes_out},
                     {"busy_seconds", static_cast<double>(lane.busy) * 1e-12},
                     {"stalled_seconds", static_cast<double>(lane.stalled) * 1e-12}});
  }
  stats["lanes"] = lanes;
  return stats;
}

std::string dies_csv(const TrainingResult& r) {
  std::string csv =
      "row,col,energy_j,power_mean_w,power_peak_w,temperature_mean_c,temperature_peak_c,busy,sram_"
      "peak_bytes\n";
  const std::size_t columns = r.settings.machine.geometry.die_columns;
  const double seconds = r.step_seconds * r.steps;
  for (std::size_t die = 0; die < r.energy_by_die.size(); ++die) {
    double power_peak = 0;
    double warmth = 0;
    double hottest = 0;
    double busy = 0;
    double sram = 0;
    for (const power::WindowSample& s : r.power_trace) {
      const double dt = static_cast<double>(s.end - s.begin) * 1e-12;
      power_peak = std::max(power_peak, static_cast<double>(s.die_w[die]));
      hottest = std::max(hottest, static_cast<double>(s.die_c[die]));
      warmth += static_cast<double>(s.die_c[die]) * dt;
    }
    for (const model::RunSample& s : r.samples) {
      busy += static_cast<double>(s.die_busy[die]) * static_cast<double>(s.end - s.begin) * 1e-12;
      sram = std::max(sram, static_cast<double>(s.die_sram_bytes[die]));
    }
    csv += fmt::format("{},{},{:.9g},{:.9g},{:.9g},{:.6g},{:.6g},{:.6g},{:.0f}\n", die / columns,
                       die % columns, r.energy_by_die[die], r.energy_by_die[die] / r.step_seconds,
                       power_peak, warmth / seconds, hottest, busy / seconds, sram);
  }
  return csv;
}

namespace {

using Line = std::function<void(const std::string&, const std::string&)>;

std::string shares_text(const model::BatchShares& shares) {
  const std::uint64_t fewer = shares.systems - shares.with_larger;
  if (fewer == 0) return fmt::format("{} sequences each", shares.larger);
  return fmt::format("the first {} have {} sequences, the other {} have {} and wait",
                     shares.with_larger, shares.larger, fewer, shares.larger - 1);
}

void systems_lines(const TrainingResult& r, const Line& line) {
  const host::SwarmX tree = model::tree_of(r.settings);
  const double n = static_cast<double>(r.shares.systems);
  line("systems", fmt::format("{} in data parallel, {}", r.shares.systems, shares_text(r.shares)));
  line("SwarmX",
       fmt::format("{} node{} in {} level{}, {} each way", tree.nodes(),
                   tree.nodes() == 1 ? "" : "s", tree.levels(), tree.levels() == 1 ? "" : "s",
                   scaled(static_cast<double>(tree.latency()) * 1e-12, kSeconds, 4)));
  line("efficiency", fmt::format("{:.1f} % of {} times one system, estimated (--scaling runs it)",
                                 100 * r.efficiency, r.shares.systems));
  line("power of all",
       fmt::format(
           "{} of the wafers, {} at the wall", scaled(n * r.wafer_power_mean_w, kWatts, 1),
           scaled(n * r.settings.machine.power.system_power_w(r.wafer_power_mean_w), kWatts, 1)));
  line("below", "lanes, wafer, temperature and time are those of a system");
}

/// The causes that take most of the energy, the largest first.
std::string largest_energies(const TrainingResult& r) {
  constexpr std::size_t kShown = 6;
  const model::CauseJoules causes = r.energy_ledger.by_cause();
  std::vector<std::size_t> order(causes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&causes](std::size_t a, std::size_t b) { return causes[a] > causes[b]; });
  std::string text;
  for (std::size_t i = 0; i < kShown; ++i) {
    text += fmt::format("{}{} {:.0f} %", i == 0 ? "" : ", ", model::energy_cause_name(order[i]),
                        100 * causes[order[i]] / r.energy_j);
  }
  return text;
}

}  // namespace

namespace {

std::string mapping_text(const TrainingResult& r) {
  std::string text;
  std::string before;
  for (const model::MappedLayers& m : model::mapped_layers(r.model, r.plan)) {
    const std::string how =
        fmt::format("{} cop{} of the features, {} tokens x {} features a tile", m.copies,
                    m.copies == 1 ? "y" : "ies", m.tokens_a_tile, m.features_a_tile);
    if (m.head && how == before) continue;
    const std::string where = m.head ? "head" : fmt::format("layers {} .. {}", m.first, m.last);
    const bool kept = !m.head && !m.recompute && r.plan.schedule.recompute;
    text += fmt::format("{}{}: {}{}", text.empty() ? "" : "; ", where, how,
                        kept ? ", activations kept" : "");
    before = how;
  }
  return text;
}

}  // namespace

std::string summary(const TrainingResult& r) {
  std::string s;
  const auto line = [&s](const std::string& name, const std::string& value) {
    s += fmt::format("  {:<22} {}\n", name, value);
  };
  s += fmt::format("{} on {}, one optimizer step (fidelity: transaction)\n", r.model.name,
                   r.settings.machine.name);
  line("parameters", fmt::format("{} ({})", r.model.parameters(),
                                 scaled(static_cast<double>(r.model.parameters()), kCounts, 2)));
  line("batch",
       fmt::format("{} sequences of {} tokens in {} micro-batch{}{}, {}", r.shares.batch,
                   r.plan.schedule.sequence, r.plan.schedule.micro_batches.size(),
                   r.plan.schedule.micro_batches.size() == 1 ? "" : "es",
                   r.shares.systems == 1 ? "" : " a system",
                   r.plan.schedule.recompute ? "activations recomputed" : "activations kept"));
  if (r.settings.run.mode != "stream") line("mode", r.mode_reason);
  line(r.pipeline ? "pipeline" : "mapping", r.pipeline ? pipeline_text(r) : mapping_text(r));
  if (r.shares.systems > 1) systems_lines(r, line);
  const model::Residency m = model::residency_of(r.model, r.settings, r.plan);
  const auto bytes = [](base::Bytes n, int decimals) {
    return scaled(static_cast<double>(n), kBytes, decimals);
  };
  line("on the wafer",
       r.pipeline
           ? pipeline_sram_text(r)
           : fmt::format("one device suffices: {} activations, {} free; {} on its way, {} code "
                         "and sums",
                         bytes(m.activations, 2), bytes(m.free, 2),
                         bytes(m.weights_in_flight + m.gradients_waiting, 2),
                         bytes(m.code_and_sums, 2)));
  if (!r.pipeline) {
    line("in MemoryX", fmt::format("{} of {}: weights and optimizer", bytes(m.parameter_state, 1),
                                   bytes(m.parameter_capacity, 0)));
  }
  if (r.expert_tokens > 0) {
    line("experts", fmt::format("{} a sparse layer, each token sees one; {:.2f} % of the tokens "
                                "dropped beyond the capacity",
                                r.model.experts,
                                100 * static_cast<double>(r.dropped_tokens) /
                                    static_cast<double>(r.expert_tokens)));
  }
  line("step", fmt::format("{} = {} cycles of the core clock", scaled(r.step_seconds, kSeconds, 4),
                           r.simulated_cycles / r.steps));
  line("tokens/s", fmt::format("{:.0f}", r.tokens_per_second()));
  line("useful",
       fmt::format("{}, {:.1f} % of the fp16 peak", scaled(r.useful_flops_per_second(), kFlops, 3),
                   r.utilization() * 100));
  line("lanes",
       fmt::format("{} in, {} out, busy {:.0f} %, stalled by back-pressure {:.0f} %",
                   bytes(r.bytes_in, 2), bytes(r.bytes_out, 2),
                   100 * lane_busy_seconds(r) / r.step_seconds, 100 * lane_stall_fraction(r)));
  line("wafer power",
       fmt::format(
           "{} mean, {} peak; {} at the wall", scaled(r.wafer_power_mean_w, kWatts, 2),
           scaled(r.wafer_power_peak_w, kWatts, 2),
           scaled(r.settings.machine.power.system_power_w(r.wafer_power_mean_w), kWatts, 1)));
  line("temperature", fmt::format("{:.1f} C mean, {:.1f} C hottest die", r.temperature_mean_c,
                                  r.temperature_peak_c));
  line("energy", fmt::format("{} a step{}, {} a token", scaled(r.energy_of_all_j(), kJoules, 0),
                             r.shares.systems == 1 ? "" : ", all systems",
                             scaled(r.energy_of_all_j() / r.tokens_per_step(), kJoules, 3)));
  line("energy goes to", largest_energies(r));
  const model::Binding bound = model::binding_of(r.time_ledger);
  line("bound by", fmt::format("{} (compute {:.1f} %, recompute for lack of SRAM {:.1f} %, I/O "
                               "{:.1f} %, latency {:.1f} %)",
                               bound.by(), 100 * bound.compute, 100 * bound.sram, 100 * bound.io,
                               100 * bound.latency));
  if (r.io_bound.bound) line("to free it", io_bound_text(r));
  if (r.throttled_fraction > 0)
    line("throttled", fmt::format("{:.1f} % of the time", r.throttled_fraction * 100));
  s += "  where the time goes\n";
  for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
    if (r.time_ledger[c] < 0.0005) continue;
    s += fmt::format(
        "    {:<20} {:5.1f} %{}\n", name_of(static_cast<tiles::Cause>(c)), r.time_ledger[c] * 100,
        static_cast<tiles::Cause>(c) == tiles::Cause::kLayerChange ? "  (calibrated)" : "");
  }
  line("simulated in", fmt::format("{:.2f} s, {:.0f} MB", r.host_seconds,
                                   static_cast<double>(r.max_rss_bytes) / 1e6));
  line("result_hash", r.result_hash);
  return s;
}

}  // namespace wse::report
