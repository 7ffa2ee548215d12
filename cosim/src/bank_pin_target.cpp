// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/bank_pin_target.h"

#include <fmt/format.h>

#include "payload_words.h"

namespace wse::cosim {

BankPinTarget::BankPinTarget(const sc_core::sc_module_name& name, std::uint32_t words)
    : sc_core::sc_module(name), bytes_(std::uint64_t{words} * 4) {
  target_socket.register_b_transport(this, &BankPinTarget::b_transport);
  target_socket.register_nb_transport_fw(this, &BankPinTarget::nb_transport_fw);
  target_socket.register_transport_dbg(this, &BankPinTarget::transport_dbg);
  SC_HAS_PROCESS(BankPinTarget);
  SC_METHOD(serve);
  sensitive << clk.neg() << request_;
  dont_initialize();
}

/// TLM_INCOMPLETE_RESPONSE if there is something to do.
tlm::tlm_response_status BankPinTarget::judge(const tlm::tlm_generic_payload& trans) const {
  if (trans.get_command() == tlm::TLM_IGNORE_COMMAND) return tlm::TLM_OK_RESPONSE;
  if (!trans.is_read() && !trans.is_write()) return tlm::TLM_COMMAND_ERROR_RESPONSE;
  const std::uint64_t length = trans.get_data_length();
  if (length == 0 || trans.get_streaming_width() < length) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (trans.get_address() >= bytes_ || length > bytes_ - trans.get_address()) {
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  }
  if (trans.get_byte_enable_ptr() != nullptr && trans.get_byte_enable_length() == 0) {
    return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  }
  if (trans.get_data_ptr() == nullptr) return tlm::TLM_GENERIC_ERROR_RESPONSE;
  return tlm::TLM_INCOMPLETE_RESPONSE;
}

void BankPinTarget::b_transport(tlm::tlm_generic_payload& trans, sc_core::sc_time& delay) {
  const tlm::tlm_response_status status = judge(trans);
  if (status != tlm::TLM_INCOMPLETE_RESPONSE) {
    trans.set_response_status(status);
    return;
  }
  if (delay != sc_core::SC_ZERO_TIME) wait(delay);
  delay = sc_core::SC_ZERO_TIME;
  bool finished = false;
  Transfer transfer;
  transfer.trans = &trans;
  transfer.finished = &finished;
  queue_.push_back(transfer);
  request_.notify(sc_core::SC_ZERO_TIME);
  while (!finished) wait(finished_);
}

tlm::tlm_sync_enum BankPinTarget::nb_transport_fw(tlm::tlm_generic_payload& trans,
                                                  tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  if (phase == tlm::BEGIN_REQ) {
    if (!trans.has_mm()) {
      complain("no_memory_manager", "a payload of nb_transport must have one");
      trans.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
      return tlm::TLM_COMPLETED;
    }
    trans.acquire();
    phases_.notify(trans, phase, delay);
  } else if (phase == tlm::END_RESP) {
    phases_.notify(trans, phase, delay);
  } else if (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP) {
    complain("phase", fmt::format("{} is for the target to say", phase.get_name()));
  }
  return tlm::TLM_ACCEPTED;  // phases that are nobody's may be ignored
}

void BankPinTarget::on_phase(tlm::tlm_generic_payload& trans, const tlm::tlm_phase& phase) {
  if (phase == tlm::BEGIN_REQ) {
    Transfer transfer;
    transfer.trans = &trans;
    queue_.push_back(transfer);
    request_.notify(sc_core::SC_ZERO_TIME);
  } else if (!responds_) {
    complain("phase", "END_RESP without a response");
  } else {
    responds_ = false;
    trans.release();
    send_response();
  }
}

void BankPinTarget::serve() {
  if (clk.negedge()) {
    fall_ = sc_core::sc_time_stamp();
    has_fallen_ = true;
    collect();
    asks_ = loads_ = false;
    ask();
    if (!asks_) bank.ask({});
  } else if (has_fallen_ && fall_ == sc_core::sc_time_stamp() && !asks_) {
    ask();
  }
}

/// What the bank says about the word of the clock before.
void BankPinTarget::collect() {
  const memory::BankPins::Outputs out = bank.answered();
  if (out.valid && !loads_) complain("stray_answer", "valid without a load in the clock before");
  if (!asks_) return;
  Transfer& t = queue_.front();
  if (loads_ && !out.valid) {
    complain("no_answer", fmt::format("a load of word {} was not answered in the clock after",
                                      t.trans->get_address() / 4 + t.done));
    t.broken = true;
  }
  if (loads_ && out.valid) PayloadWords(*t.trans, true).set(t.done, out.data);
  ++words_moved_;
  if (++t.done == t.words) finish();
}

/// Asks for the next word of the first transfer that has one.
void BankPinTarget::ask() {
  while (!queue_.empty()) {
    Transfer& t = queue_.front();
    if (!t.begun) begin(t);
    if (t.done == t.words) {
      finish();
      continue;
    }
    const PayloadWords words(*t.trans, true);
    memory::BankPins::Inputs in;
    in.bytes = words.bytes(t.done);
    in.write = t.trans->is_write();
    in.enable = in.bytes != 0;
    in.address = static_cast<std::uint32_t>(words.first() + t.done);
    if (in.write) in.data = words.get(t.done);
    bank.ask(in);
    asks_ = true;
    loads_ = in.enable && !in.write;
    return;
  }
}

void BankPinTarget::begin(Transfer& transfer) {
  tlm::tlm_generic_payload& trans = *transfer.trans;
  transfer.begun = true;
  const tlm::tlm_response_status status = judge(trans);
  if (status == tlm::TLM_INCOMPLETE_RESPONSE) {
    transfer.words = PayloadWords(trans, true).count();
  } else {
    trans.set_response_status(status);
  }
  if (transfer.finished != nullptr) return;
  tlm::tlm_phase phase = tlm::END_REQ;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  target_socket->nb_transport_bw(trans, phase, delay);
}

/// The first transfer is done.
void BankPinTarget::finish() {
  const Transfer t = queue_.front();
  queue_.pop_front();
  if (t.words != 0) {
    t.trans->set_response_status(t.broken ? tlm::TLM_GENERIC_ERROR_RESPONSE : tlm::TLM_OK_RESPONSE);
  }
  if (t.finished != nullptr) {
    *t.finished = true;
    finished_.notify(sc_core::SC_ZERO_TIME);
    return;
  }
  responses_.push_back(t.trans);
  send_response();
}

void BankPinTarget::send_response() {
  if (responds_ || responses_.empty()) return;
  tlm::tlm_generic_payload& trans = *responses_.front();
  responses_.pop_front();
  responds_ = true;
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  // Completed, or updated to END_RESP: the initiator has said so already.
  if (target_socket->nb_transport_bw(trans, phase, delay) != tlm::TLM_ACCEPTED) {
    phases_.notify(trans, tlm::END_RESP, delay);
  }
}

/// Of all words that are touched; the bank may be at work.
unsigned int BankPinTarget::transport_dbg(tlm::tlm_generic_payload& trans) {
  const std::uint64_t length = trans.get_data_length();
  const bool moves = (trans.is_read() || trans.is_write()) && trans.get_data_ptr() != nullptr;
  if (!back_door_.load || !moves || length == 0) return 0;
  if (trans.get_address() >= bytes_ || length > bytes_ - trans.get_address()) return 0;
  const PayloadWords words(trans, false);
  for (std::uint32_t i = 0; i < words.count(); ++i) {
    const auto word = static_cast<std::uint32_t>(words.first() + i);
    if (trans.is_read()) {
      words.set(i, back_door_.load(word));
      continue;
    }
    std::uint32_t mask = 0;
    for (unsigned byte = 0; byte < 4; ++byte) {
      if ((words.bytes(i) >> byte & 1) != 0) mask |= 0xffU << (8 * byte);
    }
    back_door_.store(word, (back_door_.load(word) & ~mask) | words.get(i));
  }
  return static_cast<unsigned int>(length);
}

void BankPinTarget::complain(const char* what, const std::string& text) const {
  SC_REPORT_ERROR(
      fmt::format("/wse/cosim/bank_pins/{}", what).c_str(),
      fmt::format("{}: {}: {}", name(), sc_core::sc_time_stamp().to_string(), text).c_str());
}

}  // namespace wse::cosim
