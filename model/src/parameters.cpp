// SPDX-License-Identifier: Apache-2.0
#include "wse/model/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace wse::model {
namespace {

constexpr double kPpm = 1e6;
constexpr double kPs = 1e12;

// One line a parameter: path, unit, source, confidence, meaning, member, scale.
#define WSE_PARAMETER(path, unit, source, confidence, text, member, scale)                        \
  Parameter {                                                                                     \
    path, unit, source, confidence, text, [](Settings& s) -> ParameterSlot { return &s.member; }, \
        scale                                                                                     \
  }

std::vector<Parameter> catalogue() {
  std::vector<Parameter> all = {
      WSE_PARAMETER("name", "", "-", "-", "name of the machine", machine.name, 1),
      WSE_PARAMETER("wafer.dies.columns", "dies", "lie2022", "P2", "dies from west to east",
                    machine.geometry.die_columns, 1),
      WSE_PARAMETER("wafer.dies.rows", "dies", "lie2022", "P2", "dies from north to south",
                    machine.geometry.die_rows, 1),
      WSE_PARAMETER("wafer.die.tiles.columns", "tiles", "lie2022", "P2",
                    "cores built in a die, eastwards", machine.geometry.die_tiles_columns, 1),
      WSE_PARAMETER("wafer.die.tiles.rows", "tiles", "lie2022", "P2",
                    "cores built in a die, southwards", machine.geometry.die_tiles_rows, 1),
      WSE_PARAMETER("wafer.fabric.columns", "tiles", "csl-examples", "D",
                    "columns of the repaired mesh", machine.geometry.fabric_columns, 1),
      WSE_PARAMETER("wafer.fabric.rows", "tiles", "csl-examples", "D", "rows of the repaired mesh",
                    machine.geometry.fabric_rows, 1),
      WSE_PARAMETER("wafer.user.columns", "tiles", "csl-examples", "P", "columns a program may use",
                    machine.geometry.user_columns, 1),
      WSE_PARAMETER("wafer.user.rows", "tiles", "csl-examples", "P", "rows a program may use",
                    machine.geometry.user_rows, 1),
      WSE_PARAMETER("wafer.user.x", "tiles", "csl-examples", "P", "first user column in the mesh",
                    machine.geometry.user_x, 1),
      WSE_PARAMETER("wafer.user.y", "tiles", "csl-examples", "P", "first user row in the mesh",
                    machine.geometry.user_y, 1),
      WSE_PARAMETER("wafer.defects.count", "cores", "cerebras-defects", "D",
                    "dead cores of the wafer", machine.geometry.defects, 1),
      WSE_PARAMETER("wafer.defects.seed", "", "A-001", "G", "which cores are dead",
                    machine.geometry.defect_seed, 1),
      WSE_PARAMETER("wafer.transistors", "", "anandtech2021", "P", "transistors of the wafer",
                    machine.transistors, 1),
      WSE_PARAMETER("wafer.cores_rated", "cores", "anandtech2021", "P",
                    "cores of the headline; utilization is against these", machine.cores_rated, 1),
      WSE_PARAMETER("wafer.regions.columns", "regions", "-", "-",
                    "cut into regions, eastwards; 0: one a die", machine.region_columns, 1),
      WSE_PARAMETER("wafer.regions.rows", "regions", "-", "-",
                    "cut into regions, southwards; 0: one a die", machine.region_rows, 1),
      WSE_PARAMETER("clock.core_hz", "Hz", "lie2022", "P2",
                    "core clock; published kernels ran at 850 MHz", machine.core_hz, 1),
      WSE_PARAMETER("fabric.hop_latency_cycles", "cycles", "luczynski2024", "P2",
                    "router to router", machine.fabric.hop_latency_cycles, 1),
      WSE_PARAMETER("fabric.ramp_latency_cycles", "cycles", "luczynski2024", "P2",
                    "router to core, one way", machine.fabric.ramp_latency_cycles, 1),
      WSE_PARAMETER("fabric.queue_depth", "wavelets", "A-003", "G", "queue of an input and color",
                    machine.fabric.queue_depth, 1),
      WSE_PARAMETER("fabric.plain_round_robin", "", "A-033", "G",
                    "1: the pointer of an output stays after a cycle without want",
                    machine.fabric.plain_round_robin, 1),
      WSE_PARAMETER("fabric.unpack_cycles", "cycles", "A-004", "G", "a packed wavelet becomes two",
                    machine.fabric.unpack_cycles, 1),
      WSE_PARAMETER("tile.lanes.fp16", "lanes", "lie2022", "P2", "fp16 multiply-adds a cycle",
                    machine.tile.lanes_fp16, 1),
      WSE_PARAMETER("tile.lanes.mixed", "lanes", "rocki2020", "P2",
                    "fp16 multiply, fp32 add, a cycle", machine.tile.lanes_mixed, 1),
      WSE_PARAMETER("tile.lanes.fp32", "lanes", "he2025", "P", "fp32 multiply-adds a cycle",
                    machine.tile.lanes_fp32, 1),
      WSE_PARAMETER("tile.vector_start_cycles", "cycles", "A-007", "G",
                    "a weight arrives and starts its vector operation",
                    machine.tile.vector_start_cycles, 1),
      WSE_PARAMETER("tile.cache_bytes", "B", "lie2022", "P", "buffer beside the datapath",
                    machine.tile.cache_bytes, 1),
      WSE_PARAMETER("tile.layer_change_cycles", "cycles", "A-009", "C",
                    "new routes and programs, a visit of a layer", machine.tile.layer_change_cycles,
                    1),
      WSE_PARAMETER("tile.code_bytes", "B", "A-010", "G",
                    "of the SRAM: programs, scalars and what waits in streams",
                    machine.tile.code_bytes, 1),
      WSE_PARAMETER("tile.gradient_buffers", "items", "A-011", "G",
                    "items whose gradients wait on the wafer", machine.tile.gradient_buffers, 1),
      WSE_PARAMETER("tile.engine.task_start_cycles", "cycles", "A-035", "G",
                    "from the choice of a task to its first issue",
                    machine.compute.task_start_cycles, 1),
      WSE_PARAMETER("tile.engine.vector_start_cycles", "cycles", "A-035", "G",
                    "from the issue of a vector operation to its first step",
                    machine.compute.vector_start_cycles, 1),
      WSE_PARAMETER("tile.engine.scalar_cycles", "cycles", "A-035", "G",
                    "a scalar instruction, jump or load", machine.compute.scalar_cycles, 1),
      WSE_PARAMETER("tile.engine.write_delay_steps", "steps", "A-036", "G",
                    "between the reads and the write of a step", machine.compute.write_delay_steps,
                    1),
      WSE_PARAMETER("tile.engine.add_lanes_fp32", "lanes", "A-039", "G",
                    "moves, additions, comparisons and logic of 32 bits a step",
                    machine.compute.add_lanes_fp32, 1),
      WSE_PARAMETER("tile.engine.input_depths.q0", "wavelets", "csl-examples", "P",
                    "depth of input queue 0", machine.compute.input_depths[0], 1),
      WSE_PARAMETER("tile.engine.input_depths.q1", "wavelets", "csl-examples", "P",
                    "depth of input queue 1", machine.compute.input_depths[1], 1),
      WSE_PARAMETER("tile.engine.input_depths.q2", "wavelets", "csl-examples", "P",
                    "depth of input queue 2", machine.compute.input_depths[2], 1),
      WSE_PARAMETER("tile.engine.input_depths.q3", "wavelets", "csl-examples", "P",
                    "depth of input queue 3", machine.compute.input_depths[3], 1),
      WSE_PARAMETER("tile.engine.input_depths.q4", "wavelets", "csl-examples", "P",
                    "depth of input queue 4", machine.compute.input_depths[4], 1),
      WSE_PARAMETER("tile.engine.input_depths.q5", "wavelets", "csl-examples", "P",
                    "depth of input queue 5", machine.compute.input_depths[5], 1),
      WSE_PARAMETER("tile.engine.input_depths.q6", "wavelets", "csl-examples", "P",
                    "depth of input queue 6", machine.compute.input_depths[6], 1),
      WSE_PARAMETER("tile.engine.input_depths.q7", "wavelets", "csl-examples", "P",
                    "depth of input queue 7", machine.compute.input_depths[7], 1),
      WSE_PARAMETER("tile.engine.output_depths.q0", "wavelets", "csl-examples", "P",
                    "depth of output queue 0", machine.compute.output_depths[0], 1),
      WSE_PARAMETER("tile.engine.output_depths.q1", "wavelets", "csl-examples", "P",
                    "depth of output queue 1", machine.compute.output_depths[1], 1),
      WSE_PARAMETER("tile.engine.output_depths.q2", "wavelets", "csl-examples", "P",
                    "depth of output queue 2", machine.compute.output_depths[2], 1),
      WSE_PARAMETER("tile.engine.output_depths.q3", "wavelets", "csl-examples", "P",
                    "depth of output queue 3", machine.compute.output_depths[3], 1),
      WSE_PARAMETER("tile.engine.output_depths.q4", "wavelets", "csl-examples", "P",
                    "depth of output queue 4", machine.compute.output_depths[4], 1),
      WSE_PARAMETER("tile.engine.output_depths.q5", "wavelets", "csl-examples", "P",
                    "depth of output queue 5", machine.compute.output_depths[5], 1),
      WSE_PARAMETER("tile.sram.size_bytes", "B", "lie2022", "P", "SRAM of a tile",
                    machine.sram.size_bytes, 1),
      WSE_PARAMETER("tile.sram.banks", "banks", "lie2022", "P2", "single-ported banks, 32 bit wide",
                    machine.sram.banks, 1),
      WSE_PARAMETER("tile.sram.access_latency_cycles", "cycles", "selig2022", "P",
                    "a read or write", machine.sram.access_latency_cycles, 1),
      WSE_PARAMETER("memory.budget_bytes", "B", "-", "-",
                    "memory of this computer for SRAM contents", machine.memory_budget_bytes, 1),
      WSE_PARAMETER("io.lanes", "lanes", "anl-io", "P", "100 Gb Ethernet lanes", machine.io.lanes,
                    1),
      WSE_PARAMETER("io.lane.bits_per_second", "bit/s", "anl-io", "P",
                    "line rate of a lane, each way", machine.io.bits_per_second, 1),
      WSE_PARAMETER("io.lane.efficiency", "1", "A-005", "G", "payload share of the line rate",
                    machine.io.efficiency_ppm, kPpm),
      WSE_PARAMETER("io.lane.edge_ports", "ports", "sdk-digest", "P2",
                    "edge routers of a lane, in adjacent rows", machine.io.edge_ports_per_lane, 1),
      WSE_PARAMETER("io.lane.latency_s", "s", "A-019", "G", "end to end of a lane",
                    machine.lane_latency_ps, kPs),
      WSE_PARAMETER("io.buffer_bytes", "B", "A-006", "G", "weights that wait on the wafer",
                    machine.io.buffer_bytes, 1),
      WSE_PARAMETER("host.memoryx.bytes_per_second", "B/s", "condor-galaxy", "D",
                    "memory bandwidth of the parameter server", machine.memoryx.bytes_per_second,
                    1),
      WSE_PARAMETER("host.memoryx.update_bytes_per_parameter", "B", "A-016", "D",
                    "traffic of one Adam update", machine.memoryx.update_bytes_per_parameter, 1),
      WSE_PARAMETER("host.memoryx.accumulate_bytes_per_parameter", "B", "A-016", "D",
                    "traffic of adding a micro-batch's gradient",
                    machine.memoryx.accumulate_bytes_per_parameter, 1),
      WSE_PARAMETER("host.memoryx.latency_s", "s", "A-017", "G", "request to first byte on a lane",
                    machine.memoryx.latency_ps, kPs),
      WSE_PARAMETER("host.memoryx.capacity_bytes", "B", "condor-galaxy", "D",
                    "room for 16 bytes a parameter", machine.memoryx.capacity_bytes, 1),
      WSE_PARAMETER("swarmx.fan_out", "ports", "cerebras-swarmx", "P",
                    "nodes or systems below a node of the tree to several systems",
                    machine.swarmx.fan_out, 1),
      WSE_PARAMETER("swarmx.level_latency_s", "s", "A-050", "G",
                    "through a node of the tree, each way", machine.swarmx.level_latency_ps, kPs),
      WSE_PARAMETER("swarmx.link.bits_per_second", "bit/s", "cerebras-swarmx", "P",
                    "line rate of a link, one for each lane of a system",
                    machine.swarmx.bits_per_second, 1),
      WSE_PARAMETER("swarmx.reduce.bits_per_second", "bit/s", "cerebras-swarmx", "P",
                    "gradients that a node sums, a link: the line rate",
                    machine.swarmx.reduce_bits_per_second, 1),
      WSE_PARAMETER("power.energy_table", "file", "-", "-", "energy per event, CSV",
                    machine.energy_table, 1),
      WSE_PARAMETER("power.cap_w", "W", "press2022", "P", "power of the wafer package",
                    machine.power.cap_w, 1),
      WSE_PARAMETER("power.cap_window_s", "s", "A-020", "G", "the cap holds for the mean over this",
                    machine.power.cap_window_s, 1),
      WSE_PARAMETER("power.window_s", "s", "A-020", "G", "activity window", machine.power.window_s,
                    1),
      WSE_PARAMETER("power.longest_window_s", "s", "A-029", "G",
                    "as far as the activity window grows with the length of a step",
                    machine.power.longest_window_s, 1),
      WSE_PARAMETER("power.cap_band", "1", "A-020", "G",
                    "the clock rises again only below the cap less this share",
                    machine.power.cap_band, 1),
      WSE_PARAMETER("power.dwell_s", "s", "A-020", "G",
                    "least time between two changes of the clock", machine.power.dwell_s, 1),
      WSE_PARAMETER("power.throttle_c", "C", "A-020", "G", "a die this hot slows the clock",
                    machine.power.throttle_c, 1),
      WSE_PARAMETER("power.release_c", "C", "A-020", "G", "below this the clock rises again",
                    machine.power.release_c, 1),
      WSE_PARAMETER("power.shutdown_c", "C", "A-020", "G", "a die this hot ends the run",
                    machine.power.shutdown_c, 1),
      WSE_PARAMETER("power.sensor_lag_s", "s", "A-020", "G", "lag of the sensor of a die",
                    machine.power.sensor_lag_s, 1),
      WSE_PARAMETER("power.leakage_beta_per_k", "1/K", "A-022", "G",
                    "growth of leakage with temperature", machine.power.leakage_beta_per_k, 1),
      WSE_PARAMETER("power.leakage_reference_c", "C", "A-022", "G",
                    "temperature of the leakage in the energy table",
                    machine.power.leakage_reference_c, 1),
      WSE_PARAMETER("power.supply_efficiency", "1", "toms2019", "P",
                    "wafer power of what the supplies take", machine.power.supply_efficiency, 1),
      WSE_PARAMETER("power.cooling_w", "W", "toms2019", "P", "pumps and fans at full load",
                    machine.power.cooling_w, 1),
      WSE_PARAMETER("power.supply.capacitance_f", "F", "A-020", "G", "of a die and its package",
                    machine.power.supply.capacitance_f, 1),
      WSE_PARAMETER("power.supply.inductance_h", "H", "A-020", "G",
                    "between them and the regulator", machine.power.supply.inductance_h, 1),
      WSE_PARAMETER("power.supply.resistance_ohm", "ohm", "A-020", "G", "likewise",
                    machine.power.supply.resistance_ohm, 1),
      WSE_PARAMETER("power.supply.slew_w_s", "W/s", "A-020", "G",
                    "fastest rise of the power of the wafer", machine.power.supply.slew_w_s, 1),
      WSE_PARAMETER("power.state1.fraction", "1", "A-020", "G",
                    "clock of state 1, of clock.core_hz", machine.power.clock_states[1].fraction,
                    1),
      WSE_PARAMETER("power.state2.fraction", "1", "A-020", "G",
                    "clock of state 2, of clock.core_hz", machine.power.clock_states[2].fraction,
                    1),
      WSE_PARAMETER("power.state3.fraction", "1", "A-020", "G",
                    "clock of state 3, of clock.core_hz", machine.power.clock_states[3].fraction,
                    1),
      WSE_PARAMETER("power.state4.fraction", "1", "A-020", "G",
                    "clock of state 4, of clock.core_hz", machine.power.clock_states[4].fraction,
                    1),
      WSE_PARAMETER("power.state0.volts", "V", "A-020", "G", "supply in clock state 0",
                    machine.power.clock_states[0].volts, 1),
      WSE_PARAMETER("power.state1.volts", "V", "A-020", "G", "supply in clock state 1",
                    machine.power.clock_states[1].volts, 1),
      WSE_PARAMETER("power.state2.volts", "V", "A-020", "G", "supply in clock state 2",
                    machine.power.clock_states[2].volts, 1),
      WSE_PARAMETER("power.state3.volts", "V", "A-020", "G", "supply in clock state 3",
                    machine.power.clock_states[3].volts, 1),
      WSE_PARAMETER("power.state4.volts", "V", "A-020", "G", "supply in clock state 4",
                    machine.power.clock_states[4].volts, 1),
      WSE_PARAMETER("thermal.width_m", "m", "anandtech2021", "P", "width of the wafer, eastwards",
                    machine.thermal.width_m, 1),
      WSE_PARAMETER("thermal.height_m", "m", "anandtech2021", "P", "height of the wafer",
                    machine.thermal.height_m, 1),
      WSE_PARAMETER("thermal.silicon_m", "m", "A-021", "G", "thickness of the silicon",
                    machine.thermal.silicon_m, 1),
      WSE_PARAMETER("thermal.silicon_w_mk", "W/(m K)", "A-021", "G", "conductivity of the silicon",
                    machine.thermal.silicon_w_mk, 1),
      WSE_PARAMETER("thermal.silicon_j_m3k", "J/(m3 K)", "A-021", "G",
                    "heat capacity of the silicon", machine.thermal.silicon_j_m3k, 1),
      WSE_PARAMETER("thermal.tim_m", "m", "A-021", "G", "thickness of the thermal interface",
                    machine.thermal.tim_m, 1),
      WSE_PARAMETER("thermal.tim_w_mk", "W/(m K)", "A-021", "G", "its conductivity",
                    machine.thermal.tim_w_mk, 1),
      WSE_PARAMETER("thermal.tim_j_m3k", "J/(m3 K)", "A-021", "G", "its heat capacity",
                    machine.thermal.tim_j_m3k, 1),
      WSE_PARAMETER("thermal.plate_m", "m", "A-021", "G", "thickness of the cold plate",
                    machine.thermal.plate_m, 1),
      WSE_PARAMETER("thermal.plate_w_mk", "W/(m K)", "A-021", "G", "its conductivity, copper",
                    machine.thermal.plate_w_mk, 1),
      WSE_PARAMETER("thermal.plate_j_m3k", "J/(m3 K)", "A-021", "G", "its heat capacity",
                    machine.thermal.plate_j_m3k, 1),
      WSE_PARAMETER("thermal.convection_w_m2k", "W/(m2 K)", "A-021", "G",
                    "from the cold plate to the coolant", machine.thermal.convection_w_m2k, 1),
      WSE_PARAMETER("thermal.flow_kg_s", "kg/s", "A-021", "G", "coolant flow",
                    machine.thermal.flow_kg_s, 1),
      WSE_PARAMETER("thermal.coolant_j_kgk", "J/(kg K)", "A-021", "G",
                    "heat capacity of the coolant", machine.thermal.coolant_j_kgk, 1),
      WSE_PARAMETER("thermal.inlet_c", "C", "A-021", "G", "coolant at the inlet",
                    machine.thermal.inlet_c, 1),
      WSE_PARAMETER("thermal.die_columns", "cells", "A-021", "G",
                    "columns of the thermal grid in a die", machine.thermal.die_columns, 1),
      WSE_PARAMETER("thermal.die_rows", "cells", "A-021", "G", "its rows in a die",
                    machine.thermal.die_rows, 1),
      WSE_PARAMETER("run.batch", "sequences", "-", "-",
                    "sequences a step, all systems; 0: the largest that is one micro-batch on each",
                    run.batch, 1),
      WSE_PARAMETER("run.sequence", "tokens", "-", "-",
                    "tokens a sequence; 0: the model's positions", run.sequence, 1),
      WSE_PARAMETER("run.precision", "", "-", "-", "fp16, mixed or fp32", run.precision, 1),
      WSE_PARAMETER("run.recompute", "", "-", "-", "auto, full or none", run.recompute, 1),
      WSE_PARAMETER("run.sparsity", "1", "-", "-", "share of the weights that are zero",
                    run.sparsity, 1),
      WSE_PARAMETER("run.mode", "", "-", "-", "auto, stream or pipeline", run.mode, 1),
      WSE_PARAMETER("run.systems", "systems", "-", "-", "data parallel machines, 1 to 192",
                    run.systems, 1),
      WSE_PARAMETER("run.seed", "", "-", "-", "seed of everything drawn at random", run.seed, 1),
      WSE_PARAMETER("run.copies", "copies", "-", "-",
                    "copies of the feature dimension; 0: the cheapest", run.copies, 1),
      WSE_PARAMETER("run.layer_copies", "", "-", "-",
                    "copies of layers and of the head like 0-11:2,12:1,head:4, or auto",
                    run.layer_copies, 1),
      WSE_PARAMETER("run.kept_layers", "layers", "-", "-",
                    "the last layers, whose activations are not recomputed; 0: as many as pay",
                    run.kept_layers, 1),
      WSE_PARAMETER("run.micro_batches", "micro-batches", "-", "-",
                    "that the batch is cut into; 0: the cheapest", run.micro_batches, 1),
      WSE_PARAMETER("run.block_bytes", "B", "A-015", "G",
                    "matrices are streamed in blocks of about this size; 0: 16 MiB or larger",
                    run.block_bytes, 1),
      WSE_PARAMETER("run.capacity_factor", "1", "fedus2022", "P2",
                    "tokens an expert takes, of the mean; the others pass it by",
                    run.capacity_factor, 1),
      WSE_PARAMETER("run.expert_imbalance", "1", "A-028", "G",
                    "popularity of experts is drawn from 1 -+ this", run.expert_imbalance, 1),
  };
  std::sort(all.begin(), all.end(),
            [](const Parameter& a, const Parameter& b) { return a.path < b.path; });
  return all;
}
#undef WSE_PARAMETER

std::string rule_for_number(const std::string& value, double number) {
  if (value.empty()) return "is empty; a number is needed";
  if (std::isnan(number)) return "must be a number";
  return "";
}

/// Stores a number; returns the rule that it breaks.
struct Store {
  double number;  ///< as given
  double scale;

  template <class Integer>
  std::string whole(Integer* slot) const {
    const double kept = number * scale;
    if (!std::isfinite(kept)) return "must be a finite number";
    if (kept < 0) return "must not be negative";
    if (kept > 9.0e18 || kept > static_cast<double>(std::numeric_limits<Integer>::max()))
      return "is too large";
    if (scale == 1 && kept != std::floor(kept)) return "must be a whole number";
    *slot = static_cast<Integer>(std::llround(kept));
    return "";
  }
  std::string operator()(std::uint32_t* slot) const { return whole(slot); }
  std::string operator()(std::uint64_t* slot) const { return whole(slot); }
  std::string operator()(double* slot) const {
    if (!std::isfinite(number)) return "must be a finite number";
    *slot = number;
    return "";
  }
  std::string operator()(std::string*) const { return ""; }
};

std::string store(const ParameterSlot& slot, const std::string& value, double scale) {
  if (const auto* text = std::get_if<std::string*>(&slot)) {
    if (value.empty()) return "must not be empty";
    **text = value;
    return "";
  }
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  if (end == value.c_str() || *end != '\0') return "must be a number";
  const std::string rule = rule_for_number(value, number);
  return rule.empty() ? std::visit(Store{number, scale}, slot) : rule;
}

}  // namespace

const std::vector<Parameter>& parameters() {
  static const std::vector<Parameter> all = catalogue();
  return all;
}

const Parameter* find_parameter(const std::string& path) {
  for (const Parameter& parameter : parameters()) {
    if (parameter.path == path) return &parameter;
  }
  return nullptr;
}

void set_parameter(Settings& settings, const std::string& path, const std::string& value,
                   const std::string& place, base::ConfigErrors& errors) {
  const Parameter* parameter = find_parameter(path);
  if (parameter == nullptr) {
    std::vector<std::string> known;
    for (const Parameter& p : parameters()) known.push_back(p.path);
    const std::string near = base::nearest_name(path, known);
    errors.add(path, value,
               "is not a parameter" + (near.empty() ? "" : "; did you mean " + near + "?"), place);
    return;
  }
  const std::string rule = store(parameter->slot(settings), value, parameter->scale);
  if (!rule.empty()) errors.add(path, value, rule, place);
}

Origin origin_of(const Origins& origins, const Parameter& parameter) {
  Origin origin{parameter.source, parameter.confidence, "default"};
  for (const auto& [path, given] : origins) {
    if (path == parameter.path) origin = given;
  }
  return origin;
}

std::string meaning_of_confidence(const std::string& confidence) {
  if (confidence == "P") return "published";
  if (confidence == "P2") return "published, read through a quotation";
  if (confidence == "D") return "derived";
  if (confidence == "G") return "assumption, docs/assumptions.md";
  if (confidence == "C") return "calibrated, docs/assumptions.md";
  return confidence == "-" ? "a choice of the user" : "";
}

std::string value_of(const Settings& settings, const Parameter& parameter) {
  Settings copy = settings;
  const ParameterSlot slot = parameter.slot(copy);
  if (const auto* text = std::get_if<std::string*>(&slot)) return **text;
  if (const auto* real = std::get_if<double*>(&slot)) return fmt::format("{:.12g}", **real);
  const std::uint64_t kept = std::holds_alternative<std::uint32_t*>(slot)
                                 ? *std::get<std::uint32_t*>(slot)
                                 : *std::get<std::uint64_t*>(slot);
  return parameter.scale == 1 ? fmt::format("{}", kept)
                              : fmt::format("{:.12g}", static_cast<double>(kept) / parameter.scale);
}

}  // namespace wse::model
