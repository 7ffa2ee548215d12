// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "wse/cosim/bank_pins.h"

namespace wse::cosim {

/// Calls       of the base protocol that an initiator makes.
enum class TransportStyle : std::uint8_t { kBlocking, kPhases };

/// Makes a TLM-2.0 initiator of RTL, or any module with signals, that has the SRAM port of a bank:
/// to the module this is the bank, and each access a payload.
///
/// Interfaces  base protocol: b_transport, or nb_transport with four phases. Byte `base` + 4 x
///             word.
/// Timing      Works at falling edges of clk, the module at rising ones. What the module asks after
///             an edge is sent at the falling edge; a load is answered at the next one, valid for
///             the clock around the next rising edge, as a bank would have it. So the target has a
///             clock: it answers up to that falling edge, an annotated delay included. A falling
///             edge lasts as long as its time stamp.
///
///                 clk        /~~~\___/~~~\___/~~~\___
///                 port_*     |=asked=|
///                 payload        ^ sent  ^ answered by now
///                 read_data              |=valid=|
///
///             A BankPinTarget answers in that time: with its bank behind it the module sees in
///             each rising edge what it would see of the bank itself.
/// Payloads    A store of bytes that lie together is a shorter one; only others have byte enables.
///             A store of no bytes is none.
/// Errors      SC_REPORT_ERROR /wse/cosim/bank_pins/: late (no answer in time, or no END_REQ: what
///             the module asked or asks meanwhile is not served), refused (a response that is not
///             OK: a load is not answered), phase (of the target).
class BankPinInitiator final : public sc_core::sc_module, private tlm::tlm_mm_interface {
 public:
  tlm_utils::simple_initiator_socket<BankPinInitiator> initiator_socket{"initiator_socket"};
  sc_core::sc_in<bool> clk{"clk"};
  BankPorts<sc_core::sc_in, sc_core::sc_out> port{"port"};

  BankPinInitiator(const sc_core::sc_module_name& name, std::uint64_t base, TransportStyle style);

  std::uint64_t accesses() const { return accesses_; }
  std::size_t payloads() const { return pool_.size(); }  ///< that were ever needed at a time

 private:
  /// A payload with its data.
  struct Access {
    tlm::tlm_generic_payload trans;
    unsigned char data[4]{};
    unsigned char enables[4]{};
    std::uint64_t fall = 0;  ///< in which it was sent
    bool answered = false;
    bool completed = false;  ///< without END_RESP
  };
  void count_falls();
  void check_answers();
  void serve_blocking();
  void serve_phases();
  void call(Access& access);
  bool is_asked() const;
  Access& fill();
  Access& free_access();
  void answer(const Access* access);
  void judge(const Access& access) const;
  void send(Access& access);
  void send_next();
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& trans, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  void on_phase(tlm::tlm_generic_payload& trans, const tlm::tlm_phase& phase);
  void free(tlm::tlm_generic_payload*) override {}  ///< found by its references
  Access* access_of(const tlm::tlm_generic_payload& trans) const;
  void complain(const char* what, const Access& access, const std::string& text) const;

  const std::uint64_t base_;
  std::vector<std::unique_ptr<Access>> pool_;
  std::uint64_t falls_ = 0;
  sc_core::sc_time fall_time_;
  std::uint64_t served_ = 0;    ///< the last fall that was
  Access* asked_ = nullptr;     ///< sent at the last fall
  Access* due_ = nullptr;       ///< sent at the one before: answered by now, or late
  Access* unsent_ = nullptr;    ///< until the request before has ended
  Access* requests_ = nullptr;  ///< END_REQ is to come
  std::uint64_t accesses_ = 0;
  tlm_utils::peq_with_cb_and_phase<BankPinInitiator> phases_{this, &BankPinInitiator::on_phase};
  sc_core::sc_event fall_{"fall"};
  sc_core::sc_event answered_{"answered"};
};

}  // namespace wse::cosim
