// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace wse::base {

/// Something clocked that runs beside the model and tells of its signals in the text of a VCD file,
/// clock by clock: RTL. Outermost scope: its pins, and among them `clk`.
class VcdSource {
 public:
  /// What has changed since the cycle before; in the first one, all.
  struct Cycle {
    bool clocked = false;  ///< it had a clock in this cycle
    /// Value changes; state and inputs as they are just before the edge that ends the cycle.
    std::string text;
  };

  virtual ~VcdSource() = default;
  /// Declarations, to $enddefinitions.
  virtual std::string header() const = 0;
  /// Whether the cycles that come are wanted. Those that are not cost nothing.
  virtual void want(bool wanted) = 0;
  /// The cycle that just ran, or the state that waits if there was no clock since the last call.
  virtual Cycle take() = 0;
};

/// What may have such signals.
class Traceable {
 public:
  virtual ~Traceable() = default;
  /// Those of its own, from its next clock on. Null: none to show.
  virtual VcdSource* trace() { return nullptr; }
};

}  // namespace wse::base
