// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <systemc>

#include "wse/host/host.h"
#include "wse/model/plan.h"
#include "wse/model/wafer.h"

namespace wse::model {

/// A wafer and its host, bound lane by lane. With several systems the wafer is one of them: all do
/// the same.
class Cs2 final : public sc_core::sc_module {
 public:
  Cs2(const sc_core::sc_module_name& name, const Settings& settings,
      const power::EnergyTable& energy, const TrainingPlan& plan,
      const std::vector<base::WorkItem>& schedule,
      ConstructionOrder order = ConstructionOrder::kForward);

  Wafer& wafer() { return *wafer_; }
  host::Host& host() { return *host_; }

 private:
  std::unique_ptr<Wafer> wafer_;
  std::unique_ptr<host::Host> host_;
};

}  // namespace wse::model
