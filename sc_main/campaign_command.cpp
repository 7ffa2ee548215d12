// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "interrupt.h"
#include "settings_options.h"
#include "wse/base/host_usage.h"
#include "wse/cosim/campaign.h"
#include "wse/cosim/lockstep.h"
#include "wse/cosim/tile_twins.h"
#include "wse/fabric/noc_run.h"
#include "wse/report/twin_skew.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;
using json = nlohmann::ordered_json;

struct CampaignOptions {
  std::string kind;
  std::string rtl;  ///< as the kind, if none is given
  std::int64_t cycles = 20'000;
  std::int64_t seeds = 20;
  std::int64_t first_seed = 1;
  std::int64_t mutant = 0;
  bool skewed = false;
  bool json = false;
  bool quiet = false;
};

bool read_options(const Arguments& arguments, CampaignOptions& o) {
  po::options_description options("options");
  options.add_options()("kind", po::value(&o.kind)->value_name("KIND"), "router, sram or tile")(
      "rtl", po::value(&o.rtl)->value_name("NAME"),
      "which one, see wse list twins (default: named as the kind)")(
      "cycles", po::value(&o.cycles)->value_name("N"), "clocks of each seed (default 20000)")(
      "seeds", po::value(&o.seeds)->value_name("N"), "how many (default 20)")(
      "seed", po::value(&o.first_seed)->value_name("S"), "the first one (default 1)")(
      "mutant", po::value(&o.mutant)->value_name("N"),
      "with fault N planted, and without the other mutants")(
      "skewed", po::bool_switch(&o.skewed),
      "of routers: compare the order of what passes, not the clocks")(
      "json", po::bool_switch(&o.json), "print one JSON object")("quiet", po::bool_switch(&o.quiet),
                                                                 "print nothing but errors");
  po::positional_options_description positions;
  positions.add("kind", 1);
  po::variables_map values;
  return parse_options(arguments, options, positions, "wse cosim campaign KIND [options]", values);
}

cosim::Campaign campaign_of(const CampaignOptions& o) {
  base::ConfigErrors errors;
  cosim::Campaign campaign;
  errors.require(o.cycles >= 1 && o.cycles <= 1'000'000'000, "--cycles", o.cycles,
                 "must be 1 .. 1e9");
  errors.require(o.seeds >= 1 && o.seeds <= 1'000'000, "--seeds", o.seeds, "must be 1 .. 1e6");
  errors.require(o.first_seed >= 0, "--seed", o.first_seed, "must not be negative");
  errors.throw_if_any();
  campaign.cycles = static_cast<std::uint64_t>(o.cycles);
  campaign.seeds = static_cast<std::uint64_t>(o.seeds);
  campaign.first_seed = static_cast<std::uint64_t>(o.first_seed);
  campaign.mutant = static_cast<std::uint32_t>(o.mutant);
  campaign.every_seed = [] {
    if (interrupted()) throw fabric::Interrupted();
  };
  return campaign;
}

/// What came of a campaign and its mutants.
struct Outcome {
  cosim::CampaignResult result;
  std::uint32_t mutants = 0;
  std::vector<std::uint32_t> survivors;
};

/// Throws what a campaign has found.
template <class Kind>
void check(const CampaignOptions& o, const Kind& kind, const cosim::CampaignResult& result) {
  if (result.mismatches == 0) return;
  throw cosim::Mismatch(result.mismatch +
                        fmt::format("\n  replay: ./wse cosim campaign {} --rtl {} --seed {} "
                                    "--seeds 1 --cycles {} --mutant {}{}",
                                    o.kind, kind.name, result.seed, o.cycles, o.mutant,
                                    o.skewed ? " --skewed" : ""));
}

template <class Kind>
Outcome run_all(const Kind& kind, cosim::Campaign campaign, const CampaignOptions& o) {
  base::ConfigErrors errors;
  errors.require(o.mutant >= 0 && o.mutant <= kind.mutants, "--mutant", o.mutant,
                 fmt::format("must be 0 .. {}", kind.mutants));
  errors.throw_if_any();
  Outcome outcome;
  outcome.result = cosim::run_campaign(kind, campaign);
  check(o, kind, outcome.result);
  outcome.mutants = o.mutant == 0 ? kind.mutants : 0;
  for (campaign.mutant = 1; campaign.mutant <= outcome.mutants; ++campaign.mutant) {
    if (cosim::run_campaign(kind, campaign).mismatches == 0)
      outcome.survivors.push_back(campaign.mutant);
  }
  return outcome;
}

/// Order alone: no bins, and mutants that keep the order are none.
int run_skewed(const CampaignOptions& o) {
  if (o.kind != "router") throw base::ConfigError("--skewed", o.kind, "is for routers");
  const cosim::RouterTwinKind& kind = cosim::router_twin(o.rtl, "--rtl");
  const cosim::SkewedCampaignResult result = cosim::run_skewed_campaign(kind, campaign_of(o));
  check(o, kind, result);
  const report::TwinSkew skew{result.skew.checked, result.skew.unordered, result.skew.latencies};
  if (o.json) {
    const json object = {{"kind", o.kind},          {"rtl", o.rtl},
                         {"cycles", result.cycles}, {"seeds", o.seeds},
                         {"mismatches", 0},         {"wavelets", result.wavelets},
                         {"twin_skew", skew.json()}};
    std::cout << object.dump(2) << std::endl;
  } else if (!o.quiet) {
    std::cout << fmt::format("rtl:{} keeps the order of {} copies in {} clocks\n", o.rtl,
                             skew.checked, result.cycles);
    std::cout << skew.text();
  }
  return kDone;
}

Outcome run_all(const CampaignOptions& o) {
  const cosim::Campaign campaign = campaign_of(o);
  if (o.kind == "router") return run_all(cosim::router_twin(o.rtl, "--rtl"), campaign, o);
  if (o.kind == "sram") return run_all(cosim::bank_twin(o.rtl, "--rtl"), campaign, o);
  if (o.kind == "tile") return run_all(cosim::tile_twin(o.rtl, "--rtl"), campaign, o);
  throw base::ConfigError("KIND", o.kind, "must be router, sram or tile");
}

json json_of(const CampaignOptions& o, const Outcome& outcome, double seconds) {
  const cosim::CampaignResult& result = outcome.result;
  json coverage = json::object();
  for (const cosim::CoverageBin& bin : result.coverage) coverage[bin.name] = bin.hits;
  return {{"kind", o.kind},
          {"rtl", o.rtl},
          {"cycles", result.cycles},
          {"seeds", o.seeds},
          {"mismatches", result.mismatches},
          {"coverage_bins", result.coverage.size()},
          {"coverage_hit", result.hit()},
          {"mutants", outcome.mutants},
          {"mutants_caught", outcome.mutants - outcome.survivors.size()},
          {"mutants_missed", outcome.survivors},
          {"wavelets", result.wavelets},
          {"coverage", coverage},
          {"host_seconds", seconds}};
}

void print(const CampaignOptions& o, const Outcome& outcome) {
  const cosim::CampaignResult& result = outcome.result;
  std::cout << fmt::format("rtl:{} equals the model in {} clocks with {} {}\n", o.rtl,
                           result.cycles, result.wavelets,
                           o.kind == "sram" ? "accesses" : "wavelets");
  for (const cosim::CoverageBin& bin : result.coverage) {
    std::cout << fmt::format("  {:<42} {}\n", bin.name,
                             bin.hits == 0 ? "NEVER" : std::to_string(bin.hits));
  }
  std::cout << fmt::format("  {} of {} bins hit; {} of {} mutants caught\n", result.hit(),
                           result.coverage.size(), outcome.mutants - outcome.survivors.size(),
                           outcome.mutants);
}

}  // namespace

int campaign_command(const Arguments& arguments) {
  CampaignOptions o;
  if (!read_options(arguments, o)) return kDone;
  if (o.rtl.empty()) o.rtl = o.kind;
  catch_interrupts();
  if (o.skewed) return run_skewed(o);
  const base::Stopwatch stopwatch;
  const Outcome outcome = run_all(o);
  const double seconds = stopwatch.seconds();
  if (o.json) {
    std::cout << json_of(o, outcome, seconds).dump(2) << std::endl;
  } else if (!o.quiet) {
    print(o, outcome);
  }
  // A campaign that could not have seen a fault has shown nothing.
  return outcome.survivors.empty() ? kDone : kRunFailed;
}

}  // namespace wse::cli
