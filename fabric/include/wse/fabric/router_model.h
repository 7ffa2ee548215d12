// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <set>
#include <vector>

#include "wse/fabric/color_route.h"
#include "wse/fabric/router_twin.h"

namespace wse::fabric {

/// How an output chooses among the queues that want it (docs/timing.md).
enum class Arbitration : std::uint8_t {
  kRoundRobin,       ///< round robin; the pointer returns to its start after a clock without want
  kPlainRoundRobin,  ///< round robin; the pointer stays
};

/// One router written as docs/timing.md reads, a queue an input and color: slow and plain. It is the
/// definition that the engines are compared with, and the model that stands in for RTL.
class RouterModel final : public RouterTwin {
 public:
  static constexpr std::uint32_t kUnlimited = ~std::uint32_t{0};

  explicit RouterModel(Arbitration arbitration);

  void set_route(std::uint8_t color, const ColorRoute& route);
  /// Slots behind an output for a color, before the first clock.
  void set_slots(Port output, std::uint8_t color, std::uint32_t slots);

  RouterPins outputs() const override;
  void clock(const RouterPins& inputs) override;

  std::size_t held() const;  ///< wavelets in the queues
  std::uint64_t filtered() const { return filtered_; }
  std::uint8_t position(std::uint8_t color) const { return colors_[color].position; }
  bool halted(std::uint8_t color) const { return colors_[color].halted; }
  std::size_t queued(Port input, std::uint8_t color) const {
    return queues_[index_of(input)][color].wavelets.size();
  }
  const Wavelet& head(Port input, std::uint8_t color) const {
    return queues_[index_of(input)][color].wavelets.front();
  }
  /// Copies of the head of a queue that have not left, if some have.
  PortSet pending(Port input, std::uint8_t color) const {
    return queues_[index_of(input)][color].pending;
  }
  /// Free behind an output.
  std::uint32_t slots(Port output, std::uint8_t color) const {
    return slots_[index_of(output)][color];
  }
  /// The queue that an output asks first, input x 24 + color.
  std::size_t pointer(Port output) const { return pointer_[index_of(output)]; }
  /// Nothing can leave until a wavelet or a credit comes in.
  bool blocked() const;

 private:
  struct Queue {
    std::deque<Wavelet> wavelets;
    PortSet pending;  ///< copies of the head that have not left; empty: none has left
  };
  struct Color {
    bool routed = false;
    ColorRoute route;
    std::uint8_t position = 0;
    bool halted = false;
    std::uint32_t counter = 0;  ///< of the filter at the ramp
  };
  /// What becomes of the head of one queue in this clock.
  struct Turn {
    std::size_t queue = 0;  ///< port * 24 + color
    PortSet wanted;         ///< outputs that the head still has to leave by
    PortSet granted;
    bool leaves() const { return !wanted.empty() && (wanted - granted).empty(); }
  };

  Queue& queue(std::size_t index) { return queues_[index / kNumColors][index % kNumColors]; }
  const Queue& queue(std::size_t index) const {
    return queues_[index / kNumColors][index % kNumColors];
  }
  PortSet wanted_outputs(std::size_t index) const;
  bool passes_filter(const Wavelet& wavelet) const;
  bool can_take(Port output, const Wavelet& head) const;
  Turn* winner(Port output, std::vector<Turn>& turns) const;
  std::vector<Turn> decide() const;
  void send(Port output, const Turn& turn);
  void obey(const Wavelet& wavelet);

  const Arbitration arbitration_;
  std::array<std::array<Queue, kNumColors>, kNumPorts> queues_;
  std::array<std::array<std::uint32_t, kNumColors>, kNumPorts> slots_{};
  std::array<Color, kNumColors> colors_;
  std::array<std::size_t, kNumPorts> pointer_{};  ///< the queue that each output asks first
  std::set<std::size_t> occupied_;                ///< queues with a wavelet
  std::uint64_t filtered_ = 0;
};

}  // namespace wse::fabric
