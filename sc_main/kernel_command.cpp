// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands.h"
#include "interrupt.h"
#include "kernel_run.h"
#include "noc_waves.h"
#include "settings_options.h"
#include "wse/base/text_forms.h"
#include "wse/fabric/noc_run.h"
#include "wse/report/files.h"
#include "wse/report/kernel_report.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;

struct KernelOptions {
  SettingsOptions settings;
  std::string name;
  std::string mesh = "8x1";
  std::int64_t words = 16;
  std::string dtype = "fp32";
  std::string algorithm;
  std::int64_t group = 0;
  std::int64_t seed = 1;
  std::int64_t threads = 1;
  bool measured = false;
  NocWaveOptions waves;
  std::string timeline;
  std::string out;
  bool json = false;
  bool quiet = false;
};

bool read_options(const Arguments& arguments, KernelOptions& o) {
  po::options_description options("options");
  options.add_options()("mesh", po::value(&o.mesh)->value_name("WxH"),
                        "columns and rows of tiles (default 8x1)")(
      "words", po::value(&o.words)->value_name("N"),
      "32-bit words in each tile's vector (default 16)")(
      "dtype", po::value(&o.dtype)->value_name("TYPE"), "fp32 (default), mixed or fp16")(
      "algorithm", po::value(&o.algorithm)->value_name("NAME"),
      "of a reduce: chain (default), star, tree, two-phase, snake; of an allreduce: "
      "reduce-broadcast (default), ring, centre")(
      "group", po::value(&o.group)->value_name("S"),
      "tiles of a group of two-phase (default the root of the row's)")(
      "seed", po::value(&o.seed)->value_name("S"), "of the data (default 1)")(
      "threads", po::value(&o.threads)->value_name("N"), "bands of rows of the fabric (default 1)")(
      "measured", po::bool_switch(&o.measured),
      "synchronise the tiles first and read their counters, as on hardware")(
      "timeline", po::value(&o.timeline)->value_name("FILE"),
      "tasks and operations of the tiles of --wave-tiles, for Perfetto, in the folder of the "
      "results")("out", po::value(&o.out)->value_name("DIR"),
                 "folder of the results (default out/NAME)")(
      "json", po::bool_switch(&o.json), "print one JSON object")("quiet", po::bool_switch(&o.quiet),
                                                                 "print nothing but errors");
  o.waves.add_to(options);
  o.settings.add_to(options);
  options.add_options()("kernel", po::value(&o.name)->value_name("NAME"),
                        "which one, see wse list kernels");
  po::positional_options_description position;
  position.add("kernel", 1);
  po::variables_map values;
  if (!parse_options(arguments, options, position, "wse kernel NAME [options]", values))
    return false;
  if (o.timeline.empty()) o.waves.check_given(values);
  return true;
}

tiles::DataType type_of(const std::string& name, base::ConfigErrors& errors) {
  for (const tiles::DataType type :
       {tiles::DataType::kFp32, tiles::DataType::kMixed, tiles::DataType::kFp16}) {
    if (name == tiles::name_of(type)) return type;
  }
  errors.add("--dtype", name, "must be fp32, mixed or fp16");
  return tiles::DataType::kFp32;
}

/// The one of `all` that has the name.
template <class Algorithm>
Algorithm algorithm_of(const std::string& name, std::initializer_list<Algorithm> all,
                       base::ConfigErrors& errors) {
  std::vector<std::string> names;
  std::string list;
  for (const Algorithm algorithm : all) {
    if (name == name_of(algorithm)) return algorithm;
    names.push_back(name_of(algorithm));
    list += (list.empty() ? "" : ", ") + names.back();
  }
  const std::string near = base::nearest_name(name, names);
  errors.add("--algorithm", name,
             "is unknown; " + (near.empty() ? "there are " + list : "did you mean " + near + "?"));
  return *all.begin();
}

const std::vector<std::string>& kernel_names() {
  static const std::vector<std::string> kNames{"send",      "broadcast", "reduce",
                                               "allreduce", "scatter",   "gather"};
  return kNames;
}

tiles::CollectiveShape shape_of(const KernelOptions& o, base::ConfigErrors& errors) {
  constexpr std::uint32_t kMost = 4096;
  tiles::CollectiveShape shape;
  const auto size = base::parse_size(o.mesh);
  const bool legal = size && size->columns.end >= 1 && size->rows.end >= 1 &&
                     size->columns.end <= kMost && size->rows.end <= kMost;
  errors.require(legal, "--mesh", o.mesh, "must be WxH, 1 .. 4096 columns and rows");
  if (legal) shape.mesh = {size->columns.end, size->rows.end};
  errors.require(o.words >= 1 && o.words <= 1'000'000, "--words", o.words, "must be 1 .. 1000000");
  shape.words = static_cast<std::uint32_t>(o.words);
  shape.type = type_of(o.dtype, errors);
  shape.measured = o.measured;
  return shape;
}

/// The kernel of the options; `algorithm` becomes the name of what it uses.
tiles::Collective kernel_of(const KernelOptions& o, std::string& algorithm) {
  base::ConfigErrors errors;
  const tiles::CollectiveShape shape = shape_of(o, errors);
  using tiles::AllreduceAlgorithm;
  using tiles::ReduceAlgorithm;
  const bool is_reduce = o.name == "reduce";
  const bool is_allreduce = o.name == "allreduce";
  auto reduce = ReduceAlgorithm::kChain;
  auto allreduce = AllreduceAlgorithm::kReduceBroadcast;
  algorithm = o.algorithm;
  if (is_reduce) {
    if (algorithm.empty()) algorithm = "chain";
    reduce = algorithm_of(algorithm,
                          {ReduceAlgorithm::kChain, ReduceAlgorithm::kStar, ReduceAlgorithm::kTree,
                           ReduceAlgorithm::kTwoPhase, ReduceAlgorithm::kSnake},
                          errors);
  } else if (is_allreduce) {
    if (algorithm.empty()) algorithm = "reduce-broadcast";
    allreduce = algorithm_of(algorithm,
                             {AllreduceAlgorithm::kReduceBroadcast, AllreduceAlgorithm::kRing,
                              AllreduceAlgorithm::kCentre},
                             errors);
  } else {
    errors.require(algorithm.empty(), "--algorithm", algorithm, o.name + " has only one");
  }
  const bool grouped = is_reduce && reduce == ReduceAlgorithm::kTwoPhase;
  errors.require(o.group == 0 || (grouped && o.group >= 1 && o.group <= 4096), "--group", o.group,
                 "must be 1 .. 4096, of a reduce by two-phase");
  errors.throw_if_any();
  if (is_reduce) {
    return tiles::reduce(
        shape, reduce,
        o.group == 0 ? std::nullopt : std::optional(static_cast<std::uint32_t>(o.group)));
  }
  if (is_allreduce) return tiles::allreduce(shape, allreduce);
  if (o.name == "send") return tiles::send(shape);
  if (o.name == "broadcast") return tiles::broadcast(shape);
  if (o.name == "scatter") return tiles::scatter(shape);
  if (o.name == "gather") return tiles::gather(shape);
  const std::string near = base::nearest_name(o.name, kernel_names());
  throw base::ConfigError(
      "NAME", o.name,
      near.empty() ? "is unknown, see wse list kernels" : "is unknown; did you mean " + near + "?");
}

tiles::MeshConfig mesh_config(const model::MachineConfig& machine) {
  base::ConfigErrors errors;
  tiles::MeshConfig config;
  config.fabric = fabric::EngineConfig::of(machine.fabric, errors);
  config.compute = machine.compute_engine();
  config.sram = machine.sram;
  config.validate(errors);
  errors.throw_if_any();
  return config;
}

/// What of a run can be known before it.
struct Prepared {
  tiles::MeshConfig config;
  std::optional<tiles::Collective> kernel;
  report::KernelRecord record;
};

Prepared prepare(const KernelOptions& o) {
  model::Origins origins;
  const model::Settings settings = o.settings.read(origins);
  Prepared p;
  p.config = mesh_config(settings.machine);
  if (o.name.empty()) {
    throw base::ConfigError("NAME", "", "must name a kernel, see wse list kernels");
  }
  base::ConfigErrors errors;
  errors.require(o.seed >= 0, "--seed", o.seed, "must not be negative");
  errors.require(o.threads >= 1 && o.threads <= 256, "--threads", o.threads, "must be 1 .. 256");
  errors.throw_if_any();
  p.kernel = kernel_of(o, p.record.algorithm);
  tiles::check(p.kernel->kernel, p.config.sram.size_bytes);
  p.record.kernel = o.name;
  p.record.shape = p.kernel->shape;
  p.record.predicted = p.kernel->predicted;
  p.record.seed = static_cast<std::uint64_t>(o.seed);
  p.record.core_hz = settings.machine.core_hz;
  return p;
}

void run(Prepared& p, std::uint32_t threads, const std::function<void(tiles::TileMesh&)>& before) {
  const auto start = std::chrono::steady_clock::now();
  p.record.result = tiles::run_collective(*p.kernel, p.config, p.record.seed, threads, before, [] {
    if (interrupted()) throw fabric::Interrupted();
  });
  p.record.host = base::host_usage();
  p.record.host_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

report::KernelRecord run_kernel(const Arguments& arguments) {
  KernelOptions o;
  read_options(arguments, o);
  Prepared prepared = prepare(o);
  run(prepared, static_cast<std::uint32_t>(o.threads), {});
  return std::move(prepared.record);
}

int kernel_command(const Arguments& arguments) {
  KernelOptions o;
  if (!read_options(arguments, o)) return kDone;
  Prepared prepared = prepare(o);
  const tiles::Collective& kernel = *prepared.kernel;
  const std::string out = o.out.empty() ? "out/" + o.name : o.out;
  report::prepare_folder(out);
  const report::FolderLock lock(out);
  NocWaves waves(o.waves, kernel.kernel.routes, prepared.record.core_hz, out);
  report::KernelTimeline timeline(o.timeline.empty() ? base::Rectangle{}
                                                     : o.waves.selection(kernel.shape.mesh).tiles);
  if (waves.watch() != nullptr) waves.watch()->add_engines(kernel.kernel);
  catch_interrupts();
  try {
    run(prepared, static_cast<std::uint32_t>(o.threads), [&](tiles::TileMesh& mesh) {
      if (waves.watch() != nullptr) {
        mesh.fabric().set_watch(*waves.watch());
        mesh.engines().add_watch(*waves.watch());
      }
      if (!o.timeline.empty()) mesh.engines().add_watch(timeline);
    });
  } catch (const tiles::KernelFailure&) {
    waves.finish_at_deadlock();
    throw;
  }
  waves.finish();
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

}  // namespace wse::cli
