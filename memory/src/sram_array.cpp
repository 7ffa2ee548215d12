// SPDX-License-Identifier: Apache-2.0
#include "wse/memory/sram_array.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>
#include <limits>

#include "wse/base/check.h"

namespace wse::memory {
namespace {

constexpr char kActivityRefused[] = "/wse/memory/sram/activity_refused";

base::ActivityRecord record_of(const BankReport& report, const BankCounts& counts) {
  base::ActivityRecord record;
  record.die = report.die;
  record.phase = report.phase;
  record.window = report.window;
  base::at(record.counts, base::EventKind::kSramRead64) = counts.reads64;
  base::at(record.counts, base::EventKind::kSramWrite64) = counts.writes64;
  base::at(record.counts, base::EventKind::kSramRead32) = counts.reads32;
  base::at(record.counts, base::EventKind::kSramWrite32) = counts.writes32;
  return record;
}

}  // namespace

SramArray::SramArray(const sc_core::sc_module_name& name, const SramConfig& config,
                     std::uint32_t die, std::uint64_t tiles, ArenaView bytes,
                     const sc_core::sc_time& cycle)
    : sc_core::sc_module(name),
      tile_bytes_(config.size_bytes),
      die_bytes_(tiles * config.size_bytes),
      die_(die),
      bytes_(bytes),
      access_latency_(config.access_latency_cycles * cycle) {
  WSE_CHECK(tiles > 0 && tiles <= bytes.size / tile_bytes_,
            fmt::format("{}: {} tiles of {} bytes over {} bytes", this->name(), tiles, tile_bytes_,
                        bytes.size));
  target_socket.register_b_transport(this, &SramArray::b_transport);
  target_socket.register_transport_dbg(this, &SramArray::transport_dbg);
  target_socket.register_get_direct_mem_ptr(this, &SramArray::get_direct_mem_ptr);
}

bool SramArray::in_one_tile(std::uint64_t address, std::uint64_t length) const {
  return address < die_bytes_ && length <= tile_bytes_ - address % tile_bytes_;
}

std::optional<tlm::tlm_response_status> SramArray::refuse(
    const tlm::tlm_generic_payload& trans) const {
  if (!trans.is_read() && !trans.is_write()) return tlm::TLM_COMMAND_ERROR_RESPONSE;
  if (trans.get_byte_enable_ptr() != nullptr) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  const unsigned int length = trans.get_data_length();
  if (length == 0 || trans.get_streaming_width() < length) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (!in_one_tile(trans.get_address(), length)) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  if (trans.get_data_ptr() == nullptr) return tlm::TLM_GENERIC_ERROR_RESPONSE;
  return std::nullopt;
}

TileSram* SramArray::twin_at(std::uint64_t address) const {
  const auto twin = twins_.find(address / tile_bytes_);
  return twin == twins_.end() ? nullptr : twin->second;
}

void SramArray::copy_twin(TileSram& sram, tlm::tlm_generic_payload& trans) const {
  const auto* step = trans.get_extension<BankStep>();
  const std::uint64_t at = trans.get_address() % tile_bytes_;
  if (step != nullptr) sram.begin(step->cycle, step->cycles);
  if (trans.is_read()) {
    sram.load(at, trans.get_data_length(), trans.get_data_ptr());
  } else {
    sram.store(at, trans.get_data_length(), trans.get_data_ptr());
  }
  if (step == nullptr) sram.settle();
}

void SramArray::copy(tlm::tlm_generic_payload& trans) {
  if (TileSram* sram = twin_at(trans.get_address())) return copy_twin(*sram, trans);
  std::uint8_t* const stored = bytes_.data + trans.get_address();
  if (trans.is_read()) {
    std::memcpy(trans.get_data_ptr(), stored, trans.get_data_length());
  } else {
    std::memcpy(stored, trans.get_data_ptr(), trans.get_data_length());
  }
}

void SramArray::b_transport(int, tlm::tlm_generic_payload& trans, sc_core::sc_time& delay) {
  if (trans.get_command() == tlm::TLM_IGNORE_COMMAND) {
    trans.set_response_status(take_report(trans.get_extension<BankReport>(), delay));
    return;
  }
  if (const auto refusal = refuse(trans)) {
    trans.set_response_status(*refusal);
    return;
  }
  copy(trans);
  if (trans.get_extension<BankStep>() != nullptr) {
    trans.set_response_status(tlm::TLM_OK_RESPONSE);
    return;
  }
  ++(trans.is_read() ? stats_.reads : stats_.writes);
  stats_.bytes += trans.get_data_length();
  unposted_ += counts_of_transfer(trans.is_write(), trans.get_data_length());
  delay += access_latency_;
  trans.set_dmi_allowed(twin_at(trans.get_address()) == nullptr);
  trans.set_response_status(tlm::TLM_OK_RESPONSE);
}

tlm::tlm_response_status SramArray::take_report(const BankReport* report,
                                                const sc_core::sc_time& delay) {
  if (report == nullptr) return tlm::TLM_OK_RESPONSE;
  if (report->die != die_) return tlm::TLM_GENERIC_ERROR_RESPONSE;
  BankCounts counts = unposted_;
  counts += report->counts;
  base::ActivityRecord record = record_of(*report, counts);
  const tlm::tlm_response_status answer = post(record, delay);
  if (answer != tlm::TLM_OK_RESPONSE) {
    SC_REPORT_ERROR(kActivityRefused, fmt::format("{}: window {}: {}", name(), record.window,
                                                  activity_trans_.get_response_string())
                                          .c_str());
    return tlm::TLM_GENERIC_ERROR_RESPONSE;
  }
  stats_.posted += counts;
  unposted_ = {};
  return tlm::TLM_OK_RESPONSE;
}

tlm::tlm_response_status SramArray::post(base::ActivityRecord& record, sc_core::sc_time delay) {
  tlm::tlm_generic_payload& trans = activity_trans_;
  trans.set_command(tlm::TLM_WRITE_COMMAND);
  trans.set_address(std::uint64_t{die_} * sizeof record);
  trans.set_data_ptr(reinterpret_cast<unsigned char*>(&record));
  trans.set_data_length(sizeof record);
  trans.set_streaming_width(sizeof record);
  trans.set_byte_enable_ptr(nullptr);
  trans.set_dmi_allowed(false);
  trans.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  activity_socket->b_transport(trans, delay);  // a copy of delay: a post costs the caller nothing
  return trans.get_response_status();
}

unsigned int SramArray::transport_dbg(int, tlm::tlm_generic_payload& trans) {
  const unsigned int length = trans.get_data_length();
  const bool moves = trans.is_read() || trans.is_write();
  if (!moves || length == 0 || trans.get_data_ptr() == nullptr) return 0;
  if (trans.get_byte_enable_ptr() != nullptr || !in_one_tile(trans.get_address(), length)) return 0;
  copy(trans);
  return length;
}

bool SramArray::get_direct_mem_ptr(int, tlm::tlm_generic_payload& trans, tlm::tlm_dmi& dmi) {
  dmi.allow_read_write();
  dmi.set_read_latency(access_latency_);
  dmi.set_write_latency(access_latency_);
  if (trans.get_address() >= die_bytes_) {  // the range that is denied
    dmi.set_start_address(die_bytes_);
    dmi.set_end_address(std::numeric_limits<sc_dt::uint64>::max());
    return false;
  }
  const std::uint64_t tile = trans.get_address() / tile_bytes_;
  const auto next = twins_.lower_bound(tile);
  if (next != twins_.end() && next->first == tile) {
    dmi.set_start_address(tile * tile_bytes_);
    dmi.set_end_address((tile + 1) * tile_bytes_ - 1);
    return false;
  }
  // As far as there is no twin.
  const std::uint64_t begin =
      next == twins_.begin() ? 0 : (std::prev(next)->first + 1) * tile_bytes_;
  const std::uint64_t end = next == twins_.end() ? die_bytes_ : next->first * tile_bytes_;
  dmi.set_dmi_ptr(bytes_.data + begin);
  dmi.set_start_address(begin);
  dmi.set_end_address(end - 1);
  return true;
}

}  // namespace wse::memory
