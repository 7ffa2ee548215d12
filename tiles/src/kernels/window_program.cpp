// SPDX-License-Identifier: Apache-2.0
#include "window_program.h"

#include <fmt/format.h>

#include <algorithm>

#include "turns.h"

namespace wse::tiles {
namespace {

using P = ProgramBuilder;

constexpr std::uint8_t kRingInput = 1;  // queues
constexpr std::uint8_t kRingOutput = 2;

/// As the program of StreamedGemm, with neighbours whose ring goes on elsewhere.
class TileProgram {
 public:
  TileProgram(const WindowGemmShape& shape, const ComputeConfig& config, const LineRing& ring,
              const WindowPlace& place, std::uint32_t inputs)
      : shape_(shape),
        place_(place),
        layout_(shape.type, shape.tile_tokens),
        inputs_(inputs),
        p_(fmt::format("{} of rank {}", place.keeps_all() ? "neighbours" : "activations",
                       place.rank)) {
    arrays(config);
    p_.input(0, kWindowWeightColor);
    const std::uint8_t bytes = element_bytes_of(shape.type);
    if (ring.size() > 1 && place.hears) {
      p_.input(kRingInput, ring.receives(place.rank));
      in_ = p_.fabric_in(kRingInput, bytes);
    }
    if (ring.size() > 1 && place.sends) {
      p_.output(kRingOutput, ring.sends(place.rank));
      out_ = p_.fabric_out(kRingOutput, bytes);
    }
    own_ = p_.at_register(layout_.walk(p_, y_, 0), kOutput);
    for (std::uint32_t b = 0; b < 2; ++b) sum_[b] = p_.part(sums_[b], 0, shape.tile_tokens);
    for (std::uint32_t i = 0; i < inputs_; ++i) features_.push_back(layout_.walk(p_, x_, i));
  }

  Program write() {
    p_.task("multiply").active = true;
    const std::uint32_t end = shape_.first_output + shape_.block_outputs;
    for (std::uint32_t o = shape_.first_output; o < end;) {
      const WindowRole role = window_role(shape_, place_, o);
      const std::uint32_t first = o;
      while (o < end && window_role(shape_, place_, o) == role) ++o;
      segment(role, o - first);
    }
    p_.end();
    return p_.build();
  }

 private:
  static constexpr std::uint8_t kWeight = 0;
  static constexpr std::uint8_t kOutput = 2;  // address of the next result, less that of the first
  static constexpr std::uint8_t kLeft = 3;

  void arrays(const ComputeConfig& config) {
    const DataType type = shape_.type;
    const std::uint32_t t = shape_.tile_tokens;
    const std::uint8_t bytes = element_bytes_of(type);
    const std::uint8_t sum_bytes = sum_bytes_of(type);
    std::uint32_t places = 0;
    for (std::uint32_t o = 0; o < shape_.block_outputs; ++o) {
      places += has_place(shape_, place_, shape_.first_output + o) ? 1 : 0;
    }
    x_ = p_.array("x", layout_.elements(inputs_), bytes);
    const bool near = 2 * t * sum_bytes <= config.cache_bytes;
    begin_in_pair(p_, type == DataType::kFp32 ? 2 : 0);
    y_ = p_.array("y", layout_.elements(std::max(places, 1U)), bytes);
    if (!near) begin_in_pair(p_, AxpyLayout::sum_pair(type));
    for (std::uint32_t b = 0; b < 2; ++b) {
      const std::string name = fmt::format("sum {}", b);
      sums_[b] = near ? p_.near_array(name, t, sum_bytes)
                      : p_.array(name, round_up(t, kBankTurn / sum_bytes), sum_bytes);
    }
  }

  /// Outputs of one role, one after the other, in turns of two.
  void segment(WindowRole role, std::uint32_t outputs) {
    if (place_.keeps_all()) return neighbour_segment(role, outputs);
    in_turns_of_two(p_, kLeft, outputs, [&] { kept_output(role); });
  }

  /// As that of StreamedGemm: a tile that keeps the sums moves on to the next place.
  void kept_output(WindowRole role) {
    output(role, own_);
    if (role != WindowRole::kEnd && role != WindowRole::kAlone) return;
    const std::uint32_t step = layout_.first(parity_ + 1) - layout_.first(parity_);
    p_.scalar(VectorOp::kAdd, DataType::kInt32, kOutput, P::r(kOutput),
              P::integer(step * y_.element_bytes));
    parity_ = 1 - parity_;
  }

  /// A place for each output must not cost a cycle that a tile of the window does not need: the address,
  /// less that of the end, counts the turns.
  void neighbour_segment(WindowRole role, std::uint32_t outputs) {
    if (outputs % 2 != 0) output(role, layout_.walk(p_, y_, next_place_++));
    const std::uint32_t turns = outputs / 2;
    if (turns == 0) return;
    const std::uint32_t step =
        (layout_.first(next_place_ + 2) - layout_.first(next_place_)) * y_.element_bytes;
    next_place_ += 2 * turns;
    const Operand one = p_.at_register(layout_.walk(p_, y_, next_place_), kOutput);
    const Operand other = p_.at_register(layout_.walk(p_, y_, next_place_ + 1), kOutput);
    p_.set(kOutput, P::integer(-std::int64_t{turns} * step));
    const std::uint16_t begin = p_.here();
    output(role, one);
    output(role, other);
    p_.scalar(VectorOp::kAdd, DataType::kInt32, kOutput, P::r(kOutput), P::integer(step));
    p_.jump_if_not_zero(P::r(kOutput), begin);
  }

  void output(WindowRole role, const Operand& own) {
    multiply();
    const Operand sum = sum_[buffer_];
    buffer_ = 1 - buffer_;
    const auto move = [&](const Operand& to) {
      on_microthread(p_.vector(VectorOp::kMove, shape_.type, to, sum, tokens()), 0);
    };
    const auto add = [&](const Operand& to, const Operand& a) {
      on_microthread(p_.vector(VectorOp::kAdd, shape_.type, to, a, sum, tokens()), 0);
    };
    switch (role) {
      case WindowRole::kBegin:
        return move(out_);
      case WindowRole::kPass:
        return add(out_, in_);
      case WindowRole::kEnd:
        return add(own, in_);
      case WindowRole::kAlone:
        return move(own);
      case WindowRole::kInject:
        return add(out_, own);
      case WindowRole::kHold:
        return add(own, own);
    }
  }

  void multiply() {
    const Operand sum = sum_[buffer_];
    for (std::uint32_t i = 0; i < inputs_; ++i) {
      p_.receive(kWeight, 0, shape_.type);
      if (i == 0) {
        p_.vector(VectorOp::kMul, shape_.type, sum, features_[i], P::r(kWeight), tokens());
      } else {
        p_.vector(VectorOp::kFma, shape_.type, sum, features_[i], P::r(kWeight), sum, tokens());
      }
    }
  }
  Operand tokens() const { return P::integer(shape_.tile_tokens); }

  const WindowGemmShape& shape_;
  const WindowPlace place_;
  const AxpyLayout layout_;
  const std::uint32_t inputs_;
  std::uint32_t buffer_ = 0;
  std::uint32_t parity_ = 0;      ///< results of the tile so far, modulo 2
  std::uint32_t next_place_ = 0;  ///< in y, of a neighbour
  ProgramBuilder p_;
  Array x_, y_;
  std::array<Array, 2> sums_;
  Operand in_, out_, own_;
  std::array<Operand, 2> sum_;
  std::vector<Operand> features_;
};

}  // namespace

LineRing window_ring(const WindowGemmShape& shape) {
  return LineRing::folded(Line::row({shape.ring, 1}, 0, 0, shape.ring - 1), kWindowRingColors);
}

WindowRole window_role(const WindowGemmShape& shape, const WindowPlace& place,
                       std::uint32_t output) {
  if (shape.ring == 1) return WindowRole::kAlone;
  const std::uint32_t owner = output / shape.outputs_of_rank();
  const bool begins = (owner + 1) % shape.ring == place.rank;
  if (begins) return place.sends ? WindowRole::kBegin : WindowRole::kAlone;
  if (!place.hears) return owner == place.rank ? WindowRole::kHold : WindowRole::kInject;
  return owner == place.rank || !place.sends ? WindowRole::kEnd : WindowRole::kPass;
}

bool has_place(const WindowGemmShape& shape, const WindowPlace& place, std::uint32_t output) {
  return place.keeps_all() || output / shape.outputs_of_rank() == place.rank;
}

Program window_tile_program(const WindowGemmShape& shape, const ComputeConfig& config,
                            const LineRing& ring, const WindowPlace& place, std::uint32_t inputs) {
  return TileProgram(shape, config, ring, place, inputs).write();
}

Program window_weight_program(std::uint32_t words) {
  constexpr std::uint8_t kLeft = 0;
  constexpr std::uint8_t kAt = 1;
  constexpr std::uint8_t kWait = 2;
  constexpr std::uint8_t kNow = 3;
  constexpr std::uint8_t kCount = 4;
  const std::uint32_t turns = (words + kWordsATime - 1) / kWordsATime;
  P p("weights");
  const Array weights = p.array("weights", words);
  const Array turn = p.array("turns", 2 * turns);  // a time and a number of words each
  const Array idle = p.near_array("idle", 2);
  p.output(2, kWindowWeightColor);
  const Operand out = p.fabric_out(2);
  const Operand next = p.circular(weights);
  const Operand still = p.walk(idle, 0, {{2, 0}});
  p.task("weights").active = true;
  p.set(kLeft, P::integer(turns));
  p.set(kAt, P::integer(turn.address));
  const std::uint16_t begin = p.here();
  p.load(kWait, P::r(kAt));
  p.load(kCount, P::r(kAt), DataType::kInt32, P::integer(4));
  p.time(kNow);
  p.scalar(VectorOp::kSub, DataType::kInt32, kWait, P::r(kWait), P::r(kNow));
  p.scalar(VectorOp::kMax, DataType::kInt32, kWait, P::r(kWait), P::integer(0));
  // An element a cycle: nothing lies side by side.
  p.vector(VectorOp::kMove, DataType::kInt32, still, P::integer(0), P::r(kWait));
  p.vector(VectorOp::kMove, DataType::kInt32, out, next, P::r(kCount));
  p.scalar(VectorOp::kAdd, DataType::kInt32, kAt, P::r(kAt), P::integer(8));
  p.scalar(VectorOp::kSub, DataType::kInt32, kLeft, P::r(kLeft), P::integer(1));
  p.jump_if_not_zero(P::r(kLeft), begin);
  p.end();
  return p.build();
}

}  // namespace wse::tiles
