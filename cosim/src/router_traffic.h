// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "wse/base/random.h"
#include "wse/fabric/router_setup.h"

namespace wse::cosim {

/// A router with routes of all kinds, legal for itself.
fabric::RouterSetup random_router(base::Random& random, std::uint32_t most_slots);

/// Neighbours and a compute engine around a router: they send where there is a slot, and free slots
/// behind its outputs when they like.
class RouterSurroundings {
 public:
  /// Counts the wavelets that it sends in `sent`.
  RouterSurroundings(const fabric::RouterSetup& setup, std::uint64_t seed, std::uint64_t& sent);

  /// What comes in this clock, after what the router gives in it.
  fabric::RouterPins next(const fabric::RouterPins& given, std::uint64_t clock);
  /// The same without a new wavelet, and every slot is freed at once.
  fabric::RouterPins drain(const fabric::RouterPins& given);
  /// All slots behind the outputs are free.
  bool is_idle() const;

 private:
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
  void new_mood();
  void take(std::size_t port, const fabric::RouterPins& given);
  void send(std::size_t port, fabric::RouterPins& pins);
  void give_credits(std::size_t port, std::uint64_t percent, fabric::RouterPins& pins);

  using ByColor = std::array<std::uint32_t, fabric::kNumColors>;
  base::Random random_;
  std::vector<std::uint8_t> colors_;
  std::array<ByColor, fabric::kNumPorts> free_{};
  std::array<std::deque<std::uint8_t>, fabric::kNumPorts> taken_;
  std::array<std::uint64_t, fabric::kNumPorts> send_percent_{}, read_percent_{};
  std::uint64_t& sent_;
};

}  // namespace wse::cosim
