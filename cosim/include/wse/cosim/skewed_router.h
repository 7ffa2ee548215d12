// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "wse/fabric/router_setup.h"
#include "wse/fabric/router_twin.h"

namespace wse::cosim {

/// What routers that keep the order, but not the clocks, of the model have done.
struct SkewReport {
  std::uint64_t checked = 0;    ///< copies whose order was compared
  std::uint64_t waiting = 0;    ///< copies that came in and have not come out
  std::uint64_t unordered = 0;  ///< copies of colors whose order is a matter of timing
  std::map<std::uint64_t, std::uint64_t> latencies;  ///< copies by clocks from input to output
};

/// A router of which the order is compared with what its routes ask for, not the clock: for RTL that is
/// pipelined in another way. Of each color the copies of what came in by an input must leave by
/// each output in the order in which it came, whole, once, with the data that the model would give
/// them. Throws a Mismatch at the first that does not.
///
/// Where a color merges from several inputs and also has a switch or a counting filter, what leaves
/// depends on which input is first: there only the number of wavelets held is looked at.
class SkewedRouter final : public fabric::RouterTwin {
 public:
  /// `report` outlives the router.
  SkewedRouter(std::string name, std::unique_ptr<fabric::RouterTwin> twin,
               const fabric::RouterSetup& setup, SkewReport& report);

  base::VcdSource* trace() override { return twin_->trace(); }
  fabric::RouterPins outputs() const override { return twin_->outputs(); }
  void clock(const fabric::RouterPins& inputs) override;
  /// When nothing is under way: throws a Mismatch if a copy has not come out.
  void finish() const;

 private:
  struct Copy {
    std::uint64_t clock;  ///< in which it came
    fabric::Wavelet wavelet;
  };
  /// A color: its switch and filter move in the order of its input.
  struct Color {
    fabric::ColorRoute route;
    bool ordered = true;
    bool stuck = false;  ///< torn down, or at a position that does not take the input
    std::uint8_t position = 0;
    std::uint32_t counter = 0;
    /// Copies to come, by input and output.
    std::array<std::array<std::deque<Copy>, fabric::kNumPorts>, fabric::kNumPorts> expected;
  };
  void see(fabric::Port output, const fabric::Wavelet& wavelet);
  void take(fabric::Port input, const fabric::Wavelet& wavelet);
  void free_slot(fabric::Port input, std::uint8_t color);
  [[noreturn]] void fail(fabric::Port output, const fabric::Wavelet& wavelet,
                         const std::string& rule) const;

  const std::string name_;
  std::unique_ptr<fabric::RouterTwin> twin_;
  SkewReport& report_;
  std::uint64_t clocks_ = 0;
  std::array<std::optional<Color>, fabric::kNumColors> colors_;
  std::array<std::array<std::uint64_t, fabric::kNumColors>, fabric::kNumPorts> held_{};
};

/// Whether what leaves of a color does not depend on which of its inputs is first.
bool keeps_order(const fabric::ColorRoute& route);

}  // namespace wse::cosim
