// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sysc/tracing/sc_tracing_ids.h>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <systemc>
#include <vector>

namespace wse::benches {

/// The waves of a bench: NAME.vcd, to be filled with sc_trace, and NAME.gtkw, which tells GTKWave
/// what to show of it. Both in the folder that the program was given, or the present one.
class Waves {
 public:
  Waves(int argc, char** argv, const std::string& name)
      : name_(name), path_(std::string(argc > 1 ? argv[1] : ".") + "/" + name) {
    sc_core::sc_report_handler::set_actions(sc_core::SC_ID_TRACING_TIMESCALE_UNIT_,
                                            sc_core::SC_DO_NOTHING);
    vcd = sc_core::sc_create_vcd_trace_file(path_.c_str());
    vcd->set_time_unit(1, sc_core::SC_PS);
  }
  sc_core::sc_trace_file* vcd;

  /// Ends the VCD and writes the save file. A line that begins with `-` is a title, any other the
  /// name of a traced signal. Reals are drawn as curves over two rows, everything else as a decimal
  /// number (`0x NAME`: hexadecimal, `+ NAME`: with a sign). Throws std::runtime_error for a name
  /// that was not traced.
  void close(const std::vector<std::string>& lines) {
    sc_core::sc_close_vcd_trace_file(vcd);
    read_signals();
    std::ofstream save(path_ + ".gtkw");
    save << "[dumpfile] \"" << name_ << ".vcd\"\n[timestart] 0\n[size] 1500 950\n*-" << zoom()
         << " -1\n[sst_width] 200\n[signals_width] 300\n";
    for (const std::string& line : lines) save << (line[0] == '-' ? title(line) : signal(line));
    std::cout << "waves: gtkwave " << path_ << ".vcd " << path_ << ".gtkw\n";
  }

 private:
  struct Signal {
    std::string name;  ///< as GTKWave calls it, with its range
    bool real;
  };

  /// The header of the VCD names the signals; its last line that begins with # is the end.
  void read_signals() {
    std::ifstream file(path_ + ".vcd");
    std::string scope;
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string word, kind, width, id, name, range;
      words >> word >> kind;
      if (word == "$scope" && words >> name) scope += name + ".";
      if (word == "$upscope") scope.erase(scope.find_last_of('.', scope.size() - 2) + 1);
      if (word[0] == '#') end_ps_ = std::stod(word.substr(1));
      if (word != "$var" || !(words >> width >> id >> name >> range)) continue;
      const std::string full = scope + name;
      signals_[full.substr(full.find('.') + 1)] = {full + (range[0] == '[' ? range : ""),
                                                   kind == "real"};
    }
  }
  /// GTKWave's zoom z shows 2^z / 200 units of time a pixel; the waves are about 950 pixels wide.
  double zoom() const { return std::log2(end_ps_ / 950 * 200); }

  static std::string title(const std::string& line) { return "@200\n-\n" + line + "\n"; }
  std::string signal(const std::string& line) const {
    const auto it = signals_.find(line.substr(line.find(' ') + 1));
    if (it == signals_.end()) throw std::runtime_error(line + " is not in " + path_ + ".vcd");
    if (it->second.real) return "@8420\n" + it->second.name + "\n@20000\n-\n-\n";
    return (line[0] == '0'   ? "@22\n"
            : line[0] == '+' ? "@420\n"
                             : "@24\n") +
           it->second.name + "\n";
  }

  const std::string name_;
  const std::string path_;
  std::map<std::string, Signal> signals_;  ///< by the name given to sc_trace
  double end_ps_ = 1;
};

}  // namespace wse::benches
