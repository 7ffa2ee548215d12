// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>

#include "random_tile.h"
#include "run_seeds.h"
#include "wse/cosim/lockstep_tile.h"
#include "wse/cosim/tile_twins.h"

namespace wse::cosim {

using base::Cycles;
using fabric::kNumColors;
using fabric::RampPins;
using tiles::DescriptorKind;
using tiles::Instruction;
using tiles::Opcode;
using tiles::Operand;
using tiles::Program;

namespace {

enum Bin : std::size_t {
  kOp,  ///< move, add, sub, mul, negate, fma
  kInputFull = kOp + 6,
  kNoSlotBehind,
  kConflict,
  kConflicts,
  kPair,
  kBothThreads,
  kWaits,
  kControl,
  kTwoOutputs,
  kInAndOut,
  kThrough,
  kNearResult,
  kFarResult,
  kAddressRegister,
  kLastAdvances,
  kNoElements,
  kMicrothread,
  kTaskEnds,
  kBins
};

std::vector<CoverageBin> bins() {
  std::vector<CoverageBin> all;
  for (const char* name : {"operation: move",
                           "operation: add",
                           "operation: sub",
                           "operation: mul",
                           "operation: negate",
                           "operation: fma",
                           "input queue full",
                           "no slot behind an output queue",
                           "banks cost a step a cycle",
                           "banks cost a step two cycles",
                           "two elements in a step",
                           "both threads have an operation",
                           "waits for a wavelet or a slot",
                           "control wavelet comes",
                           "output queues take turns",
                           "wavelets in and out in one clock",
                           "wavelets in, wavelets out",
                           "result beside the datapath",
                           "result in banks",
                           "address register",
                           "last wavelet advances",
                           "operation of no elements",
                           "operation on the microthread",
                           "program ends"}) {
    all.push_back({name, 0});
  }
  return all;
}

/// Operations that begin and end.
class Watch final : public tiles::EngineWatch {
 public:
  explicit Watch(std::vector<CoverageBin>& bins) : bins_(bins) {}

  bool watches(base::Coordinate /*tile*/) const override { return true; }
  void task(base::Coordinate /*tile*/, Cycles /*cycle*/, const Program& /*program*/,
            std::uint32_t /*number*/, bool begins) override {
    if (!begins) hit(kTaskEnds);
  }
  void operation(base::Coordinate /*tile*/, Cycles /*cycle*/, const Program& program,
                 std::uint32_t thread, std::uint32_t instruction, bool begins) override {
    running_[thread] = begins;
    if (!begins) return;
    look_at(program, program.instructions[instruction]);
    if (thread != 0) hit(kMicrothread);
    if (running_[0] && running_[1]) hit(kBothThreads);
  }

 private:
  void hit(std::size_t bin) { ++bins_[bin].hits; }

  void look_at(const Program& program, const Instruction& i) {
    static constexpr tiles::VectorOp kOps[6]{tiles::VectorOp::kMove,   tiles::VectorOp::kAdd,
                                             tiles::VectorOp::kSub,    tiles::VectorOp::kMul,
                                             tiles::VectorOp::kNegate, tiles::VectorOp::kFma};
    hit(kOp + static_cast<std::size_t>(std::find(kOps, kOps + 6, i.op) - kOps));
    if (i.length.value == 0) hit(kNoElements);
    bool from_fabric = false;
    for (const Operand* operand : {&i.result, &i.a, &i.b, &i.c}) {
      if (operand->kind != Operand::Kind::kDescriptor) continue;
      const tiles::Descriptor& d = program.descriptors[operand->value];
      from_fabric = from_fabric || d.kind == DescriptorKind::kFabricIn;
      if (d.address_register != tiles::kNone) hit(kAddressRegister);
    }
    const tiles::Descriptor& to = program.descriptors[i.result.value];
    if (to.kind == DescriptorKind::kFabricOut) {
      if (to.advance_last) hit(kLastAdvances);
      if (from_fabric) hit(kThrough);
    } else {
      hit(to.near ? kNearResult : kFarResult);
    }
  }

  std::vector<CoverageBin>& bins_;
  std::array<bool, tiles::kNumThreads> running_{};
};

/// A router around a tile: it sends where there is a slot, and frees slots when it likes.
class Surroundings {
 public:
  Surroundings(const RandomTile& tile, std::uint64_t seed, CampaignResult& result)
      : tile_(tile), random_(seed), result_(result) {
    const Program& program = tile.program();
    for (std::uint32_t q = 0; q < tiles::kNumInputQueues; ++q) {
      const std::uint8_t color = program.input_colors[q];
      if (color == tiles::kNone) continue;
      colors_.push_back(color);
      free_[color] =
          fabric::EngineConfig::slots(tile.setup.compute.input_depths[q], tile.setup.ramp_cycles);
    }
    for (const std::uint8_t color : program.output_colors) {
      if (color != tiles::kNone) behind_[color] = tile.setup.ramp_slots;
    }
  }

  RampPins next(const RampPins& given, std::uint64_t clock) {
    if (clock % 64 == 0) new_mood();
    take(given);
    RampPins pins;
    if (!colors_.empty() && chance(send_percent_)) send(pins);
    while (!taken_.empty() && chance(read_percent_)) {
      const std::uint8_t color = taken_.front();
      if ((pins.credits >> color & 1) != 0) break;  // one a color and clock
      pins.credits |= 1U << color;
      ++behind_[color];
      taken_.pop_front();
    }
    if (given.link.valid && pins.link.valid) hit(kInAndOut);
    for (std::uint8_t color = 0; color < kNumColors; ++color) {
      free_[color] += given.credits >> color & 1;
    }
    return pins;
  }

 private:
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
  void hit(std::size_t bin) { ++result_.coverage[bin].hits; }

  void new_mood() {
    send_percent_ = chance(30) ? 100 : random_.below(100);
    read_percent_ = chance(30) ? 100 : chance(20) ? 0 : random_.below(100);
  }
  void take(const RampPins& given) {
    if (given.link.valid) {
      const std::uint8_t color = given.link.wavelet.color;
      taken_.push_back(color);
      if (--behind_[color] == 0) hit(kNoSlotBehind);
      if (last_color_ != tiles::kNone && last_color_ != color) hit(kTwoOutputs);
    }
    last_color_ = given.link.valid ? given.link.wavelet.color : tiles::kNone;
  }
  void send(RampPins& pins) {
    const std::uint8_t color = colors_[random_.below(colors_.size())];
    if (free_[color] == 0) return;
    if (--free_[color] == 0) hit(kInputFull);
    ++result_.wavelets;
    const bool control = chance(7);
    if (control) hit(kControl);
    pins.link = {true, {tile_.number(random_), color, control, chance(10)}};
  }

  const RandomTile& tile_;
  base::Random random_;
  CampaignResult& result_;
  std::vector<std::uint8_t> colors_;
  std::array<std::uint32_t, kNumColors> free_{}, behind_{};
  std::deque<std::uint8_t> taken_;
  std::uint64_t send_percent_ = 0, read_percent_ = 0;
  std::uint8_t last_color_ = tiles::kNone;
};

constexpr std::uint64_t kMostWaits = 100;  // clocks, for what may never come

/// A program until its end, or for as many clocks.
void run_tile(const TileTwinKind& kind, const RandomTile& tile, const std::string& name,
              base::Random& random, std::uint64_t clocks, CampaignResult& result) {
  auto model = std::make_unique<tiles::TileModel>(tile.setup);
  Watch watch(result.coverage);
  model->add_watch(watch);
  LockstepTile lockstep(name, make_tile_twin(kind, tile.setup), std::move(model));
  const std::uint32_t bytes = tile.program().memory_bytes;
  for (std::uint32_t at = 0; at < bytes; at += 4) lockstep.write(at, tile.number(random));
  Surroundings around(tile, random.next(), result);
  lockstep.launch();
  tiles::EngineStats before;
  std::uint64_t waited = 0;
  for (std::uint64_t clock = 0; clock < clocks; ++clock) {
    lockstep.clock(around.next(lockstep.outputs(), clock));
    ++result.cycles;
    const tiles::EngineStats now = lockstep.model().stats();
    const std::uint64_t lost = now.banks.conflict_cycles - before.banks.conflict_cycles;
    const auto hit_if = [&result](Bin bin, bool happened) {
      result.coverage[bin].hits += happened ? 1 : 0;
    };
    hit_if(kConflict, lost == 1);
    hit_if(kConflicts, lost == 2);
    hit_if(kPair, now.elements - before.elements == 2);
    const bool idle = !lockstep.model().busy();
    hit_if(kWaits, idle && !lockstep.finished());
    before = now;
    waited = idle ? waited + 1 : 0;
    if (idle && (lockstep.finished() || waited == kMostWaits)) break;
  }
  while (lockstep.busy()) {  // what it can still do with what it has
    lockstep.clock({});
    ++result.cycles;
  }
  lockstep.stats();
  for (std::uint32_t at = 0; at < bytes; at += 4) lockstep.read(at);
}

}  // namespace

CampaignResult run_campaign(const TileTwinKind& kind, const Campaign& campaign) {
  constexpr std::uint64_t kMost = 500;  // clocks of a program
  CampaignResult result;
  result.coverage = bins();
  run_seeds(campaign, result, [&](std::uint64_t seed, std::uint64_t cycles) {
    base::Random random(seed);
    const std::uint64_t end = result.cycles + cycles;
    for (std::uint64_t number = 0; result.cycles < end; ++number) {
      RandomTile tile;
      make_random_tile(random, tile);
      tile.setup.mutant = campaign.mutant;
      tile.setup.checked = true;
      const std::string name = fmt::format("rtl:{}, seed {}, program {},", kind.name, seed, number);
      run_tile(kind, tile, name, random, std::min(kMost, end - result.cycles), result);
    }
  });
  return result;
}

}  // namespace wse::cosim
