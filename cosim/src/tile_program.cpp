// SPDX-License-Identifier: Apache-2.0
#include "tile_program.h"

#include <fmt/format.h>

#include <algorithm>

#include "wse/base/config_errors.h"

namespace wse::cosim {

using tiles::DataType;
using tiles::Descriptor;
using tiles::DescriptorKind;
using tiles::Instruction;
using tiles::Opcode;
using tiles::Operand;
using tiles::Program;
using tiles::VectorOp;

namespace {

constexpr std::size_t kMostInstructions = 512;
constexpr std::uint32_t kMostSlots = 16;  ///< of a queue

// As in wse_tile.sv.
enum OperandCode : std::uint32_t { kNothing, kBits, kRegister, kFar, kNear, kFabricIn, kFabricOut };

class Encoder {
 public:
  explicit Encoder(const tiles::TileSetup& setup)
      : setup_(setup),
        program_(*setup.kernel->program(setup.kernel->mesh().tile(setup.tile.x, setup.tile.y))),
        path_(fmt::format("program '{}' of tile ({},{})", program_.name, setup.tile.x,
                          setup.tile.y)) {}

  std::vector<TileWrite> run() {
    machine();
    tasks();
    if (program_.instructions.size() > kMostInstructions) {
      refuse(fmt::format("{} instructions", program_.instructions.size()),
             fmt::format("must be at most {} for RTL", kMostInstructions));
    }
    for (std::size_t n = 0; n < program_.instructions.size(); ++n) {
      const auto number = static_cast<std::uint32_t>(n);
      instruction(number, program_.instructions[n]);
    }
    queues();
    put(TileRtl::Write::kRegister, tiles::kColumnRegister, setup_.tile.x);
    put(TileRtl::Write::kRegister, tiles::kRowRegister, setup_.tile.y);
    errors_.throw_if_any();
    return std::move(writes_);
  }

 private:
  void put(TileRtl::Write kind, std::uint32_t address, std::uint32_t value) {
    writes_.push_back({kind, address, value});
  }
  void refuse(const std::string& value, const std::string& rule) {
    errors_.add(path_, value, rule);
  }

  void machine() {
    const tiles::ComputeConfig& c = setup_.compute;
    errors_.require(c.vector_start_cycles == 0, "tile.engine.vector_start_cycles",
                    c.vector_start_cycles, "must be 0 with tiles of RTL");
    errors_.require(setup_.sram.banks == 8, "tile.sram.banks", setup_.sram.banks,
                    "must be 8 with tiles of RTL");
    put(TileRtl::Write::kTiming, 0, c.task_start_cycles);
    put(TileRtl::Write::kTiming, 1, c.scalar_cycles);
    put(TileRtl::Write::kTiming, 2, c.write_delay_steps);
  }

  void tasks() {
    const bool one = program_.tasks.size() == 1 &&
                     program_.tasks[0].kind == tiles::Task::Kind::kLocal &&
                     program_.tasks[0].active && !program_.tasks[0].blocked;
    if (!one || program_.tasks[0].first != 0) {
      refuse(fmt::format("{} tasks", program_.tasks.size()),
             "must be one local task, active from the start, for RTL");
    }
  }

  void instruction(std::uint32_t number, const Instruction& i) {
    number_ = number;
    std::uint32_t word = opcode_of(i) | op_of(i) << 3;
    if (tiles::is_integer(i.type)) word |= 1U << 6;
    if (i.thread > 1) bad("a second microthread", "must be the first one");
    if (i.thread == 1) word |= 1U << 8;
    word |= std::uint32_t{i.target & 0x3ffU} << 16;
    const bool plain =
        i.priority == tiles::Priority::kMedium && i.completion == tiles::Completion::kNothing;
    if (i.opcode == Opcode::kVector && !plain) bad("a priority or completion", "must not be");
    if (i.length.kind == Operand::Kind::kRegister) word |= 1U << 26;
    std::uint32_t kinds = 0;
    std::array<std::uint32_t, 4> values{};
    bool pair = i.opcode == Opcode::kVector && setup_.compute.lanes(i.op, i.type) >= 2;
    if (i.opcode == Opcode::kVector && setup_.compute.lanes(i.op, i.type) > 2) {
      bad("more than two elements a step", "must be at most two");
    }
    const Operand* const operands[4]{&i.result, &i.a, &i.b, &i.c};
    for (std::uint32_t o = 0; o < 4; ++o) {
      const std::uint32_t kind = operand(i, *operands[o], values[o]);
      kinds |= kind << (8 * o);
      if ((kind & 7) >= kFabricIn) pair = false;
      if ((kind & 7) == kFabricOut && advances(*operands[o])) word |= 1U << 27;
    }
    if (pair) word |= 1U << 28;
    const std::uint32_t words[7]{word,      kinds,     values[0],     values[1],
                                 values[2], values[3], i.length.value};
    for (std::uint32_t w = 0; w < 7; ++w) put(TileRtl::Write::kCode, number * 8 + w, words[w]);
  }
  void bad(const std::string& value, const std::string& rule) {
    refuse(fmt::format("instruction {}: {}", number_, value), rule + " for RTL");
  }

  std::uint32_t opcode_of(const Instruction& i) {
    switch (i.opcode) {
      case Opcode::kEnd:
        return 0;
      case Opcode::kVector:
        return 1;
      case Opcode::kScalar:
        return 2;
      case Opcode::kReceive:
        if (i.target != tiles::kNowhere) bad("a receive that looks for a control", "must not be");
        return 3;
      case Opcode::kJump:
        return 4;
      case Opcode::kJumpIfZero:
        return 5;
      case Opcode::kJumpIfNotZero:
        return 6;
      case Opcode::kLoad:
      case Opcode::kStore:
      case Opcode::kActivate:
      case Opcode::kBlock:
      case Opcode::kUnblock:
      case Opcode::kTime:
      case Opcode::kSeek:
        break;
    }
    bad("loads, stores, tasks, time and rings", "must not be used");
    return 0;
  }

  std::uint32_t op_of(const Instruction& i) {
    const bool computes = i.opcode == Opcode::kVector || i.opcode == Opcode::kScalar;
    const bool vector = i.opcode == Opcode::kVector;
    const bool word = i.type == DataType::kFp32 || i.type == DataType::kInt32;
    if ((computes || i.opcode == Opcode::kReceive) && !word) {
      bad(std::string(name_of(i.type)), "must be fp32 or int32");
    }
    if (!computes || i.op == VectorOp::kMove) return 0;
    const bool right_type = (i.type == DataType::kFp32) == vector;
    if (right_type && i.op == VectorOp::kAdd) return 1;
    if (right_type && i.op == VectorOp::kSub) return 2;
    if (right_type && vector && i.op == VectorOp::kMul) return 3;
    if (right_type && vector && i.op == VectorOp::kFma) return 4;
    if (right_type && vector && i.op == VectorOp::kNegate) return 5;
    bad(fmt::format("{} of {}", name_of(i.op), name_of(i.type)),
        "must be move, add, sub, mul, fma or negate of vectors of fp32, or move, add, sub of "
        "registers");
    return 0;
  }

  bool advances(const Operand& operand) const {
    return program_.descriptors[operand.value].advance_last;
  }

  std::uint32_t operand(const Instruction& i, const Operand& operand, std::uint32_t& value) {
    value = operand.value;
    switch (operand.kind) {
      case Operand::Kind::kNothing:
        return kNothing;
      case Operand::Kind::kImmediate:
        return kBits;
      case Operand::Kind::kRegister:
        return kRegister | operand.value << 3;
      case Operand::Kind::kDescriptor:
        break;
    }
    const Descriptor& d = program_.descriptors[operand.value];
    if (d.element_bytes != 4) bad("elements of 16 bits", "must be of 32");
    if (tiles::is_fabric(d.kind)) {
      value = d.queue;
      if (d.control) bad("control wavelets", "must not be sent");
      return d.kind == DescriptorKind::kFabricIn ? kFabricIn : kFabricOut;
    }
    const bool whole = i.length.kind == Operand::Kind::kImmediate && i.length.value <= d.extents[0];
    if (d.kind != DescriptorKind::kMemory || d.strides[0] != 1 || !whole) {
      bad(fmt::format("'{}'", d.name),
          "must be a line of memory, as long as the operation at least");
    }
    value = d.address;
    const std::uint32_t kind = d.near ? kNear : kFar;
    if (d.address_register == tiles::kNone) return kind;
    return kind | std::uint32_t{d.address_register} << 3 | 1U << 7;
  }

  void queues() {
    const tiles::ComputeConfig& c = setup_.compute;
    for (std::uint32_t q = 0; q < tiles::kNumInputQueues; ++q) {
      if (program_.input_colors[q] == tiles::kNone) continue;
      const std::uint32_t slots =
          fabric::EngineConfig::slots(c.input_depths[q], setup_.ramp_cycles);
      errors_.require(slots <= kMostSlots, fmt::format("tile.engine.input_depths.q{}", q),
                      c.input_depths[q],
                      fmt::format("needs {} slots, RTL has {}", slots, kMostSlots));
      put(TileRtl::Write::kInput, q, 1U << 5 | program_.input_colors[q]);
    }
    for (std::uint32_t q = 0; q < tiles::kNumOutputQueues; ++q) {
      if (program_.output_colors[q] == tiles::kNone) continue;
      put(TileRtl::Write::kOutput, q,
          program_.output_colors[q] | 1U << 5 | c.output_depths[q] << 8 | setup_.ramp_slots << 16);
    }
    put(TileRtl::Write::kTiming, 3, first_output());
  }
  /// The queue whose turn is taken to be over at the start: the lowest that any program uses.
  std::uint32_t first_output() const {
    for (std::uint32_t q = 0; q < tiles::kNumOutputQueues; ++q) {
      const auto& all = setup_.kernel->programs;
      const bool used = std::any_of(all.begin(), all.end(), [q](const Program& program) {
        return program.output_colors[q] != tiles::kNone;
      });
      if (used) return q;
    }
    return 0;
  }

  const tiles::TileSetup& setup_;
  const Program& program_;
  const std::string path_;
  std::uint32_t number_ = 0;
  std::vector<TileWrite> writes_;
  base::ConfigErrors errors_;
};

}  // namespace

std::vector<TileWrite> tile_program(const tiles::TileSetup& setup) {
  const std::uint32_t tile = setup.kernel->mesh().tile(setup.tile.x, setup.tile.y);
  if (setup.kernel->program(tile) == nullptr) {
    throw base::ConfigError("--twin", fmt::format("tile@{},{}", setup.tile.x, setup.tile.y),
                            "has no program in this kernel");
  }
  return Encoder(setup).run();
}

}  // namespace wse::cosim
