// SPDX-License-Identifier: Apache-2.0
// Vector operations of compute engines: start, steps, end.

#include <algorithm>
#include <cstring>

#include "element_access.h"
#include "engine_visit.h"

namespace wse::tiles {
namespace {

/// What an element of an operation costs as: anything but a multiply-add as an addition, or as an
/// operation of integers, two of 16 bits.
base::EventKind event_of(const Instruction& i) {
  using base::EventKind;
  if (is_integer(i.type)) return EventKind::kIntAlu;
  if (i.op == VectorOp::kFma || i.op == VectorOp::kMul) {
    return i.type == DataType::kFp16    ? EventKind::kFmacFp16
           : i.type == DataType::kMixed ? EventKind::kFmacMixed
                                        : EventKind::kFmacFp32;
  }
  return i.type == DataType::kFp16 ? EventKind::kAddFp16 : EventKind::kAddFp32;
}

}  // namespace

/// The address of an element of a walk.
std::int64_t ComputeEngines::address_of(const Visit& v, const Descriptor& d, std::uint32_t first,
                                        std::uint32_t element) const {
  const std::int64_t start = static_cast<std::int32_t>(first);
  if (d.kind == DescriptorKind::kMemory) {
    if (element < d.extents[0])
      return start + std::int64_t{element} * d.strides[0] * d.element_bytes;
    std::int64_t offset = 0;
    std::uint32_t rest = element;
    for (std::uint32_t i = 0; i < d.dimensions; ++i) {
      const std::uint32_t extent = d.extents[i];
      const std::uint32_t index = rest < extent ? rest : rest % extent;
      offset += std::int64_t{index} * d.strides[i];
      if (rest < extent) break;
      rest /= extent;
    }
    return start + offset * d.element_bytes;
  }
  // Rings: a FIFO has forgotten what was read of it.
  const Ring& r = rings_[std::size_t{v.tile} * num_rings_ + d.state];
  return start + static_cast<std::int64_t>((std::uint64_t{r.head} + element) % d.capacity) *
                     d.element_bytes;
}

/// The main thread issues a vector operation.
bool ComputeEngines::start_vector(Visit& v, const Instruction& i) {
  Tile& tile = v.t;
  if ((tile.threads >> i.thread & 1) != 0) return false;  // the microthread is busy
  Thread& t = thread(v.tile, i.thread);
  t = {};
  t.instruction = tile.pc;
  t.priority = i.priority;
  t.length = scalar(v, i.length);
  const Operand* const operands[4]{&i.result, &i.a, &i.b, &i.c};
  for (std::uint32_t o = 0; o < 4; ++o) {
    if (operands[o]->kind != Operand::Kind::kDescriptor) {
      t.value[o] = scalar(v, *operands[o]);
      continue;
    }
    const Descriptor& d = v.p.descriptors[operands[o]->value];
    if (d.kind == DescriptorKind::kFabricIn) t.reads = d.queue;
    if (d.kind == DescriptorKind::kMemory && t.touches == kNone) {
      t.touches = static_cast<std::uint8_t>(o);
    }
    t.value[o] = d.address;
    if (d.address_register != kNone) t.value[o] += reg(v.tile, d.address_register);
  }
  tile.threads = static_cast<std::uint16_t>(tile.threads | 1U << i.thread);
  if (tile.watched) show_operation(v, i.thread, tile.pc, true);
  if (i.thread != 0) {
    ++base::at(stats_.events, base::EventKind::kTaskSwitch);
    ++tile.pc;
    tile.main_ready = now_ + 1;
    t.ready = now_ + std::max(1U, config_.vector_start_cycles);
  } else {
    t.ready = now_ + config_.vector_start_cycles;
  }
  if (t.length == 0) {
    finish_vector(v, i.thread);
  } else if (t.ready == now_) {
    step_vector(v, 0);  // if it can; the issue counts anyway
  }
  return true;
}

void ComputeEngines::finish_vector(Visit& v, std::uint32_t number) {
  Thread& t = thread(v.tile, number);
  const Instruction& i = v.p.instructions[t.instruction];
  v.t.threads = static_cast<std::uint16_t>(v.t.threads & ~(1U << number));
  std::uint64_t moved = 0;  // a ring goes on once
  for (const Operand& operand : {i.result, i.a, i.b, i.c}) {
    if (operand.kind != Operand::Kind::kDescriptor) continue;
    const Descriptor& d = v.p.descriptors[operand.value];
    if (d.kind != DescriptorKind::kCircular || (moved >> d.state & 1) != 0) continue;
    moved |= std::uint64_t{1} << d.state;
    Ring& r = ring(v.tile, d.state);
    r.head = static_cast<std::uint32_t>((std::uint64_t{r.head} + t.length) % d.capacity);
  }
  if (v.t.watched) show_operation(v, number, t.instruction, false);
  if (number == 0) {
    ++v.t.pc;
    v.t.main_ready = now_ + 1;
  } else {
    complete(v, i.completion, i.target);
  }
}

const ComputeEngines::Step& ComputeEngines::step_of(const Visit& v, const Thread& t) const {
  return steps_[v.t.program][t.instruction];
}

/// Elements of the next step: those that lie side by side, up to the lanes.
std::uint32_t ComputeEngines::elements(const Visit& v, const Instruction& i,
                                       const Thread& t) const {
  std::uint32_t n = step_of(v, t).most_elements;
  if (n == 1) return 1;
  n = std::min(n, t.length - t.done);
  for (const Operand* operand : {&i.result, &i.a, &i.b, &i.c}) {
    if (operand->kind != Operand::Kind::kDescriptor) continue;
    const Descriptor& d = v.p.descriptors[operand->value];
    if (d.kind != DescriptorKind::kMemory) continue;
    const std::uint32_t extent = d.extents[0];
    n = std::min(n, extent - (t.done < extent ? t.done : t.done % extent));
  }
  return n;
}

/// Whether all operands and the room for the result are there.
bool ComputeEngines::ready(Visit& v, const Instruction& i, const Thread& t, std::uint32_t n) {
  const Step& step = step_of(v, t);
  if ((v.popped & step.inputs) != 0) return false;
  for (std::uint32_t bits = step.inputs; bits != 0; bits &= bits - 1) {
    const Queue& from = input(v.tile, static_cast<std::uint32_t>(__builtin_ctz(bits)));
    if (from.count == 0 || (from.control >> from.head & 1) != 0) return false;
  }
  if (step.output != kNone) {
    // A slot that the ramp frees in this cycle can be used in the next.
    const std::uint32_t given = v.given == step.output ? 1U : 0U;
    if (output(v.tile, step.output).count + given >= config_.output_depths[step.output])
      return false;
  }
  return !step.has_rings || rings_ready(v, i, t, n);
}

/// Whether the FIFOs of a step have what it takes, and room.
bool ComputeEngines::rings_ready(Visit& v, const Instruction& i, const Thread& t, std::uint32_t n) {
  for (const Operand* operand : {&i.a, &i.b, &i.c}) {
    if (operand->kind != Operand::Kind::kDescriptor) continue;
    const Descriptor& d = v.p.descriptors[operand->value];
    if (d.kind == DescriptorKind::kFifo && ring(v.tile, d.state).count < n) return false;
  }
  const Descriptor& d = v.p.descriptors[i.result.value];
  if (d.kind != DescriptorKind::kFifo || ring(v.tile, d.state).count + n <= d.capacity) return true;
  if (!d.fault_when_full) return false;
  fail(v, t.instruction, fmt::format("the FIFO '{}' of {} elements overflows", d.name, d.capacity));
  return true;
}

/// Cycles that the banks need for a step: its reads, and the write of the elements that the pipeline
/// is about to write.
std::uint32_t ComputeEngines::bank_cycles(const Visit& v, const Instruction& i, const Thread& t,
                                          std::uint32_t n) {
  const Step& step = step_of(v, t);
  base::at(stats_.events, base::EventKind::kLocalCache) += step.near;
  const std::uint32_t behind = config_.write_delay_steps * n;
  // Where an index is written is not known in time.
  const bool wrote = (step.far & 1) != 0 && t.done >= behind && i.op != VectorOp::kUnpack;
  memory::BankAccess asked[memory::BankCore::kMaxAccesses];
  std::size_t count = 0;
  for (std::uint32_t bits = step.far; bits != 0; bits &= bits - 1) {
    const auto o = static_cast<std::uint32_t>(__builtin_ctz(bits));
    const bool is_write = o == 0;
    const memory::AccessWidth width =
        n * step.element_bytes[o] <= 4 ? memory::AccessWidth::k32 : memory::AccessWidth::k64;
    banks_.count(width, is_write);
    if (is_write && !wrote) continue;
    const std::uint32_t element = is_write ? t.done - behind : t.done;
    const std::uint32_t address =
        element < step.line ? t.value[o] + element * static_cast<std::uint32_t>(step.stride[o])
                            : address_for_banks(v, i, t, o, is_write ? behind : 0);
    asked[count++] = {address, width, is_write};
  }
  return std::max(1U, banks_.cycles_of_counted(asked, count));
}

/// Where a step of an operand that does not lie on a line reads, or wrote `behind` elements ago.
std::uint32_t ComputeEngines::address_for_banks(const Visit& v, const Instruction& i,
                                                const Thread& t, std::uint32_t o,
                                                std::uint32_t behind) const {
  const Operand* const operands[4]{&i.result, &i.a, &i.b, &i.c};
  const Descriptor& d = v.p.descriptors[operands[o]->value];
  std::uint32_t element = t.done - behind;
  if (d.kind == DescriptorKind::kFifo) {
    element = o == 0 ? rings_count(v, d) + d.capacity - behind % d.capacity : 0;
  }
  return static_cast<std::uint32_t>(address_of(v, d, t.value[o], element));
}

std::uint32_t ComputeEngines::rings_count(const Visit& v, const Descriptor& d) const {
  return rings_[std::size_t{v.tile} * num_rings_ + d.state].count;
}

/// Finds an operand of a step; takes its wavelet.
bool ComputeEngines::open(Visit& v, const Thread& t, std::uint32_t o, const Operand& operand,
                          std::uint32_t n, Source& source) {
  source.bits = t.value[o];
  if (operand.kind != Operand::Kind::kDescriptor) return true;
  const Descriptor& d = v.p.descriptors[operand.value];
  source.descriptor = &d;
  if (d.kind == DescriptorKind::kFabricIn) {
    source.bits = pop_input(v, d.queue);
    return true;
  }
  if (d.kind == DescriptorKind::kMemory) {
    const std::int64_t address = address_of(v, d, t.value[o], t.done);
    if (!reach(v, t, d, address, n, "reads")) return false;
    source.data = v.t.memory + address;
    if (v.t.elsewhere) {
      load(v, address, n * d.element_bytes, source.ring);
      source.data = source.ring;
    }
    return true;
  }
  for (std::uint32_t e = 0; e < n; ++e) {
    const std::int64_t address =
        address_of(v, d, t.value[o], d.kind == DescriptorKind::kFifo ? e : t.done + e);
    if (!reach(v, t, d, address, 1, "reads")) return false;
    load(v, address, d.element_bytes, source.ring + e * d.element_bytes);
  }
  source.data = source.ring;
  if (d.kind == DescriptorKind::kFifo) {
    Ring& r = ring(v.tile, d.state);
    r.head = (r.head + n) % d.capacity;
    r.count -= n;
  }
  return true;
}

std::uint32_t ComputeEngines::fetch(const Source& source, std::uint32_t e, DataType type) {
  if (source.descriptor == nullptr) {
    return type == DataType::kFp16 || type == DataType::kInt16 ? source.bits & 0xffff : source.bits;
  }
  const Descriptor& d = *source.descriptor;
  std::uint32_t bits;
  if (d.kind == DescriptorKind::kFabricIn) {
    bits = d.element_bytes == 4 ? source.bits : source.bits >> (16 * e) & 0xffff;
  } else {
    bits = read(source.data + e * d.element_bytes, d.element_bytes);
  }
  return type == DataType::kMixed && d.element_bytes == 2 ? widen(bits) : bits;
}

void ComputeEngines::send(Visit& v, const Descriptor& d, std::uint32_t word, bool last) {
  Queue& to = output(v.tile, d.queue);
  const std::uint32_t place = (to.head + to.count++) & (places_ - 1);
  to.word(place) = word;
  set_bit(to.control, place, d.control);
  set_bit(to.advance, place, d.advance_last && last);
  if (to.credits != 0) {
    v.t.giving |= static_cast<std::uint8_t>(1U << (output_slot_[d.queue] - inputs_.size()));
  }
}

/// Writes the results of a step.
bool ComputeEngines::put(Visit& v, const Instruction& i, const Thread& t, std::uint32_t n,
                         std::uint32_t* results) {
  const Descriptor& d = v.p.descriptors[i.result.value];
  if (i.type == DataType::kMixed && d.element_bytes == 2) {
    for (std::uint32_t e = 0; e < n; ++e) results[e] = narrow(results[e]);
  }
  if (d.kind == DescriptorKind::kFabricOut) {
    std::uint32_t word = results[0];
    if (d.element_bytes == 2 && n == 2) word |= results[1] << 16;
    send(v, d, word, t.done + n == t.length);
    return true;
  }
  if (d.kind == DescriptorKind::kMemory) {
    const std::int64_t address = address_of(v, d, t.value[0], t.done);
    const bool all = reach(v, t, d, address, n, "writes");
    for (std::uint32_t e = 0; e < n; ++e) {
      const std::int64_t to = address + e * d.element_bytes;
      if (!all && (to < 0 || static_cast<std::uint64_t>(to) + d.element_bytes > sram_bytes_)) break;
      store(v, to, d.element_bytes, results[e]);
    }
    return all;
  }
  const std::uint32_t base = d.kind == DescriptorKind::kFifo ? rings_count(v, d) : t.done;
  for (std::uint32_t e = 0; e < n; ++e) {
    const std::int64_t address = address_of(v, d, t.value[0], base + e);
    if (!reach(v, t, d, address, 1, "writes")) return false;
    store(v, address, d.element_bytes, results[e]);
  }
  if (d.kind == DescriptorKind::kFifo) {
    ring(v.tile, d.state).count += n;
    if (d.on_push != kNone) v.t.active |= 1U << d.on_push;
  }
  return true;
}

/// A pair of index and value: the element of that index becomes the value.
bool ComputeEngines::unpack(Visit& v, const Instruction& i, const Thread& t, std::uint32_t pair) {
  const Descriptor& d = v.p.descriptors[i.result.value];
  const std::uint32_t index = pair >> 16;
  std::uint64_t all = 1;
  for (std::uint32_t k = 0; k < d.dimensions; ++k) all *= d.extents[k];
  if (index >= all) {
    fail(v, t.instruction,
         fmt::format("index {} of '{}', which has {} elements", index, d.name, all));
    return false;
  }
  const std::int64_t address = address_of(v, d, t.value[0], index);
  if (!reach(v, t, d, address, 1, "writes")) return false;
  store(v, address, 2, pair);
  return true;
}

/// Where an operand of elements of equal distance lies, or its value.
struct ComputeEngines::Line {
  const Descriptor* descriptor = nullptr;  ///< null: a value
  std::int64_t address = 0;                ///< of the first one
  std::int64_t stride = 0;                 ///< bytes
  std::uint32_t bits = 0;

  std::int64_t at(std::uint32_t element) const { return address + element * stride; }
};

/// Nobody else issues while the main thread goes over memory and no microthread runs: does as many steps
/// as lie on a line, but for the last one of the operation and those that fault. The tile is busy until
/// they would be done.
bool ComputeEngines::run_alone(Visit& v, const Instruction& i, Thread& t) {
  constexpr std::uint32_t kMostSteps = 64;
  std::uint32_t length = t.length - t.done;  // elements on the lines
  Line lines[4];                             // result, a, b, c
  const Operand* const operands[4]{&i.result, &i.a, &i.b, &i.c};
  for (std::uint32_t o = 0; o < 4; ++o) {
    Line& line = lines[o];
    line.bits = bits_of(i.type) == 16 ? t.value[o] & 0xffff : t.value[o];
    if (operands[o]->kind != Operand::Kind::kDescriptor) continue;
    const Descriptor& d = v.p.descriptors[operands[o]->value];
    line.descriptor = &d;
    line.address = address_of(v, d, t.value[o], t.done);
    line.stride = std::int64_t{d.strides[0]} * d.element_bytes;
    length = std::min(length, d.extents[0] - t.done % d.extents[0]);
  }
  const Step& step = step_of(v, t);
  const std::uint32_t lanes = step.most_elements;
  length = std::min(length, kMostSteps * lanes);
  for (const Line& line : lines) {
    if (line.descriptor == nullptr) continue;
    const std::int64_t ends[2]{line.address, line.at(length - 1)};
    if (std::min(ends[0], ends[1]) < 0) return false;
    const auto last = static_cast<std::uint64_t>(std::max(ends[0], ends[1]));
    if (last + line.descriptor->element_bytes > sram_bytes_) return false;
  }
  const auto fetch_at = [&](const Line& line, std::uint32_t e) {
    if (line.descriptor == nullptr) return line.bits;
    const std::uint8_t bytes = line.descriptor->element_bytes;
    const std::uint32_t bits = read(v.t.memory + line.at(e), bytes);
    return i.type == DataType::kMixed && bytes == 2 ? widen(bits) : bits;
  };
  const bool narrows = i.type == DataType::kMixed && lines[0].descriptor->element_bytes == 2;
  const std::uint32_t accumulator = step.accumulator;
  std::uint32_t done = 0;
  std::uint32_t steps = 0;
  base::Cycles cycles = 0;
  base::Cycles last_issue = now_;
  while (done < length) {
    const std::uint32_t n = std::min(lanes, length - done);
    if (t.done + n == t.length) break;
    last_issue = now_ + cycles;
    cycles += bank_cycles(v, i, t, n);
    std::uint32_t results[kMostElements];
    for (std::uint32_t e = 0; e < n; ++e) {
      std::uint32_t values[4]{};
      for (std::uint32_t o = 1; o < 4; ++o) values[o] = fetch_at(lines[o], done + e);
      if (accumulator != 0 && e > 0) values[accumulator] = results[e - 1];
      results[e] = compute(i.op, i.type, values[1], values[2], values[3]);
    }
    for (std::uint32_t e = 0; e < n; ++e) {
      write(v.t.memory + lines[0].at(done + e), lines[0].descriptor->element_bytes,
            narrows ? narrow(results[e]) : results[e]);
    }
    done += n;
    t.done += n;
    ++steps;
  }
  if (steps == 0) return false;
  v.t.datapath_free = now_ + cycles;
  v.t.times.busy += steps - 1;  // one is counted for the issue
  stats_.busy_cycles += steps - 1;
  stats_.last_issue = std::max(stats_.last_issue, last_issue);
  stats_.end = std::max(stats_.end, now_ + cycles);
  stats_.elements += done;
  base::at(stats_.events, event_of(i)) += done;
  base::at(stats_.events, base::EventKind::kIntAlu) += 6 * steps;
  base::at(stats_.events, base::EventKind::kLocalCache) += 2 * steps;  // registers
  stats_.flops += std::uint64_t{flops_of(i.op, i.type)} * done;
  return true;
}

/// A step of a vector operation, if it can be done now.
bool ComputeEngines::step_vector(Visit& v, std::uint32_t number) {
  Thread& t = thread(v.tile, number);
  const Instruction& i = v.p.instructions[t.instruction];
  const Step& step = step_of(v, t);
  const bool alone = v.t.threads == 1 && step.in_memory && !v.t.elsewhere;
  if (alone && run_alone(v, i, t)) return true;
  const std::uint32_t n = elements(v, i, t);
  if (!ready(v, i, t, n)) return false;
  if (v.t.stopped) return true;
  const std::uint32_t cycles = bank_cycles(v, i, t, n);
  if (cycles > 1) v.t.datapath_free = now_ + cycles;
  if (v.t.elsewhere) srams_[v.tile]->begin(now_, cycles);
  const std::uint32_t accumulator = step.accumulator;
  Source sources[4];
  const Operand* const operands[4]{&i.result, &i.a, &i.b, &i.c};
  for (std::uint32_t o = 1; o < 4; ++o) {
    if (!open(v, t, o, *operands[o], o == accumulator ? 1 : n, sources[o])) return true;
  }
  if (i.op == VectorOp::kUnpack) {
    if (!unpack(v, i, t, fetch(sources[1], 0, DataType::kInt32))) return true;
  } else {
    std::uint32_t results[kMostElements];
    for (std::uint32_t e = 0; e < n; ++e) {
      std::uint32_t values[4]{};
      for (std::uint32_t o = 1; o < 4; ++o) {
        values[o] = o == accumulator && e > 0 ? results[e - 1] : fetch(sources[o], e, i.type);
      }
      results[e] = compute(i.op, i.type, values[1], values[2], values[3]);
    }
    const bool all = accumulator == 0;
    if (!put(v, i, t, all ? n : 1, all ? results : results + n - 1)) return true;
  }
  t.done += n;
  stats_.end = std::max(stats_.end, now_ + cycles);
  stats_.elements += n;
  base::at(stats_.events, event_of(i)) += n;
  base::at(stats_.events, base::EventKind::kIntAlu) += 6;  // descriptors step
  base::at(stats_.events, base::EventKind::kLocalCache) +=
      2;  // of an operand, of the result
  stats_.flops += std::uint64_t{flops_of(i.op, i.type)} * n;
  if (t.done == t.length) finish_vector(v, number);
  return true;
}

}  // namespace wse::tiles
