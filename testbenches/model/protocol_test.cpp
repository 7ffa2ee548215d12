// SPDX-License-Identifier: Apache-2.0
// A small machine trains two steps with a checker on every socket.
#include <gtest/gtest.h>

#include "support/checked_machine.h"
#include "support/presets.h"
#include "support/systemc_test.h"

namespace wse::model {
namespace {

class ProtocolTest : public testing_support::SystemCTest {
 protected:
  ProtocolTest() { settings_ = testing_support::machine_preset("tiny"); }

  std::unique_ptr<testing_support::CheckedMachine> train() {
    const auto model = testing_support::model_preset("tiny-gpt");
    const TrainingPlan plan = make_plan(model, settings_);
    auto machine = std::make_unique<testing_support::CheckedMachine>(
        settings_, plan, host::build_schedule(model, plan.schedule),
        testing_support::energy_preset());
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    machine->ticker.start();
    for (int step = 0; step < 2; ++step) {
      machine->begin_step();
      bool ended = false;
      machine->host.start_step([&ended] {
        ended = true;
        sc_core::sc_pause();
      });
      sc_core::sc_start();
      EXPECT_TRUE(ended);
    }
    sc_core::sc_start(base::to_sc_time(3 * machine->ticker.window()));
    machine->ticker.stop();
    machine->host.read_register(power::registers::kWaferPowerMw);
    return machine;
  }
  Settings settings_;
};

void expect_kept(const testing_support::CheckedMachine& machine) {
  for (const std::string& violation : machine.violations()) ADD_FAILURE() << violation;
  for (const auto& checker : machine.protocol) {
    EXPECT_GT(checker->counts().transports, 0u) << checker->name();
  }
  for (const auto& lane : machine.lanes) {
    EXPECT_GT(lane->shares(), 0u);
    EXPECT_EQ(lane->shares(), lane->credits());
  }
  for (const auto& ramp : machine.ramps) EXPECT_GT(ramp->frames(), 0u);
}

TEST_F(ProtocolTest, EverySocketOfAMachineOfDiesKeepsItsProtocol) { expect_kept(*train()); }

TEST_F(ProtocolTest, EverySocketOfAMachineCutAcrossItsDiesKeepsItsProtocol) {
  settings_.machine.region_columns = 3;
  settings_.machine.region_rows = 3;
  expect_kept(*train());
}

TEST_F(ProtocolTest, FullBuffersAndManyMicroBatchesKeepTheProtocols) {
  settings_.machine.io.buffer_bytes = 4096;
  settings_.run.batch = 40;
  settings_.run.recompute = "full";
  expect_kept(*train());
}

}  // namespace
}  // namespace wse::model
