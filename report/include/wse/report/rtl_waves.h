// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "wse/base/vcd_source.h"
#include "wse/base/wave_sink.h"
#include "wse/report/save_file.h"

namespace wse::report {

/// Signals of VcdSources in a file of waves, on its axis of time. A cycle of a source is shown as
/// those of the model are: what holds just before the edge that ends the cycle is shown from the
/// start of the cycle on, as settled logic looks. `clk` rises with a cycle that has a clock and
/// falls in the middle.
class RtlWaves {
 public:
  /// A cycle of all sources.
  using Cycle = std::vector<base::VcdSource::Cycle>;

  /// `scope`: its modules lie in `rtl.<scope>`. `ports`: names of the parts of a pin in_* or out_*
  /// whose width they divide, the lowest bits first. The source must live while cycles are taken.
  void add(const std::string& scope, const std::string& title, std::vector<std::string> ports,
           base::VcdSource& source, bool pins_only, base::WaveSink& sink);

  bool empty() const { return sources_.empty(); }
  /// Whether the cycles that come are wanted.
  void want(bool wanted);
  Cycle take();
  /// A cycle that is not shown: its values hold on.
  void pass(const Cycle& cycle);
  /// At the time of the cycle.
  void show(const Cycle& cycle, base::WaveSink& sink);
  /// Whether clocks are high.
  bool high() const { return high_; }
  /// In the middle of the cycle.
  void fall(base::WaveSink& sink);
  /// A group for the pins of each source, and a folded one for what has changed inside.
  void describe(SaveFile& save) const;

 private:
  /// A net: all names of one code.
  struct Net {
    explicit Net(std::uint32_t bits) : width(bits) {}
    std::uint32_t width = 0;
    std::string value;
    std::vector<base::WaveSink::Id> signals;
    bool is_clock = false;
    bool is_pin = false;
    bool changed = false;     ///< since it was first shown
    std::vector<bool> moved;  ///< the same of each bit of a pin, the highest first
  };
  struct Name {
    std::string scope, name;
    std::size_t net = 0;
    bool pin = false;
  };
  struct Source {
    base::VcdSource* source = nullptr;
    std::string title;
    std::vector<std::string> ports;
    std::vector<Name> names;
    std::vector<Net> nets;
    std::unordered_map<std::string, std::size_t> by_code;
    bool shown = false;
    bool high = false;
  };
  static void set(const Net& net, base::WaveSink& sink);
  static void set_clock(Source& source, bool high, base::WaveSink& sink);
  void apply(Source& source, const std::string& text, base::WaveSink* sink);
  static void note_change(Net& net, const std::string& value);
  static void describe_pins(const Source& source, SaveFile& save);
  static void describe_inside(const Source& source, SaveFile& save);

  std::vector<Source> sources_;
  std::string code_;  ///< for look-ups
  bool high_ = false;
};

}  // namespace wse::report
