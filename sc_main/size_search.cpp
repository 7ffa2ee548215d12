// SPDX-License-Identifier: Apache-2.0
#include "size_search.h"

#include <numeric>

#include "wse/base/config_errors.h"

namespace wse::cli {
namespace {

/// Looks for sizes with which a kernel fits its tiles.
struct SizeSearch {
  const KernelChoice& choice;
  const tiles::MeshConfig& config;
  const report::KernelRecord& record;

  /// Options for the sizes of these numbers, all smaller by the same share; empty if none fit.
  std::string largest(const std::vector<std::size_t>& numbers) const {
    constexpr std::uint32_t kShares = 1024;
    std::string best;
    std::uint32_t low = 0;
    std::uint32_t high = kShares;  // does not fit
    while (high - low > 1) {
      const std::uint32_t middle = (low + high) / 2;
      const std::string found = try_share(numbers, middle, kShares);
      found.empty() ? high = middle : low = middle;
      if (!found.empty()) best = found;
    }
    return best;
  }

 private:
  enum class Outcome { kFits, kTooLarge, kIllegal };

  /// Sizes that are not legal, as no multiples of others, are made smaller, a little.
  std::string try_share(const std::vector<std::size_t>& numbers, std::uint32_t share,
                        std::uint32_t shares) const {
    constexpr std::uint64_t kTries = 64;
    for (std::uint64_t less = 0; less < kTries; ++less) {
      KernelChoice tried = choice;
      std::string options;
      for (const std::size_t i : numbers) {
        const auto& [name, value] = record.sizes[i];
        if (value <= 1) continue;  // a density
        const std::uint64_t size = static_cast<std::uint64_t>(value) * share / shares;
        if (size <= less) return "";
        tried.sizes[name] = std::to_string(size - less);
        options += fmt::format(" --{} {}", name, size - less);
      }
      if (options.empty()) return "";
      const Outcome outcome = outcome_of(tried);
      if (outcome == Outcome::kFits) return options;
      if (outcome == Outcome::kTooLarge) return "";
    }
    return "";
  }
  Outcome outcome_of(const KernelChoice& tried) const {
    report::KernelRecord unused = record;
    try {
      const std::unique_ptr<tiles::KernelJob> job = choose_kernel(tried, config, unused);
      tiles::check(job->kernel(), config.sram.size_bytes, config.compute.cache_bytes);
      return Outcome::kFits;
    } catch (const tiles::ProgramError&) {
      return Outcome::kTooLarge;
    } catch (const base::ConfigError&) {
      return Outcome::kIllegal;
    }
  }
};

}  // namespace

std::string what_fits(const KernelChoice& choice, const tiles::MeshConfig& config,
                      const report::KernelRecord& record) {
  constexpr std::uint32_t kMostTiles = 4096;  // beyond that the search takes too long
  if (record.mesh.tiles() > kMostTiles) return "";
  const SizeSearch search{choice, config, record};
  std::string text;
  for (std::size_t i = 0; i < record.sizes.size(); ++i) {
    const std::string found = search.largest({i});
    if (!found.empty()) text += (text.empty() ? "" : ", or") + found;
  }
  if (text.empty() && record.sizes.size() > 1) {
    std::vector<std::size_t> all(record.sizes.size());
    std::iota(all.begin(), all.end(), 0);
    text = search.largest(all);
  }
  return text.empty() ? "" : "what fits:" + text;
}

}  // namespace wse::cli
