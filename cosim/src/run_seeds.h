// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/cosim/campaign.h"
#include "wse/cosim/lockstep.h"

namespace wse::cosim {

/// Runs the seeds of a campaign until one has a mismatch: `run(seed, clocks)` counts into `result`.
template <class Run>
void run_seeds(const Campaign& campaign, CampaignResult& result, const Run& run) {
  const std::uint64_t end = campaign.first_seed + campaign.seeds;
  for (std::uint64_t seed = campaign.first_seed; seed < end; ++seed) {
    if (campaign.every_seed) campaign.every_seed();
    try {
      run(seed, campaign.cycles);
    } catch (const Mismatch& mismatch) {
      result.mismatches = 1;
      result.seed = seed;
      result.mismatch = mismatch.what();
      return;
    }
  }
}

}  // namespace wse::cosim
