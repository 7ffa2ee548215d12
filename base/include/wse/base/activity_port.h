// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm>

#include "wse/base/activity.h"
#include "wse/base/pending_activity.h"

namespace wse::base {

/// Writes one activity record over a base-protocol initiator socket. The target answers at once;
/// anything but TLM_OK_RESPONSE is an error of the model under `report_id`.
template <class Socket>
void post_activity(Socket& socket, ActivityRecord& record, const char* report_id) {
  tlm::tlm_generic_payload trans;
  trans.set_command(tlm::TLM_WRITE_COMMAND);
  trans.set_address(std::uint64_t{record.die} * sizeof(ActivityRecord));
  trans.set_data_ptr(reinterpret_cast<unsigned char*>(&record));
  trans.set_data_length(sizeof(ActivityRecord));
  trans.set_streaming_width(sizeof(ActivityRecord));
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->b_transport(trans, delay);
  if (!trans.is_response_ok()) {
    SC_REPORT_ERROR(report_id, trans.get_response_string().c_str());
  }
}

/// What a module counted on a die in a window, phase by phase; phases without events post nothing.
template <class Socket>
void post_phases(Socket& socket, std::uint32_t die, std::uint64_t window,
                 const PendingActivity::ByPhase& counts, const char* report_id) {
  for (std::size_t phase = 0; phase < kNumPhases; ++phase) {
    if (counts[phase] == EventCounts{}) continue;
    ActivityRecord record;
    record.die = die;
    record.phase = static_cast<Phase>(phase);
    record.window = window;
    record.counts = counts[phase];
    post_activity(socket, record, report_id);
  }
}

}  // namespace wse::base
