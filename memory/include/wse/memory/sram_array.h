// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <map>
#include <optional>
#include <systemc>
#include <tlm>

#include "wse/base/activity.h"
#include "wse/memory/bank_core.h"
#include "wse/memory/bank_report.h"
#include "wse/memory/bank_step.h"
#include "wse/memory/sram_arena.h"
#include "wse/memory/tile_sram.h"

namespace wse::memory {

/// What one SramArray served. Plain counters on the hot path.
struct SramStats {
  std::uint64_t reads = 0;   ///< read transactions of b_transport
  std::uint64_t writes = 0;  ///< write transactions of b_transport
  std::uint64_t bytes = 0;   ///< bytes moved by both
  BankCounts posted;         ///< accesses posted as activity, from reports and from transport
};

/// Loosely timed SRAM of one physical die, addressed by tile x size_bytes + offset; tiles are all
/// cores built on the die, row by row.
///
/// Interfaces  b_transport (never waits), debug transport, DMI over the whole die.
/// Timing      adds access_latency_cycles to `delay` per read or write, whatever its length.
/// Errors      outside the die or across the end of a tile: TLM_ADDRESS_ERROR_RESPONSE; byte
///             enables: TLM_BYTE_ENABLE_ERROR_RESPONSE; no bytes or streaming:
///             TLM_BURST_ERROR_RESPONSE; unknown command: TLM_COMMAND_ERROR_RESPONSE; no data
///             pointer or a report for another die: TLM_GENERIC_ERROR_RESPONSE. Bytes, statistics
///             and `delay` stay as they were. Debug transport returns 0 instead.
/// Activity    TLM_IGNORE_COMMAND with a BankReport posts at once one base::ActivityRecord: the
///             reported counts and, by counts_of_transfer(), those of b_transport since the last
///             post. Without one it does nothing. Whoever used b_transport ends a window with a
///             report, of zero counts if need be: an initiator posts only accesses it did through
///             DMI or counted by rule, so that runs with and without DMI post equal sums.
/// Twins       the bytes of a tile with a twin are in the twin: DMI to it is denied and ends before and
///             after it, debug transport lets its stores end. A BankStep tells the clocks of an access.
/// Reports     /wse/memory/sram/activity_refused (error): the activity target did not answer OK.
class SramArray final : public sc_core::sc_module {
 public:
  /// Several regions of tiles may share a die.
  tlm_utils::multi_passthrough_target_socket<SramArray> target_socket{"target_socket"};
  /// Writes base::ActivityRecord to address die x sizeof(base::ActivityRecord).
  tlm_utils::simple_initiator_socket<SramArray> activity_socket{"activity_socket"};

  /// `config` is valid; `bytes` holds at least tiles x size_bytes and outlives the module; `cycle`
  /// is the period of the core clock.
  SramArray(const sc_core::sc_module_name& name, const SramConfig& config, std::uint32_t die,
            std::uint64_t tiles, ArenaView bytes, const sc_core::sc_time& cycle);

  /// A tile of the die whose SRAM is simulated elsewhere. Before the first transaction; `sram` outlives
  /// the module.
  void set_twin(std::uint64_t tile, TileSram& sram) { twins_[tile] = &sram; }

  const SramStats& stats() const { return stats_; }

 private:
  void b_transport(int id, tlm::tlm_generic_payload& trans, sc_core::sc_time& delay);
  unsigned int transport_dbg(int id, tlm::tlm_generic_payload& trans);
  bool get_direct_mem_ptr(int id, tlm::tlm_generic_payload& trans, tlm::tlm_dmi& dmi);

  bool in_one_tile(std::uint64_t address, std::uint64_t length) const;
  std::optional<tlm::tlm_response_status> refuse(const tlm::tlm_generic_payload& trans) const;
  void copy(tlm::tlm_generic_payload& trans);
  TileSram* twin_at(std::uint64_t address) const;
  void copy_twin(TileSram& sram, tlm::tlm_generic_payload& trans) const;
  tlm::tlm_response_status take_report(const BankReport* report, const sc_core::sc_time& delay);
  tlm::tlm_response_status post(base::ActivityRecord& record, sc_core::sc_time delay);

  const std::uint64_t tile_bytes_;
  const std::uint64_t die_bytes_;  // tiles x tile_bytes_
  const std::uint32_t die_;
  const ArenaView bytes_;
  const sc_core::sc_time access_latency_;
  tlm::tlm_generic_payload activity_trans_;
  BankCounts unposted_;                       // accesses of b_transport since the last post
  std::map<std::uint64_t, TileSram*> twins_;  ///< by tile
  SramStats stats_;
};

}  // namespace wse::memory
