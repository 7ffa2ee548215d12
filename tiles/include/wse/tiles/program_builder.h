// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "wse/tiles/memory_map.h"
#include "wse/tiles/program.h"

namespace wse::tiles {

/// One dimension of a walk through memory.
struct Dimension {
  std::uint32_t extent = 1;
  std::int32_t stride = 1;  ///< elements
};

/// Writes a program, in the order of a listing: memory and queues, then each task with its
/// instructions. Nothing is checked before load().
///
///     ProgramBuilder p("double");
///     const Array x = p.array("x", 64);
///     p.task("main").active = true;
///     p.vector(VectorOp::kAdd, DataType::kFp32, p.all(x), p.all(x), p.all(x), 64);
///     p.end();
///     Program program = p.build();
class ProgramBuilder {
 public:
  explicit ProgramBuilder(std::string name) { program_.name = std::move(name); }
  /// Arrays that the map names lie where it says, the others from its scratch on.
  ProgramBuilder(std::string name, MemoryMap map) : map_(std::move(map)) {
    program_.name = std::move(name);
    program_.memory_bytes = map_.scratch;
  }
  const MemoryMap& map() const { return map_; }

  /// The next free bytes, aligned to 8; or those of the map. Throws ProgramError if the latter reach into
  /// its scratch.
  Array array(const std::string& name, std::uint32_t elements, std::uint8_t element_bytes = 4);
  /// An array in the buffer beside the datapath, whose accesses cost no bank: accumulators.
  Array near_array(const std::string& name, std::uint32_t elements, std::uint8_t element_bytes = 4);
  /// Another name for the same bytes.
  Array same(const Array& array, const std::string& name) {
    program_.arrays.emplace_back(name, array);
    return array;
  }
  /// Ties a queue to a color.
  void input(std::uint8_t queue, std::uint8_t color) { program_.input_colors[queue] = color; }
  void output(std::uint8_t queue, std::uint8_t color) { program_.output_colors[queue] = color; }

  /// Descriptors: all of an array; `count` elements from `first` on; a walk, the innermost dimension
  /// first. A walk that is longer than its extents begins anew.
  Operand all(const Array& array) { return part(array, 0, array.elements); }
  Operand part(const Array& array, std::uint32_t first, std::uint32_t count);
  Operand walk(const Array& array, std::uint32_t first,
               std::initializer_list<Dimension> dimensions);
  Operand circular(const Array& array);
  Operand fifo(const Array& array, bool fault_when_full = false, std::uint8_t on_push = kNone);
  Operand fabric_in(std::uint8_t queue, std::uint8_t element_bytes = 4);
  enum class Last : std::uint8_t { kPlain, kAdvance };
  Operand fabric_out(std::uint8_t queue, std::uint8_t element_bytes = 4, Last last = Last::kPlain);
  Operand control_out(std::uint8_t queue);
  /// Adds the value of a register, in bytes, to the address of a descriptor.
  Operand at_register(Operand descriptor, std::uint8_t number);
  static Operand r(std::uint32_t number) { return Operand::in_register(number); }
  static Operand integer(std::int64_t value) {
    return Operand::immediate(static_cast<std::uint32_t>(value));
  }
  static Operand number(float value);  ///< fp32 and mixed
  static Operand half(float value);    ///< fp16, rounded

  /// Begins a task; what follows belongs to it. Gives it for its properties; its number is that of
  /// the order. The reference holds until the next one.
  Task& task(const std::string& name);
  Task& data_task(const std::string& name, std::uint8_t queue);
  Task& control_task(const std::string& name, std::uint8_t queue, std::uint8_t id);
  /// The number of the task that is being written.
  std::uint8_t current_task() const { return static_cast<std::uint8_t>(program_.tasks.size() - 1); }

  /// Vector operations; the instruction can be changed until the next one.
  Instruction& vector(VectorOp op, DataType type, Operand result, Operand a, Operand length);
  Instruction& vector(VectorOp op, DataType type, Operand result, Operand a, Operand b,
                      Operand length);
  Instruction& vector(VectorOp op, DataType type, Operand result, Operand a, Operand b, Operand c,
                      Operand length);
  Instruction& last() { return program_.instructions.back(); }
  /// Instruction `number`, for jumps forward.
  Instruction& at(std::uint16_t number) { return program_.instructions[number]; }
  Instruction& scalar(VectorOp op, DataType type, std::uint8_t result, Operand a,
                      Operand b = integer(0), Operand c = integer(0));
  void set(std::uint8_t result, Operand a) { scalar(VectorOp::kMove, DataType::kInt32, result, a); }
  Instruction& load(std::uint8_t result, Operand address, DataType type = DataType::kInt32,
                    Operand offset = integer(0));
  void store(Operand address, Operand value);
  /// Waits for a wavelet; at a control wavelet jumps to `on_control`.
  Instruction& receive(std::uint8_t result, std::uint8_t queue, DataType type,
                       std::uint16_t on_control = kNowhere);
  /// Two numbers of fp16, into a register and the next one, as mixed arithmetic takes them.
  void receive_pair(std::uint8_t result, std::uint8_t queue) {
    receive(result, queue, DataType::kMixed).b = integer(1);
  }
  /// The number of the next instruction, for jumps back.
  std::uint16_t here() const { return static_cast<std::uint16_t>(program_.instructions.size()); }
  void jump(std::uint16_t target) { add(Opcode::kJump).target = target; }
  Instruction& jump_if_zero(Operand a, std::uint16_t target = 0);
  Instruction& jump_if_not_zero(Operand a, std::uint16_t target = 0);
  void activate(std::uint8_t task) { add(Opcode::kActivate).target = task; }
  void block(std::uint8_t task) { add(Opcode::kBlock).target = task; }
  void unblock(std::uint8_t task) { add(Opcode::kUnblock).target = task; }
  /// The time stamp counter of the tile; those of different tiles are not aligned.
  void time(std::uint8_t result) { add(Opcode::kTime).result = r(result); }
  /// The next operation on the circular buffer begins at an element.
  void seek(Operand circular, Operand element);
  void end() { add(Opcode::kEnd); }

  std::uint32_t memory_bytes() const { return program_.memory_bytes; }
  Program build() { return std::move(program_); }

 private:
  Instruction& add(Opcode opcode);
  Operand add(Descriptor descriptor);
  Descriptor of(const Array& array) const;
  Array placed(const std::string& name, Array array);

  MemoryMap map_;
  Program program_;
};

/// Lets the main thread go on while the operation runs.
inline Instruction& on_microthread(Instruction& instruction, std::uint8_t microthread,
                                   Completion completion = Completion::kNothing,
                                   std::uint8_t task = 0) {
  instruction.thread = static_cast<std::uint8_t>(microthread + 1);
  instruction.completion = completion;
  instruction.target = task;
  return instruction;
}

}  // namespace wse::tiles
