// SPDX-License-Identifier: Apache-2.0
#include "support/slow_engines.h"

#include <algorithm>

#include "wse/base/check.h"

namespace wse::testing {

using base::Cycles;
using fabric::Wavelet;
using tiles::Completion;
using tiles::DataType;
using tiles::Descriptor;
using tiles::DescriptorKind;
using tiles::Instruction;
using tiles::kNone;
using tiles::kNumInputQueues;
using tiles::kNumOutputQueues;
using tiles::kNumThreads;
using tiles::Opcode;
using tiles::Operand;
using tiles::Priority;
using tiles::Task;
using tiles::VectorOp;

namespace {

constexpr std::size_t kResult = 0;  // among the operands of an operation

std::uint32_t read_bytes(const std::vector<std::uint8_t>& memory, std::size_t address,
                         std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= std::uint32_t{memory[address + i]} << (8 * i);
  }
  return value;
}

void write_bytes(std::vector<std::uint8_t>& memory, std::size_t address, std::size_t bytes,
                 std::uint32_t value) {
  for (std::size_t i = 0; i < bytes; ++i) {
    memory[address + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

std::uint32_t control_id(const Wavelet& w) { return w.data >> 16 & 63; }

bool waits_for(const Task& task, std::size_t queue, const Wavelet& w) {
  if (task.kind == Task::Kind::kLocal || task.queue != queue) return false;
  if (task.kind == Task::Kind::kData) return !w.control;
  return w.control && task.control_id == control_id(w);
}

}  // namespace

const char* name_of(SlowEngines::Outcome outcome) {
  switch (outcome) {
    case SlowEngines::Outcome::kCompleted:
      return "completed";
    case SlowEngines::Outcome::kDeadlock:
      return "deadlock";
    case SlowEngines::Outcome::kFault:
      return "fault";
    case SlowEngines::Outcome::kLimit:
      return "limit";
  }
  return "";
}

SlowEngines::SlowEngines(const tiles::Kernel& kernel, const tiles::MeshConfig& config,
                         fabric::Engine& fabric)
    : kernel_(kernel), config_(config), fabric_(fabric) {
  for (std::uint32_t number = 0; number < kernel.mesh().tiles(); ++number) {
    Tile& t = tiles_.emplace_back(config.sram);
    t.number = number;
    t.program = kernel.program(number);
    if (t.program != nullptr) t.rings.resize(t.program->rings);
    t.slots.fill(config.fabric.ramp_slots());
  }
}

tiles::EngineStats SlowEngines::stats() const {
  tiles::EngineStats stats = stats_;
  for (const Tile& t : tiles_) {
    stats.banks += t.banks.counts();
    stats.banks += t.counted;
  }
  return stats;
}

// The run.

void SlowEngines::launch() {
  for (Tile& t : tiles_) {
    if (t.program == nullptr) continue;
    t.registers[tiles::kColumnRegister] = kernel_.mesh().at(t.number).x;
    t.registers[tiles::kRowRegister] = kernel_.mesh().at(t.number).y;
    for (std::size_t i = 0; i < t.program->tasks.size(); ++i) {
      if (t.program->tasks[i].active) t.active.insert(i);
      if (t.program->tasks[i].blocked) t.blocked.insert(i);
    }
    anything_goes_on_ = true;
  }
}

SlowEngines::Outcome SlowEngines::run(Cycles limit) {
  launch();
  while (anything_goes_on_ || fabric_.can_move() || !arrivals_.empty() || !freed_slots_.empty()) {
    if (now() == limit) return Outcome::kLimit;
    cycle();
    if (!faults_.empty()) return Outcome::kFault;
  }
  const bool left =
      std::any_of(tiles_.begin(), tiles_.end(), [this](const Tile& t) { return is_left(t); });
  return left || fabric_.held() != 0 ? Outcome::kDeadlock : Outcome::kCompleted;
}

void SlowEngines::cycle() {
  receive_what_is_due();
  anything_goes_on_ = false;
  for (Tile& t : tiles_) {
    if (t.program == nullptr || t.stopped) continue;
    step(t);
    if (t.given) {
      const bool taken = fabric_.inject(fabric_.source(t.number, t.given->color), *t.given);
      WSE_CHECK(taken, "a compute engine gave a wavelet without a slot");
    }
    for (const std::uint8_t color : t.freed_colors) {
      fabric_.return_credit(fabric::leaf_of(t.number, color));
    }
    if (goes_on(t)) anything_goes_on_ = true;
  }
  fabric_.step(*this);
}

void SlowEngines::deliver(Cycles cycle, const fabric::Delivery* begin,
                          const fabric::Delivery* end) {
  for (const fabric::Delivery* d = begin; d != end; ++d) arrivals_.emplace(cycle, *d);
}

void SlowEngines::free_slots(Cycles cycle, const std::uint32_t* begin, const std::uint32_t* end) {
  for (const std::uint32_t* leaf = begin; leaf != end; ++leaf) {
    freed_slots_.emplace(cycle + config_.fabric.ramp_cycles, *leaf);
  }
}

void SlowEngines::receive_what_is_due() {
  while (!arrivals_.empty() && arrivals_.begin()->first == now()) {
    const fabric::Delivery& d = arrivals_.begin()->second;
    Tile& t = tiles_[fabric::tile_of(d.leaf)];
    for (std::size_t q = 0; q < kNumInputQueues; ++q) {
      if (t.program->input_colors[q] == fabric::color_of(d.leaf)) {
        t.inputs[q].push_back(d.wavelet());
      }
    }
    arrivals_.erase(arrivals_.begin());
  }
  while (!freed_slots_.empty() && freed_slots_.begin()->first == now()) {
    const std::uint32_t leaf = freed_slots_.begin()->second;
    Tile& t = tiles_[fabric::tile_of(leaf)];
    for (std::size_t q = 0; q < kNumOutputQueues; ++q) {
      if (t.program->output_colors[q] == fabric::color_of(leaf)) ++t.slots[q];
    }
    freed_slots_.erase(freed_slots_.begin());
  }
}

/// Whether the tile did something or waits for a cycle that will come.
bool SlowEngines::goes_on(const Tile& t) const {
  const Cycles done = now();  // of this cycle: the fabric has not moved on
  if (t.stopped) return false;
  if (t.acted || t.banks_free > done || (t.task && t.main_ready > done)) return true;
  return std::any_of(t.operations.begin(), t.operations.end(),
                     [done](const auto& o) { return o && o->first_step > done; });
}

/// Whether something is unfinished when nothing goes on.
bool SlowEngines::is_left(const Tile& t) const {
  const auto filled = [](const auto& queue) { return !queue.empty(); };
  return t.task ||
         std::any_of(t.operations.begin(), t.operations.end(),
                     [](const auto& o) { return o.has_value(); }) ||
         !t.active.empty() || std::any_of(t.inputs.begin(), t.inputs.end(), filled) ||
         std::any_of(t.outputs.begin(), t.outputs.end(), filled);
}

void SlowEngines::step(Tile& t) {
  t.acted = false;
  t.read.clear();
  t.gave.reset();
  t.given.reset();
  t.freed_colors.clear();
  give_to_ramp(t);
  drop_control_wavelets(t);
  choose_task(t);
  issue(t);
}

// 1. Output queues.

void SlowEngines::give_to_ramp(Tile& t) {
  for (std::size_t k = 1; k <= kNumOutputQueues; ++k) {
    const std::size_t q = (t.given_last + k) % kNumOutputQueues;
    if (t.outputs[q].empty() || t.slots[q] == 0) continue;
    t.given = t.outputs[q].front();
    t.outputs[q].pop_front();
    --t.slots[q];
    t.given_last = q;
    t.gave = q;
    t.acted = true;
    return;
  }
}

// 2. Control wavelets.

void SlowEngines::drop_control_wavelets(Tile& t) {
  for (std::size_t q = 0; q < kNumInputQueues; ++q) {
    if (t.inputs[q].empty() || !t.inputs[q].front().control) continue;
    const auto& tasks = t.program->tasks;
    const auto& code = t.program->instructions;
    const bool wanted =
        std::any_of(tasks.begin(), tasks.end(),
                    [&](const Task& task) { return waits_for(task, q, t.inputs[q].front()); }) ||
        std::any_of(code.begin(), code.end(), [&](const Instruction& i) {
          return i.opcode == Opcode::kReceive && i.target != tiles::kNowhere && i.a.value == q;
        });
    if (!wanted) take(t, q);
  }
}

/// The oldest wavelet of a queue leaves it, which frees a slot for the router.
Wavelet SlowEngines::take(Tile& t, std::size_t queue) {
  const Wavelet w = t.inputs[queue].front();
  t.inputs[queue].pop_front();
  t.read.insert(queue);
  t.freed_colors.push_back(t.program->input_colors[queue]);
  t.acted = true;
  return w;
}

// 3. Tasks.

void SlowEngines::choose_task(Tile& t) {
  if (t.task) return;
  for (const bool high : {true, false}) {
    for (std::size_t i = 0; i < t.program->tasks.size(); ++i) {
      if (t.program->tasks[i].high_priority == high && can_start(t, i)) return start_task(t, i);
    }
  }
}

bool SlowEngines::can_start(const Tile& t, std::size_t number) const {
  const Task& task = t.program->tasks[number];
  if (t.blocked.count(number) != 0) return false;
  if (task.kind == Task::Kind::kLocal) return t.active.count(number) != 0;
  const auto& queue = t.inputs[task.queue];
  if (queue.empty() || t.read.count(task.queue) != 0) return false;
  if (!waits_for(task, task.queue, queue.front())) return false;
  if (task.kind == Task::Kind::kControl) return true;
  // Data that a vector operation under way reads start nothing.
  for (const auto& o : t.operations) {
    if (!o) continue;
    for (const Descriptor* d : o->operand) {
      if (d != nullptr && d->kind == DescriptorKind::kFabricIn && d->queue == task.queue) {
        return false;
      }
    }
  }
  return true;
}

void SlowEngines::start_task(Tile& t, std::size_t number) {
  const Task& task = t.program->tasks[number];
  if (task.kind == Task::Kind::kLocal) {
    t.active.erase(number);
  } else {
    t.registers[0] = take(t, task.queue).data;
  }
  t.task = number;
  t.next_instruction = task.first;
  t.main_ready = now() + config_.compute.task_start_cycles;
  t.acted = true;
}

// 4. Issue.

void SlowEngines::issue(Tile& t) {
  if (t.banks_free > now()) return;
  for (const Priority priority : {Priority::kHigh, Priority::kMedium, Priority::kLow}) {
    for (std::size_t k = 1; k <= kNumThreads; ++k) {
      const std::size_t thread = (t.issued_last + k) % kNumThreads;
      if (thread == 0) {
        if (!t.task || priority != Priority::kMedium) continue;
      } else {
        const auto& o = t.operations[thread];
        if (!o || t.program->instructions[o->instruction].priority != priority) continue;
      }
      if (!issue_of(t, thread)) continue;
      t.issued_last = thread;
      const Cycles end = std::max(now() + 1, t.banks_free);
      t.times.begin = std::min(t.times.begin, now());
      t.times.end = end;
      ++t.times.busy;
      stats_.first_issue = std::min(stats_.first_issue, now());
      stats_.last_issue = std::max(stats_.last_issue, now());
      ++stats_.busy_cycles;
      t.acted = true;
      return;
    }
  }
}

/// A step of the vector operation of a thread, or an instruction of the main thread, if it can be.
bool SlowEngines::issue_of(Tile& t, std::size_t thread) {
  try {
    if (t.operations[thread]) {
      return t.operations[thread]->first_step <= now() && step_vector(t, thread);
    }
    return t.main_ready <= now() && issue_instruction(t);
  } catch (const Stop& stop) {
    t.stopped = true;
    faults_.push_back({now(), t.number, stop.instruction});
    return true;
  }
}

std::uint32_t SlowEngines::value_of(const Tile& t, const Operand& operand) const {
  return operand.kind == Operand::Kind::kRegister ? t.registers[operand.value] : operand.value;
}

bool SlowEngines::issue_instruction(Tile& t) {
  const Instruction& i = t.program->instructions[t.next_instruction];
  if (i.opcode == Opcode::kVector) return start_vector(t, i);
  std::size_t next = t.next_instruction + 1;
  switch (i.opcode) {
    case Opcode::kVector:
      break;
    case Opcode::kScalar:
      compute_scalar(t, i);
      break;
    case Opcode::kLoad:
      load(t, i);
      break;
    case Opcode::kStore:
      store(t, i);
      break;
    case Opcode::kJump:
      next = i.target;
      break;
    case Opcode::kJumpIfZero:
      if (value_of(t, i.a) == 0) next = i.target;
      break;
    case Opcode::kJumpIfNotZero:
      if (value_of(t, i.a) != 0) next = i.target;
      break;
    case Opcode::kActivate:
      t.active.insert(i.target);
      break;
    case Opcode::kBlock:
      t.blocked.insert(i.target);
      break;
    case Opcode::kUnblock:
      t.blocked.erase(i.target);
      break;
    case Opcode::kReceive: {
      const std::size_t q = i.a.value;
      if (t.inputs[q].empty() || t.read.count(q) != 0) return false;
      if (t.inputs[q].front().control && i.target == tiles::kNowhere) return false;
      const Wavelet w = take(t, q);
      if (w.control) {
        next = i.target;
      } else if (i.type == DataType::kFp32 || i.type == DataType::kInt32) {
        t.registers[i.result.value] = w.data;
      } else {
        const std::uint32_t low = w.data & 0xffff;
        t.registers[i.result.value] = i.type == DataType::kMixed ? tiles::widen(low) : low;
        const std::uint32_t high = w.data >> 16;
        const bool is_number = i.b.value != 0;
        t.registers[i.result.value + 1] = is_number ? tiles::widen(high) : high;
      }
      break;
    }
    case Opcode::kTime: {
      const base::Coordinate at = kernel_.mesh().at(t.number);
      t.registers[i.result.value] =
          static_cast<std::uint32_t>(now() + tiles::ComputeEngines::clock_offset(at));
      break;
    }
    case Opcode::kSeek:
      t.rings[i.target].head = value_of(t, i.a);
      break;
    case Opcode::kEnd:
      t.task.reset();  // the next one is chosen a cycle later, whatever a scalar instruction takes
      break;
  }
  t.next_instruction = next;
  t.main_ready = now() + config_.compute.scalar_cycles;
  return true;
}

void SlowEngines::compute_scalar(Tile& t, const Instruction& i) {
  const std::uint32_t mask = bits_of(i.type) == 16 ? 0xffff : ~std::uint32_t{0};
  t.registers[i.result.value] = tiles::compute(i.op, i.type, value_of(t, i.a) & mask,
                                               value_of(t, i.b) & mask, value_of(t, i.c) & mask);
}

void SlowEngines::check_word(const Tile& t, std::uint64_t address, std::uint64_t bytes) const {
  if (address + bytes > t.memory.size()) throw Stop{t.next_instruction};
}

void SlowEngines::load(Tile& t, const Instruction& i) {
  const std::uint32_t address = value_of(t, i.a) + value_of(t, i.b);
  const bool word = i.type == DataType::kFp32 || i.type == DataType::kInt32;
  check_word(t, address, word ? 4 : 2);
  t.banks.cycles_of({{address, memory::AccessWidth::k32, false}});
  const std::uint32_t bits = read_bytes(t.memory, address, word ? 4 : 2);
  t.registers[i.result.value] = i.type == DataType::kMixed ? tiles::widen(bits) : bits;
}

void SlowEngines::store(Tile& t, const Instruction& i) {
  const std::uint32_t address = value_of(t, i.a);
  check_word(t, address, 4);
  t.banks.cycles_of({{address, memory::AccessWidth::k32, true}});
  write_bytes(t.memory, address, 4, value_of(t, i.b));
  stats_.end = std::max(stats_.end, now() + 1);
}

// Vector operations.

/// Operands in registers, addresses and the length are those of this moment.
bool SlowEngines::start_vector(Tile& t, const Instruction& i) {
  if (t.operations[i.thread]) return false;
  const Cycles start = config_.compute.vector_start_cycles;
  Operation o;
  o.instruction = t.next_instruction;
  o.length = value_of(t, i.length);
  const std::array<Operand, 4> operands{i.result, i.a, i.b, i.c};
  for (std::size_t k = 0; k < operands.size(); ++k) {
    if (operands[k].kind != Operand::Kind::kDescriptor) {
      o.bits[k] = value_of(t, operands[k]);
      continue;
    }
    const Descriptor& d = t.program->descriptors[operands[k].value];
    o.operand[k] = &d;
    o.first[k] = d.address;
    if (d.address_register != kNone) o.first[k] += t.registers[d.address_register];
  }
  if (i.thread == 0) {
    o.first_step = now() + start;
  } else {
    o.first_step = now() + std::max<Cycles>(1, start);
    t.main_ready = now() + 1;
    ++t.next_instruction;
  }
  t.operations[i.thread] = o;
  if (o.length == 0) {
    finish_vector(t, i.thread);
  } else if (o.first_step == now()) {
    step_vector(t, i.thread);
  }
  return true;
}

bool SlowEngines::step_vector(Tile& t, std::size_t thread) {
  Operation& o = *t.operations[thread];
  const Instruction& i = t.program->instructions[o.instruction];
  const std::size_t n = elements_of_step(i, o);
  if (!operands_are_there(t, o, n) || !result_has_room(t, o, n)) return false;
  const unsigned cycles = ask_banks(t, o, n);
  if (cycles > 1) t.banks_free = now() + cycles;
  const auto a = read_operand(t, i, o, 1, n);
  const auto b = read_operand(t, i, o, 2, n);
  const auto c = read_operand(t, i, o, 3, n);
  if (i.op == VectorOp::kUnpack) {
    unpack(t, o, a[0]);
  } else {
    std::vector<std::uint32_t> results;
    const std::size_t sum = accumulator_of(o);
    for (std::size_t e = 0; e < n; ++e) {
      const auto value = [&](std::size_t operand, std::uint32_t read) {
        return operand == sum && e > 0 ? results.back() : read;
      };
      results.push_back(
          tiles::compute(i.op, i.type, value(1, a[e]), value(2, b[e]), value(3, c[e])));
    }
    write_result(t, i, o, results);
  }
  o.done += n;
  stats_.elements += n;
  stats_.flops += n * flops_of(i.op, i.type);
  stats_.end = std::max(stats_.end, now() + cycles);
  if (o.done == o.length) finish_vector(t, thread);
  return true;
}

void SlowEngines::finish_vector(Tile& t, std::size_t thread) {
  const Operation o = *t.operations[thread];
  const Instruction& i = t.program->instructions[o.instruction];
  t.operations[thread].reset();
  std::set<std::size_t> moved;
  for (const Descriptor* d : o.operand) {
    if (d == nullptr || d->kind != DescriptorKind::kCircular) continue;
    if (!moved.insert(d->state).second) continue;  // a ring goes on once
    Ring& ring = t.rings[d->state];
    ring.head = (ring.head + o.length) % d->capacity;
  }
  if (thread == 0) {
    ++t.next_instruction;
    t.main_ready = now() + 1;
    return;
  }
  if (i.completion == Completion::kActivate) t.active.insert(i.target);
  if (i.completion == Completion::kUnblock) t.blocked.erase(i.target);
}

/// The operand that is the result as well, a single near element; 0: there is none, or not one.
std::size_t SlowEngines::accumulator_of(const Operation& o) {
  const Descriptor* d = o.operand[kResult];
  if (d == nullptr || d->kind != DescriptorKind::kMemory || !d->near) return 0;
  if (d->dimensions != 1 || d->strides[0] != 0) return 0;
  std::vector<std::size_t> same;
  for (std::size_t k = 1; k < o.operand.size(); ++k) {
    if (o.operand[k] == d) same.push_back(k);
  }
  return same.size() == 1 ? same.front() : 0;
}

std::size_t SlowEngines::elements_of_step(const Instruction& i, const Operation& o) const {
  std::uint64_t n = config_.compute.lanes(i.op, i.type);
  n = std::min(n, o.length - o.done);
  for (const Descriptor* d : o.operand) {
    if (d == nullptr) continue;
    if (is_fabric(d->kind)) n = std::min<std::uint64_t>(n, d->element_bytes == 2 ? 2 : 1);
    if (d->kind != DescriptorKind::kMemory) continue;
    const bool sum = accumulator_of(o) != 0 && d == o.operand[kResult];
    if (d->strides[0] != 1 && !sum) n = 1;
    n = std::min<std::uint64_t>(n, d->extents[0] - o.done % d->extents[0]);
  }
  return static_cast<std::size_t>(n);
}

bool SlowEngines::operands_are_there(const Tile& t, const Operation& o, std::size_t n) const {
  std::map<std::size_t, std::size_t> of_fifos;  // two operands may read one
  for (std::size_t k = 1; k < o.operand.size(); ++k) {
    const Descriptor* d = o.operand[k];
    if (d == nullptr) continue;
    if (d->kind == DescriptorKind::kFifo) {
      of_fifos[d->state] += n;
      if (t.rings[d->state].count < of_fifos[d->state]) return false;
    }
    if (d->kind != DescriptorKind::kFabricIn) continue;
    const auto& queue = t.inputs[d->queue];
    if (queue.empty() || queue.front().control || t.read.count(d->queue) != 0) return false;
  }
  return true;
}

bool SlowEngines::result_has_room(const Tile& t, const Operation& o, std::size_t n) const {
  const Descriptor& d = *o.operand[kResult];
  if (d.kind == DescriptorKind::kFabricOut) {
    // A slot that is freed by giving can be written in the next cycle.
    const std::size_t held = t.outputs[d.queue].size() + (t.gave == d.queue ? 1 : 0);
    return held < config_.compute.output_depths[d.queue];
  }
  if (d.kind != DescriptorKind::kFifo || t.rings[d.state].count + n <= d.capacity) return true;
  if (d.fault_when_full) throw Stop{o.instruction};
  return false;
}

/// The banks serve the reads of a step with the write of the elements that lie write_delay_steps
/// such steps before, if the operation has done them and their place is known.
unsigned SlowEngines::ask_banks(Tile& t, const Operation& o, std::size_t n) {
  std::vector<memory::BankAccess> own;
  std::vector<memory::BankAccess> together;
  const std::uint64_t behind = config_.compute.write_delay_steps * n;
  for (std::size_t k = 0; k < o.operand.size(); ++k) {
    const Descriptor* d = o.operand[k];
    if (d == nullptr || is_fabric(d->kind)) continue;
    const bool is_fifo = d->kind == DescriptorKind::kFifo;
    const auto width =
        n * d->element_bytes <= 4 ? memory::AccessWidth::k32 : memory::AccessWidth::k64;
    const auto access = [&](std::uint64_t element) {
      const std::int64_t address = address_of(t, *d, o.first[k], element);
      return memory::BankAccess{static_cast<std::uint32_t>(address), width, k == kResult};
    };
    if (d->near) continue;
    if (k != kResult) {
      own.push_back(access(is_fifo ? 0 : o.done));
      together.push_back(own.back());
      continue;
    }
    own.push_back(access(0));  // where does not count
    if (o.done < behind || t.program->instructions[o.instruction].op == VectorOp::kUnpack) continue;
    // The elements of a FIFO before its end, of which it may have given away some.
    const std::uint64_t end = t.rings.empty() || !is_fifo ? 0 : t.rings[d->state].count;
    together.push_back(access(is_fifo ? end + behind * d->capacity - behind : o.done - behind));
  }
  memory::BankCore counter(config_.sram);
  for (const memory::BankAccess& a : own) counter.cycles_of({a});
  t.counted += counter.counts();
  memory::BankCore banks(config_.sram);
  const unsigned cycles = together.empty() ? 1 : banks.cycles_of(together.data(), together.size());
  t.counted.conflict_cycles += cycles - 1;
  return cycles;
}

std::int64_t SlowEngines::address_of(const Tile& t, const Descriptor& d, std::uint32_t first,
                                     std::uint64_t element) const {
  const std::int64_t start = static_cast<std::int32_t>(first);
  if (d.kind != DescriptorKind::kMemory) {
    const std::uint64_t place = (t.rings[d.state].head + element) % d.capacity;
    return start + static_cast<std::int64_t>(place * d.element_bytes);
  }
  std::int64_t offset = 0;
  for (std::size_t k = 0; k < d.dimensions; ++k) {
    offset += static_cast<std::int64_t>(element % d.extents[k]) * d.strides[k];
    element /= d.extents[k];
  }
  return start + offset * d.element_bytes;
}

void SlowEngines::check_reach(const Operation& o, const Descriptor& d, std::int64_t address) const {
  const auto end = static_cast<std::int64_t>(config_.sram.size_bytes);
  if (address < 0 || address + d.element_bytes > end) throw Stop{o.instruction};
}

/// The values of an operand, as wide as the operation computes.
std::vector<std::uint32_t> SlowEngines::read_operand(Tile& t, const Instruction& i,
                                                     const Operation& o, std::size_t which,
                                                     std::size_t n) {
  const Descriptor* d = o.operand[which];
  const DataType type = i.op == VectorOp::kUnpack ? DataType::kInt32 : i.type;
  if (d == nullptr) {
    const std::uint32_t mask = bits_of(type) == 16 ? 0xffff : ~std::uint32_t{0};
    return std::vector<std::uint32_t>(n, o.bits[which] & mask);
  }
  std::vector<std::uint32_t> values;
  if (d->kind == DescriptorKind::kFabricIn) {
    const std::uint32_t word = take(t, d->queue).data;
    for (std::size_t e = 0; e < n; ++e) {
      values.push_back(d->element_bytes == 4 ? word : word >> (16 * e) & 0xffff);
    }
  } else {
    const bool fifo = d->kind == DescriptorKind::kFifo;
    for (std::size_t e = 0; e < n; ++e) {
      const std::int64_t address = address_of(t, *d, o.first[which], fifo ? e : o.done + e);
      check_reach(o, *d, address);
      values.push_back(read_bytes(t.memory, static_cast<std::size_t>(address), d->element_bytes));
    }
    if (fifo) {
      t.rings[d->state].head += n;
      t.rings[d->state].count -= n;
    }
  }
  if (type == DataType::kMixed && d->element_bytes == 2) {
    for (std::uint32_t& value : values) value = tiles::widen(value);
  }
  return values;
}

void SlowEngines::write_result(Tile& t, const Instruction& i, const Operation& o,
                               std::vector<std::uint32_t> results) {
  const Descriptor& d = *o.operand[kResult];
  const std::size_t n = results.size();
  if (i.type == DataType::kMixed && d.element_bytes == 2) {
    for (std::uint32_t& result : results) result = tiles::narrow(result);
  }
  if (d.kind == DescriptorKind::kFabricOut) {
    std::uint32_t word = results[0];
    if (n == 2) word |= results[1] << 16;
    const bool last = o.done + n == o.length;
    t.outputs[d.queue].push_back(
        {word, t.program->output_colors[d.queue], d.control, d.advance_last && last});
    return;
  }
  const std::uint64_t element = d.kind == DescriptorKind::kFifo ? t.rings[d.state].count : o.done;
  for (std::size_t e = 0; e < n; ++e) {
    const std::int64_t address = address_of(t, d, o.first[kResult], element + e);
    check_reach(o, d, address);
    write_bytes(t.memory, static_cast<std::size_t>(address), d.element_bytes, results[e]);
  }
  if (d.kind != DescriptorKind::kFifo) return;
  t.rings[d.state].count += n;
  if (d.on_push != kNone) t.active.insert(d.on_push);
}

void SlowEngines::unpack(Tile& t, const Operation& o, std::uint32_t pair) {
  const Descriptor& d = *o.operand[kResult];
  std::uint64_t elements = 1;
  for (std::size_t k = 0; k < d.dimensions; ++k) elements *= d.extents[k];
  if (pair >> 16 >= elements) throw Stop{o.instruction};
  const std::int64_t address = address_of(t, d, o.first[kResult], pair >> 16);
  check_reach(o, d, address);
  write_bytes(t.memory, static_cast<std::size_t>(address), 2, pair);
}

}  // namespace wse::testing
