// SPDX-License-Identifier: Apache-2.0
#include <fstapi.h>

#include <optional>

#include "wave_formats.h"
#include "wse/base/check.h"
#include "wse/base/config_errors.h"
#include "wse/report/wave_file.h"

namespace wse::report {
namespace {

constexpr int kPicoseconds = -12;  ///< power of ten of a second

class FstFile final : public base::WaveSink {
 public:
  explicit FstFile(const std::string& path)
      : path_(path), context_(fstWriterCreate(path.c_str(), 1)) {
    if (context_ == nullptr) throw base::ConfigError("--wave", path, "cannot be written");
    fstWriterSetTimescale(context_, kPicoseconds);
    fstWriterSetVersion(context_, "wse-tlm");
    fstWriterSetDate(context_, "");  // the same run, the same file
    fstWriterSetPackType(context_, FST_WR_PT_LZ4);
  }
  ~FstFile() override { end(); }

  Id add(const base::WaveSignal& signal) override {
    WSE_CHECK(!timed_, "signals are declared before the first time");
    const ScopeWalk::Steps steps = scopes_.to(signal.scope);
    for (std::size_t i = 0; i < steps.leave; ++i) fstWriterSetUpscope(context_);
    for (const std::string& name : steps.enter) {
      fstWriterSetScope(context_, FST_ST_VCD_MODULE, name.c_str(), "");
    }
    const bool real = signal.width == 0;
    const std::string name = signal.width > 1
                                 ? signal.name + " [" + std::to_string(signal.width - 1) + ":0]"
                                 : signal.name;
    const fstHandle handle =
        fstWriterCreateVar(context_, real ? FST_VT_VCD_REAL : FST_VT_VCD_WIRE, FST_VD_IMPLICIT,
                           real ? 8 : signal.width, name.c_str(), 0);
    signals_.push_back({handle, signal.width, std::nullopt, std::nullopt, {}});
    return static_cast<Id>(signals_.size() - 1);
  }
  void time(base::Picoseconds now) override {
    WSE_CHECK(!timed_ || now >= now_, "times rise");
    if (timed_ && now == now_) return;
    if (!timed_) leave_scopes();
    now_ = now;
    timed_ = true;
    fstWriterEmitTimeChange(context_, now);
  }
  void set(Id id, std::uint64_t value) override {
    Signal& s = signals_[id];
    if (s.bits == value) return;
    s.bits = value;
    fstWriterEmitValueChange64(context_, s.handle, s.width, value);
  }
  void set_bits(Id id, const std::string& bits) override {
    Signal& s = signals_[id];
    WSE_CHECK(bits.size() == s.width, "a character for each bit");
    if (s.text == bits) return;
    s.text = bits;
    fstWriterEmitValueChange(context_, s.handle, bits.data());
  }
  void set_real(Id id, double value) override {
    Signal& s = signals_[id];
    if (s.real == value) return;
    s.real = value;
    fstWriterEmitValueChange(context_, s.handle, &value);
  }
  void flush() override { fstWriterFlushContext(context_); }
  void close() override { end(); }

 private:
  struct Signal {
    fstHandle handle;
    std::uint32_t width;
    std::optional<std::uint64_t> bits;
    std::optional<double> real;
    std::string text;  ///< of set_bits
  };

  /// Before the first time: the writer puts the hierarchy aside there.
  void leave_scopes() {
    for (std::size_t i = 0; i < scopes_.depth(); ++i) fstWriterSetUpscope(context_);
  }
  void end() {
    if (context_ == nullptr) return;
    if (!timed_) leave_scopes();
    fstWriterClose(context_);
    context_ = nullptr;
  }

  const std::string path_;
  void* context_;
  ScopeWalk scopes_;
  std::vector<Signal> signals_;
  base::Picoseconds now_ = 0;
  bool timed_ = false;
};

}  // namespace

bool can_write_fst() { return true; }

std::unique_ptr<base::WaveSink> open_fst(const std::string& path) {
  return std::make_unique<FstFile>(path);
}

}  // namespace wse::report
