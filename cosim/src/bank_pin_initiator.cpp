// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/bank_pin_initiator.h"

#include <fmt/format.h>

#include <algorithm>

#include "wse/base/check.h"

namespace wse::cosim {

BankPinInitiator::BankPinInitiator(const sc_core::sc_module_name& name, std::uint64_t base,
                                   TransportStyle style)
    : sc_core::sc_module(name), base_(base) {
  initiator_socket.register_nb_transport_bw(this, &BankPinInitiator::nb_transport_bw);
  SC_HAS_PROCESS(BankPinInitiator);
  SC_METHOD(count_falls);
  sensitive << clk.neg();
  dont_initialize();
  SC_METHOD(check_answers);
  sensitive << clk.pos();
  dont_initialize();
  if (style == TransportStyle::kBlocking) {
    SC_THREAD(serve_blocking);
  } else {
    SC_METHOD(serve_phases);
    sensitive << fall_ << answered_;
    dont_initialize();
  }
}

void BankPinInitiator::count_falls() {
  ++falls_;
  fall_time_ = sc_core::sc_time_stamp();
  fall_.notify(sc_core::SC_ZERO_TIME);
}

/// At a rising edge the module samples the answer to what was sent before the last fall.
void BankPinInitiator::check_answers() {
  Access*& sent = asked_ != nullptr && asked_->fall < falls_ ? asked_ : due_;
  if (sent == nullptr) return;
  complain("late", *sent, "was not answered by the falling edge after");
  if (sent == unsent_) {
    unsent_ = nullptr;
    sent->trans.release();
  }
  sent = nullptr;
}

void BankPinInitiator::serve_blocking() {
  const Access* answered = nullptr;
  for (;;) {
    while (served_ == falls_) wait(fall_);
    served_ = falls_;
    answer(answered);
    answered = nullptr;
    if (!is_asked()) continue;
    Access& access = fill();
    asked_ = &access;
    call(access);
    const bool is_late = falls_ != access.fall &&
                         (falls_ != access.fall + 1 || fall_time_ != sc_core::sc_time_stamp());
    if (!is_late) {
      answered = &access;
    } else {
      if (asked_ != nullptr) complain("late", access, "was not answered by the falling edge after");
      served_ = falls_;
    }
    asked_ = nullptr;
  }
}

void BankPinInitiator::call(Access& access) {
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  initiator_socket->b_transport(access.trans, delay);
  if (delay != sc_core::SC_ZERO_TIME) wait(delay);
  judge(access);
}

void BankPinInitiator::serve_phases() {
  if (served_ != falls_) {
    served_ = falls_;
    due_ = asked_;
    asked_ = nullptr;
    answer(due_ != nullptr && due_->answered ? due_ : nullptr);
    if (due_ != nullptr && due_->answered) due_ = nullptr;
    if (is_asked()) {
      asked_ = &fill();
      asked_->trans.acquire();
      send(*asked_);
    }
  } else if (due_ != nullptr && due_->answered && fall_time_ == sc_core::sc_time_stamp()) {
    answer(due_);
    due_ = nullptr;
  }
}

bool BankPinInitiator::is_asked() const {
  const memory::BankPins::Inputs in = port.asked();
  return in.enable && (!in.write || in.bytes != 0);
}

BankPinInitiator::Access& BankPinInitiator::free_access() {
  for (const auto& access : pool_) {
    const Access* const used[] = {asked_, due_, unsent_, requests_};
    if (access->trans.get_ref_count() != 0) continue;
    if (std::find(std::begin(used), std::end(used), access.get()) == std::end(used)) return *access;
  }
  pool_.push_back(std::make_unique<Access>());
  pool_.back()->trans.set_mm(this);
  return *pool_.back();
}

/// The payload of what is asked now.
BankPinInitiator::Access& BankPinInitiator::fill() {
  const memory::BankPins::Inputs in = port.asked();
  Access& access = free_access();
  const unsigned mask = in.write ? in.bytes : 15U;
  unsigned first = 0, last = 3;
  while ((mask >> first & 1) == 0) ++first;
  while ((mask >> last & 1) == 0) --last;
  const unsigned length = last - first + 1;
  bool gaps = false;
  for (unsigned byte = 0; byte < length; ++byte) {
    const bool enabled = (mask >> (first + byte) & 1) != 0;
    gaps = gaps || !enabled;
    access.enables[byte] = enabled ? TLM_BYTE_ENABLED : TLM_BYTE_DISABLED;
    access.data[byte] = static_cast<unsigned char>(in.write ? in.data >> (8 * (first + byte)) : 0);
  }
  tlm::tlm_generic_payload& trans = access.trans;
  trans.set_command(in.write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  trans.set_address(base_ + std::uint64_t{in.address} * 4 + first);
  trans.set_data_ptr(access.data);
  trans.set_data_length(length);
  trans.set_streaming_width(length);
  trans.set_byte_enable_ptr(gaps ? access.enables : nullptr);
  trans.set_byte_enable_length(gaps ? length : 0);
  trans.set_dmi_allowed(false);
  trans.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  access.fall = falls_;
  access.answered = access.completed = false;
  ++accesses_;
  return access;
}

/// What the module sees until the next falling edge; null: nothing.
void BankPinInitiator::answer(const Access* access) {
  memory::BankPins::Outputs out;
  out.valid = access != nullptr && access->trans.is_read() && access->trans.is_response_ok();
  for (unsigned byte = 0; out.valid && byte < 4; ++byte) {
    out.data |= std::uint32_t{access->data[byte]} << (8 * byte);
  }
  port.answer(out);
}

void BankPinInitiator::judge(const Access& access) const {
  if (access.trans.is_response_ok()) return;
  complain("refused", access, access.trans.get_response_string());
}

void BankPinInitiator::send(Access& access) {
  if (unsent_ != nullptr) unsent_->trans.release();  // it is late
  unsent_ = &access;
  send_next();
}

void BankPinInitiator::send_next() {
  if (requests_ != nullptr || unsent_ == nullptr) return;
  Access& access = *unsent_;
  unsent_ = nullptr;
  requests_ = &access;
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  switch (initiator_socket->nb_transport_fw(access.trans, phase, delay)) {
    case tlm::TLM_ACCEPTED:
      break;
    case tlm::TLM_UPDATED:
      phases_.notify(access.trans, phase, delay);
      break;
    case tlm::TLM_COMPLETED:
      access.completed = true;
      phases_.notify(access.trans, tlm::BEGIN_RESP, delay);
      break;
  }
}

tlm::tlm_sync_enum BankPinInitiator::nb_transport_bw(tlm::tlm_generic_payload& trans,
                                                     tlm::tlm_phase& phase,
                                                     sc_core::sc_time& delay) {
  if (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP) phases_.notify(trans, phase, delay);
  return tlm::TLM_ACCEPTED;  // phases that are nobody's may be ignored
}

void BankPinInitiator::on_phase(tlm::tlm_generic_payload& trans, const tlm::tlm_phase& phase) {
  Access* const found = access_of(trans);
  WSE_CHECK(found != nullptr, std::string(name()) + ": a phase of somebody else's payload");
  Access& access = *found;
  const bool ends_request = requests_ == &access;  // a response does that too
  if (ends_request) requests_ = nullptr;
  if (phase == tlm::END_REQ) {
    if (!ends_request) complain("phase", access, "END_REQ of a request that has ended");
  } else {
    judge(access);
    access.answered = true;
    answered_.notify(sc_core::SC_ZERO_TIME);
    if (!access.completed) {
      tlm::tlm_phase end = tlm::END_RESP;
      sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
      initiator_socket->nb_transport_fw(trans, end, delay);
    }
    trans.release();
  }
  send_next();
}

BankPinInitiator::Access* BankPinInitiator::access_of(const tlm::tlm_generic_payload& trans) const {
  for (const auto& access : pool_) {
    if (&access->trans == &trans) return access.get();
  }
  return nullptr;
}

void BankPinInitiator::complain(const char* what, const Access& access,
                                const std::string& text) const {
  SC_REPORT_ERROR(
      fmt::format("/wse/cosim/bank_pins/{}", what).c_str(),
      fmt::format("{}: {}: a {} at {:#x}: {}", name(), sc_core::sc_time_stamp().to_string(),
                  access.trans.is_write() ? "store" : "load", access.trans.get_address(), text)
          .c_str());
}

}  // namespace wse::cosim
