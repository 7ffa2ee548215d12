// SPDX-License-Identifier: Apache-2.0
// Waves of RTL routers, read back from the file: in every cycle the pins are those of the routers of
// the reference, which ran without RTL; and the model's signals beside them say the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "support/fabric_case.h"
#include "support/run_command.h"
#include "support/wave_dump.h"
#include "wse/cosim/router_twins.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/reference_fabric.h"
#include "wse/report/fabric_waves.h"
#include "wse/report/wave_file.h"

namespace wse::cosim {
namespace {

using base::Cycles;
using fabric::kNumColors;
using fabric::kPorts;
using fabric::Port;
using testing::FabricCase;
using testing::FabricDriver;
using testing_support::read_file;
using testing_support::run_command;
using testing_support::WaveDump;

constexpr std::uint64_t kHz = 1'000'000'000;
constexpr std::uint64_t kCycle = 1000;  // ps

/// What a router of the reference took and gave, by cycle.
struct Log {
  std::vector<fabric::RouterPins> inputs, outputs;
};

class LoggingRouter final : public fabric::RouterTwin {
 public:
  LoggingRouter(std::unique_ptr<fabric::RouterTwin> router, Log& log)
      : router_(std::move(router)), log_(log) {}
  fabric::RouterPins outputs() const override { return router_->outputs(); }
  void clock(const fabric::RouterPins& inputs) override {
    log_.outputs.push_back(router_->outputs());
    log_.inputs.push_back(inputs);
    router_->clock(inputs);
  }

 private:
  std::unique_ptr<fabric::RouterTwin> router_;
  Log& log_;
};

std::vector<Log> reference_logs(const FabricCase& c) {
  fabric::ReferenceFabric reference(c.routes, c.config);
  std::vector<Log> logs(c.routes.mesh().tiles());
  for (std::uint32_t tile = 0; tile < logs.size(); ++tile) {
    reference.wrap_router(tile, [&](std::unique_ptr<fabric::RouterTwin> router) {
      return std::make_unique<LoggingRouter>(std::move(router), logs[tile]);
    });
  }
  FabricDriver(c, reference).run();
  return logs;
}

struct Recording {
  std::string file;
  bool pins_only = false;
  report::FabricWaveSelection selection;
  std::string save;  ///< of the run
};

class RtlWavesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (router_twins().empty()) GTEST_SKIP() << "this program was built without Verilator";
  }

  /// Runs the case with every router RTL.
  void record(const FabricCase& c, Recording& r) {
    const RouterTwinKind& kind = router_twin("router", "test");
    fabric::ChannelFabric channels(c.routes, c.config);
    report::FabricWaves waves(report::open_wave_file(folder_.file(r.file)), c.routes, r.selection,
                              kHz);
    channels.set_watch(waves);
    for (std::uint32_t tile = 0; tile < c.routes.mesh().tiles(); ++tile) {
      auto twin = make_router_twin(kind, fabric::router_setup(c.routes, tile, c.config));
      waves.add_rtl(tile, *twin->trace(), r.pins_only);
      channels.set_twin(tile, std::move(twin));
    }
    FabricDriver(c, channels).run();
    waves.close();
    r.save = waves.save_file(r.file);
  }
  WaveDump read(const std::string& file) {
    if (file.find(".fst") == std::string::npos) return WaveDump(read_file(folder_.file(file)));
    const testing_support::CommandResult r = run_command("timeout 60 fst2vcd " + file, folder_);
    EXPECT_EQ(r.status, 0) << r.err;
    return WaveDump(r.out);
  }
  bool reads_fst() {
    return report::can_write_fst() && run_command("command -v fst2vcd", folder_).status == 0;
  }

  testing_support::TemporaryFolder folder_;
};

/// A busy case that RTL can run, of at most `most` routers.
FabricCase case_after(std::uint64_t& seed, std::uint32_t most) {
  while (true) {
    FabricCase c = testing::random_fabric_case(++seed);
    const bool fits =
        fabric::router_setup(c.routes, 0, c.config).own_slots <= router_twin("router", "test").size;
    if (!fits || c.routes.mesh().tiles() > most || c.streams.size() < 4) continue;
    c.limit = 120;
    for (testing::Stream& stream : c.streams) {
      const std::vector<fabric::Wavelet> once = stream.wavelets;
      for (int i = 0; i < 7; ++i)
        stream.wavelets.insert(stream.wavelets.end(), once.begin(), once.end());
    }
    return c;
  }
}

report::FabricWaveSelection all_of(const FabricCase& c) {
  report::FabricWaveSelection selection;
  selection.tiles = {{0, c.routes.mesh().columns}, {0, c.routes.mesh().rows}};
  return selection;
}

std::string rtl_scope(const FabricCase& c, std::uint32_t tile) {
  const base::Coordinate at = c.routes.mesh().at(tile);
  return fmt::format("rtl.router_{}_{}.wse_router.", at.x, at.y);
}

/// Values of a pin by cycle, so that each change is gone through once.
class Pin {
 public:
  Pin(const WaveDump& dump, const std::string& name, Cycles first, Cycles last) : first_(first) {
    const auto& changes = dump.changes(name);
    std::size_t next = 0;
    for (Cycles cycle = first; cycle <= last; ++cycle) {
      values_.push_back(values_.empty() ? "" : values_.back());
      for (; next < changes.size() && changes[next].first <= cycle * kCycle; ++next) {
        values_.back() = changes[next].second;
      }
    }
  }
  std::uint32_t field(Cycles cycle, std::size_t port, std::size_t width) const {
    const std::string& all = values_[cycle - first_];
    if (all.size() != width * fabric::kNumPorts) throw std::runtime_error("no value");
    return static_cast<std::uint32_t>(
        std::stoul(all.substr(all.size() - (port + 1) * width, width), nullptr, 2));
  }

 private:
  const Cycles first_;
  std::vector<std::string> values_;
};

/// Wavelets and freed slots that were compared.
struct Seen {
  std::uint64_t wavelets = 0;
  std::uint64_t credits = 0;
};

/// One direction of all ports of a router, in every cycle of a window.
Seen compare(const WaveDump& dump, const std::string& prefix,
             const std::vector<fabric::RouterPins>& expected, Cycles first, Cycles last) {
  Seen seen;
  const auto pin = [&](const char* name) { return Pin(dump, prefix + name, first, last); };
  const Pin valid = pin("valid"), data = pin("data"), color = pin("color");
  const Pin control = pin("control"), advance = pin("advance"), credit = pin("credit");
  for (Cycles cycle = first; cycle <= last; ++cycle) {
    for (std::size_t p = 0; p < fabric::kNumPorts; ++p) {
      const fabric::LinkPins& link = expected[cycle].links[p];
      const std::string where = fmt::format("{} port {} cycle {}", prefix, p, cycle);
      EXPECT_EQ(valid.field(cycle, p, 1), link.valid ? 1u : 0u) << where;
      EXPECT_EQ(credit.field(cycle, p, kNumColors), expected[cycle].credits[p]) << where;
      if (expected[cycle].credits[p] != 0) ++seen.credits;
      if (!link.valid) continue;
      ++seen.wavelets;
      EXPECT_EQ(data.field(cycle, p, 32), link.wavelet.data) << where;
      EXPECT_EQ(color.field(cycle, p, 5), link.wavelet.color) << where;
      EXPECT_EQ(control.field(cycle, p, 1), link.wavelet.control ? 1u : 0u) << where;
      EXPECT_EQ(advance.field(cycle, p, 1), link.wavelet.advance ? 1u : 0u) << where;
    }
  }
  return seen;
}

Seen compare_all(const WaveDump& dump, const FabricCase& c, const std::vector<Log>& logs,
                 Cycles first, Cycles last) {
  Seen sum;
  for (std::uint32_t tile = 0; tile < logs.size(); ++tile) {
    const std::string scope = rtl_scope(c, tile);
    for (const Seen seen : {compare(dump, scope + "out_", logs[tile].outputs, first, last),
                            compare(dump, scope + "in_", logs[tile].inputs, first, last)}) {
      sum.wavelets += seen.wavelets;
      sum.credits += seen.credits;
    }
  }
  return sum;
}

TEST_F(RtlWavesTest, EveryWaveletOnThePinsIsOneOfTheReferenceInItsCycle) {
  Seen sum;
  std::uint64_t seed = 0;
  for (int i = 0; i < 16; ++i) {
    const FabricCase c = case_after(seed, 9);
    Recording r{"waves.vcd", true, all_of(c), ""};
    record(c, r);
    const Seen seen = compare_all(read("waves.vcd"), c, reference_logs(c), 0, c.limit - 1);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    sum.wavelets += seen.wavelets;
    sum.credits += seen.credits;
  }
  RecordProperty("wavelets", static_cast<int>(sum.wavelets));
  EXPECT_GT(sum.wavelets, 2000u);
  EXPECT_GT(sum.credits, 2000u);
}

TEST_F(RtlWavesTest, BothFormatsHoldTheSame) {
  if (!reads_fst()) GTEST_SKIP() << "needs the FST writer and fst2vcd (gtkwave)";
  std::uint64_t seed = 40;
  const FabricCase c = case_after(seed, 4);
  Recording vcd{"a.vcd", false, all_of(c), ""}, fst{"a.fst", false, all_of(c), ""};
  record(c, vcd);
  record(c, fst);
  const WaveDump a = read("a.vcd"), b = read("a.fst");
  ASSERT_EQ(a.names(), b.names());
  std::size_t changes = 0;
  for (const std::string& name : a.names()) {
    if (a.changes(name).empty()) continue;  // FST says x at once, VCD nothing
    for (const auto& [time, value] : a.changes(name)) {
      ASSERT_EQ(b.bits(name, time), value) << name << " at " << time;
    }
    changes += a.changes(name).size();
  }
  EXPECT_GT(changes, 20'000u);
}

// The model counts what lies in the mirror of a queue, the RTL what lies in its own.
TEST_F(RtlWavesTest, QueuesInsideHoldWhatTheModelShowsBesideThem) {
  std::uint64_t seed = 10, held = 0;
  for (int i = 0; i < 3; ++i) {
    const FabricCase c = case_after(seed, 6);
    Recording r{"waves.vcd", false, all_of(c), ""};
    record(c, r);
    const WaveDump dump = read("waves.vcd");
    for (const std::string& name : dump.names()) {
      unsigned x = 0, y = 0, color = 0;
      char port[8] = "";
      if (std::sscanf(name.c_str(), "fabric.router_%u_%u.queue_%5[a-z]_c%u", &x, &y, port,
                      &color) != 4) {
        continue;
      }
      std::size_t p = 0;
      while (fabric::name_of(kPorts[p]) != std::string(port)) ++p;
      const std::string count =
          fmt::format("rtl.router_{}_{}.wse_router.g_port[{}].g_queue[{}].count", x, y, p, color);
      ASSERT_TRUE(dump.has(count)) << count;
      for (Cycles cycle = 0; cycle < c.limit; ++cycle) {
        const std::uint64_t model = dump.number(name, cycle * kCycle);
        ASSERT_EQ(dump.number(count, cycle * kCycle), model) << count << " cycle " << cycle;
        held += model;
      }
    }
  }
  EXPECT_GT(held, 500u);
}

TEST_F(RtlWavesTest, TheClockRisesWithEachCycleAndFallsInItsMiddle) {
  std::uint64_t seed = 20;
  const FabricCase c = case_after(seed, 2);
  Recording r{"waves.vcd", true, all_of(c), ""};
  record(c, r);
  const WaveDump dump = read("waves.vcd");
  const auto& clk = dump.changes(rtl_scope(c, 0) + "clk");
  ASSERT_EQ(clk.size(), 2 * c.limit);
  for (std::size_t i = 0; i < clk.size(); ++i) {
    EXPECT_EQ(clk[i].first, i * kCycle / 2);
    EXPECT_EQ(clk[i].second, i % 2 == 0 ? "1" : "0");
  }
}

TEST_F(RtlWavesTest, AWindowHoldsItsCyclesAndBeginsWithEveryValue) {
  std::uint64_t seed = 30;
  const FabricCase c = case_after(seed, 6);
  Recording r{"waves.vcd", false, all_of(c), ""};
  r.selection.from = 9;
  r.selection.to = 40;
  record(c, r);
  const WaveDump dump = read("waves.vcd");
  ASSERT_FALSE(dump.times().empty());
  EXPECT_EQ(*dump.times().begin(), 9 * kCycle);
  EXPECT_EQ(*dump.times().rbegin(), 41 * kCycle);
  std::size_t signals = 0;
  for (const std::string& name : dump.names()) {
    if (name.rfind("rtl.", 0) != 0) continue;
    ++signals;
    ASSERT_FALSE(dump.changes(name).empty()) << name;
    ASSERT_EQ(dump.changes(name).front().first, 9 * kCycle) << name;
  }
  EXPECT_GT(signals, 10'000u);
  EXPECT_GT(compare_all(dump, c, reference_logs(c), 9, 40).wavelets, 20u);
}

/// A model that breaks the contract at a cycle.
class FailingRouter final : public fabric::RouterTwin {
 public:
  FailingRouter(std::unique_ptr<fabric::RouterTwin> router, Cycles cycle)
      : router_(std::move(router)), left_(cycle) {}
  fabric::RouterPins outputs() const override { return router_->outputs(); }
  void clock(const fabric::RouterPins& inputs) override {
    if (left_-- == 0) throw base::TwinError("as planned");
    router_->clock(inputs);
  }

 private:
  std::unique_ptr<fabric::RouterTwin> router_;
  Cycles left_;
};

// The cycle in which a twin fails is the last one, and whole: the others are clocked as well.
TEST_F(RtlWavesTest, TheCycleOfAFailureIsShownWithItsInputs) {
  constexpr Cycles kFails = 33;
  std::uint64_t seed = 70, wavelets = 0;
  for (int i = 0; i < 4; ++i) {
    const FabricCase c = case_after(seed, 6);
    report::FabricWaveSelection selection = all_of(c);
    selection.trigger = report::FabricWaveSelection::Trigger::kMismatch;
    selection.before = 10;
    fabric::ChannelFabric channels(c.routes, c.config);
    report::FabricWaves waves(report::open_wave_file(folder_.file("waves.vcd")), c.routes,
                              selection, kHz);
    channels.set_watch(waves);
    for (std::uint32_t tile = 0; tile < c.routes.mesh().tiles(); ++tile) {
      const RouterSetup setup = fabric::router_setup(c.routes, tile, c.config);
      if (tile == 0) {
        channels.set_twin(tile, std::make_unique<FailingRouter>(fabric::model_of(setup), kFails));
        continue;
      }
      auto twin = make_router_twin(router_twin("router", "test"), setup);
      waves.add_rtl(tile, *twin->trace(), true);
      channels.set_twin(tile, std::move(twin));
    }
    EXPECT_THROW(FabricDriver(c, channels).run(), base::TwinError);
    waves.close();
    ASSERT_EQ(waves.triggered(), kFails);
    const WaveDump dump = read("waves.vcd");
    ASSERT_FALSE(dump.times().empty());
    EXPECT_EQ(*dump.times().begin(), (kFails - 10) * kCycle);
    EXPECT_EQ(*dump.times().rbegin(), (kFails + 1) * kCycle);
    const std::vector<Log> logs = reference_logs(c);
    for (std::uint32_t tile = 1; tile < logs.size(); ++tile) {
      const std::string scope = rtl_scope(c, tile);
      EXPECT_EQ(dump.bits(scope + "clk", kFails * kCycle), "1");
      wavelets += compare(dump, scope + "out_", logs[tile].outputs, kFails, kFails).wavelets +
                  compare(dump, scope + "in_", logs[tile].inputs, kFails - 10, kFails).wavelets;
    }
  }
  EXPECT_GT(wavelets, 10u);
}

/// A router and a color that comes to it from others, and the cycle in which it first leaves.
struct FirstWavelet {
  std::uint32_t tile;
  std::uint8_t color;
  Cycles cycle;
};
std::optional<FirstWavelet> late_color(const FabricCase& c, const std::vector<Log>& logs) {
  for (std::uint32_t tile = 0; tile < logs.size(); ++tile) {
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      const fabric::ColorRoute* route = c.routes.find(tile, color);
      if (route == nullptr || route->inputs().contains(Port::kRamp)) continue;
      for (Cycles cycle = 0; cycle < 60; ++cycle) {
        const auto& links = logs[tile].outputs[cycle].links;
        const bool leaves = std::any_of(links.begin(), links.end(), [&](const auto& link) {
          return link.valid && link.wavelet.color == color;
        });
        if (leaves && cycle >= 20) return FirstWavelet{tile, color, cycle};
        if (leaves) break;
      }
    }
  }
  return std::nullopt;
}

TEST_F(RtlWavesTest, ATriggerKeepsTheCyclesBeforeIt) {
  std::uint64_t seed = 50, wavelets = 0;
  for (int found = 0; found < 4;) {
    const FabricCase c = case_after(seed, 6);
    const std::vector<Log> logs = reference_logs(c);
    const auto first = late_color(c, logs);
    if (!first) continue;
    ++found;
    Recording r{"waves.vcd", true, all_of(c), ""};
    r.selection.trigger = report::FabricWaveSelection::Trigger::kColor;
    r.selection.tile = c.routes.mesh().at(first->tile);
    r.selection.color = first->color;
    r.selection.before = 7;
    r.selection.after = 5;
    record(c, r);
    const WaveDump dump = read("waves.vcd");
    ASSERT_FALSE(dump.times().empty());
    EXPECT_EQ(*dump.times().begin(), (first->cycle - 7) * kCycle) << "seed " << seed;
    EXPECT_EQ(*dump.times().rbegin(), (first->cycle + 5) * kCycle) << "seed " << seed;
    wavelets += compare_all(dump, c, logs, first->cycle - 7, first->cycle + 4).wavelets;
  }
  EXPECT_GT(wavelets, 50u);
}

TEST_F(RtlWavesTest, EverySignalOfTheSaveFileIsInTheWaves) {
  std::uint64_t seed = 60;
  const FabricCase c = case_after(seed, 4);
  for (const bool pins_only : {false, true}) {
    Recording r{"waves.vcd", pins_only, all_of(c), ""};
    record(c, r);
    const WaveDump dump = read("waves.vcd");
    std::size_t rtl = 0;
    for (const std::string& name : testing_support::saved_signals(r.save)) {
      ASSERT_TRUE(dump.has(name)) << name;
      rtl += name.rfind("rtl.", 0) == 0 ? 1 : 0;
    }
    EXPECT_GT(rtl, pins_only ? 10u : 50u);
    EXPECT_EQ(r.save.find("what has changed inside") == std::string::npos, pins_only);
  }
}

}  // namespace
}  // namespace wse::cosim
