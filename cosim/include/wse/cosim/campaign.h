// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "wse/cosim/router_twins.h"

namespace wse::cosim {

/// Random routers under random traffic, a twin in lockstep with the model.
struct Campaign {
  const RouterTwinKind* kind = nullptr;
  std::uint64_t cycles = 20'000;  ///< of each seed
  std::uint64_t seeds = 20;
  std::uint64_t first_seed = 1;
  std::uint32_t mutant = 0;
  std::function<void()> every_seed;  ///< may throw
};

/// Something that has to happen before a campaign may call a router equal.
struct CoverageBin {
  std::string name;
  std::uint64_t hits = 0;
};

struct CampaignResult {
  std::uint64_t cycles = 0;  ///< compared
  std::uint64_t wavelets = 0;
  std::uint64_t mismatches = 0;
  std::uint64_t seed = 0;  ///< of the mismatch
  std::string mismatch;    ///< text of it
  std::vector<CoverageBin> coverage;

  std::size_t hit() const;
};

/// Stops at the first mismatch.
CampaignResult run_campaign(const Campaign& campaign);

}  // namespace wse::cosim
