// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "wse/cosim/bank_twins.h"
#include "wse/cosim/router_twins.h"
#include "wse/cosim/skewed_router.h"
#include "wse/cosim/tile_rtl.h"

namespace wse::cosim {

/// Random traffic for a twin that runs in lockstep with the model.
struct Campaign {
  std::uint64_t cycles = 20'000;  ///< of each seed
  std::uint64_t seeds = 20;
  std::uint64_t first_seed = 1;
  std::uint32_t mutant = 0;
  std::function<void()> every_seed;  ///< may throw
};

/// Something that has to happen before a campaign may call a twin equal.
struct CoverageBin {
  std::string name;
  std::uint64_t hits = 0;
};

struct CampaignResult {
  std::uint64_t cycles = 0;    ///< compared
  std::uint64_t wavelets = 0;  ///< sent to it; of a bank: accesses
  std::uint64_t mismatches = 0;
  std::uint64_t seed = 0;  ///< of the mismatch
  std::string mismatch;    ///< text of it
  std::vector<CoverageBin> coverage;

  std::size_t hit() const;
};

/// Random routers under random traffic. Stops at the first mismatch, as the others do.
CampaignResult run_campaign(const RouterTwinKind& kind, const Campaign& campaign);
/// What a campaign has seen that compares order and not clocks.
struct SkewedCampaignResult : CampaignResult {
  SkewReport skew;
};
/// Random routers under random traffic, whose order alone is compared, see SkewedRouter.
SkewedCampaignResult run_skewed_campaign(const RouterTwinKind& kind, const Campaign& campaign);
/// Random accesses of a bank.
CampaignResult run_campaign(const BankTwinKind& kind, const Campaign& campaign);
/// Random programs of a tile among random wavelets.
CampaignResult run_campaign(const TileTwinKind& kind, const Campaign& campaign);

}  // namespace wse::cosim
