// SPDX-License-Identifier: Apache-2.0
#include "wse/fabric/router_model.h"

#include <algorithm>

namespace wse::fabric {

namespace {
constexpr std::size_t kNumQueues = kNumColors * kNumPorts;
}

RouterModel::RouterModel(Arbitration arbitration) : arbitration_(arbitration) {}

void RouterModel::set_route(std::uint8_t color, const ColorRoute& route) {
  colors_[color].routed = true;
  colors_[color].route = route;
}

void RouterModel::set_slots(Port output, std::uint8_t color, std::uint32_t slots) {
  slots_[index_of(output)][color] = slots;
}

std::size_t RouterModel::held() const {
  std::size_t sum = 0;
  for (const std::size_t i : occupied_) sum += queue(i).wavelets.size();
  return sum;
}

bool RouterModel::blocked() const {
  const std::vector<Turn> turns = decide();
  return std::all_of(turns.begin(), turns.end(),
                     [](const Turn& turn) { return turn.granted.empty(); });
}

PortSet RouterModel::wanted_outputs(std::size_t index) const {
  const Queue& q = queue(index);
  const Color& color = colors_[index % kNumColors];
  if (color.halted || !color.routed) return {};
  if (!q.pending.empty()) return q.pending;
  return color.route.outputs_of(static_cast<Port>(index / kNumColors), color.position);
}

bool RouterModel::passes_filter(const Wavelet& wavelet) const {
  const Color& color = colors_[wavelet.color];
  return color.route.filter.passes(wavelet, color.counter);
}

bool RouterModel::can_take(Port output, const Wavelet& head) const {
  if (output == Port::kRamp && !passes_filter(head)) return true;  // it is dropped there
  return slots_[index_of(output)][head.color] > 0;
}

/// The first queue at or after the pointer whose head wants the output and can be taken by it.
RouterModel::Turn* RouterModel::winner(Port output, std::vector<Turn>& turns) const {
  const auto asked_after = [this, output](const Turn& turn) {
    return (turn.queue + kNumQueues - pointer_[index_of(output)]) % kNumQueues;
  };
  Turn* best = nullptr;
  for (Turn& turn : turns) {
    if (!turn.wanted.contains(output)) continue;
    if (!can_take(output, queue(turn.queue).wavelets.front())) continue;
    if (best == nullptr || asked_after(turn) < asked_after(*best)) best = &turn;
  }
  return best;
}

std::vector<RouterModel::Turn> RouterModel::decide() const {
  std::vector<Turn> turns;
  for (const std::size_t i : occupied_) turns.push_back({i, wanted_outputs(i), {}});
  for (const Port output : kPorts) {
    Turn* turn = winner(output, turns);
    if (turn != nullptr) turn->granted = turn->granted | output;
  }
  return turns;
}

RouterPins RouterModel::outputs() const {
  RouterPins pins;
  for (const Turn& turn : decide()) {
    Wavelet wavelet = queue(turn.queue).wavelets.front();
    const bool passes = passes_filter(wavelet);
    wavelet.data = colors_[wavelet.color].route.data_after(wavelet);
    for (const Port output : kPorts) {
      if (!turn.granted.contains(output) || (output == Port::kRamp && !passes)) continue;
      pins.links[index_of(output)] = {true, wavelet};
    }
    if (turn.leaves()) {
      pins.credits[turn.queue / kNumColors] |= std::uint32_t{1} << (turn.queue % kNumColors);
    }
  }
  return pins;
}

void RouterModel::clock(const RouterPins& inputs) {
  const std::vector<Turn> turns = decide();
  for (const Port output : kPorts) {
    const auto wants = [output](const Turn& turn) { return turn.wanted.contains(output); };
    if (arbitration_ == Arbitration::kRoundRobin &&
        std::none_of(turns.begin(), turns.end(), wants)) {
      pointer_[index_of(output)] = 0;
    }
    for (const Turn& turn : turns) {
      if (turn.granted.contains(output)) send(output, turn);
    }
  }
  for (const Turn& turn : turns) {
    Queue& q = queue(turn.queue);
    if (turn.leaves()) {
      const Wavelet wavelet = q.wavelets.front();
      q.wavelets.pop_front();
      q.pending = {};
      if (q.wavelets.empty()) occupied_.erase(turn.queue);
      obey(wavelet);
    } else if (!turn.granted.empty()) {
      q.pending = turn.wanted - turn.granted;
    }
  }
  for (std::size_t p = 0; p < kNumPorts; ++p) {
    if (inputs.links[p].valid) {
      const Wavelet& wavelet = inputs.links[p].wavelet;
      queues_[p][wavelet.color].wavelets.push_back(wavelet);
      occupied_.insert(p * kNumColors + wavelet.color);
    }
    for (std::size_t c = 0; inputs.credits[p] >> c != 0; ++c) {
      if ((inputs.credits[p] >> c & 1) != 0 && slots_[p][c] != kUnlimited) ++slots_[p][c];
    }
  }
}

/// A copy leaves by an output.
void RouterModel::send(Port output, const Turn& turn) {
  const Wavelet& head = queue(turn.queue).wavelets.front();
  pointer_[index_of(output)] = (turn.queue + 1) % kNumQueues;
  bool dropped = false;
  if (output == Port::kRamp) {
    Color& color = colors_[head.color];
    dropped = !passes_filter(head);
    color.counter = color.route.filter.count(head, color.counter);
    filtered_ += dropped ? 1 : 0;
  }
  std::uint32_t& slots = slots_[index_of(output)][head.color];
  if (!dropped && slots != kUnlimited) --slots;
}

/// The switch moves after the wavelet has passed.
void RouterModel::obey(const Wavelet& wavelet) {
  Color& color = colors_[wavelet.color];
  const Command command = command_of(wavelet);
  color.position = color.route.position_after(command, color.position);
  if (command == Command::kTeardown) color.halted = true;
}

}  // namespace wse::fabric
