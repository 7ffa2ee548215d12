// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

namespace wse::testing_support {

/// Rules of the TLM-2.0 base protocol (IEEE 1666, generic payload), watched on one link.
///
/// Stands between initiators and a target, passes every call on unchanged and records what breaks a
/// rule; it never reports or throws, so a test sees all violations of a run. Covers b_transport,
/// debug transport and DMI. Without nb_transport: a call of that is the socket's own error.
class TlmProtocolChecker final : public sc_core::sc_module {
 public:
  tlm_utils::multi_passthrough_target_socket<TlmProtocolChecker> target_socket{"target_socket"};
  tlm_utils::simple_initiator_socket<TlmProtocolChecker> initiator_socket{"initiator_socket"};

  explicit TlmProtocolChecker(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    target_socket.register_b_transport(this, &TlmProtocolChecker::b_transport);
    target_socket.register_transport_dbg(this, &TlmProtocolChecker::transport_dbg);
    target_socket.register_get_direct_mem_ptr(this, &TlmProtocolChecker::get_direct_mem_ptr);
    initiator_socket.register_invalidate_direct_mem_ptr(
        this, &TlmProtocolChecker::invalidate_direct_mem_ptr);
  }

  /// Calls that went through, whatever their outcome.
  struct Counts {
    std::uint64_t transports = 0;
    std::uint64_t debug_transports = 0;
    std::uint64_t dmi_requests = 0;
    std::uint64_t dmi_invalidations = 0;
  };
  const Counts& counts() const { return counts_; }

  /// One entry per broken rule and call: `rule: instance, call, address, time`.
  const std::vector<std::string>& violations() const { return violations_; }
  /// How often `rule` was broken.
  std::size_t violations_of(const std::string& rule) const {
    const auto begins = [&](const std::string& v) { return v.rfind(rule + ":", 0) == 0; };
    return static_cast<std::size_t>(std::count_if(violations_.begin(), violations_.end(), begins));
  }
  void clear() { violations_.clear(); }

 private:
  /// The attributes that nobody downstream may change, as they were on entry.
  struct Entry {
    explicit Entry(const tlm::tlm_generic_payload& trans)
        : command(trans.get_command()),
          address(trans.get_address()),
          data(trans.get_data_ptr()),
          length(trans.get_data_length()),
          streaming_width(trans.get_streaming_width()),
          byte_enables(trans.get_byte_enable_ptr()),
          byte_enable_length(trans.get_byte_enable_length()),
          time(sc_core::sc_time_stamp()) {}
    tlm::tlm_command command;
    sc_dt::uint64 address;
    unsigned char* data;
    unsigned int length;
    unsigned int streaming_width;
    unsigned char* byte_enables;
    unsigned int byte_enable_length;
    sc_core::sc_time time;
    bool moves_data() const {
      return command == tlm::TLM_READ_COMMAND || command == tlm::TLM_WRITE_COMMAND;
    }
  };

  void b_transport(int, tlm::tlm_generic_payload& trans, sc_core::sc_time& delay) {
    constexpr char kCall[] = "b_transport";
    ++counts_.transports;
    const Entry entry(trans);
    check_command_and_data(entry, kCall);
    require(!entry.moves_data() || entry.length > 0, "data-length-zero", kCall, entry);
    require(!entry.moves_data() || entry.streaming_width > 0, "streaming-width-zero", kCall, entry);
    require(entry.byte_enables == nullptr || entry.byte_enable_length > 0,
            "byte-enable-length-zero", kCall, entry);
    require(trans.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE, "response-not-incomplete",
            kCall, entry);
    require(!trans.is_dmi_allowed(), "dmi-hint-set", kCall, entry);
    const sc_core::sc_time local_time = entry.time + delay;
    initiator_socket->b_transport(trans, delay);
    // A target that waits may hand the annotated delay back as elapsed time.
    require(sc_core::sc_time_stamp() + delay >= local_time, "delay-decreased", kCall, entry);
    require(trans.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE,
            "response-still-incomplete", kCall, entry);
    check_unchanged(entry, trans, kCall);
  }

  unsigned int transport_dbg(int, tlm::tlm_generic_payload& trans) {
    constexpr char kCall[] = "transport_dbg";
    ++counts_.debug_transports;
    const Entry entry(trans);
    check_command_and_data(entry, kCall);
    const unsigned int bytes = initiator_socket->transport_dbg(trans);
    require(sc_core::sc_time_stamp() == entry.time, "debug-advances-time", kCall, entry);
    require(bytes <= entry.length, "debug-exceeds-length", kCall, entry);
    check_unchanged(entry, trans, kCall);
    return bytes;
  }

  bool get_direct_mem_ptr(int, tlm::tlm_generic_payload& trans, tlm::tlm_dmi& dmi) {
    constexpr char kCall[] = "get_direct_mem_ptr";
    ++counts_.dmi_requests;
    const Entry entry(trans);
    require(entry.moves_data(), "command-invalid", kCall, entry);
    const bool granted = initiator_socket->get_direct_mem_ptr(trans, dmi);
    require(sc_core::sc_time_stamp() == entry.time, "dmi-advances-time", kCall, entry);
    require(dmi.get_start_address() <= entry.address && entry.address <= dmi.get_end_address(),
            granted ? "dmi-range-misses-address" : "dmi-denial-misses-address", kCall, entry);
    if (granted) {
      require(dmi.get_dmi_ptr() != nullptr, "dmi-pointer-null", kCall, entry);
      require(
          entry.command == tlm::TLM_READ_COMMAND ? dmi.is_read_allowed() : dmi.is_write_allowed(),
          "dmi-access-not-granted", kCall, entry);
    }
    check_unchanged(entry, trans, kCall);
    return granted;
  }

  void invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end) {
    ++counts_.dmi_invalidations;
    for (unsigned int i = 0; i < target_socket.size(); ++i) {
      target_socket[static_cast<int>(i)]->invalidate_direct_mem_ptr(start, end);
    }
  }

  void check_command_and_data(const Entry& entry, const char* call) {
    require(entry.moves_data() || entry.command == tlm::TLM_IGNORE_COMMAND, "command-invalid", call,
            entry);
    require(!entry.moves_data() || entry.length == 0 || entry.data != nullptr, "data-pointer-null",
            call, entry);
  }

  void check_unchanged(const Entry& entry, const tlm::tlm_generic_payload& trans,
                       const char* call) {
    const Entry now(trans);
    require(now.command == entry.command, "command-changed", call, entry);
    require(now.address == entry.address, "address-changed", call, entry);
    require(now.data == entry.data, "data-pointer-changed", call, entry);
    require(now.length == entry.length, "data-length-changed", call, entry);
    require(now.streaming_width == entry.streaming_width, "streaming-width-changed", call, entry);
    require(now.byte_enables == entry.byte_enables &&
                now.byte_enable_length == entry.byte_enable_length,
            "byte-enables-changed", call, entry);
  }

  void require(bool holds, const char* rule, const char* call, const Entry& entry) {
    if (holds) return;
    violations_.push_back(fmt::format("{}: {}, {}, address {:#x}, {}", rule, name(), call,
                                      entry.address, entry.time.to_string()));
  }

  Counts counts_;
  std::vector<std::string> violations_;
};

}  // namespace wse::testing_support
