// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "wse/fabric/router_setup.h"
#include "wse/fabric/router_twin.h"

namespace wse::cosim {

/// A twin and the model did not give the same in a clock; what() shows the last clocks of both.
class Mismatch : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A twin shadowed by the model: both get the same inputs, and all outputs are compared in every
/// clock. Throws a Mismatch at the first difference.
class LockstepRouter final : public fabric::RouterTwin {
 public:
  /// `name`: for messages, such as `router (3,4), rtl:router`.
  LockstepRouter(std::string name, std::unique_ptr<fabric::RouterTwin> twin,
                 const fabric::RouterSetup& setup);

  fabric::RouterPins outputs() const override;
  void clock(const fabric::RouterPins& inputs) override;

  const fabric::RouterModel& model() const { return *model_; }

 private:
  static constexpr std::size_t kWindow = 16;  ///< clocks that a message shows
  struct Clock {
    std::uint64_t number;
    fabric::RouterPins inputs, twin, model;
  };
  void compare() const;

  const std::string name_;
  std::unique_ptr<fabric::RouterTwin> twin_;
  std::unique_ptr<fabric::RouterModel> model_;
  std::uint64_t clocks_ = 0;
  std::deque<Clock> window_;
};

/// What the pins carry, in a line; empty if nothing.
std::string text_of(const fabric::RouterPins& pins);

}  // namespace wse::cosim
