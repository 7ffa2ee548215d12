// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "interrupt.h"
#include "kernel_choice.h"
#include "kernel_run.h"
#include "mesh_options.h"
#include "noc_waves.h"
#include "settings_options.h"
#include "size_search.h"
#include "twin_options.h"
#include "wse/base/host_usage.h"
#include "wse/fabric/noc_run.h"
#include "wse/model/mesh_config.h"
#include "wse/report/files.h"
#include "wse/report/kernel_report.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;

struct KernelOptions : KernelChoice {
  SettingsOptions settings;
  std::int64_t seed = 1;
  std::int64_t threads = 1;
  NocWaveOptions waves;
  std::string timeline;
  std::string out;
  bool json = false;
  bool quiet = false;
};

bool read_options(const Arguments& arguments, TwinOptions* twins, KernelOptions& o) {
  po::options_description options("options");
  o.add_to(options);
  options.add_options()("seed", po::value(&o.seed)->value_name("S"), "of the data (default 1)")(
      "threads", po::value(&o.threads)->value_name("N"), "bands of rows of the fabric (default 1)")(
      "timeline", po::value(&o.timeline)->value_name("FILE"),
      "tasks and operations of the tiles of --wave-tiles, for Perfetto, in the folder of the "
      "results")("out", po::value(&o.out)->value_name("DIR"),
                 "folder of the results (default out/NAME)")(
      "json", po::bool_switch(&o.json), "print one JSON object")("quiet", po::bool_switch(&o.quiet),
                                                                 "print nothing but errors");
  o.waves.add_to(options, twins != nullptr);
  o.settings.add_to(options);
  if (twins != nullptr) twins->add_to(options);
  options.add_options()("kernel", po::value(&o.name)->value_name("NAME"),
                        "which one, see wse list kernels");
  po::positional_options_description position;
  position.add("kernel", 1);
  po::variables_map values;
  const char* const usage =
      twins != nullptr ? "wse cosim kernel NAME [options]" : "wse kernel NAME [options]";
  if (!parse_options(arguments, options, position, usage, values)) return false;
  if (o.timeline.empty()) o.waves.check_given(values);
  return true;
}

/// What of a run can be known before it.
struct Prepared {
  model::MachineConfig machine;
  tiles::MeshConfig config;
  std::unique_ptr<tiles::KernelJob> job;
  report::KernelRecord record;
};

Prepared prepare(const KernelOptions& o) {
  model::Origins origins;
  const model::Settings settings = o.settings.read(origins);
  Prepared p;
  p.config = model::mesh_config(settings.machine);
  if (o.name.empty()) {
    throw base::ConfigError("NAME", "", "must name a kernel, see wse list kernels");
  }
  base::ConfigErrors errors;
  errors.require(o.seed >= 0, "--seed", o.seed, "must not be negative");
  errors.require(o.threads >= 1 && o.threads <= 256, "--threads", o.threads, "must be 1 .. 256");
  errors.throw_if_any();
  p.record.seed = static_cast<std::uint64_t>(o.seed);
  p.record.core_hz = settings.machine.core_hz;
  p.machine = settings.machine;
  try {
    p.job = choose_kernel(o, p.config, p.record);
    tiles::check(p.job->kernel(), p.config.sram.size_bytes, p.config.compute.cache_bytes);
  } catch (const tiles::ProgramError& error) {
    const std::string fits = what_fits(o, p.config, p.record);
    throw tiles::ProgramError(error.what() + (fits.empty() ? "" : "\n" + fits));
  }
  p.record.predicted = p.job->predicted();
  return p;
}

/// Energy of what was counted, and the power of a wafer full of it.
void take_power(Prepared& p) {
  const model::MachineConfig& m = p.machine;
  const power::EnergyTable table = power::EnergyTable::read(energy_table_file(m.energy_table));
  const tiles::KernelResult& result = p.record.result;
  power::CoreLoad load{result.events, static_cast<double>(result.cycles) *
                                          p.job->kernel().mesh().tiles() /
                                          static_cast<double>(m.core_hz)};
  p.record.dynamic_j = table.joules(result.events);
  const base::WaferGeometry geometry(m.geometry);
  const auto power_of = [&](std::uint64_t busy) {
    return power::load_power(load, busy, geometry.cores_built(), m.core_hz, table, m.power,
                             m.thermal);
  };
  p.record.everywhere = power_of(geometry.cores_user());
  p.record.idle = power_of(0);
}

void run(Prepared& p, std::uint32_t threads, const std::function<void(tiles::TileMesh&)>& before) {
  const base::Stopwatch stopwatch;
  p.record.result = tiles::run_kernel(*p.job, p.config, threads, before, [] {
    if (interrupted()) throw fabric::Interrupted();
  });
  take_power(p);
  p.record.host = base::host_usage();
  p.record.host_seconds = stopwatch.seconds();
}

}  // namespace

report::KernelRecord run_kernel(const Arguments& arguments) {
  KernelOptions o;
  read_options(arguments, nullptr, o);
  Prepared prepared = prepare(o);
  run(prepared, static_cast<std::uint32_t>(o.threads), {});
  return std::move(prepared.record);
}

namespace {

int run_command(const Arguments& arguments, TwinOptions* twins) {
  KernelOptions o;
  if (!read_options(arguments, twins, o)) return kDone;
  Prepared prepared = prepare(o);
  const tiles::Kernel& kernel = prepared.job->kernel();
  TwinPlaces places;
  if (twins != nullptr) {
    base::ConfigErrors errors;
    errors.require(o.threads == 1, "--threads", o.threads, "must be 1 with --twin");
    errors.throw_if_any();
    places = TwinPlaces(*twins, kernel.mesh(), true);
    prepared.record.twins = places.names();
    prepared.record.twin_routers = places.routers();
    prepared.record.twin_srams = places.srams();
    prepared.record.twin_tiles = places.tiles();
  }
  const std::string out = o.out.empty() ? "out/" + o.name : o.out;
  report::prepare_folder(out);
  const report::FolderLock lock(out);
  NocWaves waves(o.waves, kernel.routes, prepared.record.core_hz, out);
  report::KernelTimeline timeline(o.timeline.empty() ? base::Rectangle{}
                                                     : o.waves.selection(kernel.mesh()).tiles);
  if (waves.watch() != nullptr) waves.watch()->add_engines(kernel);
  places.on_router(
      [&](std::uint32_t tile, fabric::RouterTwin& twin) { waves.add_twin(tile, twin); });
  catch_interrupts();
  waves.record([&] {
    run(prepared, static_cast<std::uint32_t>(o.threads), [&](tiles::TileMesh& mesh) {
      if (!places.empty()) places.put_into(mesh, prepared.config);
      if (waves.watch() != nullptr) {
        mesh.fabric().set_watch(*waves.watch());
        mesh.engines().add_watch(*waves.watch());
      }
      if (!o.timeline.empty()) mesh.engines().add_watch(timeline);
    });
  });
  waves.finish();
  prepared.record.twin_skew = places.end_skewed();
  const nlohmann::ordered_json stats = report::kernel_json(prepared.record);
  std::vector<std::pair<std::string, std::string>> files;
  if (!o.timeline.empty())
    files.emplace_back(std::filesystem::path(out) / o.timeline, timeline.json());
  files.emplace_back(out + "/stats.json", stats.dump(2) + "\n");
  report::write_files(files);
  if (o.json) {
    std::cout << stats.dump(2) << std::endl;
  } else if (!o.quiet) {
    std::cout << report::kernel_summary(prepared.record) << "  results in             " << out
              << "/ (stats.json" << (o.timeline.empty() ? "" : ", " + o.timeline) << waves.files()
              << ")" << std::endl;
  }
  return kDone;
}

}  // namespace

int kernel_command(const Arguments& arguments) { return run_command(arguments, nullptr); }
int cosim_kernel_command(const Arguments& arguments) {
  TwinOptions twins;
  return run_command(arguments, &twins);
}

}  // namespace wse::cli
