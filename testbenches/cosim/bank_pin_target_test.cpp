// SPDX-License-Identifier: Apache-2.0
// A bank with pins as a TLM target: every byte, and every clock.
#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "random_transfer.h"
#include "support/pin_bank.h"
#include "support/systemc_test.h"
#include "support/tlm_phase_checker.h"
#include "support/tlm_protocol_checker.h"
#include "wse/cosim/bank_pin_target.h"
#include "wse/memory/bank_model.h"

#if defined(__SANITIZE_ADDRESS__)
/// The search for leaks would read the guard pages of the stacks that SC_THREADs have.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

namespace wse::cosim {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;
using testing_support::PinBank;
using testing_support::RandomTransfer;
using testing_support::TlmPhaseChecker;
using testing_support::TlmProtocolChecker;

constexpr std::uint32_t kWords = 64;
const sc_time kPeriod(10, SC_NS);

/// The first falling edge at or after a time: 5, 15, .. ns.
sc_time fall_at(const sc_time& time) {
  const std::uint64_t ps = time.value();
  return sc_time::from_value(ps <= 5000 ? 5000 : (ps - 5000 + 9999) / 10000 * 10000 + 5000);
}

/// Runs what a test gives it.
struct Thread : sc_core::sc_module {
  Thread(const sc_core::sc_module_name& name, std::function<void()> what)
      : sc_core::sc_module(name), body(std::move(what)) {
    SC_HAS_PROCESS(Thread);
    SC_THREAD(run);
  }
  void run() { body(); }
  tlm_utils::simple_initiator_socket<Thread> socket{"socket"};
  const std::function<void()> body;
};

class BankPinTargetTest : public testing_support::SystemCTest {
 protected:
  BankPinTargetTest() {
    target_.clk(clk_);
    target_.bank.bind(pins_);
    bank_.clk(clk_);
    bank_.pins.bind(pins_);
    sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, sc_core::SC_DO_NOTHING);
    errors_.clear();
    sc_core::sc_report_handler::set_handler(
        [](const sc_core::sc_report& r, const sc_core::sc_actions&) {
          errors_.push_back(std::string(r.get_msg_type()) + " " + r.get_msg());
        });
  }
  ~BankPinTargetTest() override { sc_core::sc_report_handler::set_handler(nullptr); }
  void run(std::function<void()> body, std::uint64_t us = 1000) {
    Thread thread("thread", std::move(body));
    TlmProtocolChecker checker("checker");
    thread.socket.bind(checker.target_socket);
    checker.initiator_socket.bind(target_.target_socket);
    socket_ = &thread.socket;
    sc_core::sc_start(static_cast<double>(us), sc_core::SC_US);
    EXPECT_TRUE(finished_);
    EXPECT_EQ(checker.violations(), std::vector<std::string>{});
    EXPECT_TRUE(errors_.empty()) << errors_.front();
  }
  tlm::tlm_response_status transport(RandomTransfer& t, sc_time& delay) {
    tlm::tlm_generic_payload trans;
    t.fill(trans);
    (*socket_)->b_transport(trans, delay);
    return trans.get_response_status();
  }

  static std::vector<std::string> errors_;
  sc_core::sc_clock clk_{"clk", kPeriod};
  BankSignals pins_{"bank"};
  BankPinTarget target_{"target", kWords};
  PinBank bank_{"ram", std::make_unique<memory::BankModel>(kWords)};
  tlm_utils::simple_initiator_socket<Thread>* socket_ = nullptr;
  bool finished_ = false;
  base::Random random_{11};
  std::vector<unsigned char> memory_ = std::vector<unsigned char>(4 * kWords);
};
std::vector<std::string> BankPinTargetTest::errors_;

TEST_F(BankPinTargetTest, BlockingTransfersTakeAClockAWord) {
  run([this] {
    std::uint64_t words = 0;
    for (int i = 0; i < 3000; ++i) {
      sc_core::wait(sc_time::from_value(random_.below(3) == 0 ? random_.below(40) * 500 : 0));
      RandomTransfer t(random_, 4 * kWords);
      t.apply(memory_);
      sc_time delay = sc_time::from_value(random_.below(2) == 0 ? random_.below(60) * 500 : 0);
      const sc_time arrives = sc_core::sc_time_stamp() + delay;
      ASSERT_EQ(transport(t, delay), tlm::TLM_OK_RESPONSE);
      ASSERT_EQ(sc_core::sc_time_stamp() + delay,
                fall_at(arrives) + kPeriod * static_cast<double>(t.words()))
          << i;
      if (!t.is_write) {
        ASSERT_EQ(t.data, t.expected) << i;
      }
      words += t.words();
    }
    EXPECT_EQ(target_.words_moved(), words);
    finished_ = true;
  });
}

TEST_F(BankPinTargetTest, WhatIsRefusedSaysWhyAndTakesNoTime) {
  run([this] {
    sc_core::wait(7, SC_NS);
    using Spoil = std::function<void(tlm::tlm_generic_payload&)>;
    const std::pair<tlm::tlm_response_status, Spoil> cases[] = {
        {tlm::TLM_ADDRESS_ERROR_RESPONSE, [](auto& t) { t.set_address(4 * kWords - 7); }},
        {tlm::TLM_ADDRESS_ERROR_RESPONSE, [](auto& t) { t.set_address(~std::uint64_t{0}); }},
        {tlm::TLM_BURST_ERROR_RESPONSE, [](auto& t) { t.set_streaming_width(4); }},
        {tlm::TLM_OK_RESPONSE, [](auto& t) { t.set_command(tlm::TLM_IGNORE_COMMAND); }},
    };
    for (const auto& [status, spoil] : cases) {
      unsigned char data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
      tlm::tlm_generic_payload trans;
      trans.set_command(tlm::TLM_WRITE_COMMAND);
      trans.set_data_ptr(data);
      trans.set_data_length(8);
      trans.set_streaming_width(8);
      spoil(trans);
      sc_time delay(3, SC_NS);
      (*socket_)->b_transport(trans, delay);
      EXPECT_EQ(trans.get_response_status(), status);
      EXPECT_EQ(delay, sc_time(3, SC_NS));
      EXPECT_EQ(sc_core::sc_time_stamp(), sc_time(7, SC_NS));
    }
    EXPECT_EQ(target_.words_moved(), 0u);
    finished_ = true;
  });
}

TEST_F(BankPinTargetTest, DebugTransportGoesByTheBackDoorAndDmiIsDenied) {
  std::vector<std::uint32_t> words(kWords, 0x44332211);
  run([this, &words] {
    unsigned char data[6] = {0xa, 0xb, 0xc, 0xd, 0xe, 0xf};
    tlm::tlm_generic_payload trans;
    trans.set_command(tlm::TLM_WRITE_COMMAND);
    trans.set_address(6);
    trans.set_data_ptr(data);
    trans.set_data_length(6);
    trans.set_streaming_width(6);
    EXPECT_EQ((*socket_)->transport_dbg(trans), 0u);  // no door
    target_.set_back_door({[&](std::uint32_t word) { return words[word]; },
                           [&](std::uint32_t word, std::uint32_t data_) { words[word] = data_; }});
    EXPECT_EQ((*socket_)->transport_dbg(trans), 6u);
    EXPECT_EQ(words[1], 0x0b0a2211u);
    EXPECT_EQ(words[2], 0x0f0e0d0cu);
    trans.set_command(tlm::TLM_READ_COMMAND);
    trans.set_address(5);
    EXPECT_EQ((*socket_)->transport_dbg(trans), 6u);
    EXPECT_EQ(data[0], 0x22);
    EXPECT_EQ(data[1], 0x0a);
    EXPECT_EQ(data[5], 0x0e);
    unsigned char none[1] = {TLM_BYTE_DISABLED};  // which do not count here
    trans.set_byte_enable_ptr(none);
    trans.set_byte_enable_length(1);
    trans.set_address(8);
    EXPECT_EQ((*socket_)->transport_dbg(trans), 6u);
    EXPECT_EQ(data[0], 0x0c);
    trans.set_byte_enable_ptr(nullptr);
    trans.set_address(4 * kWords - 5);
    EXPECT_EQ((*socket_)->transport_dbg(trans), 0u);
    tlm::tlm_dmi dmi;
    EXPECT_FALSE((*socket_)->get_direct_mem_ptr(trans, dmi));
    EXPECT_EQ(target_.words_moved(), 0u);
    finished_ = true;
  });
}

/// A bank that forgets an answer, and one that gives one too many.
TEST_F(BankPinTargetTest, ABankThatBreaksTheContractIsNamed) {
  class Rogue final : public memory::BankTwin {
   public:
    memory::BankPins::Outputs outputs() const override { return {7, edges_ == 4}; }
    void clock(const memory::BankPins::Inputs&) override { ++edges_; }

   private:
    int edges_ = 0;
  };
  BankSignals pins("rogue");
  BankPinTarget target("rogue_target", kWords);
  PinBank bank("rogue_ram", std::make_unique<Rogue>());
  target.clk(clk_);
  target.bank.bind(pins);
  bank.clk(clk_);
  bank.pins.bind(pins);
  tlm::tlm_response_status status = tlm::TLM_INCOMPLETE_RESPONSE;
  Thread idle("idle", [] {});
  idle.socket.bind(target_.target_socket);
  Thread thread("thread", [&] {
    RandomTransfer t(random_, 4 * kWords);
    t.is_write = false;
    t.address = 0;
    t.data.resize(4);
    t.enables.clear();
    socket_ = &thread.socket;
    sc_time delay;
    status = transport(t, delay);
  });
  thread.socket.bind(target.target_socket);
  sc_core::sc_start(50, SC_NS);
  EXPECT_EQ(status, tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ(errors_, (std::vector<std::string>{
                         "/wse/cosim/bank_pins/no_answer rogue_target: 15 ns: a load of word 0 was "
                         "not answered in the clock after",
                         "/wse/cosim/bank_pins/stray_answer rogue_target: 35 ns: valid without a "
                         "load in the clock before"}));
}

TEST_F(BankPinTargetTest, PhasesOutOfPlaceAreNamed) {
  struct Manager : tlm::tlm_mm_interface {
    void free(tlm::tlm_generic_payload*) override {}
  } manager;
  Thread thread("thread", [] {});
  thread.socket.bind(target_.target_socket);
  sc_core::sc_start(2, SC_NS);
  tlm::tlm_generic_payload trans;
  const auto say = [&](tlm::tlm_phase phase) {
    sc_time delay;
    return thread.socket->nb_transport_fw(trans, phase, delay);
  };
  EXPECT_EQ(say(tlm::BEGIN_REQ), tlm::TLM_COMPLETED);
  EXPECT_EQ(trans.get_response_status(), tlm::TLM_GENERIC_ERROR_RESPONSE);
  trans.set_mm(&manager);
  trans.acquire();
  EXPECT_EQ(say(tlm::END_REQ), tlm::TLM_ACCEPTED);
  EXPECT_EQ(say(tlm::END_RESP), tlm::TLM_ACCEPTED);
  sc_core::sc_start(2, SC_NS);
  EXPECT_EQ(errors_,
            (std::vector<std::string>{
                "/wse/cosim/bank_pins/no_memory_manager target: 2 ns: a payload of "
                "nb_transport must have one",
                "/wse/cosim/bank_pins/phase target: 2 ns: END_REQ is for the target to say",
                "/wse/cosim/bank_pins/phase target: 2 ns: END_RESP without a response"}));
}

/// Sends payloads by phases, several at a time.
struct PhaseDriver final : sc_core::sc_module, tlm::tlm_mm_interface {
  tlm_utils::simple_initiator_socket<PhaseDriver> socket{"socket"};
  struct Sent {
    explicit Sent(RandomTransfer what) : t(std::move(what)) {}
    RandomTransfer t;
    tlm::tlm_generic_payload trans;
    sc_time begun, done;
    bool answered = false;
  };

  /// `dense`: without pauses, responses are ended at once.
  PhaseDriver(const sc_core::sc_module_name& name, bool dense, std::vector<unsigned char>& memory)
      : sc_core::sc_module(name), dense_(dense), memory_(memory) {
    socket.register_nb_transport_bw(this, &PhaseDriver::nb_transport_bw);
    SC_HAS_PROCESS(PhaseDriver);
    SC_THREAD(run);
  }
  void free(tlm::tlm_generic_payload*) override { ++freed; }
  void run() {
    wait(3, SC_NS);
    for (int i = 0; i < 1500; ++i) {
      if (!dense_) wait(sc_time::from_value(random_.below(60) * 500));
      sent.emplace_back(RandomTransfer(random_, 4 * kWords));
      Sent& s = sent.back();
      s.t.apply(memory_);
      s.t.fill(s.trans);
      s.trans.set_mm(this);
      s.trans.acquire();
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      sc_time delay = sc_time::from_value(dense_ ? 0 : random_.below(20) * 500);
      EXPECT_EQ(socket->nb_transport_fw(s.trans, phase, delay), tlm::TLM_ACCEPTED);
      wait(end_req_);
      s.begun = sc_core::sc_time_stamp();
    }
    while (answered < sent.size()) wait(100, SC_NS);
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& trans, tlm::tlm_phase& phase,
                                     sc_time& delay) {
    if (phase == tlm::END_REQ) {
      end_req_.notify(sc_core::SC_ZERO_TIME);
      return tlm::TLM_ACCEPTED;
    }
    EXPECT_EQ(phase, tlm::BEGIN_RESP);
    Sent& s = sent[answered++];  // in the order of the requests
    EXPECT_EQ(&s.trans, &trans);
    s.done = sc_core::sc_time_stamp();
    s.answered = true;
    switch (dense_ ? 0 : random_.below(3)) {
      case 0:
        trans.release();
        return tlm::TLM_COMPLETED;
      case 1:
        phase = tlm::END_RESP;
        delay = sc_time(4, SC_NS);
        trans.release();
        return tlm::TLM_UPDATED;
      default:
        sc_core::sc_spawn([this, &trans] {
          wait(sc_time::from_value(random_.below(50) * 500));
          tlm::tlm_phase end = tlm::END_RESP;
          sc_time none;
          socket->nb_transport_fw(trans, end, none);
          trans.release();
        });
        return tlm::TLM_ACCEPTED;
    }
  }
  std::deque<Sent> sent;
  std::size_t answered = 0, freed = 0;

 private:
  const bool dense_;
  std::vector<unsigned char>& memory_;
  base::Random random_{17};
  sc_core::sc_event end_req_{"end_req"};
};

class BankPinPhasesTest : public BankPinTargetTest {
 protected:
  void run_phases(bool dense) {
    PhaseDriver driver("driver", dense, memory_);
    TlmPhaseChecker checker("checker");
    driver.socket.bind(checker.target_socket);
    checker.initiator_socket.bind(target_.target_socket);
    sc_core::sc_start(1, sc_core::SC_MS);
    ASSERT_EQ(driver.sent.size(), 1500u);
    ASSERT_EQ(driver.answered, 1500u);
    EXPECT_EQ(driver.freed, 1500u);
    EXPECT_EQ(checker.violations(), std::vector<std::string>{});
    EXPECT_EQ(checker.completed(), 1500u);
    EXPECT_EQ(checker.under_way(), 0u);
    EXPECT_GT(checker.overlapped(), 300u);
    EXPECT_TRUE(errors_.empty()) << errors_.front();
    std::uint64_t words = 0;
    for (const PhaseDriver::Sent& s : driver.sent) {
      EXPECT_TRUE(s.trans.is_response_ok());
      if (!s.t.is_write) {
        EXPECT_EQ(s.t.data, s.t.expected);
      }
      const sc_time end = s.begun + kPeriod * static_cast<double>(s.t.words());
      if (dense) {
        EXPECT_EQ(s.done, end);
      } else {
        EXPECT_GE(s.done, end);  // responses before it may have been in the way
      }
      EXPECT_EQ(fall_at(s.begun), s.begun);
      words += s.t.words();
    }
    EXPECT_EQ(target_.words_moved(), words);
    if (dense) {  // the bank is never without a word
      EXPECT_EQ(driver.sent.back().done, sc_time(5, SC_NS) + kPeriod * static_cast<double>(words));
    }
  }
};

TEST_F(BankPinPhasesTest, RequestsInARowLeaveNoClockUnused) { run_phases(true); }
TEST_F(BankPinPhasesTest, ResponsesThatEndLate) { run_phases(false); }

}  // namespace
}  // namespace wse::cosim
