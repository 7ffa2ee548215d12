// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "interrupt.h"
#include "settings_options.h"
#include "wse/cosim/campaign.h"
#include "wse/cosim/lockstep.h"
#include "wse/fabric/noc_run.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;
using json = nlohmann::ordered_json;

struct CampaignOptions {
  std::string kind;
  std::string rtl = "router";
  std::int64_t cycles = 20'000;
  std::int64_t seeds = 20;
  std::int64_t first_seed = 1;
  std::int64_t mutant = 0;
  bool json = false;
  bool quiet = false;
};

bool read_options(const Arguments& arguments, CampaignOptions& o) {
  po::options_description options("options");
  options.add_options()("kind", po::value(&o.kind)->value_name("KIND"), "router")(
      "rtl", po::value(&o.rtl)->value_name("NAME"), "which one, see wse list twins")(
      "cycles", po::value(&o.cycles)->value_name("N"), "clocks of each seed (default 20000)")(
      "seeds", po::value(&o.seeds)->value_name("N"), "how many (default 20)")(
      "seed", po::value(&o.first_seed)->value_name("S"), "the first one (default 1)")(
      "mutant", po::value(&o.mutant)->value_name("N"),
      "with fault N planted, and without the other mutants")(
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
  errors.require(o.kind == "router", "KIND", o.kind, "must be router");
  errors.require(o.cycles >= 1 && o.cycles <= 1'000'000'000, "--cycles", o.cycles,
                 "must be 1 .. 1e9");
  errors.require(o.seeds >= 1 && o.seeds <= 1'000'000, "--seeds", o.seeds, "must be 1 .. 1e6");
  errors.require(o.first_seed >= 0, "--seed", o.first_seed, "must not be negative");
  errors.throw_if_any();
  campaign.kind = &cosim::router_twin(o.rtl, "--rtl");
  errors.require(o.mutant >= 0 && o.mutant <= campaign.kind->mutants, "--mutant", o.mutant,
                 fmt::format("must be 0 .. {}", campaign.kind->mutants));
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

}  // namespace

int campaign_command(const Arguments& arguments) {
  CampaignOptions o;
  if (!read_options(arguments, o)) return kDone;
  cosim::Campaign campaign = campaign_of(o);
  catch_interrupts();
  const auto start = std::chrono::steady_clock::now();
  const cosim::CampaignResult result = cosim::run_campaign(campaign);
  if (result.mismatches != 0) {
    throw cosim::Mismatch(result.mismatch +
                          fmt::format("\n  replay: ./wse cosim campaign router --rtl {} --seed {} "
                                      "--seeds 1 --cycles {} --mutant {}",
                                      o.rtl, result.seed, o.cycles, o.mutant));
  }
  std::vector<std::uint32_t> survivors;
  const std::uint32_t mutants = o.mutant == 0 ? campaign.kind->mutants : 0;
  for (campaign.mutant = 1; campaign.mutant <= mutants; ++campaign.mutant) {
    if (cosim::run_campaign(campaign).mismatches == 0) survivors.push_back(campaign.mutant);
  }
  json coverage = json::object();
  for (const cosim::CoverageBin& bin : result.coverage) coverage[bin.name] = bin.hits;
  const json object = {
      {"kind", o.kind},
      {"rtl", o.rtl},
      {"cycles", result.cycles},
      {"seeds", o.seeds},
      {"mismatches", result.mismatches},
      {"coverage_bins", result.coverage.size()},
      {"coverage_hit", result.hit()},
      {"mutants", mutants},
      {"mutants_caught", mutants - survivors.size()},
      {"mutants_missed", survivors},
      {"wavelets", result.wavelets},
      {"coverage", coverage},
      {"host_seconds",
       std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()}};
  if (o.json) {
    std::cout << object.dump(2) << std::endl;
  } else if (!o.quiet) {
    std::cout << fmt::format("rtl:{} equals the model in {} clocks with {} wavelets\n", o.rtl,
                             result.cycles, result.wavelets);
    for (const cosim::CoverageBin& bin : result.coverage) {
      std::cout << fmt::format("  {:<42} {}\n", bin.name,
                               bin.hits == 0 ? "NEVER" : std::to_string(bin.hits));
    }
    std::cout << fmt::format("  {} of {} bins hit; {} of {} mutants caught\n", result.hit(),
                             result.coverage.size(), mutants - survivors.size(), mutants);
  }
  // A campaign that could not have seen a fault has shown nothing.
  return survivors.empty() ? kDone : kRunFailed;
}

}  // namespace wse::cli
