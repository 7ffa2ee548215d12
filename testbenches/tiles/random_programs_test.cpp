// SPDX-License-Identifier: Apache-2.0
// Compute engines do what the slow, plain ones do: random kernels, routes, configurations.
// WSE_SEED=n replays one case.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/fabric_case.h"
#include "support/random_kernel.h"
#include "support/slow_engines.h"
#include "wse/fabric/channel_fabric.h"
#include "wse/fabric/reference_fabric.h"

namespace wse::tiles {
namespace {

using base::Cycles;
using testing::KernelCase;
using testing::SlowEngines;
using Outcome = SlowEngines::Outcome;

constexpr std::uint64_t kCases = testing::case_count(2000, 100);  // a shard
constexpr Cycles kLimit = 2048;  // a multiple of 256, see run_fast()

/// All that can be seen of a run.
struct Result {
  struct Fault {
    Cycles cycle = 0;
    std::uint32_t tile = 0;
    std::string what;
  };
  Outcome outcome = Outcome::kCompleted;
  EngineStats stats;
  std::vector<ComputeEngines::TileTimes> times;
  std::vector<std::array<std::uint32_t, kNumRegisters>> registers;
  std::vector<std::vector<std::uint8_t>> memory;
  std::vector<Fault> faults;
  fabric::EngineCounts counts;
  std::uint64_t held = 0;
  Cycles now = 0;
};

void note(const KernelCase& c, const ComputeEngines& engines, std::uint32_t local,
          std::uint32_t tile, Result& r) {
  r.times[tile] = engines.times(local);
  for (std::uint32_t k = 0; k < kNumRegisters; ++k) {
    r.registers[tile][k] = engines.register_of(local, k);
  }
  for (const TileFault& fault : engines.faults()) {
    if (c.kernel.mesh().tile(fault.tile.x, fault.tile.y) != tile) continue;
    r.faults.push_back({fault.cycle, tile, fault.what});
  }
}

Result empty_result(const KernelCase& c) {
  Result r;
  r.times.resize(c.tiles());
  r.registers.resize(c.tiles());
  r.memory.resize(c.tiles());
  return r;
}

Result run_fast(const KernelCase& c) {
  struct Limit {};
  TileMesh mesh(c.kernel, c.config);
  for (std::uint32_t tile = 0; tile < c.tiles(); ++tile) {
    const std::vector<std::uint8_t> memory = c.initial_memory(tile);
    mesh.write(tile, 0, memory.data(), memory.size());
  }
  Result r = empty_result(c);
  try {
    mesh.run([&mesh] {
      if (mesh.now() >= kLimit) throw Limit{};
    });
  } catch (const Limit&) {
    r.outcome = Outcome::kLimit;
  } catch (const KernelFailure&) {
    r.outcome = mesh.engines().faults().empty() ? Outcome::kDeadlock : Outcome::kFault;
  }
  for (std::uint32_t tile = 0; tile < c.tiles(); ++tile) {
    note(c, mesh.engines(), tile, tile, r);
    r.memory[tile].resize(c.reachable_bytes());
    mesh.read(tile, 0, r.memory[tile].data(), r.memory[tile].size());
  }
  r.stats = mesh.engines().stats();
  r.counts = mesh.fabric().counts();
  r.held = mesh.fabric().held();
  r.now = mesh.now();
  return r;
}

Result run_slow(const KernelCase& c, fabric::Engine& fabric) {
  SlowEngines slow(c.kernel, c.config, fabric);
  for (std::uint32_t tile = 0; tile < c.tiles(); ++tile) {
    const std::vector<std::uint8_t> memory = c.initial_memory(tile);
    std::copy(memory.begin(), memory.end(), slow.memory(tile).begin());
  }
  Result r = empty_result(c);
  r.outcome = slow.run(kLimit);
  for (std::uint32_t tile = 0; tile < c.tiles(); ++tile) {
    r.times[tile] = slow.times(tile);
    for (std::uint32_t k = 0; k < kNumRegisters; ++k) {
      r.registers[tile][k] = slow.register_of(tile, k);
    }
    r.memory[tile] = slow.memory(tile);
    r.memory[tile].resize(c.reachable_bytes());
  }
  for (const SlowEngines::Fault& f : slow.faults()) {
    const Program& p = *c.kernel.program(f.tile);
    const base::Coordinate at = c.kernel.mesh().at(f.tile);
    r.faults.push_back(
        {f.cycle, f.tile,
         fmt::format("tile ({},{}), program '{}', task '{}', instruction {}", at.x, at.y, p.name,
                     p.task_of(static_cast<std::uint32_t>(f.instruction))->name, f.instruction)});
  }
  r.stats = slow.stats();
  r.counts = fabric.counts();
  r.held = fabric.held();
  r.now = slow.now();
  return r;
}

/// The kernel on one fabric, its mesh cut into rectangles with compute engines each.
class CutMesh final : public fabric::EngineSink {
 public:
  CutMesh(const KernelCase& c, std::uint32_t width, std::uint32_t height)
      : c_(c), fabric_(c.kernel.routes, c.fabric_config()), part_of_(c.tiles()) {
    const fabric::Mesh mesh = c.kernel.mesh();
    memory_.resize(c.tiles());
    for (std::uint32_t tile = 0; tile < c.tiles(); ++tile) {
      memory_[tile] = c.initial_memory(tile);
      memory_[tile].resize(c.config.sram.size_bytes);
    }
    for (std::uint32_t y = 0; y < mesh.rows; y += height) {
      for (std::uint32_t x = 0; x < mesh.columns; x += width) {
        add_part({{x, std::min(x + width, mesh.columns)}, {y, std::min(y + height, mesh.rows)}});
      }
    }
  }

  void deliver(Cycles cycle, const fabric::Delivery* begin, const fabric::Delivery* end) override {
    for (const fabric::Delivery* d = begin; d != end; ++d) wavelets_.emplace(cycle, *d);
  }
  void free_slots(Cycles cycle, const std::uint32_t* begin, const std::uint32_t* end) override {
    for (const std::uint32_t* leaf = begin; leaf != end; ++leaf) {
      credits_.emplace(cycle + c_.config.fabric.ramp_cycles, *leaf);
    }
  }

  Result run() {
    for (Part& part : parts_) part.engines->launch();
    Result r = empty_result(c_);
    r.outcome = run_to_the_end();
    for (Part& part : parts_) {
      for (std::uint32_t local = 0; local < part.tiles.size(); ++local) {
        note(c_, *part.engines, local, part.tiles[local], r);
      }
      r.stats += part.engines->stats();
    }
    std::sort(r.faults.begin(), r.faults.end(),
              [](const Result::Fault& a, const Result::Fault& b) { return a.tile < b.tile; });
    for (std::uint32_t tile = 0; tile < c_.tiles(); ++tile) {
      r.memory[tile] = memory_[tile];
      r.memory[tile].resize(c_.reachable_bytes());
    }
    r.counts = fabric_.counts();
    r.held = fabric_.held();
    r.now = fabric_.now();
    return r;
  }

 private:
  struct Part {
    std::vector<std::uint32_t> tiles;  ///< of the mesh, by index in the rectangle
    std::unique_ptr<ComputeEngines> engines;
  };
  struct Place {
    std::size_t part = 0;
    std::uint32_t local = 0;
  };

  void add_part(const base::Rectangle& rectangle) {
    Part part;
    std::vector<std::uint8_t*> memory;
    for (std::uint32_t y = rectangle.rows.begin; y < rectangle.rows.end; ++y) {
      for (std::uint32_t x = rectangle.columns.begin; x < rectangle.columns.end; ++x) {
        const std::uint32_t tile = c_.kernel.mesh().tile(x, y);
        part_of_[tile] = {parts_.size(), static_cast<std::uint32_t>(part.tiles.size())};
        part.tiles.push_back(tile);
        memory.push_back(memory_[tile].data());
      }
    }
    part.engines = std::make_unique<ComputeEngines>(c_.kernel, rectangle, c_.config.compute,
                                                    c_.config.sram, c_.config.fabric.ramp_slots(),
                                                    c_.config.fabric.ramp_cycles, memory);
    parts_.push_back(std::move(part));
  }

  bool can_act() const {
    return std::any_of(parts_.begin(), parts_.end(),
                       [](const Part& part) { return part.engines->can_act(); });
  }

  Outcome run_to_the_end() {
    while (can_act() || fabric_.can_move() || !wavelets_.empty() || !credits_.empty()) {
      if (fabric_.now() == kLimit) return Outcome::kLimit;
      cycle();
      for (const Part& part : parts_) {
        if (!part.engines->faults().empty()) return Outcome::kFault;
      }
    }
    for (const Part& part : parts_) {
      if (!part.engines->waiting(1).empty()) return Outcome::kDeadlock;
    }
    return fabric_.held() != 0 ? Outcome::kDeadlock : Outcome::kCompleted;
  }

  void cycle() {
    for (; !wavelets_.empty() && wavelets_.begin()->first == fabric_.now();
         wavelets_.erase(wavelets_.begin())) {
      const fabric::Delivery& d = wavelets_.begin()->second;
      const Place& place = part_of_[fabric::tile_of(d.leaf)];
      parts_[place.part].engines->receive(place.local, d.wavelet());
    }
    for (; !credits_.empty() && credits_.begin()->first == fabric_.now();
         credits_.erase(credits_.begin())) {
      const std::uint32_t leaf = credits_.begin()->second;
      const Place& place = part_of_[fabric::tile_of(leaf)];
      parts_[place.part].engines->receive_credit(place.local, fabric::color_of(leaf));
    }
    for (Part& part : parts_) {
      // With nothing to do a region is passed over.
      if (!part.engines->can_act()) {
        part.engines->skip_to(fabric_.now() + 1);
        continue;
      }
      fabric::RampFrame frame;
      part.engines->step(frame);
      for (const fabric::RampWavelet& w : frame.wavelets) {
        EXPECT_TRUE(fabric_.inject(fabric_.source(part.tiles[w.tile], w.wavelet.color), w.wavelet));
      }
      for (const fabric::RampCredit& credit : frame.credits) {
        fabric_.return_credit(fabric::leaf_of(part.tiles[credit.tile], credit.color));
      }
    }
    fabric_.step(*this);
  }

  const KernelCase& c_;
  fabric::ChannelFabric fabric_;
  std::vector<Place> part_of_;  ///< by tile of the mesh
  std::vector<std::vector<std::uint8_t>> memory_;
  std::vector<Part> parts_;
  std::multimap<Cycles, fabric::Delivery> wavelets_;
  std::multimap<Cycles, std::uint32_t> credits_;
};

/// Finds the first difference.
class Comparison {
 public:
  Comparison(const Result& expected, const Result& actual) : expected_(expected), actual_(actual) {}

  ::testing::AssertionResult result() {
    faults();
    differ("outcome", testing::name_of(expected_.outcome), testing::name_of(actual_.outcome));
    // Where a run is cut off, tiles may be some steps on the way that others cannot see.
    const bool cut = expected_.outcome == Outcome::kFault || expected_.outcome == Outcome::kLimit;
    const std::size_t first = cut ? expected_.times.size() : first_tile();
    if (first < expected_.times.size()) tile(first);
    if (!cut) stats();
    counts();
    if (text_.empty()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << text_;
  }

 private:
  template <class T>
  void differ(const std::string& what, const T& expected, const T& actual) {
    if (std::string_view(fmt::format("{}", expected)) == fmt::format("{}", actual)) return;
    text_ += fmt::format("{}: {} in the slow engines, {}\n", what, expected, actual);
  }
  void faults() {
    differ("faults", expected_.faults.size(), actual_.faults.size());
    for (std::size_t i = 0; i < std::min(expected_.faults.size(), actual_.faults.size()); ++i) {
      const Result::Fault& e = expected_.faults[i];
      const Result::Fault& a = actual_.faults[i];
      differ("cycle of a fault", e.cycle, a.cycle);
      if (a.what.compare(0, e.what.size(), e.what) != 0) differ("fault", e.what, a.what);
    }
  }
  /// The tile that went another way first, as far as can be seen.
  std::size_t first_tile() const {
    std::size_t found = expected_.times.size();
    for (std::size_t i = 0; i < expected_.times.size(); ++i) {
      const auto& e = expected_.times[i];
      const auto& a = actual_.times[i];
      const bool same = e.begin == a.begin && e.end == a.end && e.busy == a.busy &&
                        expected_.registers[i] == actual_.registers[i] &&
                        expected_.memory[i] == actual_.memory[i];
      if (same) continue;
      if (found == expected_.times.size() || e.end < expected_.times[found].end) found = i;
    }
    return found;
  }
  void tile(std::size_t i) {
    const std::string name = fmt::format("tile {}, ", i);
    differ(name + "first issue", expected_.times[i].begin, actual_.times[i].begin);
    differ(name + "end", expected_.times[i].end, actual_.times[i].end);
    differ(name + "busy cycles", expected_.times[i].busy, actual_.times[i].busy);
    for (std::size_t k = 0; k < kNumRegisters; ++k) {
      differ(fmt::format("{}register {}", name, k), expected_.registers[i][k],
             actual_.registers[i][k]);
    }
    differ(name + "bytes", expected_.memory[i].size(), actual_.memory[i].size());
    for (std::size_t k = 0; k < expected_.memory[i].size(); ++k) {
      if (expected_.memory[i][k] == actual_.memory[i][k]) continue;
      return differ(fmt::format("{}byte {}", name, k), expected_.memory[i][k],
                    actual_.memory[i][k]);
    }
  }
  void stats() {
    const EngineStats& e = expected_.stats;
    const EngineStats& a = actual_.stats;
    differ("first issue", e.first_issue, a.first_issue);
    differ("end", e.end, a.end);
    differ("last issue", e.last_issue, a.last_issue);
    differ("busy cycles", e.busy_cycles, a.busy_cycles);
    differ("flops", e.flops, a.flops);
    differ("elements", e.elements, a.elements);
    differ("64-bit reads", e.banks.reads64, a.banks.reads64);
    differ("64-bit writes", e.banks.writes64, a.banks.writes64);
    differ("32-bit reads", e.banks.reads32, a.banks.reads32);
    differ("32-bit writes", e.banks.writes32, a.banks.writes32);
    differ("conflicts", e.banks.conflict_cycles, a.banks.conflict_cycles);
  }
  void counts() {
    differ("injected", expected_.counts.injected, actual_.counts.injected);
    differ("delivered", expected_.counts.delivered, actual_.counts.delivered);
    differ("filtered", expected_.counts.filtered, actual_.counts.filtered);
    differ("hops", expected_.counts.hops, actual_.counts.hops);
    differ("held", expected_.held, actual_.held);
  }

  const Result& expected_;
  const Result& actual_;
  std::string text_;
};

::testing::AssertionResult equal(const Result& expected, const Result& actual) {
  return Comparison(expected, actual).result();
}

void check_case(std::uint64_t seed) {
  const KernelCase c = testing::random_kernel(seed);
  fabric::ReferenceFabric reference(c.kernel.routes, c.fabric_config());
  const Result expected = run_slow(c, reference);
  const Result fast = run_fast(c);
  EXPECT_TRUE(equal(expected, fast)) << "WSE_SEED=" << seed;
  if (seed % 4 == 0) {  // both see the same fabric come to rest
    fabric::ChannelFabric channels(c.kernel.routes, c.fabric_config());
    EXPECT_EQ(run_slow(c, channels).now, fast.now) << "WSE_SEED=" << seed;
  }
}

template <class Check>
void for_seeds(std::uint64_t shard, std::uint64_t cases, const Check& check) {
  const char* seed = std::getenv("WSE_SEED");
  if (seed != nullptr) {
    check(std::strtoull(seed, nullptr, 10));
    return;
  }
  std::cout << "seeds " << shard * cases + 1 << " .. " << (shard + 1) * cases << "\n";
  for (std::uint64_t i = 1; i <= cases; ++i) {
    check(shard * cases + i);
    if (::testing::Test::HasFailure()) return;
  }
}

void check_shard(std::uint64_t shard) { for_seeds(shard, kCases, check_case); }

TEST(RandomProgramsTest, EqualTheSlowEnginesShard0) { check_shard(0); }
TEST(RandomProgramsTest, EqualTheSlowEnginesShard1) { check_shard(1); }
TEST(RandomProgramsTest, EqualTheSlowEnginesShard2) { check_shard(2); }
TEST(RandomProgramsTest, EqualTheSlowEnginesShard3) { check_shard(3); }

TEST(RandomProgramsTest, SomeCompleteSomeDeadlockSomeFault) {
  constexpr std::uint64_t kDrawn = testing::case_count(500, 100);
  std::map<Outcome, std::uint64_t> ends;
  std::uint64_t elements = 0;
  std::uint64_t hops = 0;
  for (std::uint64_t seed = 1; seed <= kDrawn; ++seed) {
    const Result r = run_fast(testing::random_kernel(seed));
    ++ends[r.outcome];
    elements += r.stats.elements;
    hops += r.counts.hops;
  }
  for (const auto& [outcome, count] : ends) {
    std::cout << testing::name_of(outcome) << ": " << count << "\n";
  }
  EXPECT_GT(ends[Outcome::kCompleted], kDrawn / 4);
  EXPECT_GT(ends[Outcome::kDeadlock], kDrawn / 20);
  EXPECT_GT(ends[Outcome::kFault], kDrawn / 50);
  EXPECT_GT(elements, kDrawn * 20);
  EXPECT_GT(hops, kDrawn);
}

TEST(RandomProgramsTest, TheCutIntoRegionsDoesNotMatter) {
  for_seeds(0, testing::case_count(400, 40), [](std::uint64_t seed) {
    const KernelCase c = testing::random_kernel(seed);
    const Result whole = run_fast(c);
    for (const auto& [width, height] : {std::pair{1U, 1U}, {2U, 1U}, {1U, 5U}, {2U, 3U}}) {
      const Result cut = CutMesh(c, width, height).run();
      EXPECT_TRUE(equal(whole, cut))
          << "regions of " << width << " x " << height << ", WSE_SEED=" << seed;
      EXPECT_EQ(whole.now, cut.now) << "WSE_SEED=" << seed;
      EXPECT_EQ(whole.stats.events, cut.stats.events) << "WSE_SEED=" << seed;
    }
  });
}

}  // namespace
}  // namespace wse::tiles
