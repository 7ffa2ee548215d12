// SPDX-License-Identifier: Apache-2.0
// Where the time and the energy of a training at the cycle level go.
#include <algorithm>

#include "wse/report/gpt_report.h"

namespace wse::report {

double GptLedger::total() const {
  return multiply_add + start_and_reduction + attention + vector + parameters + wait + idle;
}
GptLedger& GptLedger::operator*=(double factor) {
  for (double* part :
       {&multiply_add, &start_and_reduction, &attention, &vector, &parameters, &wait, &idle}) {
    *part *= factor;
  }
  return *this;
}

namespace {

/// The share of the mesh in what the wafer draws whatever its cores do.
double mesh_constant_w(const GptRecord& r) {
  const auto cores = static_cast<double>(base::WaferGeometry(r.machine.geometry).cores_built());
  return r.power.constant_w * r.training.on.with_lanes().tiles() / cores;
}
/// Cycles of vector steps that multiply, of a matrix product.
double multiply_steps(const GptRecord& r, const tiles::OperationCost& cost) {
  const auto elements = static_cast<double>(base::at(cost.events, base::EventKind::kFmacFp32));
  return std::min(static_cast<double>(cost.issue_cycles), elements / r.machine.tile.lanes_fp32);
}

/// Adds what an operation is: `multiply` of it to the products of a matrix, the rest to its kind.
void add(GptLedger& ledger, model::GptOperationPlan::Work work, double all, double multiply) {
  using Work = model::GptOperationPlan::Work;
  switch (work) {
    case Work::kMatrix:
      ledger.multiply_add += multiply;
      ledger.start_and_reduction += all - multiply;
      break;
    case Work::kAttention:
      ledger.attention += all;
      break;
    case Work::kVector:
      ledger.vector += all;
      break;
    case Work::kParameters:
      ledger.parameters += all;
      break;
  }
}

/// Joules of the multiply-adds of a matrix product: theirs, of their operands, and their share of the clocks.
double multiply_j(const GptRecord& r, const tiles::OperationCost& cost,
                  const power::EnergyTable& table) {
  using base::EventKind;
  const auto of = [&](EventKind kind) {
    return table.joules(kind) * static_cast<double>(base::at(cost.events, kind));
  };
  const double own = of(EventKind::kFmacFp32) + of(EventKind::kIntAlu) +
                     of(EventKind::kSramRead64) + of(EventKind::kSramWrite64) +
                     of(EventKind::kSramRead32) + of(EventKind::kSramWrite32) +
                     of(EventKind::kLocalCache);
  const double clocks = of(EventKind::kControlCycle) + of(EventKind::kClockRunning);
  const auto issued = static_cast<double>(cost.issue_cycles);
  return own + (issued > 0 ? clocks * multiply_steps(r, cost) / issued : 0);
}

}  // namespace

GptLedger ledger_of(const GptRecord& r) {
  GptLedger ledger;
  const double tiles = r.training.on.mesh.tiles();
  for (std::size_t i = 0; i < r.result.costs.size(); ++i) {
    const tiles::OperationCost& cost = r.result.costs[i];
    const auto issued = static_cast<double>(cost.issue_cycles);
    const auto active = static_cast<double>(cost.active_cycles);
    add(ledger, r.result.plans[i].work, issued, multiply_steps(r, cost));
    ledger.wait += active - issued;
    // Jumps behind the last step are issued after the kernel's end.
    ledger.idle += std::max(0.0, tiles * static_cast<double>(cost.cycles) - active);
  }
  return ledger *= 1 / ledger.total();
}

void take_energy(GptRecord& r, const power::EnergyTable& table) {
  r.dynamic_j = {};
  r.busiest_w = 0;
  for (std::size_t i = 0; i < r.result.costs.size(); ++i) {
    const tiles::OperationCost& cost = r.result.costs[i];
    const double all = table.joules(cost.events);
    const double gated = table.joules(base::EventKind::kClockGated) *
                         static_cast<double>(base::at(cost.events, base::EventKind::kClockGated));
    add(r.dynamic_j, r.result.plans[i].work, all - gated, multiply_j(r, cost, table));
    r.dynamic_j.wait += gated;
    r.busiest_w = std::max(r.busiest_w, all * static_cast<double>(r.machine.core_hz) /
                                            static_cast<double>(cost.cycles));
  }
  const double mesh_w = r.dynamic_j.total() * static_cast<double>(r.machine.core_hz) /
                        static_cast<double>(r.result.cycles);
  r.power = model::mesh_power(r.machine, table, mesh_w, r.training.on.with_lanes());
}

GptLedger energy_of_step(const GptRecord& r) {
  GptLedger sum = ledger_of(r);
  sum *= (r.power.mesh_leakage_w + mesh_constant_w(r)) * r.step_seconds();
  GptLedger dynamic = r.dynamic_j;
  dynamic *= 1 / static_cast<double>(r.training.steps);
  sum.multiply_add += dynamic.multiply_add;
  sum.start_and_reduction += dynamic.start_and_reduction;
  sum.attention += dynamic.attention;
  sum.vector += dynamic.vector;
  sum.parameters += dynamic.parameters;
  sum.wait += dynamic.wait;
  return sum;
}

double unused_cores_j(const GptRecord& r) {
  const double watts = r.power.others_w + r.power.leakage_w - r.power.mesh_leakage_w +
                       r.power.constant_w - mesh_constant_w(r);
  return watts * r.step_seconds();
}

}  // namespace wse::report
