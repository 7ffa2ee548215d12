// SPDX-License-Identifier: Apache-2.0
#include "wse/report/window_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

double of_a_tile(const model::WindowResult& w, std::uint64_t count) {
  return static_cast<double>(count) / static_cast<double>(w.tiles.tiles());
}
double hops(const model::WindowResult& w, const base::EventCounts& events) {
  return of_a_tile(w, at(events, base::EventKind::kLinkHop));
}

std::string rectangle(const base::Rectangle& r) {
  return fmt::format("{}..{},{}..{}", r.columns.begin, r.columns.end - 1, r.rows.begin,
                     r.rows.end - 1);
}

/// Of a count by the cycle level against that of the step; null where the step has none.
json deviation(std::uint64_t coarse, std::uint64_t counted) {
  if (coarse == 0) return nullptr;
  return static_cast<double>(counted) / static_cast<double>(coarse) - 1;
}

json events_json(const model::WindowResult& w) {
  json all = json::object();
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
    if (w.coarse_events[k] == 0 && w.events[k] == 0) continue;
    all[std::string(name_of(static_cast<base::EventKind>(k)))] = {
        {"coarse", w.coarse_events[k]},
        {"counted", w.events[k]},
        {"deviation", deviation(w.coarse_events[k], w.events[k])}};
  }
  return all;
}

}  // namespace

json window_json(const model::WindowResult& w, const power::EnergyTable& energy) {
  return {{"rectangle", rectangle(w.tiles)},
          {"layer", w.layer},
          {"matrix", w.matrix},
          {"pass", w.pass},
          {"copy", w.copy},
          {"tiles", w.tiles.tiles()},
          {"block_outputs", w.block_outputs},
          {"tokens_a_tile", w.tokens_a_tile},
          {"features_a_tile", w.features_a_tile},
          {"coarse_cycles", w.coarse_cycles},
          {"cycles", w.cycles},
          {"deviation", w.deviation()},
          {"deviation_bound", model::WindowResult::kMostDeviation},
          {"coarse_wavelet_hops", hops(w, w.coarse_events)},
          {"wavelet_hops", hops(w, w.events)},
          {"coarse_energy_j", energy.joules(w.coarse_events)},
          {"energy_j", energy.joules(w.events)},
          {"events", events_json(w)},
          {"max_rel_error", w.max_rel_error},
          {"error_bound", w.error_bound},
          {"busy_fraction", w.busy_fraction},
          {"host_seconds", w.host_seconds},
          {"result_hash", w.result_hash}};
}

std::string window_text(const model::WindowResult& w, const power::EnergyTable& energy) {
  const double coarse_j = energy.joules(w.coarse_events);
  const double j = energy.joules(w.events);
  std::string text = "  window\n";
  const auto line = [&text](const char* name, const std::string& value) {
    text += fmt::format("    {:<21}{}\n", name, value);
  };
  line("tiles", fmt::format("{}: {} {} of layer {}, {} outputs, {} tokens x {} features a tile",
                            rectangle(w.tiles), w.matrix, w.pass, w.layer, w.block_outputs,
                            w.tokens_a_tile, w.features_a_tile));
  line("cycles", fmt::format("{}; of the step's block {}: {:+.2f} %", w.cycles, w.coarse_cycles,
                             100 * w.deviation()));
  line("wavelet-hops a tile",
       fmt::format("{:.0f}; of the step {:.0f}", hops(w, w.events), hops(w, w.coarse_events)));
  line("energy", fmt::format("{:.3g} uJ a tile; of the step {:.3g}: {:+.1f} %",
                             1e6 * j / static_cast<double>(w.tiles.tiles()),
                             1e6 * coarse_j / static_cast<double>(w.tiles.tiles()),
                             100 * (j / coarse_j - 1)));
  line("largest error",
       fmt::format("{:.2g} of the largest sum, {:.2g} allowed", w.max_rel_error, w.error_bound));
  line("busy", fmt::format("{:.1f} % of the cycles of its tiles", 100 * w.busy_fraction));
  line("simulated in", fmt::format("{:.2f} s", w.host_seconds));
  line("result_hash", w.result_hash);
  return text;
}

}  // namespace wse::report
