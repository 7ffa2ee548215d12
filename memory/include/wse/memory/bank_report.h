// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <tlm>

#include "wse/base/activity.h"
#include "wse/memory/bank_core.h"

namespace wse::memory {

/// Accesses that DMI or a cost model hid, posted for energy and conflicts.
///
/// Rides on a TLM_IGNORE_COMMAND payload to an SramArray and may be ignored by any other target: it
/// moves no data. An initiator posts only accesses it did through DMI or counted by rule; those of
/// b_transport are counted by the SramArray, so a run with DMI and one without post equal sums.
/// Zero counts are legal and let the accesses of transport leave at the end of a window.
struct BankReport : tlm::tlm_extension<BankReport> {
  std::uint32_t die = 0;  ///< must be the die of the SramArray that receives it
  base::Phase phase = base::Phase::kIdle;
  std::uint64_t window = 0;  ///< index of the activity window that the accesses fell into
  BankCounts counts;

  tlm::tlm_extension_base* clone() const override { return new BankReport(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const BankReport&>(other);
  }
};

}  // namespace wse::memory
