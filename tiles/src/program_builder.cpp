// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/program_builder.h"

#include <fmt/format.h>

#include <cstring>
#include <map>

#include "wse/tiles/half.h"
#include "wse/tiles/kernel.h"

namespace wse::tiles {

std::uint32_t accumulator_of(const Program& program, const Instruction& i) {
  if (i.opcode != Opcode::kVector || i.result.kind != Operand::Kind::kDescriptor) return 0;
  const Descriptor& d = program.descriptors[i.result.value];
  const bool one = d.kind == DescriptorKind::kMemory && d.near && d.dimensions == 1;
  if (!one || d.strides[0] != 0) return 0;
  std::uint32_t found = 0;
  const Operand* const operands[3]{&i.a, &i.b, &i.c};
  for (std::uint32_t o = 0; o < 3; ++o) {
    if (operands[o]->kind != i.result.kind || operands[o]->value != i.result.value) continue;
    if (found != 0) return 0;
    found = o + 1;
  }
  return found;
}

const Task* Program::task_of(std::uint32_t instruction) const {
  const Task* found = nullptr;
  for (const Task& task : tasks) {
    if (task.first <= instruction && (found == nullptr || task.first >= found->first)) {
      found = &task;
    }
  }
  return found;
}

std::uint32_t Program::near_bytes() const {
  std::map<std::uint32_t, std::uint32_t> bytes;  // by address: an array may have two names
  for (const auto& [array, where] : arrays) {
    if (where.near) bytes[where.address] = where.bytes();
  }
  std::uint32_t sum = 0;
  for (const auto& [address, n] : bytes) sum += n;
  return sum;
}

const Array* Program::find_array(const std::string& array) const {
  for (const auto& [found, where] : arrays) {
    if (found == array) return &where;
  }
  return nullptr;
}

Array ProgramBuilder::array(const std::string& name, std::uint32_t elements,
                            std::uint8_t element_bytes) {
  const Array array{program_.memory_bytes, elements, element_bytes, false};
  if (map_.addresses.count(name) != 0) return placed(name, array);
  program_.memory_bytes += (array.bytes() + 7) / 8 * 8;
  program_.arrays.emplace_back(name, array);
  return array;
}

Array ProgramBuilder::placed(const std::string& name, Array array) {
  array.address = map_.addresses.at(name);
  if (std::uint64_t{array.address} + array.bytes() > map_.scratch) {
    throw ProgramError(
        fmt::format("program '{}': array '{}' of {} bytes is placed at {}, but must end before the "
                    "scratch at {}",
                    program_.name, name, array.bytes(), array.address, map_.scratch));
  }
  program_.arrays.emplace_back(name, array);
  return array;
}

Array ProgramBuilder::near_array(const std::string& name, std::uint32_t elements,
                                 std::uint8_t element_bytes) {
  Array array = this->array(name, elements, element_bytes);
  array.near = program_.arrays.back().second.near = true;
  return array;
}

Operand ProgramBuilder::add(Descriptor descriptor) {
  program_.descriptors.push_back(std::move(descriptor));
  return Operand::descriptor(static_cast<std::uint32_t>(program_.descriptors.size() - 1));
}

Descriptor ProgramBuilder::of(const Array& array) const {
  Descriptor d;
  d.element_bytes = array.element_bytes;
  d.address = array.address;
  d.near = array.near;
  for (const auto& [name, other] : program_.arrays) {
    if (other.address == array.address) d.name = name;
  }
  return d;
}

Operand ProgramBuilder::part(const Array& array, std::uint32_t first, std::uint32_t count) {
  return walk(array, first, {{count, 1}});
}

Operand ProgramBuilder::walk(const Array& array, std::uint32_t first,
                             std::initializer_list<Dimension> dimensions) {
  Descriptor d = of(array);
  d.address += first * array.element_bytes;
  d.dimensions = static_cast<std::uint32_t>(dimensions.size());
  std::size_t i = 0;
  for (const Dimension& dimension : dimensions) {
    if (i == kMaxDimensions) break;  // load() says so
    d.extents[i] = dimension.extent;
    d.strides[i++] = dimension.stride;
  }
  return add(d);
}

Operand ProgramBuilder::circular(const Array& array) {
  Descriptor d = of(array);
  d.kind = DescriptorKind::kCircular;
  d.capacity = array.elements;
  d.state = static_cast<std::uint8_t>(program_.rings++);
  return add(d);
}

Operand ProgramBuilder::fifo(const Array& array, bool fault_when_full, std::uint8_t on_push) {
  const Operand operand = circular(array);
  Descriptor& d = program_.descriptors.back();
  d.kind = DescriptorKind::kFifo;
  d.fault_when_full = fault_when_full;
  d.on_push = on_push;
  return operand;
}

Operand ProgramBuilder::fabric_in(std::uint8_t queue, std::uint8_t element_bytes) {
  Descriptor d;
  d.kind = DescriptorKind::kFabricIn;
  d.element_bytes = element_bytes;
  d.queue = queue;
  return add(d);
}

Operand ProgramBuilder::fabric_out(std::uint8_t queue, std::uint8_t element_bytes, Last last) {
  Descriptor d;
  d.kind = DescriptorKind::kFabricOut;
  d.element_bytes = element_bytes;
  d.queue = queue;
  d.advance_last = last == Last::kAdvance;
  return add(d);
}

Operand ProgramBuilder::control_out(std::uint8_t queue) {
  const Operand operand = fabric_out(queue);
  program_.descriptors.back().control = true;
  return operand;
}

Operand ProgramBuilder::at_register(Operand descriptor, std::uint8_t number) {
  program_.descriptors[descriptor.value].address_register = number;
  return descriptor;
}

Operand ProgramBuilder::number(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return Operand::immediate(bits);
}

Operand ProgramBuilder::half(float value) { return Operand::immediate(Half::of(value).bits()); }

Task& ProgramBuilder::task(const std::string& name) {
  Task task;
  task.name = name;
  task.first = here();
  program_.tasks.push_back(task);
  return program_.tasks.back();
}

Task& ProgramBuilder::data_task(const std::string& name, std::uint8_t queue) {
  Task& added = task(name);
  added.kind = Task::Kind::kData;
  added.queue = queue;
  return added;
}

Task& ProgramBuilder::control_task(const std::string& name, std::uint8_t queue, std::uint8_t id) {
  Task& added = data_task(name, queue);
  added.kind = Task::Kind::kControl;
  added.control_id = id;
  return added;
}

Instruction& ProgramBuilder::add(Opcode opcode) {
  program_.instructions.push_back({});
  program_.instructions.back().opcode = opcode;
  return program_.instructions.back();
}

Instruction& ProgramBuilder::vector(VectorOp op, DataType type, Operand result, Operand a,
                                    Operand length) {
  return vector(op, type, result, a, {}, {}, length);
}

Instruction& ProgramBuilder::vector(VectorOp op, DataType type, Operand result, Operand a,
                                    Operand b, Operand length) {
  return vector(op, type, result, a, b, {}, length);
}

Instruction& ProgramBuilder::vector(VectorOp op, DataType type, Operand result, Operand a,
                                    Operand b, Operand c, Operand length) {
  Instruction& i = add(Opcode::kVector);
  i.op = op;
  i.type = type;
  i.result = result;
  i.a = a;
  i.b = b;
  i.c = c;
  i.length = length;
  return i;
}

Instruction& ProgramBuilder::scalar(VectorOp op, DataType type, std::uint8_t result, Operand a,
                                    Operand b, Operand c) {
  Instruction& i = add(Opcode::kScalar);
  i.op = op;
  i.type = type;
  i.result = r(result);
  i.a = a;
  i.b = b;
  i.c = c;
  return i;
}

Instruction& ProgramBuilder::load(std::uint8_t result, Operand address, DataType type,
                                  Operand offset) {
  Instruction& i = add(Opcode::kLoad);
  i.type = type;
  i.result = r(result);
  i.a = address;
  i.b = offset;
  return i;
}

Instruction& ProgramBuilder::receive(std::uint8_t result, std::uint8_t queue, DataType type,
                                     std::uint16_t on_control) {
  Instruction& i = add(Opcode::kReceive);
  i.type = type;
  i.result = r(result);
  i.a = integer(queue);
  i.target = on_control;
  return i;
}

void ProgramBuilder::store(Operand address, Operand value) {
  Instruction& i = add(Opcode::kStore);
  i.a = address;
  i.b = value;
}

void ProgramBuilder::seek(Operand circular, Operand element) {
  Instruction& i = add(Opcode::kSeek);
  i.a = element;
  i.target = program_.descriptors[circular.value].state;
}

Instruction& ProgramBuilder::jump_if_zero(Operand a, std::uint16_t target) {
  Instruction& i = add(Opcode::kJumpIfZero);
  i.a = a;
  i.target = target;
  return i;
}

Instruction& ProgramBuilder::jump_if_not_zero(Operand a, std::uint16_t target) {
  Instruction& i = jump_if_zero(a, target);
  i.opcode = Opcode::kJumpIfNotZero;
  return i;
}

}  // namespace wse::tiles
