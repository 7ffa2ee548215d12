// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "wse/base/units.h"

namespace wse::host {

/// Bytes that have crossed one direction of a lane by a time: of n bytes in [first, last),
/// floor(n (t - first) / (last - first)) have before t.
class LaneMeter {
 public:
  /// Transfers come in the order of their times and do not overlap.
  void add(base::Picoseconds first, base::Picoseconds last, base::Bytes bytes);
  /// Bytes before `time` that no earlier call has returned.
  base::Bytes take_until(base::Picoseconds time);

 private:
  struct Transfer {
    base::Picoseconds first;
    base::Picoseconds last;
    base::Bytes bytes;
    base::Bytes taken;
  };
  std::deque<Transfer> transfers_;
};

}  // namespace wse::host
