// SPDX-License-Identifier: Apache-2.0
#include "wse/model/cs2.h"

#include "wse/model/systems.h"

namespace wse::model {

Cs2::Cs2(const sc_core::sc_module_name& name, const Settings& settings,
         const power::EnergyTable& energy, const TrainingPlan& plan,
         const std::vector<base::WorkItem>& schedule, ConstructionOrder order)
    : sc_core::sc_module(name) {
  const MachineConfig& machine = settings.machine;
  const auto build_wafer = [&] {
    wafer_ = std::make_unique<Wafer>("wafer", machine, energy, plan.mapping,
                                     settings.run.precision_kind(), order);
  };
  if (order == ConstructionOrder::kForward) build_wafer();
  host_ = std::make_unique<host::Host>("host", machine.io, machine.lane_latency_ps, machine.memoryx,
                                       schedule, tree_of(settings));
  if (order == ConstructionOrder::kReverse) build_wafer();
  host_->register_socket.bind(wafer_->monitor().register_socket);
  for (std::uint32_t lane = 0; lane < machine.io.lanes; ++lane) {
    host_->lane_out_socket[lane].bind(wafer_->fabric().lane_in_socket[lane]);
    wafer_->fabric().lane_out_socket[lane].bind(host_->lane_in_socket[lane]);
  }
}

}  // namespace wse::model
