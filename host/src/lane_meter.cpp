// SPDX-License-Identifier: Apache-2.0
#include "wse/host/lane_meter.h"

namespace wse::host {

void LaneMeter::add(base::Picoseconds first, base::Picoseconds last, base::Bytes bytes) {
  if (bytes > 0) transfers_.push_back({first, last, bytes, 0});
}

base::Bytes LaneMeter::take_until(base::Picoseconds time) {
  base::Bytes sum = 0;
  while (!transfers_.empty() && transfers_.front().first < time) {
    Transfer& t = transfers_.front();
    if (t.last > time) {
      const base::Bytes done = base::mul_div(t.bytes, time - t.first, t.last - t.first);
      sum += done - t.taken;
      t.taken = done;
      break;
    }
    sum += t.bytes - t.taken;
    transfers_.pop_front();
  }
  return sum;
}

}  // namespace wse::host
