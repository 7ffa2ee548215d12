// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <nlohmann/json.hpp>
#include <regex>

#include "commands.h"
#include "interrupt.h"
#include "noc_waves.h"
#include "settings_options.h"
#include "twin_options.h"
#include "wse/base/host_usage.h"
#include "wse/base/text_forms.h"
#include "wse/fabric/deadlock.h"
#include "wse/fabric/xy_fabric.h"
#include "wse/model/routes_file.h"
#include "wse/report/files.h"
#include "wse/report/noc_report.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;

struct NocOptions {
  SettingsOptions settings;
  std::string mesh;
  std::string pattern;
  std::string routes;
  std::string routing = "color";
  std::string engine = "cycle";
  double rate = 0.05;
  std::int64_t cycles = 1000;
  std::int64_t radius = 1;
  std::int64_t distance = 1;
  std::int64_t packet = 1;
  std::int64_t threads = 1;
  std::int64_t seed = 1;
  std::string rates;
  bool saturation = false;
  NocWaveOptions waves;
  std::string out;
  bool json = false;
  bool quiet = false;
};

bool read_options(const Arguments& arguments, TwinOptions* twins, NocOptions& o) {
  po::options_description options("options");
  options.add_options()("mesh", po::value(&o.mesh)->value_name("WxH"),
                        "columns and rows of tiles (default 8x8)")(
      "pattern", po::value(&o.pattern)->value_name("NAME"),
      "who sends to whom, see wse list patterns (default neighbor)")(
      "routes", po::value(&o.routes)->value_name("FILE"),
      "routes and sources of your own instead of a pattern, see docs/tutorials/own-routes.md")(
      "rate", po::value(&o.rate)->value_name("R"),
      "wavelets a tile and cycle, up to 1 (default 0.05)")(
      "cycles", po::value(&o.cycles)->value_name("N"),
      "cycles in which wavelets are offered (default 1000)")(
      "routing", po::value(&o.routing)->value_name("KIND"),
      "color (default), or xy: destinations in the wavelets")(
      "engine", po::value(&o.engine)->value_name("LEVEL"), "cycle (default) or flow")(
      "radius", po::value(&o.radius)->value_name("R"), "of a halo, tiles (default 1)")(
      "distance", po::value(&o.distance)->value_name("K"), "of a shift, tiles (default 1)")(
      "packet", po::value(&o.packet)->value_name("N"), "wavelets offered together (default 1)")(
      "threads", po::value(&o.threads)->value_name("N"), "bands of rows at once (default 1)")(
      "seed", po::value(&o.seed)->value_name("S"), "of the offers (default 1)")(
      "rates", po::value(&o.rates)->value_name("A..B/N"),
      "run N rates from A to B as well, and plot them")(
      "saturation", po::bool_switch(&o.saturation), "look for the rate at which it saturates")(
      "out", po::value(&o.out)->value_name("DIR"),
      "folder of the results (default out/noc-PATTERN)")(
      "json", po::bool_switch(&o.json), "print one JSON object")("quiet", po::bool_switch(&o.quiet),
                                                                 "print nothing but errors");
  o.waves.add_to(options, twins != nullptr);
  o.settings.add_to(options);
  if (twins != nullptr) twins->add_to(options);
  const char* const usage = twins != nullptr ? "wse cosim noc [options]" : "wse noc [options]";
  po::variables_map values;
  if (!parse_options(arguments, options, {}, usage, values)) return false;
  if (values.count("routes") != 0 && o.routes.empty()) {
    throw base::ConfigError("--routes", "\"\"", "must name a file");
  }
  o.waves.check_given(values);
  if (o.pattern.empty()) o.pattern = o.routes.empty() ? "neighbor" : "routes";
  return true;
}

fabric::Mesh mesh_of(const std::string& text, base::ConfigErrors& errors) {
  const auto size = base::parse_size(text.empty() ? "8x8" : text);
  if (!size) {
    errors.add("--mesh", text, "must be WxH, columns and rows");
    return {1, 1};
  }
  return {size->columns.end, size->rows.end};
}

/// Routes of the user's own, with the mesh that they are for.
void read_own_routes(const NocOptions& o, fabric::TrafficConfig& traffic,
                     base::ConfigErrors& errors) {
  if (o.routes.empty()) return;
  auto own = std::make_shared<fabric::OwnRoutes>(model::read_routes(o.routes, errors));
  const fabric::Mesh mesh = own->routes.mesh();
  if (!o.mesh.empty() && errors.empty()) {
    errors.require(mesh == traffic.mesh, "--mesh", o.mesh,
                   fmt::format("must be that of {}, {}x{}", o.routes, mesh.columns, mesh.rows));
  }
  traffic.mesh = mesh;
  traffic.own = std::move(own);
}

fabric::Pattern pattern_of(const std::string& name, base::ConfigErrors& errors) {
  std::vector<std::string> names;
  for (const fabric::PatternInfo& info : fabric::patterns()) {
    if (info.name == name) return info.pattern;
    names.push_back(info.name);
  }
  const std::string near = base::nearest_name(name, names);
  errors.add("--pattern", name,
             near.empty() ? "is unknown, see wse list patterns"
                          : "is unknown; did you mean " + near + "?");
  return fabric::Pattern::kNeighbor;
}

/// A whole number of an option within 0 .. 2^32 - 1; what it means is checked later.
std::uint32_t whole(const char* option, std::int64_t value, base::ConfigErrors& errors) {
  errors.require(value >= 0 && value <= 0xffffffffLL, option, value, "is out of range");
  return static_cast<std::uint32_t>(value);
}

fabric::NocConfig config_of(const NocOptions& o, const model::Settings& settings) {
  base::ConfigErrors errors;
  fabric::NocConfig config;
  fabric::TrafficConfig& traffic = config.traffic;
  traffic.mesh = mesh_of(o.mesh, errors);
  traffic.pattern = pattern_of(o.pattern, errors);
  read_own_routes(o, traffic, errors);
  traffic.rate = o.rate;
  errors.require(o.cycles >= 0, "--cycles", o.cycles, "must not be negative");
  traffic.cycles = static_cast<std::uint64_t>(o.cycles);
  traffic.radius = whole("--radius", o.radius, errors);
  traffic.distance = whole("--distance", o.distance, errors);
  traffic.packet = whole("--packet", o.packet, errors);
  errors.require(o.seed >= 0, "--seed", o.seed, "must not be negative");
  traffic.seed = static_cast<std::uint64_t>(o.seed);
  errors.require(o.routing == "color" || o.routing == "xy", "--routing", o.routing,
                 "must be color or xy");
  if (o.routing == "xy") traffic.routing = fabric::Routing::kXy;
  errors.require(o.engine == "cycle" || o.engine == "flow", "--engine", o.engine,
                 "must be cycle or flow");
  if (o.engine == "flow") config.kind = fabric::EngineKind::kFlow;
  config.threads = whole("--threads", o.threads, errors);
  config.engine = fabric::EngineConfig::of(settings.machine.fabric, errors);
  if (errors.empty()) config.validate(errors);
  errors.throw_if_any();
  return config;
}

struct RateRange {
  double first = 0;
  double last = 0;
  std::uint32_t points = 0;
};

/// A..B/N; no points without an option.
RateRange rates_of(const std::string& text) {
  if (text.empty()) return {};
  static const std::regex form("([0-9.eE+-]+?)\\.\\.([0-9.eE+-]+)/([0-9]{1,4})");
  std::smatch match;
  RateRange range;
  const auto number = [](const std::string& digits, double& value) {
    char* end = nullptr;
    value = std::strtod(digits.c_str(), &end);
    return *end == '\0';
  };
  if (!std::regex_match(text, match, form) || !number(match[1], range.first) ||
      !number(match[2], range.last)) {
    throw base::ConfigError("--rates", text, "must be A..B/N");
  }
  range.points = static_cast<std::uint32_t>(std::stoul(match[3]));
  base::ConfigErrors errors;
  errors.require(range.first > 0 && range.first < range.last && range.last <= 1, "--rates", text,
                 "must rise, within 0 to 1");
  errors.require(range.points >= 2 && range.points <= 1000, "--rates", text,
                 "must be 2 .. 1000 points");
  errors.throw_if_any();
  return range;
}

/// Routes are asked for again: a run that is watched is a short one.
NocWaves waves_of(const NocOptions& o, const fabric::NocConfig& config, std::uint64_t core_hz,
                  const std::string& folder) {
  if (o.waves.file.empty()) return {o.waves, fabric::RouteTable({0, 0}), core_hz, folder};
  base::ConfigErrors errors;
  config.validate_watch(errors);
  const bool xy = config.traffic.routing == fabric::Routing::kXy;
  errors.require(!xy || o.waves.trigger.rfind("color", 0) != 0, "--wave-trigger", o.waves.trigger,
                 "cannot be: wavelets of --routing xy have no color");
  errors.throw_if_any();
  return {
      o.waves,
      xy ? fabric::XyFabric::ports(config.traffic.mesh) : fabric::Traffic(config.traffic).routes(),
      core_hz, folder};
}

/// The same traffic at other rates.
void sweep(bool saturation, const RateRange& rates, report::NocRecord& record) {
  fabric::NocConfig unwatched = record.config;
  unwatched.watch = nullptr;
  if (rates.points > 0) {
    record.rates = fabric::sweep_rates(unwatched, rates.first, rates.last, rates.points);
  }
  if (!saturation) return;
  record.saturation = fabric::find_saturation(unwatched);
  if (rates.points == 0) record.rates = record.saturation->tried;
}

/// Gives what is in stats.json.
std::string write_results(const report::NocRecord& record, const std::string& out) {
  const std::string stats = report::noc_json(record).dump(2) + "\n";
  std::vector<std::pair<std::string, std::string>> files{
      {out + "/latency.csv", report::latency_csv(record.result.latencies)},
      {out + "/report.html", report::noc_page(record)}};
  if (!record.rates.empty()) {
    files.emplace_back(out + "/rates.csv", report::rates_csv(record.rates));
  }
  files.emplace_back(out + "/stats.json", stats);
  report::write_files(files);
  return stats;
}

/// Twins stand in a fabric of channels.
TwinPlaces places_of(const TwinOptions& twins, const fabric::NocConfig& config) {
  base::ConfigErrors errors;
  errors.require(config.traffic.routing == fabric::Routing::kColor, "--routing", "xy",
                 "cannot be with --twin");
  errors.require(config.kind == fabric::EngineKind::kCycle, "--engine", "flow",
                 "cannot be with --twin");
  errors.require(config.threads == 1, "--threads", config.threads, "must be 1 with --twin");
  errors.throw_if_any();
  return {twins, config.traffic.mesh, false};
}

int run_command(const Arguments& arguments, TwinOptions* twins) {
  NocOptions o;
  if (!read_options(arguments, twins, o)) return kDone;
  report::NocRecord record;
  model::Origins origins;
  const model::Settings settings = o.settings.read(origins);
  record.config = config_of(o, settings);
  const RateRange rates = rates_of(o.rates);
  record.config.interrupted = interrupted;
  record.command = command_line(twins != nullptr ? "cosim noc" : "noc", arguments);
  TwinPlaces places;
  if (twins != nullptr) {
    places = places_of(*twins, record.config);
    if (places.any_remote() && (o.saturation || rates.points > 0)) {
      throw base::ConfigError("--twin", "remote:unix",
                              "cannot be with --rates or --saturation: a simulator serves one run");
    }
    record.twins = places.names();
    record.twin_routers = places.routers();
    record.config.put_twins = [&](fabric::ChannelFabric& fabric, const fabric::RouteTable& routes) {
      places.put_into(fabric, routes, record.config.engine);
    };
  }
  const std::string out = o.out.empty() ? "out/noc-" + o.pattern : o.out;
  report::prepare_folder(out);
  const report::FolderLock lock(out);
  NocWaves waves = waves_of(o, record.config, settings.machine.core_hz, out);
  record.config.watch = waves.watch();
  places.on_router(
      [&](std::uint32_t tile, fabric::RouterTwin& twin) { waves.add_twin(tile, twin); });
  catch_interrupts();
  const base::Stopwatch stopwatch;
  waves.record([&] { record.result = fabric::run_noc(record.config); });
  record.host = base::host_usage();
  record.host_seconds = stopwatch.seconds();
  waves.finish();
  record.twin_skew = places.end_skewed();
  try {
    sweep(o.saturation, rates, record);
  } catch (const fabric::DeadlockError&) {
    write_results(record, out);  // of the run itself
    std::cerr << "wse: results of the run before the other rates are in " << out << "/\n";
    throw;
  }
  const std::string stats = write_results(record, out);
  if (o.json) {
    std::cout << stats << std::flush;
  } else if (!o.quiet) {
    std::cout << report::noc_summary(record) << "  results in             " << out
              << "/ (report.html, stats.json, latency.csv"
              << (record.rates.empty() ? "" : ", rates.csv") << waves.files() << ")" << std::endl;
  }
  return kDone;
}

}  // namespace

int noc_command(const Arguments& arguments) { return run_command(arguments, nullptr); }
int cosim_noc_command(const Arguments& arguments) {
  TwinOptions twins;
  return run_command(arguments, &twins);
}

}  // namespace wse::cli
