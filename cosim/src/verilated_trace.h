// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <verilated_vcd_c.h>

#include <string>
#include <utility>

#include "wse/base/vcd_source.h"

namespace wse::cosim {

/// Waves of a Verilated model of any kind, built with tracing. Its owner calls clock() in each clock
/// when the inputs have settled (clk low, after eval()), and destroys it before the model.
class VerilatedTrace final : public base::VcdSource {
 public:
  template <class Model>
  explicit VerilatedTrace(Model& model) : vcd_(&memory_) {
    model.contextp()->traceEverOn(true);
    model.trace(&vcd_, kAllLevels);
    vcd_.open("memory");
    vcd_.flush();
    header_ = std::exchange(memory_.text, {});
  }

  void clock() {
    if (!wanted_) return;
    dump();
    clocked_ = true;
  }

  std::string header() const override { return header_; }
  void want(bool wanted) override { wanted_ = wanted; }
  Cycle take() override {
    if (!clocked_) dump();
    return {std::exchange(clocked_, false), std::exchange(memory_.text, {})};
  }

 private:
  static constexpr int kAllLevels = 99;

  /// What Verilator takes for the file.
  struct Memory final : VerilatedVcdFile {
    bool open(const std::string& /*name*/) override { return true; }
    void close() override {}
    ssize_t write(const char* text_begin, ssize_t size) override {
      text.append(text_begin, static_cast<std::size_t>(size));
      return size;
    }
    std::string text;
  };

  /// The times in the text do not count, they only have to rise.
  void dump() {
    vcd_.dump(dumps_++);
    vcd_.flush();
  }

  Memory memory_;
  VerilatedVcdC vcd_;
  std::string header_;
  uint64_t dumps_ = 0;
  bool wanted_ = false;
  bool clocked_ = false;
};

}  // namespace wse::cosim
