// SPDX-License-Identifier: Apache-2.0
#include "ledger_stats.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "streaming_stats.h"
#include "wse/model/binding.h"

namespace wse::report {

using json = nlohmann::ordered_json;
using model::TrainingResult;

json layers_json(const TrainingResult& r) {
  json all = json::array();
  for (std::size_t place = 0; place < r.layer_seconds.size(); ++place) {
    const auto& causes = r.layer_seconds[place];
    double seconds = 0;
    for (const double s : causes) seconds += s;
    if (seconds <= 0) continue;
    std::array<double, tiles::kNumCauses> shares{};
    json by_cause = json::object();
    for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
      shares[c] = causes[c] / seconds;
      if (causes[c] > 0) by_cause[std::string(name_of(static_cast<tiles::Cause>(c)))] = causes[c];
    }
    const model::Binding bound = model::binding_of(shares);
    json layer{{"index", nullptr}, {"name", "outside layers"}};
    if (place > 0) layer = {{"index", place - 1}, {"name", fmt::format("layer {}", place - 1)}};
    layer.update({{"seconds", seconds},
                  {"bound", bound.by()},
                  {"compute", bound.compute},
                  {"sram", bound.sram},
                  {"io", bound.io},
                  {"latency", bound.latency},
                  {"causes", by_cause}});
    all.push_back(layer);
  }
  return all;
}

namespace {

json phases_json(const TrainingResult& r) {
  json all = json::object();
  for (std::size_t p = 0; p < base::kNumPhases; ++p) {
    json causes = json::object();
    for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
      const double seconds = r.phase_seconds[p][c];
      if (seconds > 0) causes[std::string(name_of(static_cast<tiles::Cause>(c)))] = seconds;
    }
    if (!causes.empty()) all[std::string(name_of(static_cast<base::Phase>(p)))] = causes;
  }
  return all;
}

/// Joules of all systems, by the phase of the work or of the work waited for.
json phase_energies_json(const TrainingResult& r) {
  json all = json::object();
  for (std::size_t p = 0; p < base::kNumPhases; ++p) {
    json causes = json::object();
    for (std::size_t c = 0; c < model::kNumEnergyCauses; ++c) {
      const double joules = r.energy_ledger.joules[p][c] * static_cast<double>(r.shares.systems);
      if (joules > 0) causes[std::string(model::energy_cause_name(c))] = joules;
    }
    if (!causes.empty()) all[std::string(name_of(static_cast<base::Phase>(p)))] = causes;
  }
  return all;
}

/// Of these, what is drawn whatever the tiles do: leakage, the constant, gated clocks.
json still_json(const TrainingResult& r) {
  json causes = json::object();
  for (std::size_t c = 0; c < model::kNumEnergyCauses; ++c) {
    const double joules = r.energy_ledger.still[c] * static_cast<double>(r.shares.systems);
    if (joules > 0) causes[std::string(model::energy_cause_name(c))] = joules;
  }
  return causes;
}

json link_bytes_json(const TrainingResult& r) {
  constexpr std::uint64_t kWaveletBytes = 4;
  return {{"lanes_in", r.bytes_in + r.sample_bytes_in},
          {"lanes_out", r.bytes_out + r.sample_bytes_out},
          {"between_dies", r.die_crossings * kWaveletBytes},
          {"within_dies", (r.wavelet_hops - r.die_crossings) * kWaveletBytes}};
}

}  // namespace

json ledger_json(const TrainingResult& r) {
  return {{"step_seconds", r.step_seconds},   {"seconds_by_phase", phases_json(r)},
          {"energy_j", r.energy_of_all_j()},  {"joules_by_phase", phase_energies_json(r)},
          {"still_joules", still_json(r)},    {"layers", layers_json(r)},
          {"link_bytes", link_bytes_json(r)}, {"streamed", streamed_json(r)}};
}

}  // namespace wse::report
