// SPDX-License-Identifier: Apache-2.0
#include "streaming_stats.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace wse::report {

using json = nlohmann::ordered_json;
using model::IoBound;
using model::StreamedBytes;
using model::TrainingResult;

namespace {

json tensors_json(const StreamedBytes::ByTensor& bytes) {
  json all = json::object();
  for (std::size_t t = 0; t < bytes.size(); ++t) {
    if (bytes[t] > 0) all[std::string(name_of(static_cast<base::Tensor>(t)))] = bytes[t];
  }
  return all;
}

}  // namespace

json streamed_json(const TrainingResult& r) {
  json all = json::object();
  for (std::size_t p = 0; p < base::kNumPhases; ++p) {
    json phase = json::object();
    const json in = tensors_json(r.streamed.in[p]);
    const json out = tensors_json(r.streamed.out[p]);
    if (!in.empty()) phase["in"] = in;
    if (!out.empty()) phase["out"] = out;
    if (!phase.empty()) all[std::string(name_of(static_cast<base::Phase>(p)))] = phase;
  }
  return all;
}

json io_bound_json(const TrainingResult& r) {
  const IoBound& b = r.io_bound;
  return {{"bound", b.bound},
          {"factor", b.factor},
          {"lanes_bits_per_second", b.bits_per_second},
          {"edge_ports_per_lane", b.edge_ports_per_lane},
          {"freed_step_seconds", b.freed_step_seconds},
          {"tiles_seconds", b.tiles_seconds},
          {"waits_seconds", b.waits_seconds},
          {"phase", name_of(b.phase)},
          {"direction", b.outwards ? "out" : "in"},
          {"tokens_a_micro_batch", b.tokens},
          {"tokens_needed", b.tokens_needed}};
}

std::string io_bound_text(const TrainingResult& r) {
  const IoBound& b = r.io_bound;
  if (!b.bound) return "";
  std::string ports;
  if (b.edge_ports_per_lane > r.settings.machine.io.edge_ports_per_lane) {
    ports = fmt::format(" through {} edge ports a lane", b.edge_ports_per_lane);
  }
  const std::string tokens =
      b.tokens_needed == 0
          ? ""
          : fmt::format("; or micro-batches of {} tokens, of which {} fit", b.tokens_needed,
                        r.plan.capacity * r.plan.schedule.sequence);
  return fmt::format(
      "{:.3g} times the lanes ({:.3g} Tb/s{}) make compute the limit, about {:.3g} s a step{}",
      b.factor, b.bits_per_second * 1e-12, ports, b.freed_step_seconds, tokens);
}

}  // namespace wse::report
