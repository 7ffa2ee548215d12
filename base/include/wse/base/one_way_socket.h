// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <systemc>
#include <tlm>
#include <utility>

namespace wse::base {

/// Target side of a socket pair that carries a payload of our own, one way. tlm_utils' simple
/// sockets demand the generic payload's memory management; this one does not. The receiver files
/// the payload by the stamps in it and keeps no reference; it never waits.
template <class Protocol>
class OneWayTarget : public tlm::tlm_target_socket<32, Protocol>,
                     private tlm::tlm_fw_transport_if<Protocol> {
 public:
  using Payload = typename Protocol::tlm_payload_type;
  using Phase = typename Protocol::tlm_phase_type;
  using Receive = std::function<void(Payload&)>;

  explicit OneWayTarget(const char* name) : tlm::tlm_target_socket<32, Protocol>(name) {
    this->bind(static_cast<tlm::tlm_fw_transport_if<Protocol>&>(*this));
  }
  /// Set once, at construction of the module that owns the socket.
  void on_receive(Receive receive) { receive_ = std::move(receive); }

 private:
  void b_transport(Payload& payload, sc_core::sc_time&) override { receive_(payload); }
  tlm::tlm_sync_enum nb_transport_fw(Payload& payload, Phase&, sc_core::sc_time&) override {
    receive_(payload);
    return tlm::TLM_COMPLETED;
  }
  bool get_direct_mem_ptr(Payload&, tlm::tlm_dmi&) override { return false; }
  unsigned int transport_dbg(Payload&) override { return 0; }

  Receive receive_;
};

/// Initiator side: send() is a call into the receiver; time travels in the payload's stamps.
template <class Protocol>
class OneWayInitiator : public tlm::tlm_initiator_socket<32, Protocol>,
                        private tlm::tlm_bw_transport_if<Protocol> {
 public:
  using Payload = typename Protocol::tlm_payload_type;
  using Phase = typename Protocol::tlm_phase_type;

  explicit OneWayInitiator(const char* name) : tlm::tlm_initiator_socket<32, Protocol>(name) {
    this->bind(static_cast<tlm::tlm_bw_transport_if<Protocol>&>(*this));
  }
  void send(Payload& payload) {
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    (*this)->b_transport(payload, delay);
  }

 private:
  tlm::tlm_sync_enum nb_transport_bw(Payload&, Phase&, sc_core::sc_time&) override {
    return tlm::TLM_COMPLETED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}
};

}  // namespace wse::base
