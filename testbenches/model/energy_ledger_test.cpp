// SPDX-License-Identifier: Apache-2.0
#include "wse/model/energy_ledger.h"

#include <gtest/gtest.h>

#include "support/presets.h"

namespace wse::model {
namespace {

using base::EventKind;
using base::Phase;
using tiles::Cause;

constexpr std::size_t index(Cause cause) { return static_cast<std::size_t>(cause); }
constexpr std::size_t index(Phase phase) { return static_cast<std::size_t>(phase); }

base::EventCounts counts(EventKind kind, std::uint64_t n) {
  base::EventCounts c{};
  at(c, kind) = n;
  return c;
}

/// Two dies of 16 cores; a program has 10 of the first and none of the second.
class EnergyLedgerTest : public ::testing::Test {
 protected:
  EnergyLedgerTest() {
    dies_[0].user_tiles = 10;
    dies_[0].cycles[index(Phase::kForward)][index(Cause::kMultiplyAdd)] = 600;
    dies_[0].cycles[index(Phase::kBackward)][index(Cause::kWeightWait)] = 400;
    dies_[0].running[index(Phase::kForward)][index(Cause::kMultiplyAdd)] = 600;
  }
  EnergyLedger share() const { return share_energy(accounts_, events_, dies_, 16); }

  const power::EnergyTable table_ = testing_support::energy_preset();
  power::EnergyAccounts accounts_{table_, {}, 2};
  EnergyEvents events_{};
  std::vector<DieTime> dies_{2};
};

TEST_F(EnergyLedgerTest, AnEventGoesToTheWorkThatCountedIt) {
  accounts_.add(0, Phase::kForward, 0, counts(EventKind::kLinkHop, 100));
  accounts_.add(1, Phase::kBackward, 0, counts(EventKind::kLinkHop, 7));
  at(events_[index(Phase::kForward)][kBroadcast], EventKind::kLinkHop) = 60;
  at(events_[index(Phase::kForward)][index(Cause::kReduction)], EventKind::kLinkHop) = 40;
  at(events_[index(Phase::kBackward)][kGradients], EventKind::kLinkHop) = 7;
  const EnergyLedger ledger = share();
  const double hop = table_.joules(EventKind::kLinkHop);
  EXPECT_DOUBLE_EQ(ledger.joules[index(Phase::kForward)][kBroadcast], 60 * hop);
  EXPECT_DOUBLE_EQ(ledger.joules[index(Phase::kForward)][index(Cause::kReduction)], 40 * hop);
  EXPECT_DOUBLE_EQ(ledger.joules[index(Phase::kBackward)][kGradients], 7 * hop);
  EXPECT_DOUBLE_EQ(ledger.total(), accounts_.total());
  EXPECT_EQ(ledger.unclaimed, 0u);
}

TEST_F(EnergyLedgerTest, ASlowerClockLeavesNothingOut) {
  accounts_.add(0, Phase::kForward, 0, counts(EventKind::kFmacMixed, 1000));
  accounts_.add(0, Phase::kForward, 4, counts(EventKind::kFmacMixed, 1000));
  at(events_[index(Phase::kForward)][index(Cause::kMultiplyAdd)], EventKind::kFmacMixed) = 1500;
  at(events_[index(Phase::kForward)][index(Cause::kAttention)], EventKind::kFmacMixed) = 500;
  const EnergyLedger ledger = share();
  EXPECT_NEAR(ledger.total() / accounts_.total(), 1, 1e-14);
  EXPECT_NEAR(ledger.by_cause()[index(Cause::kAttention)] / accounts_.total(), 0.25, 1e-14);
}

// 6 of 16 cores have no program; the others worked for 600 of 1000 tile-cycles.
TEST_F(EnergyLedgerTest, LeakageGoesToTheTimeOfItsDieAndToCoresWithoutAProgram) {
  accounts_.add_static(0, Phase::kForward, 14, 2);
  accounts_.add_static(1, Phase::kIdle, 5, 0);
  const EnergyLedger ledger = share();
  EXPECT_NEAR(ledger.by_cause()[kUnusedCores], 6 + 5, 1e-12);
  EXPECT_NEAR(ledger.joules[index(Phase::kForward)][index(Cause::kMultiplyAdd)], 6, 1e-12);
  EXPECT_NEAR(ledger.joules[index(Phase::kBackward)][index(Cause::kWeightWait)], 4, 1e-12);
  EXPECT_NEAR(ledger.total(), 21, 1e-12);
  EXPECT_EQ(ledger.still, ledger.by_cause());
}

TEST_F(EnergyLedgerTest, GatedClocksGoToThoseWhoWaitAndNotToThoseWhoWork) {
  // 600 tile-cycles of the cores without a program, 400 of waiting.
  accounts_.add(0, Phase::kForward, 0, counts(EventKind::kClockGated, 1000));
  const EnergyLedger ledger = share();
  const double each = table_.joules(EventKind::kClockGated);
  EXPECT_EQ(ledger.by_cause()[index(Cause::kMultiplyAdd)], 0);
  EXPECT_NEAR(ledger.by_cause()[index(Cause::kWeightWait)] / each, 400, 1e-9);
  EXPECT_NEAR(ledger.by_cause()[kUnusedCores] / each, 600, 1e-9);
}

TEST_F(EnergyLedgerTest, AccessesThatNoWorkCountedAreTheRecordsOfLayers) {
  accounts_.add(0, Phase::kForward, 0, counts(EventKind::kSramWrite64, 30));
  at(events_[index(Phase::kForward)][index(Cause::kVector)], EventKind::kSramWrite64) = 20;
  const EnergyLedger ledger = share();
  const double each = table_.joules(EventKind::kSramWrite64);
  EXPECT_NEAR(ledger.by_cause()[index(Cause::kVector)] / each, 20, 1e-9);
  EXPECT_NEAR(ledger.by_cause()[index(Cause::kLayerChange)] / each, 10, 1e-9);
  EXPECT_EQ(ledger.unclaimed, 0u);
}

TEST_F(EnergyLedgerTest, EventsThatOnlyOneSideKnowsAreTold) {
  accounts_.add(0, Phase::kForward, 0, counts(EventKind::kRamp, 30));
  at(events_[index(Phase::kForward)][kBroadcast], EventKind::kRamp) = 33;
  at(events_[index(Phase::kUpdate)][kGradients], EventKind::kIoBit) = 4;
  const EnergyLedger ledger = share();
  EXPECT_EQ(ledger.unclaimed, 3u + 4u);
  EXPECT_NEAR(ledger.total() / accounts_.total(), 1, 1e-14);
}

TEST(EnergyEventsTest, WhatIsCarriedForARecomputationBelongsToIt) {
  std::array<fabric::CargoEvents, base::kNumPhases> carried{};
  for (auto& phase : carried) {
    for (base::EventCounts& cargo : phase) at(cargo, EventKind::kLinkHop) = 1;
  }
  EnergyEvents events{};
  add_events(events, carried);
  const auto hops = [&events](Phase phase, std::size_t cause) {
    return at(events[index(phase)][cause], EventKind::kLinkHop);
  };
  EXPECT_EQ(hops(Phase::kRecompute, index(Cause::kRecompute)), fabric::kNumCargoes);
  EXPECT_EQ(hops(Phase::kForward, kBroadcast), 1u);
  EXPECT_EQ(hops(Phase::kForward, kSamples), 1u);
  EXPECT_EQ(hops(Phase::kBackward, kGradients), 1u);
  EXPECT_EQ(hops(Phase::kBackward, index(Cause::kReduction)), 1u);
}

TEST(EnergyEventsTest, EveryCauseHasANameOfItsOwn) {
  for (std::size_t a = 0; a < kNumEnergyCauses; ++a) {
    EXPECT_FALSE(energy_cause_name(a).empty());
    for (std::size_t b = 0; b < a; ++b) EXPECT_NE(energy_cause_name(a), energy_cause_name(b));
  }
}

}  // namespace
}  // namespace wse::model
