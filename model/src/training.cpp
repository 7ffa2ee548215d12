// SPDX-License-Identifier: Apache-2.0
#include "wse/model/training.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "wse/base/check.h"
#include "wse/base/host_usage.h"
#include "wse/base/result_hash.h"
#include "wse/model/cs2.h"
#include "wse/model/pipeline_cs2.h"
#include "wse/tiles/mask_pace.h"

namespace wse::model {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The kernel counts picoseconds in 64 bits: refuse what would overflow, with room for what an
/// estimate misses.
void refuse_overflow(const TrainingPlan& plan, std::uint32_t steps) {
  constexpr double kMostSeconds = 1e6;
  const double seconds = plan.estimated_step_seconds * (steps + 1);
  if (seconds < kMostSeconds) return;
  throw base::ConfigError(
      "run.batch", std::to_string(plan.batch),
      "would simulate about " + std::to_string(seconds) + " s; the kernel's time ends near 1e7 s");
}

/// The warm-up step gives mean powers only: a quarter of the blocks will do.
host::ScheduleConfig coarser(host::ScheduleConfig config) {
  config.block_bytes *= 4;
  return config;
}

tiles::MaskPace mask_pace_of(const Settings& settings, const TrainingPlan& plan) {
  const MachineConfig& machine = settings.machine;
  return {plan.mapping,
          machine.tile,
          machine.compute_engine(),
          machine.fabric,
          settings.run.precision_kind(),
          settings.run.seed};
}

/// Sparse weights have random masks.
std::vector<base::WorkItem> priced(std::vector<base::WorkItem> schedule, tiles::MaskPace& masks) {
  masks.price(schedule);
  return schedule;
}

Settings with_window(Settings settings, const TrainingPlan& plan) {
  settings.machine.power.window_s = plan.window_s;
  return settings;
}

class Run {
 public:
  /// `mode.pipeline` outlives the run.
  Run(const host::ModelSpec& model, const Settings& settings, const TrainingPlan& plan,
      const ModeChoice& mode, const power::EnergyTable& energy, const TrainingOptions& options)
      : options_(options),
        start_(Clock::now()),
        masks_(mask_pace_of(settings, plan)),
        schedule_(mode.pipeline ? pipeline_schedule(*mode.pipeline)
                                : priced(host::build_schedule(model, plan.schedule), masks_)),
        warm_up_schedule_(
            mode.pipeline ? schedule_
                          : priced(host::build_schedule(model, coarser(plan.schedule)), masks_)),
        machine_(build(with_window(settings, plan), plan, mode, energy)),
        recorder_(
            "recorder", *machine_,
            [this] {
              tell_progress();
              return options_.interrupted();
            },
            options.observer) {
    result_.model = model;
    result_.plan = plan;
    result_.shares = shares_of(settings, plan);
    result_.settings = settings;
    result_.steps = options.steps;
    result_.mode_reason = mode.reason;
    result_.pipeline = mode.pipeline;
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    result_.elaboration_seconds = seconds_since(start_);
  }

  TrainingResult go() {
    machine_->ticker().start();
    if (!options_.cold_start) warm_up();
    measure();
    machine_->ticker().stop();
    collect();
    options_.finished();
    return std::move(result_);
  }

 private:
  std::unique_ptr<TrainingMachine> build(const Settings& settings, const TrainingPlan& plan,
                                         const ModeChoice& mode,
                                         const power::EnergyTable& energy) const {
    if (!mode.pipeline) {
      return std::make_unique<Cs2>("cs2", settings, energy, plan, schedule_, options_.order);
    }
    return std::make_unique<PipelineCs2>("cs2", settings, energy, *mode.pipeline, schedule_,
                                         options_.order);
  }
  base::Picoseconds window() { return machine_->ticker().window(); }

  /// Trains `steps` steps back to back; the kernel pauses at the end of the last.
  void steps(std::uint32_t n) {
    left_ = n;
    next_step();
    done_ = false;
    sc_core::sc_start();
    if (recorder_.was_interrupted()) throw Interrupted();
    if (!done_) throw RunFailed(recorder_.stopped_because());
  }
  void next_step() {
    machine_->begin_step();
    machine_->host().start_step([this] {
      machine_->end_step();
      if (--left_ > 0) {
        next_step();
        return;
      }
      done_ = true;
      sc_core::sc_pause();
    });
  }

  void tell_progress() {
    Progress p;
    p.steps = options_.steps;
    p.step = warming_ ? 0 : options_.steps - left_ + 1;
    p.layers = result_.model.layers;
    const auto& schedule = warming_ ? warm_up_schedule_ : schedule_;
    const std::size_t item = std::min(machine_->host().items_done(), schedule.size() - 1);
    p.phase = schedule[item].phase;
    p.layer = schedule[item].layer;
    const double warm_up = options_.cold_start ? 0 : 1;
    const double steps = (warming_ ? 0 : warm_up + p.step - 1) +
                         static_cast<double>(item) / static_cast<double>(schedule.size());
    p.fraction = steps / (warm_up + options_.steps);
    options_.progress(p);
  }

  /// One step to learn the mean power of every die, then its steady state: a step among many begins
  /// there.
  void warm_up() {
    warming_ = true;
    machine_->monitor().expect_settle();
    machine_->host().use_schedule(warm_up_schedule_);
    steps(1);
    machine_->host().use_schedule(schedule_);
    warming_ = false;
    const base::Picoseconds boundary = (base::now() / window() + 1) * window();
    run_until(boundary + 3 * window() / 4);
    machine_->monitor().settle();
    run_until(boundary + window());
    if (recorder_.was_interrupted()) throw Interrupted();
  }
  static void run_until(base::Picoseconds time) {
    sc_core::sc_start(base::to_sc_time(time - base::now()));
  }

  void measure() {
    TrainingMachine& wafer = *machine_;
    begin_ = base::now();
    wafer.monitor().begin_measurement(begin_ / window());
    wafer.reset_stats();
    machine_->host().reset_stats();
    recorder_.begin_measurement(begin_ / window());
    stats_before_ = wafer.traffic();
    contention_before_ = wafer.contention_cycles();
    multiply_adds_before_ = wafer.multiply_adds();
    first_cycle_ = wafer.epochs().cycle_at_or_after(begin_);
    if (options_.timeline != nullptr) {
      options_.timeline->start();
      wafer.set_timeline(options_.timeline);
    }
    if (options_.block != nullptr) wafer.set_watch(*options_.block);
    steps(options_.steps);
    end_ = base::now();
    recorder_.sample_due();
    wafer.flush(end_);
    recorder_.finish(end_);
    wafer.monitor().finish(end_);
    recorder_.show_observer();
  }

  void collect() {
    TrainingMachine& wafer = *machine_;
    TrainingResult& r = result_;
    const double n = options_.steps;
    const double seconds = static_cast<double>(end_ - begin_) * 1e-12;
    r.step_seconds = seconds / n;
    r.simulated_cycles = wafer.epochs().cycle_at_or_after(end_) - first_cycle_;
    collect_traffic();
    r.useful_multiply_adds =
        3 * r.model.forward_multiply_adds(r.shares.batch, r.plan.schedule.sequence);
    r.executed_multiply_adds =
        on_all_systems((wafer.multiply_adds() - multiply_adds_before_) / options_.steps, r.shares,
                       r.model, r.plan);
    collect_ledger(seconds);
    r.efficiency = estimated_efficiency(
        r.model, r.settings, r.plan, r.step_seconds,
        r.step_seconds * r.time_ledger[static_cast<std::size_t>(tiles::Cause::kUpdateWait)]);
    collect_power(seconds);
    r.samples = recorder_.samples();
    r.result_hash = hash();
    r.host_seconds = seconds_since(start_);
    r.max_rss_bytes = base::host_usage().max_rss_bytes;
  }

  /// Steps begin and end at edges of the core clock: the ledger may miss a cycle at each.
  void collect_ledger(double seconds) {
    const auto& spent = recorder_.ledger_seconds();
    const double all = std::accumulate(spent.begin(), spent.end(), 0.0);
    const double cycle = 1 / (static_cast<double>(result_.settings.machine.core_hz) *
                              result_.settings.machine.power.clock_states.back().fraction);
    WSE_CHECK(std::abs(all - seconds) <= 2 * cycle * options_.steps + 1e-9 * seconds,
              "every cycle of a step has a cause");
    for (std::size_t c = 0; c < tiles::kNumCauses; ++c) result_.time_ledger[c] = spent[c] / all;
    result_.layer_seconds = recorder_.layer_seconds();
    for (Recorder::CauseSeconds& layer : result_.layer_seconds) {
      for (double& s : layer) s /= options_.steps;
    }
    result_.phase_seconds = recorder_.phase_seconds();
    for (Recorder::CauseSeconds& phase : result_.phase_seconds) {
      for (double& s : phase) s /= options_.steps;
    }
  }

  void collect_traffic() {
    TrainingResult& r = result_;
    for (const base::WorkItem& item : schedule_) {
      r.bytes_in += item.weight_bytes;
      r.bytes_out += item.gradient_bytes;
      r.streamed.add(item);
      r.sample_bytes_in += item.sample_bytes_in;
      r.sample_bytes_out += item.sample_bytes_out;
    }
    if (!r.pipeline) {
      r.io_bound = io_bound_of(schedule_, r.plan.mapping, r.settings.machine,
                               tree_of(r.settings).slowed(r.settings.machine.io),
                               r.settings.run.precision_kind());
    }
    const fabric::FabricStats after = machine_->traffic();
    const std::uint64_t moved = after.bytes_in - stats_before_.bytes_in;
    WSE_CHECK(moved == (r.bytes_in + r.sample_bytes_in) * options_.steps,
              "every byte sent crosses a lane");
    r.wavelet_hops = (after.wavelet_hops - stats_before_.wavelet_hops) / options_.steps;
    r.die_crossings = (after.die_crossings - stats_before_.die_crossings) / options_.steps;
    r.contention_cycles = (machine_->contention_cycles() - contention_before_) / options_.steps;
    r.lanes = machine_->host().lanes();
    const host::RoutedTokens routed = host::routed_tokens(r.model, r.plan.schedule);
    r.expert_tokens = routed.all;
    r.dropped_tokens = routed.dropped;
  }

  void collect_power(double seconds) {
    TrainingResult& r = result_;
    const power::PowerMonitor& monitor = machine_->monitor();
    const power::EnergyAccounts& accounts = monitor.accounts();
    const double n = options_.steps;
    r.energy_by_kind = accounts.by_kind();
    r.energy_by_die = accounts.by_die();
    r.energy_by_phase = accounts.by_phase();
    for (auto* values : {&r.energy_by_kind, &r.energy_by_die, &r.energy_by_phase}) {
      for (double& v : *values) v /= n;
    }
    r.energy_j = accounts.total() / n;
    collect_energy_ledger(accounts);
    const std::uint64_t reported_uj = machine_->host().read_register(power::registers::kEnergyUj);
    WSE_CHECK(std::abs(static_cast<double>(reported_uj) - accounts.total() * 1e6) <= 1,
              "the energy register tells what the accounts hold");
    r.power_trace = monitor.samples();
    double throttled = 0;
    double warmth = 0;
    for (const power::WindowSample& s : r.power_trace) {
      const double dt = static_cast<double>(s.end - s.begin) * 1e-12;
      r.energy_by_trace += s.wafer_w * dt / n;
      warmth += s.mean_c * dt;
      throttled += s.state > 0 ? dt : 0;
      r.wafer_power_peak_w = std::max(r.wafer_power_peak_w, s.wafer_w);
      r.temperature_peak_c = std::max(r.temperature_peak_c, s.hottest_c);
    }
    r.wafer_power_mean_w = r.energy_j / r.step_seconds;
    r.temperature_mean_c = warmth / seconds;
    r.throttled_fraction = throttled / seconds;
  }

  void collect_energy_ledger(const power::EnergyAccounts& accounts) {
    const TrainingMachine& wafer = *machine_;
    EnergyEvents events{};
    add_events(events, events_since(stats_before_, wafer.traffic()));
    std::vector<DieTime> dies(wafer.geometry().dies());
    for (std::size_t die = 0; die < dies.size(); ++die) {
      dies[die].cycles = recorder_.die_cycles()[die];
    }
    for (const TrainingMachine::DieEvents& part : wafer.tile_events()) {
      add_events(events, part.events);
      dies[part.die].add(part.tiles, part.events);
    }
    result_.energy_ledger =
        share_energy(accounts, events, dies, wafer.geometry().tiles_per_die()) /= options_.steps;
    WSE_CHECK(std::abs(result_.energy_ledger.total() - result_.energy_j) <= 1e-9 * result_.energy_j,
              "every joule of a step has a cause");
  }

  /// Integers only, and nothing that depends on the cut into regions.
  std::string hash() {
    base::ResultHash h;
    TrainingMachine& wafer = *machine_;
    h.add(result_.simulated_cycles);
    h.add(result_.executed_multiply_adds);
    h.add(end_ - begin_);
    if (result_.shares.systems > 1) h.add(result_.shares.systems);
    for (const std::uint64_t v : {result_.bytes_in, result_.bytes_out, result_.wavelet_hops,
                                  result_.die_crossings, result_.contention_cycles}) {
      h.add(v);
    }
    for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
      h.add(wafer.monitor().accounts().count(static_cast<base::EventKind>(k)));
    }
    const tiles::Ledger ledger = wafer.tile_cycles();
    for (const tiles::CauseCycles& phase : ledger) {
      for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
        // Causes of some runs only are named where they occur, so that others keep their hash.
        if (c >= tiles::kNumStreamCauses && phase[c] == 0) continue;
        if (c >= tiles::kNumStreamCauses) h.add(c);
        h.add(phase[c]);
      }
    }
    for (const power::WindowSample& s : result_.power_trace) h.add(s.state);
    return h.text();
  }

  const TrainingOptions& options_;
  const Clock::time_point start_;
  tiles::MaskPace masks_;
  const std::vector<base::WorkItem> schedule_;
  const std::vector<base::WorkItem> warm_up_schedule_;
  std::unique_ptr<TrainingMachine> machine_;
  Recorder recorder_;
  TrainingResult result_;
  std::uint32_t left_ = 0;
  bool done_ = false;
  bool warming_ = false;
  base::Picoseconds begin_ = 0;
  base::Picoseconds end_ = 0;
  base::Cycles first_cycle_ = 0;
  fabric::FabricStats stats_before_;
  std::uint64_t contention_before_ = 0;
  std::uint64_t multiply_adds_before_ = 0;
};

}  // namespace

double TrainingResult::utilization() const {
  const double peak = static_cast<double>(shares.systems * settings.machine.cores_rated) *
                      settings.machine.tile.lanes_fp16 * 2.0 *
                      static_cast<double>(settings.machine.core_hz);
  return useful_flops_per_second() / peak;
}

TrainingResult train(const host::ModelSpec& model, const Settings& settings,
                     const power::EnergyTable& energy, const TrainingOptions& options) {
  const Settings one = settings_of_one_system(settings);
  const TrainingPlan stream = make_plan(model, one);
  const ModeChoice mode = choose_mode(model, settings, stream);
  if (mode.pipeline) {
    TrainingPlan plan = as_training_plan(*mode.pipeline, one);
    plan.window_s = stream.window_s;
    refuse_overflow(plan, options.steps);
    return Run(model, settings, plan, mode, energy, options).go();
  }
  refuse_overflow(stream, options.steps);
  const base::Bytes state = model.parameters() * host::MemoryX::kStateBytesPerParameter;
  if (state > settings.machine.memoryx.capacity_bytes) {
    throw base::ConfigError(
        "host.memoryx.capacity_bytes", std::to_string(settings.machine.memoryx.capacity_bytes),
        "must hold 16 bytes a parameter, " + std::to_string(state) + " for this model");
  }
  return Run(model, settings, stream, mode, energy, options).go();
}

}  // namespace wse::model
