// SPDX-License-Identifier: Apache-2.0
#include "random_tile.h"

#include <fmt/format.h>

#include "wse/tiles/program_builder.h"

namespace wse::cosim {

using tiles::Array;
using tiles::DataType;
using tiles::Instruction;
using tiles::Operand;
using tiles::VectorOp;
using P = tiles::ProgramBuilder;

namespace {

constexpr std::uint32_t kWords = 24;  ///< of an array

/// Writes a program: vector operations of all kinds, scalars, receives, loops.
class Writer {
 public:
  Writer(base::Random& random, bool negates) : random_(random), negates_(negates), p_("random") {
    for (std::uint32_t n = 0; n < 4; ++n) {
      if (chance(40)) p_.array(fmt::format("gap {}", n), 1);
      far_.push_back(p_.array(fmt::format("far {}", n), kWords));
    }
    for (std::uint32_t n = 0; n < 2; ++n) {
      near_.push_back(p_.near_array(fmt::format("near {}", n), kWords));
    }
    const std::uint64_t colors = random_.below(8);
    for (std::uint8_t q = 0; q < tiles::kNumInputQueues; ++q) {
      if (!chance(40)) continue;
      inputs_.push_back(q);
      p_.input(q, static_cast<std::uint8_t>(colors + q));
    }
    for (std::uint8_t q = 0; q < tiles::kNumOutputQueues; ++q) {
      if (!chance(40)) continue;
      outputs_.push_back(q);
      p_.output(q, static_cast<std::uint8_t>(colors + 8 + q));
    }
  }

  tiles::Program write() {
    p_.task("main").active = true;
    for (std::uint64_t n = random_.below(4) + 1; n > 0; --n) {
      if (chance(50)) {
        loop();
      } else {
        statements(random_.below(5) + 1);
      }
    }
    p_.end();
    return p_.build();
  }

 private:
  // Registers: numbers from wavelets in 0 .. 3, integers in 4 .. 6, an offset in 7, the count of a loop in 8.
  static constexpr std::uint8_t kOffset = 7;
  static constexpr std::uint8_t kCount = 8;
  static constexpr std::uint32_t kMostOffset = 3;  ///< words

  bool chance(unsigned percent) { return random_.below(100) < percent; }
  template <class T>
  const T& any(const std::vector<T>& all) {
    return all[random_.below(all.size())];
  }

  Operand any_number() { return P::r(static_cast<std::uint32_t>(random_.below(4))); }
  Operand any_integer() { return P::r(static_cast<std::uint32_t>(4 + random_.below(3))); }

  void loop() {
    p_.set(kCount, P::integer(static_cast<std::int64_t>(random_.below(4)) + 1));
    const std::uint16_t begin = p_.here();
    statements(random_.below(4) + 1);
    p_.scalar(VectorOp::kSub, DataType::kInt32, kCount, P::r(kCount), P::integer(1));
    p_.jump_if_not_zero(P::r(kCount), begin);
  }

  void statements(std::uint64_t count) {
    for (; count > 0; --count) {
      const std::uint64_t choice = random_.below(100);
      if (choice < 65) {
        vector();
      } else if (choice < 80 && !inputs_.empty()) {
        p_.receive(static_cast<std::uint8_t>(random_.below(4)), any(inputs_), DataType::kFp32);
      } else if (choice < 92) {
        integer();
      } else {
        skip();
      }
    }
  }
  void integer() {
    if (chance(40)) {
      const auto words = static_cast<std::int64_t>(random_.below(kMostOffset + 1));
      return p_.set(kOffset, P::integer(4 * words));
    }
    const auto to = static_cast<std::uint8_t>(4 + random_.below(3));
    const VectorOp op = chance(50) ? VectorOp::kAdd : chance(50) ? VectorOp::kSub : VectorOp::kMove;
    p_.scalar(op, DataType::kInt32, to, any_integer(),
              P::integer(static_cast<std::int64_t>(random_.below(5)) - 2));
  }
  /// Over an instruction, or not.
  void skip() {
    const Operand what = any_integer();
    Instruction& jump = chance(40)   ? p_.jump_if_zero(what)
                        : chance(60) ? p_.jump_if_not_zero(what)
                                     : always();
    const auto place = static_cast<std::uint16_t>(p_.here() - 1);
    static_cast<void>(jump);
    integer();
    p_.at(place).target = p_.here();
  }
  Instruction& always() {
    p_.jump(0);
    return p_.last();
  }

  void vector() {
    const auto length = static_cast<std::uint32_t>(chance(8)    ? 0
                                                   : chance(20) ? random_.below(2) + 1
                                                                : random_.below(kWords - 2) + 1);
    const Operand n = P::integer(length);
    length_ = length;
    far_reads_ = 0;
    taken_ = 0;
    const Operand result = result_operand();
    const Operand a = source();
    const std::uint64_t choice = random_.below(6);
    const VectorOp two[3]{VectorOp::kAdd, VectorOp::kSub, VectorOp::kMul};
    if (choice == 0) {
      p_.vector(VectorOp::kMove, DataType::kFp32, result, a, n);
    } else if (choice == 1) {
      p_.vector(negates_ ? VectorOp::kNegate : VectorOp::kMove, DataType::kFp32, result, a, n);
    } else if (choice < 5) {
      p_.vector(two[choice - 2], DataType::kFp32, result, a, source(), n);
    } else {
      const Operand b = source();
      p_.vector(VectorOp::kFma, DataType::kFp32, result, a, b, source(), n);
    }
    if (chance(45)) on_microthread(p_.last(), 0);
  }
  Operand result_operand() {
    if (!outputs_.empty() && chance(40)) {
      return p_.fabric_out(any(outputs_), 4, chance(50) ? P::Last::kAdvance : P::Last::kPlain);
    }
    return line();
  }
  Operand source() {
    const std::uint64_t choice = random_.below(100);
    if (choice < 15) return any_number();
    if (choice < 20) return P::number(chance(50) ? 1.5F : -0.25F);
    if (choice < 45 && !inputs_.empty()) {
      const std::uint8_t q = any(inputs_);
      if ((taken_ >> q & 1) == 0) {
        taken_ |= 1U << q;
        return p_.fabric_in(q);
      }
    }
    if (far_reads_ == 2) return any_number();
    ++far_reads_;
    return line();
  }
  /// A part of an array, some with an offset.
  Operand line() {
    const Array& array = chance(70) ? any(far_) : any(near_);
    const std::uint32_t length = std::max(length_, 1U);
    const bool moves = length + kMostOffset <= kWords && chance(25);
    const std::uint32_t most = kWords - length - (moves ? kMostOffset : 0);
    const auto first = static_cast<std::uint32_t>(random_.below(most + 1));
    const Operand part = p_.part(array, first, length);
    return moves ? p_.at_register(part, kOffset) : part;
  }

  base::Random& random_;
  const bool negates_;
  P p_;
  std::vector<Array> far_, near_;
  std::vector<std::uint8_t> inputs_, outputs_;
  std::uint32_t length_ = 0, far_reads_ = 0, taken_ = 0;
};

}  // namespace

std::uint32_t RandomTile::number(base::Random& random) const {
  const auto bits = static_cast<std::uint32_t>(random.next());
  const std::uint32_t fraction_and_sign = bits & 0x807fffffU;
  const std::uint64_t choice = random.below(100);
  if (choice < 4) return bits & 0x80000000U;  // zeros
  if (choice < 8) return fraction_and_sign;   // subnormal
  const auto exponent = static_cast<std::uint32_t>(first_exponent + random.below(span));
  return fraction_and_sign | exponent << 23;
}

void make_random_tile(base::Random& random, RandomTile& tile) {
  // Around one, products at the subnormal numbers, everything.
  static constexpr std::uint32_t kExponents[3][2]{{121, 12}, {50, 16}, {27, 200}};
  const std::uint64_t choice = random.below(3);
  tile.first_exponent = kExponents[choice][0];
  tile.span = kExponents[choice][1];
  // Everything overflows, to NaN in the end, whose sign is nobody's: only a negation would show it.
  tile.kernel.program_of[0] = tile.kernel.add(Writer(random, choice != 2).write());
  tile.setup.kernel = &tile.kernel;
  tile.setup.ramp_cycles = static_cast<std::uint32_t>(random.below(3) + 1);
  tile.setup.ramp_slots = static_cast<std::uint32_t>(random.below(4) + 1);
  tile.setup.compute.task_start_cycles = static_cast<std::uint32_t>(random.below(5));
  tile.setup.compute.scalar_cycles = static_cast<std::uint32_t>(random.below(3) + 1);
  tile.setup.compute.write_delay_steps = static_cast<std::uint32_t>(random.below(5));
}

}  // namespace wse::cosim
