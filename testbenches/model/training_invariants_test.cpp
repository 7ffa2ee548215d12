// SPDX-License-Identifier: Apache-2.0
// Invariants of a training step over random models and random small machines. Seeds are fixed; the
// one that fails is printed with what it stands for.
#include "model/training_invariants.h"

namespace wse::model {
namespace {

TEST(TrainingInvariantsTest, CountsAreThoseOfTheSizesAndLedgersAddUp) {
  for_seeds(1000, 200, expect_counts);
}
TEST(TrainingInvariantsTest, NeitherTheCutIntoRegionsNorTheOrderOfConstructionChangesAResult) {
  for_seeds(2000, 40, expect_same_hash_however_built);
}
TEST(TrainingInvariantsTest, TwoStepsAreTwiceOne) {
  for_seeds(3000, 40, expect_two_steps_to_be_twice_one);
}
TEST(TrainingInvariantsTest, TilesBindAboveTheBreakEvenAndLanesBelow) {
  for_seeds(4000, 16, expect_break_even);
}
TEST(TrainingInvariantsTest, TwiceTheBandwidthHalvesAStepThatLanesBind) {
  for_seeds(5000, 16, expect_twice_the_lanes_to_halve);
}
TEST(TrainingInvariantsTest, EdgePortsBindWhereTheyAreSlowerThanTheirLane) {
  for_seeds(5500, 16, expect_edge_ports_to_bind);
}
TEST(TrainingInvariantsTest, ADensityOfOneIsDense) { for_seeds(6000, 20, expect_dense_again); }
TEST(TrainingInvariantsTest, TheRateDoesNotDependOnTheMicroBatchWhereLayersChangeForNothing) {
  for_seeds(7000, 12, expect_any_micro_batch_to_do);
}
TEST(TrainingInvariantsTest, LedgersOfAPipelineAddUpToo) {
  for_seeds(8000, 40, expect_ledgers_of_a_pipeline);
}

}  // namespace
}  // namespace wse::model
