// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <map>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

namespace wse::testing_support {

/// Rules of nb_transport in the TLM-2.0 base protocol (IEEE 1666), watched on one link: order of the
/// four phases of each payload, one request and one response at a time, a memory manager that holds
/// the payload, attributes that stay, times that do not go back.
///
/// Stands between an initiator and a target, passes every call on unchanged and records what breaks a
/// rule. What TlmProtocolChecker sees of b_transport it does not.
class TlmPhaseChecker final : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<TlmPhaseChecker> target_socket{"target_socket"};
  tlm_utils::simple_initiator_socket<TlmPhaseChecker> initiator_socket{"initiator_socket"};

  explicit TlmPhaseChecker(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    target_socket.register_nb_transport_fw(this, &TlmPhaseChecker::forward);
    target_socket.register_b_transport(this, &TlmPhaseChecker::b_transport);
    target_socket.register_transport_dbg(this, &TlmPhaseChecker::transport_dbg);
    initiator_socket.register_nb_transport_bw(this, &TlmPhaseChecker::backward);
  }

  std::uint64_t completed() const { return completed_; }  ///< payloads
  std::uint64_t under_way() const { return open_.size(); }
  /// Payloads whose request began before the one before had its response: the link was pipelined.
  std::uint64_t overlapped() const { return overlapped_; }
  /// `rule: instance, phase, address, time`.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  enum class State { kRequest, kAccepted, kResponse };
  struct Open {
    State state = State::kRequest;
    tlm::tlm_command command;
    sc_dt::uint64 address;
    unsigned char* data;
    unsigned int length;
    unsigned char* enables;
    sc_core::sc_time last;
  };
  using Trans = tlm::tlm_generic_payload;

  tlm::tlm_sync_enum forward(Trans& trans, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    require(phase == tlm::BEGIN_REQ || phase == tlm::END_RESP, "wrong-path", trans, phase);
    move(trans, phase, delay);
    const tlm::tlm_phase before = phase;
    return pass_back(trans, before, phase, delay,
                     initiator_socket->nb_transport_fw(trans, phase, delay));
  }
  tlm::tlm_sync_enum backward(Trans& trans, tlm::tlm_phase& phase, sc_core::sc_time& delay) {
    require(phase == tlm::END_REQ || phase == tlm::BEGIN_RESP, "wrong-path", trans, phase);
    move(trans, phase, delay);
    const tlm::tlm_phase before = phase;
    return pass_back(trans, before, phase, delay,
                     target_socket->nb_transport_bw(trans, phase, delay));
  }
  /// What the return value says of the payload.
  tlm::tlm_sync_enum pass_back(Trans& trans, const tlm::tlm_phase& before, tlm::tlm_phase& phase,
                               sc_core::sc_time& delay, tlm::tlm_sync_enum answer) {
    if (answer == tlm::TLM_UPDATED) {
      require(phase != before, "updated-to-the-same", trans, phase);
      move(trans, phase, delay);
    } else if (answer == tlm::TLM_COMPLETED && open_.count(&trans) != 0) {
      require(trans.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE,
              "response-still-incomplete", trans, phase);
      close(trans);
    }
    return answer;
  }

  void move(Trans& trans, const tlm::tlm_phase& phase, const sc_core::sc_time& delay) {
    require(trans.has_mm() && trans.get_ref_count() > 0, "not-held", trans, phase);
    if (phase == tlm::BEGIN_REQ) {
      begin(trans, phase, delay);
      return;
    }
    const auto it = open_.find(&trans);
    require(it != open_.end(), "unknown-payload", trans, phase);
    if (it == open_.end()) return;
    Open& open = it->second;
    check_unchanged(open, trans, phase);
    const sc_core::sc_time at = sc_core::sc_time_stamp() + delay;
    require(at >= open.last, "time-goes-back", trans, phase);
    open.last = at;
    if (phase == tlm::END_REQ) {
      require(open.state == State::kRequest, "end-req-unexpected", trans, phase);
      open.state = State::kAccepted;
    } else if (phase == tlm::BEGIN_RESP) {
      require(open.state != State::kResponse, "begin-resp-again", trans, phase);
      require(count(State::kResponse) == 0, "responses-overlap", trans, phase);
      require(trans.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE,
              "response-still-incomplete", trans, phase);
      open.state = State::kResponse;
    } else if (phase == tlm::END_RESP) {
      require(open.state == State::kResponse, "end-resp-unexpected", trans, phase);
      close(trans);
    }
  }
  void begin(Trans& trans, const tlm::tlm_phase& phase, const sc_core::sc_time& delay) {
    require(open_.count(&trans) == 0, "payload-under-way", trans, phase);
    require(count(State::kRequest) == 0, "requests-overlap", trans, phase);
    require(trans.get_response_status() == tlm::TLM_INCOMPLETE_RESPONSE, "response-not-incomplete",
            trans, phase);
    require(!trans.is_dmi_allowed(), "dmi-hint-set", trans, phase);
    if (!open_.empty()) ++overlapped_;
    open_[&trans] = {State::kRequest,
                     trans.get_command(),
                     trans.get_address(),
                     trans.get_data_ptr(),
                     trans.get_data_length(),
                     trans.get_byte_enable_ptr(),
                     sc_core::sc_time_stamp() + delay};
  }
  void close(Trans& trans) {
    open_.erase(&trans);
    ++completed_;
  }
  std::size_t count(State state) const {
    std::size_t n = 0;
    for (const auto& [trans, open] : open_) n += open.state == state ? 1 : 0;
    return n;
  }
  void check_unchanged(const Open& open, const Trans& trans, const tlm::tlm_phase& phase) {
    require(trans.get_command() == open.command && trans.get_address() == open.address &&
                trans.get_data_ptr() == open.data && trans.get_data_length() == open.length &&
                trans.get_byte_enable_ptr() == open.enables,
            "attribute-changed", trans, phase);
  }
  void require(bool holds, const char* rule, const Trans& trans, const tlm::tlm_phase& phase) {
    if (holds) return;
    violations_.push_back(fmt::format("{}: {}, {}, address {:#x}, {}", rule, name(),
                                      phase.get_name(), trans.get_address(),
                                      sc_core::sc_time_stamp().to_string()));
  }
  void b_transport(Trans& trans, sc_core::sc_time& delay) {
    initiator_socket->b_transport(trans, delay);
  }
  unsigned int transport_dbg(Trans& trans) { return initiator_socket->transport_dbg(trans); }

  std::map<const Trans*, Open> open_;
  std::uint64_t completed_ = 0;
  std::uint64_t overlapped_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace wse::testing_support
