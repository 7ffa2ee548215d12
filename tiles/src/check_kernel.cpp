// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "wse/tiles/kernel.h"

namespace wse::tiles {
namespace {

using Kind = Operand::Kind;

/// Collects what is wrong with the programs of a kernel.
class Checker {
 public:
  Checker(const Kernel& kernel, std::uint64_t sram_bytes, std::uint64_t near_bytes)
      : kernel_(kernel), sram_bytes_(sram_bytes), near_bytes_(near_bytes) {}

  void check() {
    base::ConfigErrors routes;
    fabric::check_routes(kernel_.routes, routes);
    try {
      routes.throw_if_any();
    } catch (const base::ConfigError& error) {
      text_ += std::string(error.what()) + "\n";
    }
    std::vector<std::uint32_t> first(kernel_.programs.size(), fabric::Mesh::kNone);
    for (std::uint32_t tile = 0; tile < kernel_.program_of.size(); ++tile) {
      const std::uint16_t number = kernel_.program_of[tile];
      if (number == Kernel::kIdle) {
        check_idle(tile);
        continue;
      }
      if (first[number] == fabric::Mesh::kNone) first[number] = tile;
      check_colors(kernel_.programs[number], tile);
    }
    for (std::size_t i = 0; i < first.size(); ++i) check_program(kernel_.programs[i], first[i]);
    if (violations_ > kShown) text_ += fmt::format("and {} more\n", violations_ - kShown);
    if (text_.empty()) return;
    text_.pop_back();
    throw ProgramError(text_);
  }

 private:
  static constexpr std::uint32_t kShown = 20;

  void say(std::uint32_t tile, const std::string& place, const std::string& rule) {
    if (++violations_ > kShown) return;
    std::string where = kernel_.name.empty() ? "kernel" : kernel_.name;
    if (tile != fabric::Mesh::kNone) {
      const base::Coordinate at = kernel_.mesh().at(tile);
      where += fmt::format(", tile ({},{})", at.x, at.y);
    }
    text_ += fmt::format("{}, {}: {}\n", where, place, rule);
  }

  /// Queues of a program against the routes of a tile.
  void check_colors(const Program& p, std::uint32_t tile) {
    const std::string place = fmt::format("program '{}'", p.name);
    std::uint32_t read = 0;
    for (std::uint32_t q = 0; q < kNumInputQueues; ++q) {
      const std::uint8_t color = p.input_colors[q];
      if (color == kNone) continue;
      if (color >= fabric::kNumColors) {
        say(tile, place, fmt::format("input queue {} has color {}, must be 0 .. 23", q, color));
        continue;
      }
      if ((read >> color & 1) != 0) {
        say(tile, place, fmt::format("color {} is tied to two input queues", color));
      }
      read |= 1U << color;
      const fabric::ColorRoute* route = kernel_.routes.find(tile, color);
      if (route == nullptr || !route->outputs().contains(fabric::Port::kRamp)) {
        say(tile, place,
            fmt::format("input queue {} waits for color {}, which no route leads to the ramp", q,
                        color));
      }
    }
    for (std::uint8_t color = 0; color < fabric::kNumColors; ++color) {
      const fabric::ColorRoute* route = kernel_.routes.find(tile, color);
      if (route == nullptr || !route->outputs().contains(fabric::Port::kRamp)) continue;
      if ((read >> color & 1) == 0) {
        say(tile, place,
            fmt::format("color {} is routed to the ramp, no input queue has it", color));
      }
    }
    std::uint32_t sent = 0;
    for (std::uint32_t q = 0; q < kNumOutputQueues; ++q) {
      const std::uint8_t color = p.output_colors[q];
      if (color == kNone) continue;
      if (color < fabric::kNumColors && (sent >> color & 1) != 0) {
        say(tile, place, fmt::format("color {} is tied to two output queues", color));
      }
      if (color < fabric::kNumColors) sent |= 1U << color;
      const fabric::ColorRoute* route =
          color < fabric::kNumColors ? kernel_.routes.find(tile, color) : nullptr;
      if (route == nullptr || !route->inputs().contains(fabric::Port::kRamp)) {
        say(tile, place,
            fmt::format("output queue {} sends color {}, which no route takes from the ramp", q,
                        color));
      }
    }
  }

  void check_idle(std::uint32_t tile) {
    for (std::uint8_t color = 0; color < fabric::kNumColors; ++color) {
      const fabric::ColorRoute* route = kernel_.routes.find(tile, color);
      if (route == nullptr || !route->outputs().contains(fabric::Port::kRamp)) continue;
      say(tile, "no program",
          fmt::format("color {} is routed to the ramp, nobody reads it", color));
    }
  }

  void check_program(const Program& p, std::uint32_t tile) {
    const std::string place = fmt::format("program '{}'", p.name);
    if (p.tasks.empty()) say(tile, place, "has no task");
    if (p.tasks.size() > kMaxTasks) {
      say(tile, place, fmt::format("has {} tasks, at most {} can be", p.tasks.size(), kMaxTasks));
    }
    if (p.rings > kMaxRings) {
      say(tile, place, fmt::format("has {} rings, at most {} can be", p.rings, kMaxRings));
    }
    if (p.instructions.empty() || (p.instructions.back().opcode != Opcode::kEnd &&
                                   p.instructions.back().opcode != Opcode::kJump)) {
      say(tile, place, "runs past its last instruction, which must be an end or a jump");
    }
    const std::uint64_t all = std::uint64_t{p.memory_bytes} + p.code_bytes();
    too_large_ = all > sram_bytes_;
    if (too_large_) {
      say(tile, place,
          fmt::format("needs {} bytes of data and {} of code, a tile has {}", p.memory_bytes,
                      p.code_bytes(), sram_bytes_));
    }
    if (p.near_bytes() > near_bytes_) {
      say(tile, place,
          fmt::format("needs {} bytes of the buffer beside the datapath, which has {}",
                      p.near_bytes(), near_bytes_));
    }
    for (const Task& task : p.tasks) check_task(p, task, tile);
    for (const Descriptor& d : p.descriptors) check_descriptor(p, d, tile);
    for (std::uint32_t i = 0; i < p.instructions.size(); ++i) check_instruction(p, i, tile);
  }

  void check_task(const Program& p, const Task& task, std::uint32_t tile) {
    const std::string place = fmt::format("program '{}', task '{}'", p.name, task.name);
    if (task.first >= p.instructions.size()) say(tile, place, "has no instructions");
    if (task.kind == Task::Kind::kLocal) return;
    if (task.queue >= kNumInputQueues || p.input_colors[task.queue] == kNone) {
      say(tile, place, fmt::format("waits for input queue {}, which has no color", task.queue));
    }
    if (task.active) say(tile, place, "is activated by wavelets, not at launch");
    if (task.control_id > 63) {
      say(tile, place, fmt::format("has the control id {}, must be 0 .. 63", task.control_id));
    }
  }

  void check_descriptor(const Program& p, const Descriptor& d, std::uint32_t tile) {
    const std::string place = fmt::format("program '{}', descriptor of '{}'", p.name, d.name);
    if (d.element_bytes != 2 && d.element_bytes != 4) {
      say(tile, place, fmt::format("has elements of {} bytes, must be 2 or 4", d.element_bytes));
    }
    if (d.address_register != kNone && d.address_register >= kNumRegisters) {
      say(tile, place,
          fmt::format("adds register {}, there are {}", d.address_register, kNumRegisters));
    }
    switch (d.kind) {
      case DescriptorKind::kFabricIn:
        if (d.queue >= kNumInputQueues || p.input_colors[d.queue] == kNone) {
          say(tile, fmt::format("program '{}'", p.name),
              fmt::format("reads input queue {}, which has no color", d.queue));
        }
        return;
      case DescriptorKind::kFabricOut:
        if (d.queue >= kNumOutputQueues || p.output_colors[d.queue] == kNone) {
          say(tile, fmt::format("program '{}'", p.name),
              fmt::format("writes output queue {}, which has no color", d.queue));
        }
        return;
      case DescriptorKind::kCircular:
      case DescriptorKind::kFifo:
        if (d.capacity == 0) say(tile, place, "is a ring of no elements");
        if (d.on_push != kNone && d.on_push >= p.tasks.size()) {
          say(tile, place, fmt::format("activates task {}, which does not exist", d.on_push));
        } else if (d.on_push != kNone && p.tasks[d.on_push].kind != Task::Kind::kLocal) {
          say(tile, place,
              fmt::format("activates task '{}', which wavelets start", p.tasks[d.on_push].name));
        }
        check_range(place, tile, p, d.address, std::uint64_t{d.capacity} * d.element_bytes);
        return;
      case DescriptorKind::kMemory:
        break;
    }
    check_walk(place, tile, p, d);
  }

  void check_walk(const std::string& place, std::uint32_t tile, const Program& p,
                  const Descriptor& d) {
    if (d.dimensions < 1 || d.dimensions > kMaxDimensions) {
      return say(tile, place, fmt::format("has {} dimensions, must be 1 .. 4", d.dimensions));
    }
    std::int64_t low = 0;
    std::int64_t high = 0;
    for (std::uint32_t i = 0; i < d.dimensions; ++i) {
      if (d.extents[i] == 0) return say(tile, place, "has a dimension of no elements");
      const std::int64_t reach = (std::int64_t{d.extents[i]} - 1) * d.strides[i];
      (reach < 0 ? low : high) += reach;
    }
    if (d.address_register != kNone) return;  // known when it runs
    const std::int64_t first = std::int64_t{d.address} + low * d.element_bytes;
    if (first < 0) return say(tile, place, "begins before the memory");
    check_range(place, tile, p, static_cast<std::uint64_t>(first),
                static_cast<std::uint64_t>(high - low + 1) * d.element_bytes);
  }

  void check_range(const std::string& place, std::uint32_t tile, const Program& p,
                   std::uint64_t first, std::uint64_t bytes) {
    const std::uint64_t end = sram_bytes_ - std::min<std::uint64_t>(sram_bytes_, p.code_bytes());
    if (first % 2 != 0) say(tile, place, fmt::format("begins at the odd address {}", first));
    if (first + bytes <= end || too_large_) return;
    say(tile, place,
        fmt::format("reaches byte {}, data end at {} of {}", first + bytes - 1, end, sram_bytes_));
  }

  void check_instruction(const Program& p, std::uint32_t number, std::uint32_t tile) {
    const Instruction& i = p.instructions[number];
    const Task* task = p.task_of(number);
    const std::string place = fmt::format("program '{}', task '{}', instruction {}", p.name,
                                          task == nullptr ? "" : task->name, number);
    const auto rule = [&](bool holds, const std::string& text) {
      if (!holds) say(tile, place, text);
    };
    for (const Operand& operand : {i.result, i.a, i.b, i.c, i.length}) {
      if (operand.kind == Kind::kRegister) {
        rule(operand.value < kNumRegisters, fmt::format("register {} of 16", operand.value));
      } else if (operand.kind == Kind::kDescriptor) {
        rule(operand.value < p.descriptors.size() && i.opcode == Opcode::kVector,
             fmt::format("descriptor {} cannot be here", operand.value));
      }
    }
    switch (i.opcode) {
      case Opcode::kVector:
        return check_vector(p, i, rule);
      case Opcode::kScalar:
        rule(is_legal(i.op, i.type) && i.op != VectorOp::kUnpack,
             fmt::format("there is no {} of {}", name_of(i.op), name_of(i.type)));
        return rule(i.result.kind == Kind::kRegister, "needs a register for its result");
      case Opcode::kReceive: {
        const std::uint32_t q = i.a.value;
        rule(i.a.kind == Kind::kImmediate && q < kNumInputQueues && p.input_colors[q] != kNone,
             fmt::format("receives from input queue {}, which has no color", q));
        rule(i.target == kNowhere || i.target < p.instructions.size(),
             fmt::format("jumps to instruction {}, the last one is {}", i.target,
                         p.instructions.size() - 1));
        const bool halves = bits_of(i.type) == 16 || i.type == DataType::kMixed;
        return rule(
            i.result.kind == Kind::kRegister && i.result.value + (halves ? 1 : 0) < kNumRegisters,
            "needs a register for each of its results");
      }
      case Opcode::kLoad:
      case Opcode::kTime:
        return rule(i.result.kind == Kind::kRegister, "needs a register for its result");
      case Opcode::kJump:
      case Opcode::kJumpIfZero:
      case Opcode::kJumpIfNotZero:
        return rule(i.target < p.instructions.size(),
                    fmt::format("jumps to instruction {}, the last one is {}", i.target,
                                p.instructions.size() - 1));
      case Opcode::kActivate:
        rule(i.target >= p.tasks.size() || p.tasks[i.target].kind == Task::Kind::kLocal,
             "activates a task that wavelets start");
        [[fallthrough]];
      case Opcode::kBlock:
      case Opcode::kUnblock:
        return rule(i.target < p.tasks.size(),
                    fmt::format("names task {}, the last one is {}", i.target, p.tasks.size() - 1));
      case Opcode::kSeek:
        return rule(i.target < p.rings, fmt::format("moves ring {}, the last one is {}", i.target,
                                                    std::int64_t{p.rings} - 1));
      case Opcode::kStore:
      case Opcode::kEnd:
        return;
    }
  }

  template <class Rule>
  void check_vector(const Program& p, const Instruction& i, const Rule& rule) {
    rule(is_legal(i.op, i.type),
         fmt::format("there is no {} of {}", name_of(i.op), name_of(i.type)));
    rule(i.thread < kNumThreads,
         fmt::format("microthread {}, the last one is {}", i.thread - 1, kNumMicrothreads - 1));
    rule(i.length.kind != Kind::kNothing, "has no length");
    if (i.completion != Completion::kNothing) {
      rule(i.thread != 0, "only an operation of a microthread tells a task that it has finished");
      rule(i.target < p.tasks.size(), fmt::format("names task {}, which does not exist", i.target));
      rule(i.target >= p.tasks.size() || i.completion == Completion::kUnblock ||
               p.tasks[i.target].kind == Task::Kind::kLocal,
           "activates a task that wavelets start");
    }
    const Descriptor* result = descriptor(p, i.result);
    rule(result != nullptr && result->kind != DescriptorKind::kFabricIn,
         "needs a descriptor for its result that can be written");
    const std::array<Operand, 3> operands{i.a, i.b, i.c};
    std::uint32_t memory = 0;
    std::uint32_t queues = 0;
    std::uint64_t fifos = 0;
    for (std::uint32_t o = 0; o < 3; ++o) {
      const bool wanted = o < operands_of(i.op);
      rule(wanted == (operands[o].kind != Kind::kNothing),
           fmt::format("{} takes {} operands", name_of(i.op), operands_of(i.op)));
      rule(operands[o].kind != Kind::kImmediate || i.type != DataType::kFp16 ||
               i.op == VectorOp::kUnpack || operands[o].value <= 0xffff,
           "an immediate value of fp16 has 16 bits, see ProgramBuilder::half");
      const Descriptor* d = descriptor(p, operands[o]);
      if (d == nullptr) continue;
      if (d->kind == DescriptorKind::kFifo) {
        rule((fifos >> d->state & 1) == 0, "reads one FIFO twice");
        fifos |= std::uint64_t{1} << (d->state & 63);
      }
      rule(d->kind != DescriptorKind::kFabricOut, "reads a descriptor that can only be written");
      check_width(i, *d, rule);
      if (d->kind == DescriptorKind::kFabricIn) {
        rule((queues >> d->queue & 1) == 0, "reads one input queue twice");
        queues |= 1U << d->queue;
      } else {
        if (!d->near) ++memory;
      }
    }
    check_pairs(p, i, rule);
    rule(memory <= 2, "reads three operands from memory, there are two ports");
    if (result == nullptr) return;
    if (i.op == VectorOp::kUnpack) {
      rule(result->kind == DescriptorKind::kMemory && result->element_bytes == 2,
           "unpack writes elements of 2 bytes in memory");
    } else {
      check_width(i, *result, rule);
    }
  }

  /// Where two elements are one wavelet, all else must come in twos as well.
  template <class Rule>
  static void check_pairs(const Program& p, const Instruction& i, const Rule& rule) {
    const std::array<const Descriptor*, 4> all{descriptor(p, i.result), descriptor(p, i.a),
                                               descriptor(p, i.b), descriptor(p, i.c)};
    std::uint32_t widths = 0;
    for (const Descriptor* d : all) {
      if (d != nullptr && is_fabric(d->kind)) widths |= d->element_bytes;
    }
    rule(widths != 6, "mixes wavelets of one element with wavelets of two");
    if (widths != 2) return;
    for (const Descriptor* d : all) {
      if (d == nullptr || d->kind != DescriptorKind::kMemory) continue;
      const bool once = i.length.kind == Kind::kImmediate && i.length.value <= d->extents[0];
      const bool one = d->dimensions == 1 && d->strides[0] == 1 && once;
      rule(one || (d->extents[0] % 2 == 0 && d->strides[0] == 1),
           fmt::format("two elements are one wavelet, '{}' does not walk in twos", d->name));
    }
  }

  template <class Rule>
  static void check_width(const Instruction& i, const Descriptor& d, const Rule& rule) {
    const std::uint32_t wanted = i.op == VectorOp::kUnpack ? 4 : bits_of(i.type) / 8;
    rule(i.type == DataType::kMixed || d.element_bytes == wanted,
         fmt::format("{} of {} on elements of {} bytes", name_of(i.op), name_of(i.type),
                     d.element_bytes));
  }

  static const Descriptor* descriptor(const Program& p, const Operand& operand) {
    if (operand.kind != Kind::kDescriptor || operand.value >= p.descriptors.size()) return nullptr;
    return &p.descriptors[operand.value];
  }

  const Kernel& kernel_;
  const std::uint64_t sram_bytes_;
  const std::uint64_t near_bytes_;
  bool too_large_ = false;  ///< the program that is checked; then of course its arrays are
  std::string text_;
  std::uint32_t violations_ = 0;
};

}  // namespace

void check(const Kernel& kernel, std::uint64_t sram_bytes, std::uint64_t near_bytes) {
  Checker(kernel, sram_bytes, near_bytes).check();
}

}  // namespace wse::tiles
