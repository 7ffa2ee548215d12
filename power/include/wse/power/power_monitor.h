// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <systemc>
#include <vector>

#include "wse/base/clock_epochs.h"
#include "wse/base/geometry.h"
#include "wse/base/window_ticker.h"
#include "wse/power/energy_accounts.h"
#include "wse/power/power_budget.h"
#include "wse/power/registers.h"
#include "wse/power/thermal_course.h"

namespace wse::power {

/// One closed activity window.
struct WindowSample {
  std::uint64_t window = 0;
  base::Picoseconds begin = 0;
  base::Picoseconds end = 0;
  std::uint32_t state = 0;  ///< clock state in force
  double wafer_w = 0;
  double coolant_out_c = 0;
  double droop_v = 0;  ///< of the die with the largest step of current, estimated
  double mean_c = 0;
  double hottest_c = 0;
  std::vector<float> die_w;
  std::vector<float> die_leakage_w;  ///< of die_w
  std::vector<float> die_c;          ///< mean of its cells
  std::vector<float> die_hops;       ///< wavelets from router to router, a second
};

/// Energy accounts, temperatures, the 15 kW budget and the clock.
///
/// Interfaces  activity target (write of one base::ActivityRecord at die * sizeof(ActivityRecord));
///             register target (registers.h; b_transport, nb_transport and debug reads);
///             over_cap is true while the last window was above the cap, interrupt while an enabled
///             bit of the interrupt status is set.
/// Timing      window w is [w W, (w+1) W); records come at its end; it is closed half a window
///             later; a change of the clock takes effect at (w+2) W.
/// Errors      a record of a wrong size, address, command, phase or of a window that is closed: the
///             matching TLM error, accounts unchanged. Temperatures that run away, a die as hot as
///             power.shutdown_c: std::runtime_error that names it.
class PowerMonitor final : public sc_core::sc_module {
 public:
  tlm_utils::multi_passthrough_target_socket<PowerMonitor> activity_socket{"activity_socket"};
  tlm_utils::simple_target_socket<PowerMonitor> register_socket{"register_socket"};
  sc_core::sc_signal<bool> over_cap{"over_cap"};
  sc_core::sc_signal<bool> interrupt{"interrupt"};

  PowerMonitor(const sc_core::sc_module_name& name, const PowerConfig& config,
               const ThermalConfig& thermal, const EnergyTable& table,
               const base::WaferGeometry& geometry, base::ClockEpochs& epochs,
               std::uint64_t core_hz, const base::WindowTicker& ticker);

  /// Accounts and trace begin with the window `first`; temperatures stay.
  void begin_measurement(std::uint64_t first);
  /// Closes the last window at its true end; earlier windows that are still open first.
  void finish(base::Picoseconds end);
  /// settle() will come: until then temperatures are followed in coarse steps.
  void expect_settle();
  /// Sets the temperatures to those that the powers since the measurement began come back to, when
  /// they repeat.
  void settle();

  const EnergyAccounts& accounts() const { return accounts_; }
  const std::vector<WindowSample>& samples() const { return samples_; }
  const ThermalCourse& thermal() const { return thermal_; }
  const PowerConfig& config() const { return config_; }

 private:
  struct DieWindow {
    std::array<base::EventCounts, base::kNumPhases> counts{};
    std::array<std::uint64_t, base::kNumPhases> cycles{};
    std::uint32_t phases = 0;  ///< with anything in them, as bits
  };
  struct Window {
    std::uint64_t index = 0;
    std::vector<DieWindow> dies;
  };

  void receive(int id, tlm::tlm_generic_payload& trans, sc_core::sc_time& delay);
  void access_register(tlm::tlm_generic_payload& trans, sc_core::sc_time& delay);
  tlm::tlm_response_status write_register(std::uint64_t address, std::uint64_t value);
  bool set_limits(const PowerConfig& limits);
  void raise(std::uint64_t bits);
  unsigned int debug_register(tlm::tlm_generic_payload& trans);
  bool register_value(std::uint64_t address, std::uint64_t& value) const;
  bool die_register(std::uint64_t address, std::uint64_t& value) const;
  Window* open_window(std::uint64_t index);
  void on_tick();
  void close_due();
  void close(Window& window, base::Picoseconds end);
  double account_die(const Window& window, std::uint32_t die, base::Cycles cycles, double seconds,
                     double leakage_w);
  /// Of a die, by the temperatures of its cells.
  std::vector<double> leakage_w(std::uint32_t state) const;
  std::vector<ThermalGrid::Segment> dynamic_segments(double longest_s) const;
  void settle_at(const std::vector<double>& dynamic_w, std::uint32_t state);
  void read_sensors(double seconds);
  double worst_droop_v(const WindowSample& sample) const;
  void control(const WindowSample& sample);
  std::uint32_t state_at(std::uint64_t window) const;

  PowerConfig config_;
  const EnergyTable table_;
  const base::WaferGeometry& geometry_;
  base::ClockEpochs& epochs_;
  const std::uint64_t core_hz_;
  const base::WindowTicker& ticker_;
  EnergyAccounts accounts_;
  ThermalCourse thermal_;
  PowerBudget budget_;
  std::vector<Window> open_;  ///< in order
  bool will_settle_ = false;
  std::uint64_t next_to_close_ = 0;
  std::uint64_t first_measured_ = 0;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> states_{{0, 0}};  ///< from window on
  std::vector<WindowSample> samples_;
  std::vector<double> sensor_c_;            ///< by die, lagging behind its temperature
  std::vector<float> last_w_;               ///< by die, of the window before
  std::vector<double> die_j_, die_peak_c_;  ///< since the measurement began
  double worst_droop_v_ = 0;
  double peak_c_ = 0;
  double told_j_ = 0;  ///< energy that kNewEnergyUj has told
  std::uint64_t interrupt_status_ = 0;
  std::uint64_t interrupt_enable_ = 0;
  sc_core::sc_event close_event_{"close_event"};
};

}  // namespace wse::power
