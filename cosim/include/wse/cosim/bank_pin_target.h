// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <systemc>

#include "wse/cosim/bank_pins.h"

namespace wse::cosim {

/// Makes a TLM-2.0 target of an SRAM bank that has pins: RTL, or any module with signals.
///
/// Interfaces  base protocol: b_transport (waits), nb_transport with four phases, debug transport
///             by a back door if there is one, DMI denied. Address 0 is byte 0 of the bank.
/// Timing      Works at falling edges of clk, the bank at rising ones. A transfer begins at the
///             first falling edge at or after its arrival at which the bank is free, and asks for a
///             word in each clock: 32 bits of the bank that it touches, with byte enables of what
///             it touches of them. N words end N clocks later, whatever is enabled; the next
///             transfer begins then. A falling edge lasts as long as its time stamp, so it does not
///             matter which of two modules the kernel runs first. Where clk stands still transfers
///             wait.
///
///                 clk      ~~~\___/~~~\___/~~~\___/~~~\___
///                 bank_*      |=word 0|=word 1|             a load of two words that
///                 read_data       |= 0 ===|= 1 ===|         comes in the first clock
///                             ^ begins
///                                     ^ word 0 is taken
///                                             ^ word 1 is taken, done
///
/// Phases      END_REQ when the transfer begins, BEGIN_RESP when it is done and the response before
///             has been ended. Payloads need a memory manager.
/// Errors      Outside of the bank: TLM_ADDRESS_ERROR_RESPONSE; streaming, no bytes:
///             TLM_BURST_ERROR_RESPONSE; enables of no length: TLM_BYTE_ENABLE_ERROR_RESPONSE; no
///             data pointer, or a bank that breaks the contract: TLM_GENERIC_ERROR_RESPONSE. What
///             is refused takes no clock. SC_REPORT_ERROR /wse/cosim/bank_pins/: no_answer (not
///             valid in the clock after a load), stray_answer (valid without one), phase (of the
///             initiator), no_memory_manager.
class BankPinTarget final : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<BankPinTarget> target_socket{"target_socket"};
  sc_core::sc_in<bool> clk{"clk"};
  BankPorts<sc_core::sc_out, sc_core::sc_in> bank{"bank"};

  BankPinTarget(const sc_core::sc_module_name& name, std::uint32_t words);

  /// How debug transport gets at words of the bank.
  struct BackDoor {
    std::function<std::uint32_t(std::uint32_t word)> load;
    std::function<void(std::uint32_t word, std::uint32_t data)> store;
  };
  void set_back_door(BackDoor door) { back_door_ = std::move(door); }
  std::uint64_t words_moved() const { return words_moved_; }

 private:
  struct Transfer {
    tlm::tlm_generic_payload* trans = nullptr;
    bool* finished = nullptr;  ///< of b_transport; else there are phases
    bool begun = false;
    bool broken = false;  ///< by the bank
    std::uint32_t words = 0;
    std::uint32_t done = 0;
  };
  void b_transport(tlm::tlm_generic_payload& trans, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& trans, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  unsigned int transport_dbg(tlm::tlm_generic_payload& trans);
  tlm::tlm_response_status judge(const tlm::tlm_generic_payload& trans) const;
  void on_phase(tlm::tlm_generic_payload& trans, const tlm::tlm_phase& phase);
  void serve();
  void collect();
  void ask();
  void begin(Transfer& transfer);
  void finish();
  void send_response();
  void complain(const char* what, const std::string& text) const;

  const std::uint64_t bytes_;
  BackDoor back_door_;
  std::deque<Transfer> queue_;  ///< the first one has the bank
  sc_core::sc_time fall_;       ///< the last one
  bool has_fallen_ = false;
  bool asks_ = false;   ///< a word since the last fall
  bool loads_ = false;  ///< and is to be answered
  std::deque<tlm::tlm_generic_payload*> responses_;
  bool responds_ = false;  ///< END_RESP is to come
  std::uint64_t words_moved_ = 0;
  tlm_utils::peq_with_cb_and_phase<BankPinTarget> phases_{this, &BankPinTarget::on_phase};
  sc_core::sc_event request_{"request"};
  sc_core::sc_event finished_{"finished"};
};

}  // namespace wse::cosim
