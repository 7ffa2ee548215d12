// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wse/base/activity_port.h"
#include "wse/base/region_layout.h"
#include "wse/memory/bank_report.h"

namespace wse::tiles {

/// Takes the SRAM's events out of the counts: they are posted to the arrays of the banks.
inline base::EventCounts take_banks(base::EventCounts& counts) {
  using base::EventKind;
  base::EventCounts banks{};
  for (const EventKind kind : {EventKind::kSramRead64, EventKind::kSramWrite64,
                               EventKind::kSramRead32, EventKind::kSramWrite32}) {
    std::swap(at(banks, kind), at(counts, kind));
  }
  return banks;
}

/// Accesses of a part in a window, to the array of its die.
template <class Socket>
void post_banks(Socket& socket, const base::ActivityRecord& of, const base::EventCounts& counts) {
  using base::EventKind;
  memory::BankReport report;
  report.die = of.die;
  report.phase = of.phase;
  report.window = of.window;
  report.counts.reads64 = at(counts, EventKind::kSramRead64);
  report.counts.writes64 = at(counts, EventKind::kSramWrite64);
  report.counts.reads32 = at(counts, EventKind::kSramRead32);
  report.counts.writes32 = at(counts, EventKind::kSramWrite32);
  tlm::tlm_generic_payload trans;
  trans.set_command(tlm::TLM_IGNORE_COMMAND);
  trans.set_extension(&report);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->b_transport(trans, delay);
  trans.clear_extension(&report);
  if (!trans.is_response_ok()) {
    SC_REPORT_ERROR("/wse/tiles/memory_refused", trans.get_response_string().c_str());
  }
}

/// What the tiles of a part did in a phase of a window: `cycles` of each tile, and their events. Phases
/// without either post nothing.
template <class MemorySocket, class ActivitySocket>
void post_phase(MemorySocket& memory, ActivitySocket& activity, const base::RegionPart& part,
                base::Phase phase, std::uint64_t window, base::Cycles cycles,
                const base::EventCounts& events) {
  base::ActivityRecord record;
  record.die = part.die;
  record.phase = phase;
  record.window = window;
  record.phase_cycles = cycles * part.tiles.tiles();
  record.counts = events;
  const base::EventCounts banks = take_banks(record.counts);
  if (banks != base::EventCounts{}) post_banks(memory, record, banks);
  if (record.phase_cycles == 0 && record.counts == base::EventCounts{}) return;
  base::post_activity(activity, record, "/wse/tiles/activity_refused");
}

}  // namespace wse::tiles
