// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "wse/base/host_usage.h"
#include "wse/model/gpt_prediction.h"
#include "wse/model/gpt_training.h"
#include "wse/model/mesh_power.h"
#include "wse/power/energy_table.h"

namespace wse::report {

/// What the time, or the energy, of the tiles with activations goes to.
struct GptLedger {
  double multiply_add = 0;         ///< of matrices
  double start_and_reduction = 0;  ///< of matrices, all else that was issued
  double attention = 0;
  double vector = 0;
  double parameters = 0;  ///< biases, tables, and what only moves
  double wait = 0;        ///< between the first and the last issue of a tile in a kernel
  double idle = 0;        ///< before the first and behind the last one

  double total() const;
  GptLedger& operator*=(double factor);
};

/// A training at the cycle level and what it took of the computer.
struct GptRecord {
  std::string command;
  std::string model;
  model::MachineConfig machine;
  std::string text;              ///< file
  std::uint32_t characters = 0;  ///< different ones
  model::GptTraining training;
  model::GptTrainingResult result;
  std::uint64_t useful_multiply_adds = 0;  ///< of a step, of all three passes
  model::ScheduledStep scheduled;
  GptLedger dynamic_j;   ///< events of all steps by the energy table, see take_energy()
  double busiest_w = 0;  ///< the same of the operation that draws most, W
  model::MeshPower power;
  std::vector<std::string> twins;  ///< as they were asked for
  base::HostUsage host;
  double elaboration_seconds = 0;  ///< until the first kernel
  double host_seconds = 0;

  double step_cycles() const;
  double step_seconds() const;
  double wafer_peak_w() const { return power.wafer_w() - power.mesh_w + busiest_w; }
  /// Of a multiply-add a lane and cycle of all tiles with activations.
  double mesh_utilization() const;
};

/// Where the tile-cycles of the tiles with activations go, as fractions.
GptLedger ledger_of(const GptRecord& record);

/// Fills in what was counted and what it draws, by the energy table: dynamic_j, busiest_w and power. Of a
/// matrix product additions, wavelets and what they start go to start_and_reduction; clocks go with the
/// time, gated ones to wait.
void take_energy(GptRecord& record, const power::EnergyTable& table);
/// Joules of a step, every one once: dynamic energy, and leakage and the wafer's constant by the time in which
/// they were drawn.
GptLedger energy_of_step(const GptRecord& record);
/// Of all other cores: they leak, and their clocks are gated.
double unused_cores_j(const GptRecord& record);

/// The object of the command line's contract.
nlohmann::ordered_json gpt_json(const GptRecord& record);
/// The same with the traffic of each tile: what the page shows.
nlohmann::ordered_json gpt_stats_json(const GptRecord& record);
/// A page of the object of gpt_stats_json().
std::string gpt_page(const nlohmann::ordered_json& stats);
/// A few lines for a terminal.
std::string gpt_summary(const GptRecord& record);
/// step,loss,reference_loss
std::string loss_csv(const GptRecord& record);

}  // namespace wse::report
