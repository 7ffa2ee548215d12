// SPDX-License-Identifier: Apache-2.0
#include "wse/power/power_monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "wse/base/check.h"
#include "wse/power/load_power.h"

namespace wse::power {

using base::ActivityRecord;
using base::Cycles;
using base::EventCounts;
using base::EventKind;
using base::Phase;

PowerMonitor::PowerMonitor(const sc_core::sc_module_name& name, const PowerConfig& config,
                           const ThermalConfig& thermal, const EnergyTable& table,
                           const base::WaferGeometry& geometry, base::ClockEpochs& epochs,
                           std::uint64_t core_hz, const base::WindowTicker& ticker)
    : sc_core::sc_module(name),
      config_(config),
      table_(table),
      geometry_(geometry),
      epochs_(epochs),
      core_hz_(core_hz),
      ticker_(ticker),
      accounts_(table, config, geometry.dies()),
      thermal_(thermal, geometry.config().die_columns, geometry.config().die_rows),
      budget_(config) {
  activity_socket.register_b_transport(this, &PowerMonitor::receive);
  register_socket.register_b_transport(this, &PowerMonitor::access_register);
  register_socket.register_transport_dbg(this, &PowerMonitor::debug_register);
  sensor_c_ = thermal_.mean_c();
  last_w_.assign(geometry.dies(), 0.0F);
  begin_measurement(0);
  SC_HAS_PROCESS(PowerMonitor);
  SC_METHOD(on_tick);
  sensitive << ticker.tick();
  dont_initialize();
  SC_METHOD(close_due);
  sensitive << close_event_;
  dont_initialize();
}

PowerMonitor::Window* PowerMonitor::open_window(std::uint64_t index) {
  if (index < next_to_close_) return nullptr;
  for (Window& window : open_) {
    if (window.index == index) return &window;
  }
  if (!open_.empty() && open_.back().index > index) return nullptr;
  open_.push_back({index, std::vector<DieWindow>(geometry_.dies())});
  return &open_.back();
}

void PowerMonitor::receive(int, tlm::tlm_generic_payload& trans, sc_core::sc_time&) {
  const std::uint64_t die = trans.get_address() / sizeof(ActivityRecord);
  if (!trans.is_write()) {
    trans.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  if (trans.get_byte_enable_ptr() != nullptr) {
    trans.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  if (trans.get_data_length() != sizeof(ActivityRecord) ||
      trans.get_streaming_width() < sizeof(ActivityRecord)) {
    trans.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (die >= geometry_.dies() || trans.get_address() % sizeof(ActivityRecord) != 0) {
    trans.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  ActivityRecord record;
  std::memcpy(&record, trans.get_data_ptr(), sizeof record);
  const auto phase = static_cast<std::size_t>(record.phase);
  const bool early = ticker_.end_of(record.window) > base::now() + ticker_.window();
  Window* const window = record.die != die || phase >= base::kNumPhases || early
                             ? nullptr
                             : open_window(record.window);
  if (window == nullptr) {
    trans.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
    return;
  }
  DieWindow& to = window->dies[die];
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k) to.counts[phase][k] += record.counts[k];
  to.cycles[phase] += record.phase_cycles;
  to.phases |= 1U << phase;
  trans.set_response_status(tlm::TLM_OK_RESPONSE);
}

void PowerMonitor::on_tick() {
  open_window(ticker_.ended());  // an idle window is a window too
  close_event_.notify(base::to_sc_time(ticker_.window() / 2));
}

void PowerMonitor::close_due() {
  while (!open_.empty() && ticker_.end_of(open_.front().index) <= base::now()) {
    close(open_.front(), ticker_.end_of(open_.front().index));
    open_.erase(open_.begin());
  }
}

void PowerMonitor::finish(base::Picoseconds end) {
  close_event_.cancel();
  close_due();
  if (end % ticker_.window() == 0) return;
  if (Window* const window = open_window(ticker_.window_at(end))) close(*window, end);
  open_.clear();
}

std::uint32_t PowerMonitor::state_at(std::uint64_t window) const {
  auto it = states_.end() - 1;
  while (it->first > window) --it;
  return it->second;
}

std::vector<double> PowerMonitor::leakage_w(std::uint32_t state) const {
  const double v = config_.clock_states[state].volts / table_.v0();
  const double cores =
      static_cast<double>(geometry_.tiles_per_die()) / thermal_.cells().cells_per_die();
  std::vector<double> by_die(geometry_.dies(), 0.0);
  const std::vector<double>& t = thermal_.grid().silicon_c();
  for (std::size_t i = 0; i < t.size(); ++i) {
    by_die[thermal_.cells().die_of_cell()[i]] +=
        cores * v * v * v * power::leakage_w(table_, config_, t[i]);
  }
  return by_die;
}

/// Books one die's window; returns its power. Static energies and gated clocks go to the phases by
/// the time that the tiles of the die spent in them.
double PowerMonitor::account_die(const Window& window, std::uint32_t die, Cycles cycles,
                                 double seconds, double leakage_w) {
  const DieWindow& d = window.dies[die];
  const std::uint32_t state = state_at(window.index);
  const bool measured = window.index >= first_measured_;
  const std::uint64_t in_phases =
      std::accumulate(d.cycles.begin(), d.cycles.end(), std::uint64_t{0});
  std::uint64_t running = 0;
  for (const EventCounts& counts : d.counts) running += at(counts, EventKind::kClockRunning);
  const std::uint64_t all = geometry_.tiles_per_die() * cycles;
  const std::uint64_t gated = all > running ? all - running : 0;
  const double leakage = leakage_w * seconds;
  const double constant = table_.constant_w() / geometry_.dies() * seconds;
  double joules = leakage + constant;
  std::uint64_t seen = 0;
  std::uint64_t gated_given = 0;
  for (std::size_t p = 0; p < base::kNumPhases; ++p) {
    const auto phase = static_cast<Phase>(p);
    const std::uint64_t in_phase = in_phases == 0 ? (phase == Phase::kIdle ? 1 : 0) : d.cycles[p];
    if (in_phase == 0 && (d.phases >> p & 1) == 0) continue;
    seen += in_phase;
    const std::uint64_t whole = std::max<std::uint64_t>(in_phases, 1);
    const std::uint64_t until = base::mul_div(gated, seen, whole);
    EventCounts counts = d.counts[p];
    at(counts, EventKind::kClockGated) += until - gated_given;
    gated_given = until;
    const double share = static_cast<double>(in_phase) / static_cast<double>(whole);
    joules += accounts_.joules(counts, state);
    if (!measured) continue;
    accounts_.add(die, phase, state, counts);
    accounts_.add_static(die, phase, leakage * share, constant * share);
  }
  return joules / seconds;
}

void PowerMonitor::close(Window& window, base::Picoseconds end) {
  const base::Picoseconds begin = window.index * ticker_.window();
  const Cycles cycles = epochs_.cycle_at_or_after(end) - epochs_.cycle_at_or_after(begin);
  const double seconds = static_cast<double>(end - begin) * 1e-12;
  WindowSample sample;
  sample.window = window.index;
  sample.begin = begin;
  sample.end = end;
  sample.state = state_at(window.index);
  std::vector<double> power(geometry_.dies());
  const std::vector<double> leakage = leakage_w(sample.state);
  for (std::uint32_t die = 0; die < geometry_.dies(); ++die) {
    power[die] = account_die(window, die, cycles, seconds, leakage[die]);
    std::uint64_t hops = 0;
    for (const EventCounts& counts : window.dies[die].counts)
      hops += at(counts, EventKind::kLinkHop);
    sample.die_hops.push_back(static_cast<float>(static_cast<double>(hops) / seconds));
  }
  // Where temperatures decide on the clock, every window is one step.
  constexpr double kNear = 5;  // K
  const bool near = thermal_.hottest_c() > config_.release_c - kNear;
  using Pace = ThermalCourse::Pace;
  thermal_.add(power, seconds, near ? Pace::kAtOnce : will_settle_ ? Pace::kCoarse : Pace::kGather);
  sample.wafer_w = std::accumulate(power.begin(), power.end(), 0.0);
  const std::vector<double>& die_c = thermal_.mean_c();
  sample.mean_c = std::accumulate(die_c.begin(), die_c.end(), 0.0) / geometry_.dies();
  sample.hottest_c = thermal_.hottest_c();
  sample.die_w.assign(power.begin(), power.end());
  sample.die_leakage_w.assign(leakage.begin(), leakage.end());
  sample.die_c.assign(die_c.begin(), die_c.end());
  sample.coolant_out_c = thermal_.grid().coolant_out_c();
  sample.droop_v = worst_droop_v(sample);
  last_w_ = sample.die_w;
  if (!(sample.hottest_c < 1000))
    throw std::runtime_error("temperatures run away: leakage grows faster than heat leaves");
  next_to_close_ = window.index + 1;
  read_sensors(seconds);
  control(sample);
  if (window.index < first_measured_) return;
  for (std::uint32_t die = 0; die < geometry_.dies(); ++die) {
    die_j_[die] += power[die] * seconds;
    die_peak_c_[die] = std::max(die_peak_c_[die], die_c[die]);
  }
  peak_c_ = std::max(peak_c_, sample.hottest_c);
  worst_droop_v_ = std::max(worst_droop_v_, sample.droop_v);
  samples_.push_back(std::move(sample));
}

/// Sensors follow the mean of their die with a lag of first order.
void PowerMonitor::read_sensors(double seconds) {
  const double taken =
      config_.sensor_lag_s > 0 ? -std::expm1(-seconds / config_.sensor_lag_s) : 1.0;
  for (std::size_t die = 0; die < sensor_c_.size(); ++die)
    sensor_c_[die] += (thermal_.mean_c()[die] - sensor_c_[die]) * taken;
}

/// Of the step of current from the window before, as slow as the slew limit makes it.
double PowerMonitor::worst_droop_v(const WindowSample& sample) const {
  const double volts = config_.clock_states[sample.state].volts;
  double largest_a = 0;
  double step_w = 0;
  for (std::size_t die = 0; die < last_w_.size(); ++die) {
    const double step = static_cast<double>(sample.die_w[die] - last_w_[die]);
    largest_a = std::max(largest_a, step / volts);
    step_w += std::max(0.0, step);
  }
  return config_.supply.droop_v(largest_a, step_w / config_.supply.slew_w_s);
}

void PowerMonitor::control(const WindowSample& sample) {
  const auto wafer_mw = static_cast<std::uint64_t>(std::llround(sample.wafer_w * 1000));
  const std::uint32_t before = budget_.state();
  const auto hottest = std::max_element(sensor_c_.begin(), sensor_c_.end());
  const std::uint32_t after =
      budget_.decide(wafer_mw, static_cast<std::int64_t>(std::llround(*hottest * 2)));
  over_cap.write(wafer_mw > static_cast<std::uint64_t>(std::llround(config_.cap_w * 1000)));
  raise((budget_.was_over_cap() ? registers::kOverCap : 0) |
        (budget_.was_too_hot() ? registers::kThrottled : 0) |
        (after > before ? registers::kSlowed : 0));
  if (*hottest >= config_.shutdown_c) {
    const auto die = static_cast<std::uint32_t>(hottest - sensor_c_.begin());
    throw std::runtime_error(fmt::format(
        "thermal shutdown: die ({},{}), row and column, is at {:.1f} C in window {}, the limit "
        "power.shutdown_c is {:.1f} C; the wafer takes {:.2f} kW",
        die / geometry_.config().die_columns, die % geometry_.config().die_columns, *hottest,
        sample.window, config_.shutdown_c, sample.wafer_w / 1e3));
  }
  if (after == before) return;
  const std::uint64_t from = sample.window + 2;
  states_.emplace_back(from, after);
  SC_REPORT_INFO_VERB("/wse/power/clock_state",
                      fmt::format("state {} from {:.3f} ms on: {:.2f} kW, hottest die {:.1f} C",
                                  after, static_cast<double>(from * ticker_.window()) * 1e-9,
                                  sample.wafer_w / 1e3, sample.hottest_c)
                          .c_str(),
                      sc_core::SC_MEDIUM);
  epochs_.change(from * ticker_.window(),
                 static_cast<std::uint64_t>(std::llround(config_.clock_states[after].fraction *
                                                         static_cast<double>(core_hz_))));
}

void PowerMonitor::begin_measurement(std::uint64_t first) {
  first_measured_ = first;
  accounts_.reset();
  samples_.clear();
  die_j_.assign(geometry_.dies(), 0.0);
  die_peak_c_ = thermal_.mean_c();
  worst_droop_v_ = told_j_ = 0;
  peak_c_ = thermal_.hottest_c();
}

/// Dynamic power of the measured windows, die by die, windows of up to so many seconds together.
std::vector<ThermalGrid::Segment> PowerMonitor::dynamic_segments(double longest_s) const {
  std::vector<ThermalGrid::Segment> segments;
  for (const WindowSample& s : samples_) {
    const double dt = static_cast<double>(s.end - s.begin) * 1e-12;
    if (segments.empty() || segments.back().seconds + dt > longest_s * (1 + 1e-9)) {
      segments.push_back({std::vector<double>(geometry_.dies(), 0.0), 0});
    }
    ThermalGrid::Segment& segment = segments.back();
    segment.seconds += dt;
    for (std::size_t die = 0; die < s.die_w.size(); ++die) {
      segment.power_w[die] += static_cast<double>(s.die_w[die] - s.die_leakage_w[die]) * dt;
    }
  }
  for (ThermalGrid::Segment& segment : segments) {
    for (double& w : segment.power_w) w /= segment.seconds;
  }
  return segments;
}

/// The steady state of a dynamic power, with the leakage at its own temperatures.
void PowerMonitor::settle_at(const std::vector<double>& dynamic_w, std::uint32_t state) {
  constexpr int kMostRounds = 100;
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<double> power = leakage_w(state);
    for (std::size_t die = 0; die < power.size(); ++die) power[die] += dynamic_w[die];
    const std::vector<double> before = thermal_.grid().silicon_c();
    thermal_.grid().steady(thermal_.cells().spread(power));
    double change = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      change = std::max(change, std::abs(thermal_.grid().silicon_c()[i] - before[i]));
    }
    if (change < 1e-9) return;
    if (!(change < 1e6)) break;
  }
  throw std::runtime_error("temperatures run away: leakage grows faster than heat leaves");
}

void PowerMonitor::expect_settle() { will_settle_ = true; }

void PowerMonitor::settle() {
  thermal_.catch_up();
  // A twentieth of the time constant of the plate against the coolant.
  constexpr double kLongest = 0.032;
  constexpr double kTolerance = 1e-3;
  if (samples_.empty()) return;
  std::vector<ThermalGrid::Segment> period = dynamic_segments(kLongest);
  std::vector<double> mean(geometry_.dies(), 0.0);
  double seconds = 0;
  for (const ThermalGrid::Segment& segment : period) {
    seconds += segment.seconds;
    for (std::size_t die = 0; die < mean.size(); ++die)
      mean[die] += segment.power_w[die] * segment.seconds;
  }
  for (double& w : mean) w /= seconds;
  const std::uint32_t state = samples_.back().state;
  settle_at(mean, state);
  const std::vector<double> leakage = leakage_w(state);
  for (ThermalGrid::Segment& segment : period) {
    for (std::size_t die = 0; die < mean.size(); ++die) segment.power_w[die] += leakage[die];
    segment.power_w = thermal_.cells().spread(segment.power_w);
  }
  thermal_.grid().settle_periodic(period, kTolerance);
  will_settle_ = false;
  thermal_.publish();
  sensor_c_ = thermal_.mean_c();
}

}  // namespace wse::power
