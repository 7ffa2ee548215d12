// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/compute_engines.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "engine_visit.h"
#include "wse/base/check.h"
#include "wse/fabric/prefetch.h"

namespace wse::tiles {

using base::Cycles;

namespace {
constexpr std::size_t kLine = 64;  // of a cache, bytes
constexpr Cycles kNever = EngineStats::kNever;
}  // namespace

EngineStats& EngineStats::operator+=(const EngineStats& other) {
  first_issue = std::min(first_issue, other.first_issue);
  end = std::max(end, other.end);
  last_issue = std::max(last_issue, other.last_issue);
  busy_cycles += other.busy_cycles;
  flops += other.flops;
  elements += other.elements;
  banks += other.banks;
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k) events[k] += other.events[k];
  return *this;
}

void ComputeEngines::FreeBlocks::operator()(std::uint8_t* blocks) const {
  ::operator delete[](blocks, std::align_val_t{kLine});
}

ComputeEngines::ComputeEngines(const Kernel& kernel, const base::Rectangle& tiles,
                               const ComputeConfig& config, const memory::SramConfig& sram,
                               std::uint32_t ramp_slots, std::uint32_t ramp_cycles,
                               const std::vector<std::uint8_t*>& memory)
    : kernel_(kernel),
      rectangle_(tiles),
      config_(config),
      sram_bytes_(sram.size_bytes),
      num_tiles_(static_cast<std::uint32_t>(tiles.tiles())),
      banks_(sram) {
  awake_.fill(fabric::ActiveSet(tiles.tiles()));
  for (const Program& program : kernel.programs) compile(program);
  lay_out(ramp_cycles);
  rings_.resize(std::size_t{num_tiles_} * num_rings_);
  registers_.resize(std::size_t{num_tiles_} * kNumRegisters);
  for (std::uint32_t tile = 0; tile < num_tiles_; ++tile) {
    Tile& t = *new (block(tile)) Tile;
    t.program = kernel.program_of[kernel.mesh().tile(at(tile).x, at(tile).y)];
    t.memory = memory[tile];
    for (std::uint32_t i = 0; i < num_threads_; ++i) new (&thread(tile, i)) Thread;
    for (std::uint32_t i = 0; i < inputs_.size() + outputs_.size(); ++i) {
      Queue& q = *new (&queue(tile, i)) Queue;
      q.credits = static_cast<std::uint8_t>(ramp_slots);
    }
  }
}

/// Where the parts of a tile's block lie.
void ComputeEngines::lay_out(std::uint32_t ramp_cycles) {
  std::uint32_t slots = 1;
  std::uint8_t slot = 0;
  for (const std::uint8_t q : inputs_) {
    slots = std::max(slots, fabric::EngineConfig::slots(config_.input_depths[q], ramp_cycles));
    input_slot_[q] = slot++;
  }
  for (const std::uint8_t q : outputs_) {
    slots = std::max(slots, config_.output_depths[q]);
    output_slot_[q] = slot++;
  }
  while (places_ < slots) places_ *= 2;
  WSE_CHECK(places_ <= kMostPlaces, "queues of compute engines that are too deep");
  queues_at_ = sizeof(Tile) + num_threads_ * sizeof(Thread);
  queue_bytes_ = sizeof(Queue) + places_ * sizeof(std::uint32_t);
  const std::size_t bytes = queues_at_ + (inputs_.size() + outputs_.size()) * queue_bytes_;
  block_bytes_ = (bytes + kLine - 1) / kLine * kLine;
  blocks_.reset(static_cast<std::uint8_t*>(
      ::operator new[](block_bytes_* num_tiles_, std::align_val_t{kLine})));
  std::memset(blocks_.get(), 0, block_bytes_ * num_tiles_);
}

/// What is asked for in every step, found once.
void ComputeEngines::compile(const Program& program) {
  std::array<std::uint8_t, fabric::kNumColors> inputs;
  std::array<std::uint8_t, fabric::kNumColors> outputs;
  inputs.fill(kNone);
  outputs.fill(kNone);
  const auto insert = [](std::vector<std::uint8_t>& queues, std::uint32_t q) {
    const auto id = static_cast<std::uint8_t>(q);
    const auto place = std::lower_bound(queues.begin(), queues.end(), id);
    if (place == queues.end() || *place != id) queues.insert(place, id);
  };
  for (std::uint32_t q = 0; q < kNumInputQueues; ++q) {
    if (program.input_colors[q] == kNone) continue;
    inputs[program.input_colors[q]] = static_cast<std::uint8_t>(q);
    insert(inputs_, q);
  }
  for (std::uint32_t q = 0; q < kNumOutputQueues; ++q) {
    if (program.output_colors[q] == kNone) continue;
    outputs[program.output_colors[q]] = static_cast<std::uint8_t>(q);
    insert(outputs_, q);
  }
  input_of_.push_back(inputs);
  output_of_.push_back(outputs);
  num_rings_ = std::max(num_rings_, program.rings);
  std::uint32_t started = 0;
  for (std::size_t i = 0; i < program.tasks.size(); ++i) {
    if (program.tasks[i].kind != Task::Kind::kLocal) started |= 1U << i;
  }
  wavelet_tasks_.push_back(started);
  std::vector<Step> steps;
  std::uint32_t takes_controls = 0;
  for (const Instruction& i : program.instructions) {
    if (i.opcode == Opcode::kReceive && i.target != kNowhere) takes_controls |= 1U << i.a.value;
    num_threads_ = std::max(num_threads_, std::uint32_t{i.thread} + 1);
    if (i.priority != Priority::kMedium) has_priorities_ = true;
    steps.push_back(i.opcode == Opcode::kVector ? compile(program, i) : Step());
  }
  steps_.push_back(std::move(steps));
  takes_controls_.push_back(static_cast<std::uint8_t>(takes_controls));
}

ComputeEngines::Step ComputeEngines::compile(const Program& program, const Instruction& i) const {
  Step step;
  std::uint32_t n = config_.lanes(i.op, i.type);
  step.accumulator = static_cast<std::uint8_t>(accumulator_of(program, i));
  step.in_memory = i.op != VectorOp::kUnpack;
  const Operand* const operands[4]{&i.result, &i.a, &i.b, &i.c};
  for (std::uint32_t o = 0; o < 4; ++o) {
    if (operands[o]->kind != Operand::Kind::kDescriptor) continue;
    const Descriptor& d = program.descriptors[operands[o]->value];
    const bool memory = d.kind == DescriptorKind::kMemory;
    step.in_memory = step.in_memory && memory;
    step.element_bytes[o] = d.element_bytes;
    if (is_fabric(d.kind)) {
      n = std::min(n, 4U / d.element_bytes);
      if (d.kind == DescriptorKind::kFabricOut) step.output = d.queue;
      if (d.kind == DescriptorKind::kFabricIn) {
        step.inputs = static_cast<std::uint8_t>(step.inputs | 1U << d.queue);
      }
      continue;
    }
    if (d.near) {
      ++step.near;
    } else {
      step.far = static_cast<std::uint8_t>(step.far | 1U << o);
    }
    step.has_rings = step.has_rings || !memory;
    step.line = memory ? std::min(step.line, d.extents[0]) : 0;
    step.stride[o] = d.strides[0] * d.element_bytes;
    const bool accumulates = step.accumulator != 0 && operands[o]->value == i.result.value;
    if (memory && d.strides[0] != 1 && !accumulates) n = 1;
  }
  WSE_CHECK(__builtin_popcount(step.far & ~1U) <= 2, "more reads in one step than there are ports");
  step.most_elements = static_cast<std::uint8_t>(n);
  return step;
}

base::Coordinate ComputeEngines::at(std::uint32_t tile) const {
  const std::uint32_t columns = rectangle_.columns.size();
  return {rectangle_.columns.begin + tile % columns, rectangle_.rows.begin + tile / columns};
}

std::uint32_t ComputeEngines::clock_offset(base::Coordinate tile) {
  std::uint64_t z = (std::uint64_t{tile.y} << 32 | tile.x) + 0x9e3779b97f4a7c15ULL;  // splitmix64
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
  return static_cast<std::uint32_t>(z ^ z >> 31);
}

void ComputeEngines::add_watch(EngineWatch& watch) {
  watches_.push_back(&watch);
  for (std::uint32_t tile = 0; tile < num_tiles_; ++tile) {
    tile_at(tile).watched = tile_at(tile).watched || watch.watches(at(tile));
  }
}

/// To be looked at in a cycle, or earlier if that is too far ahead.
void ComputeEngines::wake(std::uint32_t tile, Cycles cycle) {
  cycle = std::min(cycle, now_ + kCyclesAhead - 1);
  awake_[cycle % kCyclesAhead].add(tile);
  awake_until_ = std::max(awake_until_, cycle + 1);
}

void ComputeEngines::launch() {
  stats_.first_issue = EngineStats::kNever;
  stats_.end = stats_.last_issue = 0;
  std::fill(registers_.begin(), registers_.end(), 0);
  std::fill(rings_.begin(), rings_.end(), Ring());
  for (std::uint32_t tile = 0; tile < num_tiles_; ++tile) {
    Tile& t = tile_at(tile);
    if (t.program == Kernel::kIdle) continue;
    t.times = {};
    t.active = t.blocked = 0;
    reg(tile, kColumnRegister) = at(tile).x;
    reg(tile, kRowRegister) = at(tile).y;
    const Program& program = kernel_.programs[t.program];
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
      if (program.tasks[i].active) t.active |= 1U << i;
      if (program.tasks[i].blocked) t.blocked |= 1U << i;
    }
    wake(tile, now_);
  }
}

void ComputeEngines::receive(std::uint32_t tile, const fabric::Wavelet& wavelet) {
  Tile& t = tile_at(tile);
  WSE_CHECK(t.program != Kernel::kIdle, "a wavelet for a tile without a program");
  const std::uint32_t q = input_of_[t.program][wavelet.color];
  WSE_CHECK(q != kNone, "a wavelet without a queue");
  Queue& to = input(tile, q);
  WSE_CHECK(to.count < places_, "a wavelet without a slot");
  const std::uint32_t place = (to.head + to.count++) & (places_ - 1);
  to.word(place) = wavelet.data;
  if (wavelet.control) {
    set_bit(to.control, place, true);
    ++t.controls;
  } else if (t.task != kNone && t.datapath_free > now_) {
    return;  // nobody takes data before that, and then the tile is looked at
  }
  wake(tile, now_);
}

void ComputeEngines::receive_credit(std::uint32_t tile, std::uint8_t color) {
  const std::uint32_t q = output_of_[tile_at(tile).program][color];
  Queue& from = output(tile, q);
  ++from.credits;
  if (from.count == 0) return;
  tile_at(tile).giving |= static_cast<std::uint8_t>(1U << (output_slot_[q] - inputs_.size()));
  wake(tile, now_);
}

void ComputeEngines::prefetch(std::uint32_t tile) const {
  for (std::size_t line = 0; line < block_bytes_ && line < 3 * kLine; line += kLine) {
    fabric::prefetch(block(tile) + line);
  }
}

/// Where threads will likely read and write.
void ComputeEngines::prefetch_data(std::uint32_t tile) const {
  const Tile& t = tile_at(tile);
  if (t.datapath_free > now_) return;
  for (std::uint32_t bits = t.threads; bits != 0; bits &= bits - 1) {
    const Thread& one = thread(tile, static_cast<std::uint32_t>(__builtin_ctz(bits)));
    if (one.touches == kNone) continue;
    const std::uint64_t address = one.value[one.touches] + std::uint64_t{one.done} * 4;
    if (address < sram_bytes_) fabric::prefetch(t.memory + address);
  }
}

void ComputeEngines::step(fabric::RampFrame& frame) {
  constexpr std::size_t kAhead = 6;
  constexpr std::size_t kFarAhead = 12;
  listed_.clear();
  awake_[now_ % kCyclesAhead].take_all([this](std::size_t word, std::uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) {
      listed_.push_back(
          static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits))));
    }
  });
  for (std::size_t i = 0; i < listed_.size(); ++i) {
    if (i + kFarAhead < listed_.size()) prefetch(listed_[i + kFarAhead]);
    if (i + kAhead < listed_.size()) prefetch_data(listed_[i + kAhead]);
    const Cycles next = visit(listed_[i], frame);
    if (next != kNever) wake(listed_[i], next);
  }
  ++now_;
}

void ComputeEngines::skip_to(Cycles cycle) {
  WSE_CHECK(!can_act() && cycle >= now_, "compute engines at work cannot be moved on");
  now_ = cycle;
}

/// A cycle of a tile. The next one that it has to be looked at in, whatever comes from outside.
Cycles ComputeEngines::visit(std::uint32_t tile, fabric::RampFrame& frame) {
  Tile& t = tile_at(tile);
  if (t.stopped) return kNever;
  Visit v{tile, t, kernel_.programs[t.program], frame};
  give_to_ramp(v);
  if (t.controls != 0) drop_controls(v);
  if (t.task == kNone) choose_task(v);
  if (t.datapath_free <= now_ && issue(v)) v.did = true;
  return next_look(v);
}

Cycles ComputeEngines::next_look(const Visit& v) const {
  const Tile& t = v.t;
  if (t.stopped) return kNever;
  const bool busy = t.datapath_free > now_ + 1;
  if (v.did) {
    const bool waits = busy && t.task != kNone && t.controls == 0 && t.giving == 0;
    return waits ? t.datapath_free : now_ + 1;
  }
  if (t.datapath_free > now_) return t.datapath_free;
  Cycles next = t.task != kNone && t.main_ready > now_ ? t.main_ready : kNever;
  for (std::uint32_t bits = t.threads; bits != 0; bits &= bits - 1) {
    const Cycles ready = thread(v.tile, static_cast<std::uint32_t>(__builtin_ctz(bits))).ready;
    if (ready > now_) next = std::min(next, ready);
  }
  return next;
}

/// The next output queue in turn that has something and a credit gives a wavelet.
void ComputeEngines::give_to_ramp(Visit& v) {
  const std::uint32_t giving = v.t.giving;
  if (giving == 0) return;
  const std::uint32_t later = giving & ~((2U << v.t.last_output) - 1);
  const auto turn = static_cast<std::uint32_t>(__builtin_ctz(later != 0 ? later : giving));
  const std::uint8_t q = outputs_[turn];
  Queue& from = output(v.tile, q);
  const std::uint32_t place = from.head;
  v.frame.wavelets.push_back(
      {v.tile,
       {from.word(place), v.p.output_colors[q], (from.control >> place & 1) != 0,
        (from.advance >> place & 1) != 0}});
  from.head = static_cast<std::uint8_t>((place + 1) & (places_ - 1));
  --from.count;
  --from.credits;
  if (from.count == 0 || from.credits == 0) {
    v.t.giving = static_cast<std::uint8_t>(giving & ~(1U << turn));
  }
  v.t.last_output = static_cast<std::uint8_t>(turn);
  v.given = q;
  v.did = true;
}

std::uint32_t ComputeEngines::pop_input(Visit& v, std::uint32_t q) {
  Queue& from = input(v.tile, q);
  const std::uint32_t place = from.head;
  if ((from.control >> place & 1) != 0) {
    set_bit(from.control, place, false);
    --v.t.controls;
  }
  from.head = static_cast<std::uint8_t>((place + 1) & (places_ - 1));
  --from.count;
  v.popped |= 1U << q;
  v.frame.credits.push_back({v.tile, v.p.input_colors[q], 1});
  v.did = true;
  return from.word(place);
}

std::uint32_t ComputeEngines::control_task(const Program& p, std::uint32_t q,
                                           std::uint32_t data) const {
  for (std::uint32_t i = 0; i < p.tasks.size(); ++i) {
    const Task& task = p.tasks[i];
    const bool mine = task.kind == Task::Kind::kControl && task.queue == q;
    if (mine && task.control_id == (data >> 16 & 63)) return i;
  }
  return kNone;
}

/// Control wavelets at the head of a queue that nobody waits for have done their work in routers.
void ComputeEngines::drop_controls(Visit& v) {
  for (const std::uint8_t q : inputs_) {
    if ((takes_controls_[v.t.program] >> q & 1) != 0) continue;
    const Queue& from = input(v.tile, q);
    if (from.count == 0 || (from.control >> from.head & 1) == 0) continue;
    if (control_task(v.p, q, from.word(from.head)) == kNone) pop_input(v, q);
  }
}

/// The main thread is free: the first task of high priority that can run, else the first one.
void ComputeEngines::choose_task(Visit& v) {
  std::uint32_t able = v.t.active & ~wavelet_tasks_[v.t.program];
  if (const std::uint32_t started = wavelet_tasks_[v.t.program]; started != 0) {
    able |= able_by_wavelets(v, started);
  }
  able &= ~v.t.blocked;
  if (able == 0) return;
  std::uint32_t chosen = kNone;
  for (std::uint32_t bits = able; bits != 0; bits &= bits - 1) {
    const auto i = static_cast<std::uint32_t>(__builtin_ctz(bits));
    if (chosen == kNone || (v.p.tasks[i].high_priority && !v.p.tasks[chosen].high_priority)) {
      chosen = i;
    }
  }
  start_task(v, chosen);
}

/// Of the tasks that wavelets start, those whose wavelet is at the head of its queue. Data that a
/// vector operation under way reads start nothing.
std::uint32_t ComputeEngines::able_by_wavelets(Visit& v, std::uint32_t started) {
  std::uint32_t read = 0;
  for (std::uint32_t bits = v.t.threads; bits != 0; bits &= bits - 1) {
    const Thread& t = thread(v.tile, static_cast<std::uint32_t>(__builtin_ctz(bits)));
    const Instruction& i = v.p.instructions[t.instruction];
    for (const Operand& operand : {i.a, i.b, i.c}) {
      if (operand.kind != Operand::Kind::kDescriptor) continue;
      const Descriptor& d = v.p.descriptors[operand.value];
      if (d.kind == DescriptorKind::kFabricIn) read |= 1U << d.queue;
    }
  }
  std::uint32_t able = 0;
  for (std::uint32_t bits = started; bits != 0; bits &= bits - 1) {
    const auto i = static_cast<std::uint32_t>(__builtin_ctz(bits));
    const Task& task = v.p.tasks[i];
    const Queue& from = input(v.tile, task.queue);
    if (from.count == 0 || (v.popped >> task.queue & 1) != 0) continue;
    const bool control = (from.control >> from.head & 1) != 0;
    if (task.kind == Task::Kind::kData) {
      if (!control && (read >> task.queue & 1) == 0) able |= 1U << i;
    } else if (control && task.control_id == (from.word(from.head) >> 16 & 63)) {
      able |= 1U << i;
    }
  }
  return able;
}

void ComputeEngines::start_task(Visit& v, std::uint32_t number) {
  const Task& task = v.p.tasks[number];
  if (task.kind == Task::Kind::kLocal) {
    v.t.active &= ~(1U << number);
  } else {
    reg(v.tile, 0) = pop_input(v, task.queue);
  }
  v.t.task = static_cast<std::uint8_t>(number);
  v.t.pc = task.first;
  v.t.main_ready = now_ + config_.task_start_cycles;
  ++base::at(stats_.events, base::EventKind::kTaskSwitch);
  v.did = true;
  if (v.t.watched) show_task(v, number, true);
}

/// One thread issues: the ready one of the highest priority, in turn among equals.
bool ComputeEngines::issue(Visit& v) {
  const Tile& t = v.t;
  if (t.threads <= 1) return t.task != kNone && try_thread(v, 0);
  const std::uint32_t all = t.threads | (t.task != kNone ? 1U : 0U);
  if (!has_priorities_) return issue_in_turn(v, all);
  std::array<std::uint32_t, 3> of{};  // threads by priority
  for (std::uint32_t bits = all; bits != 0; bits &= bits - 1) {
    const auto number = static_cast<std::uint32_t>(__builtin_ctz(bits));
    const Priority p = number == 0 ? Priority::kMedium : thread(v.tile, number).priority;
    of[static_cast<std::size_t>(p)] |= 1U << number;
  }
  return issue_in_turn(v, of[2]) || issue_in_turn(v, of[1]) || issue_in_turn(v, of[0]);
}

/// The first one that can, beginning behind the one that issued last.
bool ComputeEngines::issue_in_turn(Visit& v, std::uint32_t threads) {
  const std::uint32_t later = threads & ~((2U << v.t.last_thread) - 1);
  for (std::uint32_t bits : {later, threads & ~later}) {
    for (; bits != 0; bits &= bits - 1) {
      const auto number = static_cast<std::uint32_t>(__builtin_ctz(bits));
      if (!lacks_wavelet(v, number) && try_thread(v, number)) return true;
    }
  }
  return false;
}

/// Whether a vector operation cannot go on for want of a wavelet: what most wait for.
bool ComputeEngines::lacks_wavelet(const Visit& v, std::uint32_t number) const {
  if ((v.t.threads >> number & 1) == 0) return false;
  const std::uint8_t q = thread(v.tile, number).reads;
  return q != kNone && (input(v.tile, q).count == 0 || (v.popped >> q & 1) != 0);
}

bool ComputeEngines::try_thread(Visit& v, std::uint32_t number) {
  Tile& t = v.t;
  const bool running = (t.threads >> number & 1) != 0;
  const Cycles ready = running ? thread(v.tile, number).ready : t.main_ready;
  if (ready > now_) return false;
  if (!(running ? step_vector(v, number) : issue_main(v))) return false;
  t.last_thread = static_cast<std::uint8_t>(number);
  const Cycles end = std::max(now_ + 1, t.datapath_free);
  TileTimes& times = v.t.times;
  times.begin = std::min(times.begin, now_);
  times.end = end;
  ++times.busy;
  stats_.first_issue = std::min(stats_.first_issue, now_);
  stats_.last_issue = std::max(stats_.last_issue, now_);
  ++stats_.busy_cycles;
  return true;
}

std::uint32_t ComputeEngines::scalar(const Visit& v, const Operand& operand) const {
  return operand.kind == Operand::Kind::kRegister ? register_of(v.tile, operand.value)
                                                  : operand.value;
}

/// An instruction of the main thread.
bool ComputeEngines::issue_main(Visit& v) {
  Tile& t = v.t;
  const Instruction& i = v.p.instructions[t.pc];
  if (i.opcode == Opcode::kVector) return start_vector(v, i);
  std::uint16_t next = static_cast<std::uint16_t>(t.pc + 1);
  switch (i.opcode) {
    case Opcode::kVector:
      break;
    case Opcode::kScalar: {
      const std::uint32_t mask = bits_of(i.type) == 16 ? 0xffff : ~0U;
      reg(v.tile, i.result.value) = compute(i.op, i.type, scalar(v, i.a) & mask,
                                            scalar(v, i.b) & mask, scalar(v, i.c) & mask);
      break;
    }
    case Opcode::kLoad:
    case Opcode::kStore:
      if (!access_word(v, i)) return true;
      break;
    case Opcode::kJump:
      next = i.target;
      break;
    case Opcode::kJumpIfZero:
      if (scalar(v, i.a) == 0) next = i.target;
      break;
    case Opcode::kJumpIfNotZero:
      if (scalar(v, i.a) != 0) next = i.target;
      break;
    case Opcode::kActivate:
      t.active |= 1U << i.target;
      break;
    case Opcode::kBlock:
      t.blocked |= 1U << i.target;
      break;
    case Opcode::kUnblock:
      t.blocked &= ~(1U << i.target);
      break;
    case Opcode::kReceive:
      if (!receive_word(v, i, next)) return false;
      break;
    case Opcode::kTime:
      reg(v.tile, i.result.value) = static_cast<std::uint32_t>(now_ + clock_offset(at(v.tile)));
      break;
    case Opcode::kSeek:
      ring(v.tile, i.target).head = scalar(v, i.a);  // taken modulo its capacity where it is used
      break;
    case Opcode::kEnd:
      if (t.watched) show_task(v, t.task, false);
      t.task = kNone;
      break;
  }
  t.pc = next;
  t.main_ready = now_ + config_.scalar_cycles;
  return true;
}

/// Takes the next wavelet of a queue into registers, if there is one.
bool ComputeEngines::receive_word(Visit& v, const Instruction& i, std::uint16_t& next) {
  const std::uint32_t q = i.a.value;
  const Queue& from = input(v.tile, q);
  if (from.count == 0 || (v.popped >> q & 1) != 0) return false;
  const bool control = (from.control >> from.head & 1) != 0;
  if (control && i.target == kNowhere) return false;
  const std::uint32_t word = pop_input(v, q);
  if (control) {
    next = i.target;
    return true;
  }
  ++base::at(stats_.events, base::EventKind::kTaskSwitch);
  std::uint32_t* const to = &reg(v.tile, i.result.value);
  if (bits_of(i.type) == 32 && i.type != DataType::kMixed) {
    to[0] = word;
  } else {
    to[0] = i.type == DataType::kMixed ? widen(word & 0xffff) : word & 0xffff;
    to[1] = i.b.value != 0 ? widen(word >> 16) : word >> 16;
  }
  return true;
}

void ComputeEngines::fail(Visit& v, std::uint32_t instruction, const std::string& reason) {
  v.t.stopped = true;
  faults_.push_back({now_, at(v.tile), describe(v.tile, instruction, reason)});
}

void ComputeEngines::complete(Visit& v, Completion completion, std::uint16_t task) {
  if (completion == Completion::kActivate) v.t.active |= 1U << task;
  if (completion == Completion::kUnblock) v.t.blocked &= ~(1U << task);
}

std::size_t ComputeEngines::bytes() const {
  return block_bytes_ * num_tiles_ + rings_.size() * sizeof(Ring) + registers_.size() * 4;
}

}  // namespace wse::tiles
