// SPDX-License-Identifier: Apache-2.0
// Every region is fed back-to-back blocks of one dense fp16 GEMM: the wafer's power at full load.
#include <gtest/gtest.h>

#include "support/presets.h"
#include "support/systemc_test.h"
#include "wse/model/cs2.h"

namespace wse::model {
namespace {

class FullLoadTest : public testing_support::SystemCTest {
 protected:
  static void program_all_cores(base::GeometryConfig& g) {
    g.fabric_columns = g.user_columns = g.die_columns * g.die_tiles_columns;
    g.fabric_rows = g.user_rows = g.die_rows * g.die_tiles_rows;
    g.user_x = g.user_y = g.defects = 0;
  }
  /// Mean wafer power over the last windows, at temperatures that belong to it.
  double watts(const std::string& machine, bool all_cores = false) {
    Settings settings = testing_support::machine_preset(machine);
    if (all_cores) program_all_cores(settings.machine.geometry);
    settings.run.precision = "fp16";
    settings.machine.power.cap_w = 30'000;  // the load itself, not what the budget makes of it
    const base::GeometryConfig& g = settings.machine.geometry;
    TrainingPlan plan;
    plan.mapping = base::Mapping(g.user_columns, g.user_rows, 1);
    std::vector<base::WorkItem> schedule;
    for (std::uint32_t id = 0; id < 60;
         ++id) {  // 64 features and 256 tokens a tile: accumulators in SRAM, few sums between tiles
      base::WorkItem item;
      item.id = id;
      item.operation = base::Operation::kGemmForward;
      item.inputs = 64ull * g.user_columns;
      item.outputs = 125;
      item.tokens = 256ull * g.user_rows;
      item.weight_bytes = item.inputs * item.outputs * 2;
      schedule.push_back(item);
    }
    const auto energy =
        power::EnergyTable::read(std::string(WSE_SOURCE_DIR "/") + settings.machine.energy_table);
    Cs2 cs2("cs2", settings, energy, plan, schedule);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    Wafer& wafer = cs2.wafer();
    wafer.ticker().start();
    for (const bool last : {false, true}) {
      wafer.begin_step();
      cs2.host().start_step([] { sc_core::sc_pause(); });
      sc_core::sc_start();
      wafer.end_step();
      if (last) break;
      wafer.monitor().settle();
      const base::Picoseconds window = wafer.ticker().window();
      sc_core::sc_start(base::to_sc_time((base::now() / window + 2) * window - base::now()));
    }
    const auto& trace = wafer.monitor().samples();
    double sum = 0;
    for (std::size_t i = trace.size() - 10; i < trace.size(); ++i) sum += trace[i].wafer_w / 10;
    return sum;
  }
};

TEST_F(FullLoadTest, AllCoresDrawFifteenKilowatts) {
  const double w = watts("cs2-all-cores");
  RecordProperty("watts", std::to_string(w));
  EXPECT_NEAR(w, 15'000, 300);
}

TEST_F(FullLoadTest, TheUserRectangleDrawsAboutThirteen) {
  const double w = watts("cs2");
  RecordProperty("watts", std::to_string(w));
  EXPECT_NEAR(w, 13'300, 300);
}

// The 16 nm wafer is rated for the same package.
TEST_F(FullLoadTest, AllCoresOfACs1DrawFifteenKilowatts) {
  const double w = watts("cs1", true);
  RecordProperty("watts", std::to_string(w));
  EXPECT_NEAR(w, 15'000, 300);
}

}  // namespace
}  // namespace wse::model
