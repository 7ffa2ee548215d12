// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm>

#include "wse/base/units.h"

namespace wse::memory {

/// Rides on a read or write of a compute engine that may not touch the SRAM itself: the step that it
/// belongs to. Such an access is not counted by the SramArray: its initiator counts it by rule and
/// reports it, as with DMI (bank_report.h). Other targets may ignore it.
struct BankStep : tlm::tlm_extension<BankStep> {
  base::Cycles cycle = 0;
  unsigned cycles = 1;  ///< that BankCore gives the step

  tlm::tlm_extension_base* clone() const override { return new BankStep(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const BankStep&>(other);
  }
};

}  // namespace wse::memory
