// SPDX-License-Identifier: Apache-2.0
// What compute engines say of themselves: to watches, and when they cannot go on.

#include "engine_visit.h"

namespace wse::tiles {

void ComputeEngines::show_task(const Visit& v, std::uint32_t number, bool begins) {
  for (EngineWatch* watch : watches_) {
    if (watch->watches(at(v.tile))) watch->task(at(v.tile), now_, v.p, number, begins);
  }
}

void ComputeEngines::show_operation(const Visit& v, std::uint32_t number, std::uint32_t instruction,
                                    bool begins) {
  for (EngineWatch* watch : watches_) {
    if (!watch->watches(at(v.tile))) continue;
    watch->operation(at(v.tile), now_, v.p, number, instruction, begins);
  }
}

std::string ComputeEngines::describe(std::uint32_t tile, std::uint32_t instruction,
                                     const std::string& reason) const {
  const Program& p = kernel_.programs[tile_at(tile).program];
  const Instruction& i = p.instructions[instruction];
  const Task* task = p.task_of(instruction);
  const std::string what = i.opcode == Opcode::kVector || i.opcode == Opcode::kScalar
                               ? fmt::format(" ({} of {})", name_of(i.op), name_of(i.type))
                               : "";
  return fmt::format("tile ({},{}), program '{}', task '{}', instruction {}{}: {}", at(tile).x,
                     at(tile).y, p.name, task == nullptr ? "" : task->name, instruction, what,
                     reason);
}

/// Why a vector operation does not go on.
std::string ComputeEngines::hindrance(std::uint32_t tile, const Thread& t) const {
  const Program& p = kernel_.programs[tile_at(tile).program];
  const Instruction& i = p.instructions[t.instruction];
  for (const Operand& operand : {i.a, i.b, i.c}) {
    if (operand.kind != Operand::Kind::kDescriptor) continue;
    const Descriptor& d = p.descriptors[operand.value];
    if (d.kind == DescriptorKind::kFifo) {
      const Ring& ring = rings_[std::size_t{tile} * num_rings_ + d.state];
      if (ring.count == 0) return fmt::format("waits for an element of the FIFO '{}'", d.name);
    }
    if (d.kind != DescriptorKind::kFabricIn) continue;
    if (input(tile, d.queue).count == 0) {
      return fmt::format("waits for a wavelet of color {} in input queue {}",
                         p.input_colors[d.queue], d.queue);
    }
  }
  const Descriptor& d = p.descriptors[i.result.value];
  if (d.kind == DescriptorKind::kFabricOut) {
    return fmt::format("waits for room in output queue {} of color {}", d.queue,
                       p.output_colors[d.queue]);
  }
  if (d.kind == DescriptorKind::kFifo) return fmt::format("the FIFO '{}' is full", d.name);
  return "waits behind a control wavelet";
}

std::vector<std::string> ComputeEngines::waiting(std::size_t limit) const {
  std::vector<std::string> lines;
  for (std::uint32_t tile = 0; tile < num_tiles_ && lines.size() < limit; ++tile) {
    for (std::string& line : waiting_of(tile)) {
      if (lines.size() < limit) lines.push_back(std::move(line));
    }
  }
  return lines;
}

std::vector<std::string> ComputeEngines::waiting_of(std::uint32_t tile) const {
  std::vector<std::string> lines;
  const auto say = [&lines](std::string line) { lines.push_back(std::move(line)); };
  const Tile& t = tile_at(tile);
  if (t.program == Kernel::kIdle || t.stopped) return lines;
  const Program& p = kernel_.programs[t.program];
  const std::string where =
      fmt::format("tile ({},{}), program '{}'", at(tile).x, at(tile).y, p.name);
  for (std::uint32_t bits = t.threads; bits != 0; bits &= bits - 1) {
    const std::size_t number = static_cast<std::size_t>(__builtin_ctz(bits));
    const Thread& under_way = thread(tile, static_cast<std::uint32_t>(number));
    say(describe(tile, under_way.instruction,
                 fmt::format("{} of {} elements done, {}", under_way.done, under_way.length,
                             hindrance(tile, under_way))));
  }
  if (t.task != kNone && (t.threads & 1) == 0) {
    const Instruction& i = p.instructions[t.pc];
    say(describe(tile, t.pc,
                 i.opcode == Opcode::kReceive
                     ? fmt::format("waits for a wavelet of color {} in input queue {}",
                                   p.input_colors[i.a.value], i.a.value)
                     : fmt::format("waits for microthread {}", i.thread - 1)));
  }
  for (std::uint32_t bits = t.active & t.blocked; bits != 0; bits &= bits - 1) {
    const std::size_t task = static_cast<std::size_t>(__builtin_ctz(bits));
    say(fmt::format("{}, task '{}': is activated and blocked", where, p.tasks[task].name));
  }
  for (const std::uint8_t q : inputs_) {
    const Queue& from = input(tile, q);
    if (from.count == 0) continue;
    say(fmt::format("{}: {} wavelet{} of color {} in input queue {} that nobody reads", where,
                    from.count, from.count == 1 ? "" : "s", p.input_colors[q], q));
  }
  for (const std::uint8_t q : outputs_) {
    const Queue& from = output(tile, q);
    if (from.count == 0) continue;
    say(fmt::format("{}: {} wavelets of color {} in output queue {} that the router does not take",
                    where, from.count, p.output_colors[q], q));
  }
  return lines;
}

}  // namespace wse::tiles
