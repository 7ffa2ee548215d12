// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "wse/base/check.h"

namespace wse::tiles {

using fabric::ColorRoute;
using fabric::Mesh;
using fabric::Port;
using fabric::SwitchPosition;

bool operator<(const PlanStep& a, const PlanStep& b) {
  const auto key = [](const PlanStep& s) {
    return std::tuple(s.kind, s.in, s.out, s.advance, s.first, s.count, s.repeat, s.op, s.dummy);
  };
  return key(a) < key(b);
}

// Steps -------------------------------------------------------------------------------------------

CollectivePlan::CollectivePlan(CollectiveKind kind, const CollectiveShape& shape, std::string name)
    : shape_(shape), collective_(kind, shape), plans_(shape.mesh.tiles()) {
  collective_.kernel.name = std::move(name);
}

PlanStep CollectivePlan::step(PlanStep::Kind kind) const {
  PlanStep step;
  step.kind = kind;
  step.first = dummy_ ? 0 : first_;
  step.count = elements();
  step.op = dummy_ ? VectorOp::kAdd : op_;
  return step;
}
void CollectivePlan::send(std::uint32_t tile, std::uint8_t color, bool advance) {
  PlanStep one = step(PlanStep::Kind::kSend);
  one.out = color;
  one.advance = advance;
  plan(tile).push_back(one);
}
void CollectivePlan::add(std::uint32_t tile, std::uint8_t color, std::uint32_t repeat) {
  PlanStep one = step(PlanStep::Kind::kAdd);
  one.in = color;
  one.repeat = repeat;
  plan(tile).push_back(one);
}
void CollectivePlan::pass(std::uint32_t tile, std::uint8_t in, std::uint8_t out) {
  PlanStep one = step(PlanStep::Kind::kPass);
  one.in = in;
  one.out = out;
  plan(tile).push_back(one);
}
void CollectivePlan::take(std::uint32_t tile, std::uint8_t color) {
  PlanStep one = step(PlanStep::Kind::kTake);
  one.in = color;
  plan(tile).push_back(one);
}
void CollectivePlan::copy(std::uint32_t tile) { plan(tile).push_back(step(PlanStep::Kind::kCopy)); }
void CollectivePlan::work(Work what, const std::function<std::uint32_t(std::uint32_t)>& count_of) {
  PlanStep one;
  one.kind = PlanStep::Kind::kWork;
  one.first = static_cast<std::uint32_t>(works_.size());
  works_.push_back(std::move(what));
  for (std::uint32_t tile = 0; tile < plans_.size(); ++tile) {
    one.count = count_of(tile);
    plan(tile).push_back(one);
  }
}

// Lines of reductions -----------------------------------------------------------------------------

void CollectivePlan::star(const Line& line, std::uint8_t color) {
  const std::uint32_t p = line.size();
  if (p == 1) return;
  route_gather(routes(), line, color);
  add(line[0], color, p - 1);
  for (std::uint32_t i = 1; i < p; ++i) {
    send(line[i], color, true);
  }
}

void CollectivePlan::chain(const Line& line, std::uint8_t colors) {
  const std::uint32_t p = line.size();
  const auto color_of = [colors](std::uint32_t i) {  // of what tile i sends
    return static_cast<std::uint8_t>(colors + i % 2);
  };
  for (std::uint32_t i = 0; i < p; ++i) {
    const bool last = i + 1 == p;
    if (i > 0) routes().set(line[i], color_of(i), {Port::kRamp, line.inward(i)});
    if (!last) routes().set(line[i], color_of(i + 1), {line.outward(i), Port::kRamp});
    if (i > 0 && last) {
      send(line[i], color_of(i));
    } else if (i > 0) {
      pass(line[i], color_of(i + 1), color_of(i));
    } else if (!last) {
      add(line[i], color_of(1));
    }
  }
}

/// In round k, tile i with i mod 2^k = 2^(k-1) sends to i - 2^(k-1). Rounds share four colors; each
/// message ends with an advance, which leads its sender from sending to passing, its receiver to
/// what comes after it, and leaves all between, which pass for good, as they are.
void CollectivePlan::tree(const Line& line, std::uint8_t colors) {
  constexpr std::uint32_t kColors = 4;
  const std::uint32_t p = line.size();
  if (p > 1024) {
    throw ProgramError(fmt::format("{}: a row of {} tiles; the switches of four colors serve 1024",
                                   collective_.kernel.name, p));
  }
  for (std::uint32_t i = 0; i < p; ++i) {
    std::array<ColorRoute, kColors> routes_of;
    std::array<std::uint8_t, kColors> positions{};
    const auto position = [&](std::uint32_t round, Port from, Port to) {
      ColorRoute& route = routes_of[round % kColors];
      std::uint8_t& count = positions[round % kColors];
      const SwitchPosition next{from, to};
      if (i == 0 && count == 1) return;  // the root only receives
      WSE_CHECK(count < fabric::kMaxSwitchPositions, "too many rounds for a switch");
      route.positions[count++] = next;
    };
    const auto color_of = [&](std::uint32_t round) {
      return static_cast<std::uint8_t>(colors + round % kColors);
    };
    std::uint32_t received = kNone;  // color of the last message, which is not added yet
    std::uint32_t round = 1;
    for (; i % (1U << round) == 0 && (1U << (round - 1)) < p; ++round) {
      if (i + (1U << (round - 1)) >= p) continue;
      if (received != kNone) add(line[i], static_cast<std::uint8_t>(received));
      received = color_of(round);
      position(round, line.outward(i), Port::kRamp);
    }
    if (i == 0) {
      if (received != kNone) add(line[i], static_cast<std::uint8_t>(received));
    } else {
      position(round, Port::kRamp, line.inward(i));
      PlanStep one = step(PlanStep::Kind::kSend);
      one.out = color_of(round);
      one.advance = true;
      if (received != kNone) {
        one.kind = PlanStep::Kind::kPass;
        one.in = static_cast<std::uint8_t>(received);
      }
      plan(line[i]).push_back(one);
      // What later rounds send over this tile, from behind it.
      std::uint32_t passing = 0;
      for (std::uint32_t later = round + 1; (1U << (later - 1)) < p; ++later) {
        const std::uint32_t sender = (i >> later << later) + (1U << (later - 1));
        if (i >= sender || sender >= p || (passing >> (later % kColors) & 1) != 0) continue;
        passing |= 1U << (later % kColors);
        position(later, line.outward(i), line.inward(i));
      }
    }
    for (std::uint32_t c = 0; c < kColors; ++c) {
      if (positions[c] == 0) continue;
      routes_of[c].position_count = positions[c];
      routes().set(line[i], static_cast<std::uint8_t>(colors + c), routes_of[c]);
    }
  }
}

void CollectivePlan::two_phase(const Line& line, std::uint8_t colors, std::uint32_t group) {
  const std::uint32_t p = line.size();
  const auto color_of = [&](std::uint32_t i) {  // of what tile i sends
    const bool head = i % group == 0;
    return static_cast<std::uint8_t>(colors + (head ? 2 + i / group % 2 : i % group % 2));
  };
  for (std::uint32_t i = 0; i < p; ++i) {
    const bool head = i % group == 0;
    const std::uint32_t next_head = (i / group + 1) * group;
    const bool inner = i + 1 < p && i + 1 < next_head;  // somebody of the group lies behind
    if (i > 0) routes().set(line[i], color_of(i), {Port::kRamp, line.inward(i)});
    if (inner) routes().set(line[i], color_of(i + 1), {line.outward(i), Port::kRamp});
    if (next_head < p) {
      const Port to = head ? Port::kRamp : line.inward(i);
      routes().set(line[i], color_of(next_head), {line.outward(i), to});
    }
    if (!head) {
      if (inner) {
        pass(line[i], color_of(i + 1), color_of(i));
      } else {
        send(line[i], color_of(i));
      }
      continue;
    }
    const bool receives = next_head < p;
    if (i == 0) {
      if (inner) add(line[i], color_of(i + 1));
      if (receives) add(line[i], color_of(next_head));
    } else if (receives) {
      if (inner) add(line[i], color_of(i + 1));
      pass(line[i], color_of(next_head), color_of(i));
    } else if (inner) {
      pass(line[i], color_of(i + 1), color_of(i));
    } else {
      send(line[i], color_of(i));
    }
  }
}

void CollectivePlan::reduce(const Line& line, std::uint8_t colors, ReduceAlgorithm algorithm,
                            std::uint32_t group) {
  switch (algorithm) {
    case ReduceAlgorithm::kStar:
      return star(line, colors);
    case ReduceAlgorithm::kChain:
    case ReduceAlgorithm::kSnake:
      return chain(line, colors);
    case ReduceAlgorithm::kTree:
      return tree(line, colors);
    case ReduceAlgorithm::kTwoPhase:
      return two_phase(line, colors, group);
  }
}

void CollectivePlan::scatter(const Line& line, std::uint8_t color, std::uint32_t count) {
  const std::uint32_t p = line.size();
  if (p == 1) return;
  route_scatter(routes(), line, color);
  for (std::uint32_t i = 1; i < p; ++i) {
    part(i * count, count);
    send(line[0], color, true);
    part(0, count);
    take(line[i], color);
  }
  part(0, 0);
}

void CollectivePlan::gather(const Line& line, std::uint8_t color, std::uint32_t count) {
  const std::uint32_t p = line.size();
  if (p == 1) return;
  route_gather(routes(), line, color);
  part(count, (p - 1) * count);
  take(line[0], color);
  part(0, count);
  for (std::uint32_t i = 1; i < p; ++i) send(line[i], color, true);
  part(0, 0);
}

void CollectivePlan::allreduce_rows() {
  constexpr std::uint8_t kBack = 8;
  const Mesh mesh = shape_.mesh;
  if (mesh.columns == 1) return;
  const std::uint32_t middle = (mesh.columns - 1) / 2;
  const std::uint32_t group = default_group(mesh.columns - middle);
  for (std::uint32_t y = 0; y < mesh.rows; ++y) {
    two_phase(Line::row(mesh, y, middle, 0), 0, group);
    two_phase(Line::row(mesh, y, middle, mesh.columns - 1), 4, group);
    for (std::uint32_t x = 0; x < mesh.columns; ++x) {
      const std::uint32_t tile = mesh.tile(x, y);
      fabric::PortSet to;
      if (x != middle) to = Port::kRamp;
      if (x <= middle && x > 0) to = to | Port::kWest;
      if (x >= middle && x + 1 < mesh.columns) to = to | Port::kEast;
      const Port from = x == middle ? Port::kRamp : x < middle ? Port::kEast : Port::kWest;
      routes().set(tile, kBack, {from, to});
      x == middle ? send(tile, kBack) : take(tile, kBack);
    }
  }
}

// Programs ----------------------------------------------------------------------------------------

void CollectivePlan::synchronise() {
  constexpr std::uint8_t kColors = 18;  // the last ones
  if (!shape_.measured) return;
  const Mesh mesh = shape_.mesh;
  dummy_ = true;
  for (std::uint32_t y = 0; y < mesh.rows; ++y) {
    chain(Line::row(mesh, y, 0, mesh.columns - 1), kColors);
  }
  chain(Line::column(mesh, 0, 0, mesh.rows - 1), kColors + 2);
  broadcast_everywhere(kColors + 4);
  dummy_ = false;
  for (Plan& steps : plans_) {
    for (PlanStep& step : steps) step.dummy = true;
    steps.push_back(stamp(0));
    PlanStep wait;
    wait.kind = PlanStep::Kind::kWait;
    steps.push_back(wait);
    steps.push_back(stamp(1));
  }
}

PlanStep CollectivePlan::stamp(std::uint32_t number) {
  PlanStep step;
  step.kind = PlanStep::Kind::kStamp;
  step.first = number;
  return step;
}

void CollectivePlan::broadcast_everywhere(std::uint8_t color) {
  const Mesh mesh = shape_.mesh;
  if (mesh.tiles() == 1) return;
  for (std::uint32_t tile = 0; tile < mesh.tiles(); ++tile) {
    const base::Coordinate at = mesh.at(tile);
    const Port from = tile == 0 ? Port::kRamp : at.y == 0 ? Port::kWest : Port::kNorth;
    fabric::PortSet to;
    if (tile != 0) to = Port::kRamp;
    if (at.y == 0 && at.x + 1 < mesh.columns) to = to | Port::kEast;
    if (at.y + 1 < mesh.rows) to = to | Port::kSouth;
    routes().set(tile, color, {from, to});
    tile == 0 ? send(tile, color) : take(tile, color);
  }
}

Collective CollectivePlan::build(std::uint32_t input, std::uint32_t result) {
  if (shape_.measured) {
    for (Plan& steps : plans_) steps.push_back(stamp(2));
  }
  std::map<Plan, std::uint16_t> programs;
  Kernel& kernel = collective_.kernel;
  for (std::uint32_t tile = 0; tile < plans_.size(); ++tile) {
    const auto [it, is_new] = programs.emplace(plans_[tile], 0);
    if (is_new) it->second = kernel.add(write(plans_[tile], input, result));
    kernel.program_of[tile] = it->second;
  }
  const Program& any = kernel.programs.front();
  if (!before_) collective_.input = *any.find_array("input");
  collective_.result = *any.find_array("result");
  if (shape_.measured) collective_.times = *any.find_array("times");
  return std::move(collective_);
}

/// One task, a vector operation a step. Input queue 0 is that of the color read first, and so on.
Program CollectivePlan::write(const Plan& plan, std::uint32_t input, std::uint32_t result) const {
  const std::uint8_t input_bytes = shape_.type == DataType::kFp32 ? 4 : 2;
  const std::uint8_t sum_bytes = shape_.type == DataType::kFp16 ? 2 : 4;
  ProgramBuilder p(collective_.kernel.name, map_);
  const bool in_place = input_bytes == sum_bytes;
  p.task(collective_.kernel.name).active = true;
  // A small vector to which many are added stays beside the datapath.
  const bool adds_many =
      std::any_of(plan.begin(), plan.end(), [](const PlanStep& step) { return step.repeat > 1; });
  const auto make = [&](const char* name, std::uint32_t elements, std::uint8_t bytes) {
    const bool near = adds_many && elements * bytes <= kNearBytes;
    return near ? p.near_array(name, elements, bytes) : p.array(name, elements, bytes);
  };
  const Array x = before_    ? before_(p)
                  : in_place ? make("input", std::max(input, result), input_bytes)
                             : p.array("input", input, input_bytes);
  const Array y = in_place ? p.same(x, "result") : make("result", result, sum_bytes);
  Array times;
  Array dummy;
  if (shape_.measured) {
    times = p.array("times", 3);
    dummy = p.array("dummy", std::max(kDummyWords, shape_.mesh.columns + shape_.mesh.rows));
  }
  std::map<std::uint8_t, std::uint8_t> inputs;
  std::map<std::uint8_t, std::uint8_t> outputs;
  const auto in = [&](const PlanStep& step) {
    const auto [it, is_new] = inputs.emplace(step.in, static_cast<std::uint8_t>(inputs.size()));
    if (is_new && it->second < kNumInputQueues) p.input(it->second, step.in);
    return p.fabric_in(it->second, step.dummy ? std::uint8_t{4} : sum_bytes);
  };
  const auto out = [&](const PlanStep& step) {
    static constexpr std::uint8_t kOrder[]{2, 3, 0, 1, 4, 5};  // the deepest first
    const auto [it, is_new] = outputs.emplace(step.out, kOrder[outputs.size() % kNumOutputQueues]);
    if (is_new) p.output(it->second, step.out);
    return p.fabric_out(
        it->second, step.dummy ? std::uint8_t{4} : sum_bytes,
        step.advance ? ProgramBuilder::Last::kAdvance : ProgramBuilder::Last::kPlain);
  };
  bool summed = in_place;
  for (const PlanStep& step : plan) {
    const DataType type = step.dummy ? DataType::kFp32 : shape_.type;
    const Array& to = step.dummy ? dummy : y;
    const Array& value = step.dummy ? dummy : summed ? y : x;
    const auto part = [&](const Array& array) { return p.part(array, step.first, step.count); };
    const Operand count = ProgramBuilder::integer(step.count);
    switch (step.kind) {
      case PlanStep::Kind::kSend:
        p.vector(VectorOp::kMove, type, out(step), part(value), count);
        break;
      case PlanStep::Kind::kPass:
        p.vector(step.op, type, out(step), part(value), in(step), count);
        break;
      case PlanStep::Kind::kAdd: {
        p.vector(step.op, type, part(to), part(value), in(step), count);
        const std::uint32_t more = step.repeat - 1;
        if (summed || step.dummy) {
          p.last().length = ProgramBuilder::integer(std::int64_t{step.count} * step.repeat);
        } else if (more > 0) {
          p.vector(step.op, type, part(to), part(to), in(step),
                   ProgramBuilder::integer(std::int64_t{step.count} * more));
        }
        summed = summed || !step.dummy;
        break;
      }
      case PlanStep::Kind::kTake:
        p.vector(VectorOp::kMove, type, part(to), in(step), count);
        summed = summed || !step.dummy;
        break;
      case PlanStep::Kind::kCopy:
        if (!in_place) p.vector(VectorOp::kMove, type, part(y), part(x), count);
        summed = true;
        break;
      case PlanStep::Kind::kWork:
        works_[step.first](p, step.count);
        break;
      case PlanStep::Kind::kStamp:
        p.time(1);
        p.store(ProgramBuilder::integer(times.address + 4 * step.first), ProgramBuilder::r(1));
        break;
      case PlanStep::Kind::kWait:
        write_wait(p, dummy);
        break;
    }
  }
  p.end();
  return p.build();
}

/// A vector operation over as many elements as the tile is nearer to tile (0, 0) than the farthest one.
void CollectivePlan::write_wait(ProgramBuilder& p, const Array& dummy) const {
  constexpr std::uint8_t kLength = 2;
  using P = ProgramBuilder;
  const std::uint32_t farthest = shape_.mesh.columns + shape_.mesh.rows - 2;
  p.scalar(VectorOp::kSub, DataType::kInt32, kLength, P::integer(farthest), P::r(kColumnRegister));
  p.scalar(VectorOp::kSub, DataType::kInt32, kLength, P::r(kLength), P::r(kRowRegister));
  // An element a step.
  p.vector(VectorOp::kMul, DataType::kInt32, p.all(dummy), P::integer(0), P::integer(0),
           P::r(kLength));
}

}  // namespace wse::tiles
