// SPDX-License-Identifier: Apache-2.0
// As training_invariants_test.cpp, with other and more seeds.
#include "model/training_invariants.h"

namespace wse::model {
namespace {

TEST(TrainingInvariantsLongTest, CountsAreThoseOfTheSizesAndLedgersAddUp) {
  for_seeds(110000, 6000, expect_counts);
}
TEST(TrainingInvariantsLongTest, NeitherTheCutIntoRegionsNorTheOrderOfConstructionChangesAResult) {
  for_seeds(120000, 1000, expect_same_hash_however_built);
}
TEST(TrainingInvariantsLongTest, TwoStepsAreTwiceOne) {
  for_seeds(130000, 1000, expect_two_steps_to_be_twice_one);
}
TEST(TrainingInvariantsLongTest, TilesBindAboveTheBreakEvenAndLanesBelow) {
  for_seeds(140000, 400, expect_break_even);
}
TEST(TrainingInvariantsLongTest, TwiceTheBandwidthHalvesAStepThatLanesBind) {
  for_seeds(150000, 400, expect_twice_the_lanes_to_halve);
}
TEST(TrainingInvariantsLongTest, EdgePortsBindWhereTheyAreSlowerThanTheirLane) {
  for_seeds(155000, 400, expect_edge_ports_to_bind);
}
TEST(TrainingInvariantsLongTest, ADensityOfOneIsDense) {
  for_seeds(160000, 400, expect_dense_again);
}
TEST(TrainingInvariantsLongTest, TheRateDoesNotDependOnTheMicroBatchWhereLayersChangeForNothing) {
  for_seeds(170000, 200, expect_any_micro_batch_to_do);
}
TEST(TrainingInvariantsLongTest, LedgersOfAPipelineAddUpToo) {
  for_seeds(180000, 1000, expect_ledgers_of_a_pipeline);
}

}  // namespace
}  // namespace wse::model
