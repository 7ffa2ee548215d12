// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>

#include "wave_formats.h"
#include "wse/base/check.h"
#include "wse/base/config_errors.h"
#include "wse/report/wave_file.h"

namespace wse::report {
namespace {

/// VCD identifiers: base 94 over the printable characters.
std::string identifier(std::size_t n) {
  std::string id;
  do {
    id += static_cast<char>('!' + n % 94);
    n /= 94;
  } while (n > 0);
  return id;
}

std::string binary(std::uint64_t value, std::uint32_t width) {
  std::string text;
  for (std::uint32_t bit = width; bit-- > 0;) text += (value >> bit & 1) != 0 ? '1' : '0';
  return text;
}

class VcdFile final : public base::WaveSink {
 public:
  explicit VcdFile(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "w")) {
    if (file_ == nullptr) throw base::ConfigError("--wave", path, "cannot be written");
    put("$timescale 1 ps $end\n");
  }
  ~VcdFile() override { end(); }

  Id add(const base::WaveSignal& signal) override {
    WSE_CHECK(in_header_, "signals are declared before the first time");
    const ScopeWalk::Steps steps = scopes_.to(signal.scope);
    for (std::size_t i = 0; i < steps.leave; ++i) put("$upscope $end\n");
    for (const std::string& name : steps.enter) put("$scope module " + name + " $end\n");
    const bool real = signal.width == 0;
    const auto id = static_cast<Id>(signals_.size());
    signals_.push_back({identifier(id), signal.width, ""});
    // A name that holds brackets would be taken for a range: say the range.
    put(fmt::format("$var {} {} {} {}{} $end\n", real ? "real" : "wire", real ? 64 : signal.width,
                    identifier(id), signal.name,
                    signal.width > 1 ? fmt::format(" [{}:0]", signal.width - 1) : ""));
    return id;
  }
  void time(base::Picoseconds now) override {
    if (in_header_) end_header();
    if (now == now_ && timed_) return;
    WSE_CHECK(!timed_ || now > now_, "times rise");
    now_ = now;
    timed_ = true;
    stamped_ = false;
  }
  void set(Id id, std::uint64_t value) override {
    Signal& s = signals_[id];
    change(s, s.width == 1 ? fmt::format("{}{}\n", value & 1, s.id)
                           : fmt::format("b{} {}\n", binary(value, s.width), s.id));
  }
  void set_bits(Id id, const std::string& bits) override {
    Signal& s = signals_[id];
    WSE_CHECK(bits.size() == s.width, "a character for each bit");
    change(s, s.width == 1 ? bits + s.id + "\n" : "b" + bits + " " + s.id + "\n");
  }
  void set_real(Id id, double value) override {
    Signal& s = signals_[id];
    change(s, fmt::format("r{:.6g} {}\n", value, s.id));
  }
  void flush() override { std::fflush(file_); }
  void close() override {
    if (file_ == nullptr) return;
    const bool good = end();
    if (!good) throw base::ConfigError("--wave", path_, "cannot be written");
  }

 private:
  struct Signal {
    std::string id;
    std::uint32_t width;
    std::string last;
  };

  void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), file_); }
  void end_header() {
    in_header_ = false;
    for (std::size_t i = 0; i < scopes_.depth(); ++i) put("$upscope $end\n");
    put("$enddefinitions $end\n");
  }
  void stamp() {
    if (!stamped_) put(fmt::format("#{}\n", now_));
    stamped_ = true;
  }
  void change(Signal& signal, std::string now) {
    if (now == signal.last) return;
    stamp();
    put(now);
    signal.last = std::move(now);
  }
  bool end() {
    if (file_ == nullptr) return true;
    if (in_header_) end_header();
    if (timed_) stamp();
    const bool good = std::ferror(file_) == 0;
    const bool closed = std::fclose(file_) == 0;
    file_ = nullptr;
    return good && closed;
  }

  const std::string path_;
  std::FILE* file_;
  ScopeWalk scopes_;
  std::vector<Signal> signals_;
  base::Picoseconds now_ = 0;
  bool in_header_ = true;
  bool timed_ = false;
  bool stamped_ = false;
};

}  // namespace

std::unique_ptr<base::WaveSink> open_vcd(const std::string& path) {
  return std::make_unique<VcdFile>(path);
}

}  // namespace wse::report
