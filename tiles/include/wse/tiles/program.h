// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wse/tiles/arithmetic.h"

namespace wse::tiles {

inline constexpr std::uint32_t kNumInputQueues = 8;
inline constexpr std::uint32_t kNumOutputQueues = 6;
inline constexpr std::uint32_t kNumMicrothreads = 8;
inline constexpr std::uint32_t kNumThreads = 1 + kNumMicrothreads;  ///< 0 is the main thread
inline constexpr std::uint32_t kMaxTasks = 32;
inline constexpr std::uint32_t kMaxRings = 64;      ///< circular buffers and FIFOs
inline constexpr std::uint32_t kNumRegisters = 16;  ///< of 32 bits, shared by all threads
inline constexpr std::uint32_t kMaxDimensions = 4;
inline constexpr std::uint32_t kInstructionBytes = 8;  ///< A-037: at the end of the memory
inline constexpr std::uint8_t kNone = 0xff;            ///< no color, register, task
inline constexpr std::uint16_t kNowhere = 0xffff;      ///< no instruction to jump to

struct Instruction;
struct Program;

/// What an operand of a vector operation walks over.
enum class DescriptorKind : std::uint8_t {
  kMemory,    ///< 1 to 4 dimensions
  kCircular,  ///< a ring of elements; each operation goes on where the last one ended
  kFifo,      ///< a ring of elements that is written at one end and read at the other
  kFabricIn,  ///< wavelets of an input queue
  kFabricOut  ///< wavelets for an output queue
};

constexpr bool is_fabric(DescriptorKind kind) {
  return kind == DescriptorKind::kFabricIn || kind == DescriptorKind::kFabricOut;
}

/// A data structure descriptor.
struct Descriptor {
  DescriptorKind kind = DescriptorKind::kMemory;
  std::string name;                ///< for messages
  std::uint8_t element_bytes = 4;  ///< 2 or 4; through the fabric two of 2 bytes are one wavelet
  bool near = false;               ///< of an array that lies in the buffer beside the datapath
  std::uint32_t address = 0;       ///< bytes; of the first element
  std::uint8_t address_register =
      kNone;  ///< its value, in bytes, is added when an operation starts
  std::uint32_t dimensions = 1;
  std::array<std::uint32_t, kMaxDimensions> extents{};  ///< elements, the innermost first; a walk
                                                        ///< that goes on begins anew
  std::array<std::int32_t, kMaxDimensions> strides{1};  ///< elements
  std::uint32_t capacity = 0;                           ///< elements of a circular buffer or FIFO
  std::uint8_t state = kNone;    ///< number of the ring among those of the program
  bool fault_when_full = false;  ///< of a FIFO; else the operation waits
  std::uint8_t on_push = kNone;  ///< task that is activated when something was pushed
  std::uint8_t queue = 0;
  bool control = false;       ///< sends control wavelets
  bool advance_last = false;  ///< the last wavelet of an operation advances the switches it passes
};

/// Where an instruction finds a value.
struct Operand {
  enum class Kind : std::uint8_t { kNothing, kDescriptor, kRegister, kImmediate };
  Kind kind = Kind::kNothing;
  std::uint32_t value = 0;  ///< number of the descriptor or register, or the bits

  static Operand descriptor(std::uint32_t number) { return {Kind::kDescriptor, number}; }
  static Operand in_register(std::uint32_t number) { return {Kind::kRegister, number}; }
  static Operand immediate(std::uint32_t bits) { return {Kind::kImmediate, bits}; }
};

enum class Opcode : std::uint8_t {
  kVector,      ///< result[i] = op(a[i], b[i], c[i])
  kScalar,      ///< register = op(a, b, c)
  kLoad,        ///< register = the element at address a + b: 32 bits; fp16 and int16: 16; mixed: 16
                ///< bits, widened
  kStore,       ///< the word at address a = b
  kJump,        ///< to `target`
  kJumpIfZero,  ///< if a is 0
  kJumpIfNotZero,  ///< if a is not 0
  kActivate,       ///< task `target`, as the following
  kBlock,
  kUnblock,
  kReceive,  ///< register = the next wavelet of input queue a, for which it waits: fp16 and int16: its
             ///< lower half; mixed: that, widened; the register behind it gets the upper half then,
  ///< mixed and b not 0: widened as well. At a control wavelet, which it takes, it jumps to
  ///< `target`, if that is somewhere
  kTime,  ///< register = the lower 32 bits of the tile's time stamp counter
  kSeek,  ///< ring `target` of a circular buffer goes on at element a
  kEnd,   ///< of the task
};

/// What happens to a task when an operation of a microthread has finished.
enum class Completion : std::uint8_t { kNothing, kActivate, kUnblock };

enum class Priority : std::uint8_t { kLow, kMedium, kHigh };

struct Instruction {
  Opcode opcode = Opcode::kEnd;
  VectorOp op = VectorOp::kMove;
  DataType type = DataType::kFp32;
  Operand result, a, b, c;
  Operand length;                         ///< elements of a vector operation
  std::uint8_t thread = 0;                ///< 0: the main thread waits for the vector operation
  Priority priority = Priority::kMedium;  ///< of a microthread; the main thread is medium
  Completion completion = Completion::kNothing;
  std::uint16_t target = 0;  ///< instruction or task
};

struct Task {
  enum class Kind : std::uint8_t {
    kLocal,    ///< runs when it has been activated
    kData,     ///< runs for each data wavelet of its input queue, which it finds in register 0
    kControl,  ///< the same for control wavelets with its number in bits 16 .. 21
  };
  std::string name;
  Kind kind = Kind::kLocal;
  bool high_priority = false;
  bool active = false;          ///< at launch
  bool blocked = false;         ///< at launch
  std::uint8_t queue = 0;       ///< of a data or control task
  std::uint8_t control_id = 0;  ///< 0 .. 63
  std::uint16_t first = 0;      ///< instruction
};

/// Bytes of the memory of every tile that runs a program.
struct Array {
  std::uint32_t address = 0;
  std::uint32_t elements = 0;
  std::uint8_t element_bytes = 4;
  bool near = false;  ///< in the buffer beside the datapath: vector operations use no bank for it
  std::uint32_t bytes() const { return elements * element_bytes; }
};

/// What one or many tiles run. Built by a ProgramBuilder, checked by load().
struct Program {
  std::string name;
  std::vector<Task> tasks;
  std::vector<Instruction> instructions;
  std::vector<Descriptor> descriptors;
  std::vector<std::pair<std::string, Array>> arrays;  ///< by name
  std::array<std::uint8_t, kNumInputQueues> input_colors{kNone, kNone, kNone, kNone,
                                                         kNone, kNone, kNone, kNone};
  std::array<std::uint8_t, kNumOutputQueues> output_colors{kNone, kNone, kNone,
                                                           kNone, kNone, kNone};
  std::uint32_t rings = 0;         ///< circular buffers and FIFOs
  std::uint32_t memory_bytes = 0;  ///< that the builder gave away, from 0 on

  std::uint32_t code_bytes() const {
    return static_cast<std::uint32_t>(instructions.size()) * kInstructionBytes;
  }
  /// Of arrays in the buffer beside the datapath.
  std::uint32_t near_bytes() const;
  /// Null if there is none of that name.
  const Array* find_array(const std::string& name) const;
  /// The task that an instruction belongs to, for messages.
  const Task* task_of(std::uint32_t instruction) const;
};

/// The operand (1: a, 2: b, 3: c) of a vector operation that its result accumulates into: the same
/// descriptor of one element (stride 0) of an array in the buffer beside the datapath. A step adds as many
/// elements to it, one after the other, as there are lanes. 0: the operation has none.
std::uint32_t accumulator_of(const Program& program, const Instruction& instruction);

/// The registers that hold the column and row of the tile at launch; all others are 0.
inline constexpr std::uint8_t kColumnRegister = 14;
inline constexpr std::uint8_t kRowRegister = 15;

}  // namespace wse::tiles
