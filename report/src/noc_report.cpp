// SPDX-License-Identifier: Apache-2.0
#include "wse/report/noc_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "wse/report/page.h"

namespace wse::report {
namespace {

using json = nlohmann::ordered_json;

const char* name_of(fabric::Routing routing) {
  return routing == fabric::Routing::kXy ? "xy" : "color";
}
const char* name_of(fabric::EngineKind kind) {
  return kind == fabric::EngineKind::kFlow ? "flow" : "cycle";
}

json rates_json(const std::vector<fabric::RatePoint>& rates) {
  json all = json::array();
  for (const fabric::RatePoint& point : rates) {
    all.push_back({{"rate", point.rate},
                   {"accepted_rate", point.result.accepted_rate},
                   {"mean_latency_cycles", point.result.mean_latency()},
                   {"p99_latency_cycles", point.result.latencies.percentile(0.99)},
                   {"max_latency_cycles", point.result.latency_max},
                   {"refused", point.result.refused},
                   {"result_hash", point.result.result_hash}});
  }
  return all;
}

double hops_per_cpu_second(const NocRecord& r) {
  return r.host.cpu_seconds > 0 ? static_cast<double>(r.result.hops) / r.host.cpu_seconds : 0.0;
}

}  // namespace

json noc_json(const NocRecord& r) {
  const fabric::TrafficConfig& traffic = r.config.traffic;
  const fabric::NocResult& result = r.result;
  json object = {{"mesh", {traffic.mesh.columns, traffic.mesh.rows}},
                 {"pattern", fabric::info_of(traffic.pattern).name},
                 {"routing", name_of(traffic.routing)},
                 {"engine", name_of(r.config.kind)},
                 {"rate", traffic.rate},
                 {"offer_cycles", traffic.cycles},
                 {"packet", traffic.packet},
                 {"seed", traffic.seed},
                 {"threads", r.config.threads},
                 {"cycles", result.cycles},
                 {"senders", result.senders},
                 {"offered", result.offered},
                 {"injected", result.injected},
                 {"refused", result.refused},
                 {"delivered", result.delivered},
                 {"mean_latency_cycles", result.mean_latency()},
                 {"max_latency_cycles", result.latency_max}};
  for (const double share : {0.5, 0.95, 0.99}) {
    object[fmt::format("p{:.0f}_latency_cycles", share * 100)] = result.latencies.percentile(share);
  }
  object.update(
      {{"accepted_rate", result.accepted_rate},
       {"wavelet_hops", result.hops},
       {"state_bytes_per_tile", static_cast<double>(result.state_bytes) / traffic.mesh.tiles()},
       {"host_cpu_seconds", r.host.cpu_seconds},
       {"host_seconds", r.host_seconds},
       {"hops_per_cpu_second", hops_per_cpu_second(r)},
       {"max_rss_bytes", r.host.max_rss_bytes},
       {"result_hash", result.result_hash}});
  if (r.saturation) {
    object["saturation_rate"] = r.saturation->rate;
    object["zero_load_latency_cycles"] = r.saturation->zero_load_latency;
  }
  if (!r.twins.empty()) {
    object["twins"] = r.twins;
    object["twin_routers"] = r.twin_routers;
    if (r.twin_skew) object["twin_skew"] = r.twin_skew->json();
    object["mismatches"] = 0;  // the first one ends a run
  }
  if (!r.rates.empty()) object["rates"] = rates_json(r.rates);
  return object;
}

std::string noc_summary(const NocRecord& r) {
  const fabric::TrafficConfig& traffic = r.config.traffic;
  const fabric::NocResult& result = r.result;
  std::string text;
  const auto line = [&text](const char* name, const std::string& value) {
    text += fmt::format("  {:<22} {}\n", name, value);
  };
  text += fmt::format("{} on {} x {} tiles, {} routing, {} level\n",
                      fabric::info_of(traffic.pattern).name, traffic.mesh.columns,
                      traffic.mesh.rows, name_of(traffic.routing), name_of(r.config.kind));
  line("offered", fmt::format("{} wavelets, {:.4g} a tile and cycle for {} cycles", result.offered,
                              traffic.rate, traffic.cycles));
  line("injected", fmt::format("{} ({:.4g} a sending tile and cycle), {} refused", result.injected,
                               result.accepted_rate, result.refused));
  line("delivered", fmt::format("{} copies over {} wavelet-hops, the last before cycle {}",
                                result.delivered, result.hops, result.cycles));
  line("latency", fmt::format("mean {:.2f}, median {}, 99 % within {}, largest {} cycles",
                              result.mean_latency(), result.latencies.percentile(0.5),
                              result.latencies.percentile(0.99), result.latency_max));
  if (r.saturation) {
    line("saturation", r.saturation->rate >= 1
                           ? std::string("none up to a rate of 1")
                           : fmt::format("above a rate of {:.3g}; {:.2f} cycles when idle",
                                         r.saturation->rate, r.saturation->zero_load_latency));
  }
  for (const fabric::RatePoint& p : r.rates) {
    line(fmt::format("  at {:.4g}", p.rate).c_str(),
         fmt::format("accepted {:.4g}, latency {:.2f}, 99 % within {}", p.result.accepted_rate,
                     p.result.mean_latency(), p.result.latencies.percentile(0.99)));
  }
  line("result hash", result.result_hash);
  line("simulated in",
       fmt::format("{:.2f} s of CPU, {:.3g} million hops a second, {:.0f} MB", r.host.cpu_seconds,
                   hops_per_cpu_second(r) / 1e6, static_cast<double>(r.host.max_rss_bytes) / 1e6));
  if (r.twin_skew) text += r.twin_skew->text();
  return text;
}

std::string noc_page(const NocRecord& r) {
  json latencies = json::array();
  for (std::size_t bucket = 0; bucket < fabric::LatencyHistogram::kBuckets; ++bucket) {
    const std::uint64_t count = r.result.latencies.count(bucket);
    if (count == 0) continue;
    latencies.push_back({fabric::LatencyHistogram::first_of(bucket),
                         fabric::LatencyHistogram::first_of(bucket + 1) - 1, count});
  }
  return page("noc.html", {{"command", r.command},
                           {"stats", noc_json(r)},
                           {"latencies", latencies},
                           {"rates", rates_json(r.rates)}});
}

std::string rates_csv(const std::vector<fabric::RatePoint>& rates) {
  std::string text =
      "rate,accepted_rate,mean_latency_cycles,p99_latency_cycles,max_latency_cycles,refused,"
      "result_hash\n";
  for (const fabric::RatePoint& p : rates) {
    text += fmt::format("{:.6g},{:.6g},{:.6g},{},{},{},{}\n", p.rate, p.result.accepted_rate,
                        p.result.mean_latency(), p.result.latencies.percentile(0.99),
                        p.result.latency_max, p.result.refused, p.result.result_hash);
  }
  return text;
}

std::string latency_csv(const fabric::LatencyHistogram& latencies) {
  std::string text = "latency_cycles,last_cycles,copies\n";
  for (std::size_t bucket = 0; bucket < fabric::LatencyHistogram::kBuckets; ++bucket) {
    if (latencies.count(bucket) == 0) continue;
    text +=
        fmt::format("{},{},{}\n", fabric::LatencyHistogram::first_of(bucket),
                    fabric::LatencyHistogram::first_of(bucket + 1) - 1, latencies.count(bucket));
  }
  return text;
}

}  // namespace wse::report
