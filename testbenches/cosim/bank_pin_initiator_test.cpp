// SPDX-License-Identifier: Apache-2.0
// A module with the SRAM port of a bank as a TLM initiator: it sees what it would see of a bank.
#include <gtest/gtest.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstring>

#include "support/pin_bank.h"
#include "support/systemc_test.h"
#include "support/tlm_phase_checker.h"
#include "support/tlm_protocol_checker.h"
#include "wse/base/random.h"
#include "wse/cosim/bank_pin_initiator.h"
#include "wse/cosim/bank_pin_target.h"
#include "wse/cosim/bank_twins.h"
#include "wse/memory/bank_model.h"
#include "wse/memory/sram_array.h"

namespace wse::cosim {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;
using testing_support::PinBank;
using testing_support::TlmPhaseChecker;
using testing_support::TlmProtocolChecker;

constexpr std::uint32_t kWords = 64;

/// Asks for something at random in each clock, and notes what it is told.
struct Asker final : sc_core::sc_module {
  sc_core::sc_in<bool> clk{"clk"};
  BankPorts<sc_core::sc_out, sc_core::sc_in> bank{"bank"};

  /// `plain`: stores are of bytes that lie together.
  Asker(const sc_core::sc_module_name& name, bool plain) : sc_core::sc_module(name), plain_(plain) {
    SC_HAS_PROCESS(Asker);
    SC_METHOD(edge);
    sensitive << clk.pos();
    dont_initialize();
  }
  void edge() {
    const memory::BankPins::Outputs out = bank.answered();
    seen.push_back(out.valid ? std::to_string(out.data) : "-");
    loads += out.valid ? 1 : 0;
    memory::BankPins::Inputs in;
    in.enable = random_.below(100) < 80;
    in.write = seen.size() <= kWords || random_.below(2) == 0;
    in.address =
        static_cast<std::uint32_t>(seen.size() <= kWords ? seen.size() - 1 : random_.below(kWords));
    if (seen.size() <= kWords) in.enable = true;  // all words are stored once
    in.data = static_cast<std::uint32_t>(random_.next());
    constexpr std::uint8_t kTogether[] = {15, 1, 2, 4, 8, 3, 6, 12, 7, 14, 0};
    in.bytes = plain_ ? kTogether[random_.below(std::size(kTogether))]
                      : static_cast<std::uint8_t>(random_.below(16));
    if (seen.size() <= kWords) in.bytes = 15;
    bank.ask(in);
  }
  std::vector<std::string> seen;  ///< by clock
  std::uint64_t loads = 0;

 private:
  const bool plain_;
  base::Random random_{23};
};

/// A bank that notes what it is asked at each edge, as far as it matters.
class NotingBank final : public memory::BankTwin {
 public:
  NotingBank(std::unique_ptr<memory::BankTwin> bank, std::vector<std::string>& notes)
      : bank_(std::move(bank)), notes_(notes) {}
  memory::BankPins::Outputs outputs() const override { return bank_->outputs(); }
  void clock(const memory::BankPins::Inputs& in) override {
    bank_->clock(in);
    if (!in.enable || (in.write && in.bytes == 0)) {
      notes_.emplace_back("-");
      return;
    }
    std::uint32_t mask = 0;
    for (unsigned byte = 0; byte < 4; ++byte) mask |= (in.bytes >> byte & 1) * (0xffU << 8 * byte);
    notes_.push_back(in.write ? std::to_string(in.address) + " " + std::to_string(in.bytes) + " " +
                                    std::to_string(in.data & mask)
                              : std::to_string(in.address));
  }

 private:
  const std::unique_ptr<memory::BankTwin> bank_;
  std::vector<std::string>& notes_;
};

class BankPinInitiatorTest : public testing_support::SystemCTest {
 protected:
  BankPinInitiatorTest() {
    sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, sc_core::SC_DO_NOTHING);
    errors_.clear();
    sc_core::sc_report_handler::set_handler(
        [](const sc_core::sc_report& r, const sc_core::sc_actions&) {
          errors_.push_back(std::string(r.get_msg_type()) + " " + r.get_msg());
        });
  }
  ~BankPinInitiatorTest() override { sc_core::sc_report_handler::set_handler(nullptr); }

  /// A bank on wires, as the asker would have it.
  void wire(std::unique_ptr<memory::BankTwin> bank, bool plain) {
    wired_.asker = std::make_unique<Asker>("wired", plain);
    wired_.bank = std::make_unique<PinBank>(
        "wired_bank", std::make_unique<NotingBank>(std::move(bank), wired_.notes));
    wired_.asker->clk(clk_);
    wired_.asker->bank.bind(wired_.pins);
    wired_.bank->clk(clk_);
    wired_.bank->pins.bind(wired_.pins);
  }
  /// An asker behind an initiator.
  void port(TransportStyle style, std::uint64_t base, bool plain) {
    far_.asker = std::make_unique<Asker>("far", plain);
    initiator_ = std::make_unique<BankPinInitiator>("initiator", base, style);
    far_.asker->clk(clk_);
    far_.asker->bank.bind(far_.pins);
    initiator_->clk(clk_);
    initiator_->port.bind(far_.pins);
  }
  /// The bank behind a target.
  void end(std::unique_ptr<memory::BankTwin> bank) {
    target_ = std::make_unique<BankPinTarget>("target", kWords);
    far_.bank = std::make_unique<PinBank>(
        "far_bank", std::make_unique<NotingBank>(std::move(bank), far_.notes));
    target_->clk(clk_);
    target_->bank.bind(end_pins_);
    far_.bank->clk(clk_);
    far_.bank->pins.bind(end_pins_);
  }
  void run_and_compare() {
    sc_core::sc_start(50, sc_core::SC_US);
    EXPECT_TRUE(errors_.empty()) << errors_.front();
    EXPECT_EQ(far_.asker->seen.size(), 5000u);
    EXPECT_GT(far_.asker->loads, 1500u);
    EXPECT_TRUE(far_.asker->seen == wired_.asker->seen);
  }
  /// RTL from wire to wire by way of TLM.
  void back_to_back(TransportStyle style, std::unique_ptr<memory::BankTwin> one,
                    std::unique_ptr<memory::BankTwin> other) {
    end(std::move(other));  // in another order than the wired ones
    wire(std::move(one), false);
    port(style, 0, false);
    TlmProtocolChecker blocking("blocking");
    TlmPhaseChecker phases("phases");
    if (style == TransportStyle::kBlocking) {
      initiator_->initiator_socket.bind(blocking.target_socket);
      blocking.initiator_socket.bind(phases.target_socket);
    } else {
      initiator_->initiator_socket.bind(phases.target_socket);
      blocking_end_ = std::make_unique<End>("end");
      blocking_end_->socket.bind(blocking.target_socket);
      blocking.initiator_socket.bind(blocking_end_->target);
    }
    phases.initiator_socket.bind(target_->target_socket);
    run_and_compare();
    EXPECT_TRUE(far_.notes == wired_.notes);
    EXPECT_EQ(far_.notes.size(), 5000u);
    EXPECT_EQ(blocking.violations(), std::vector<std::string>{});
    EXPECT_EQ(phases.violations(), std::vector<std::string>{});
    const std::uint64_t sent = initiator_->accesses();
    EXPECT_GT(sent, 3500u);
    if (style == TransportStyle::kBlocking) {
      EXPECT_GE(blocking.counts().transports + 1, sent);
    } else {
      EXPECT_GE(phases.completed() + 1, sent);
      EXPECT_LE(initiator_->payloads(), 3u);
    }
  }

  /// For the sockets of a checker that is not used.
  struct End : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<End> socket{"socket"};
    tlm_utils::simple_target_socket<End> target{"target"};
    explicit End(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}
  };
  struct Side {
    explicit Side(const std::string& name) : pins(name) {}
    BankSignals pins;
    std::vector<std::string> notes;
    std::unique_ptr<Asker> asker;
    std::unique_ptr<PinBank> bank;
  };
  static std::vector<std::string> errors_;
  sc_core::sc_clock clk_{"clk", sc_time(10, SC_NS)};
  Side wired_{"wired_pins"}, far_{"far_pins"};
  BankSignals end_pins_{"end_pins"};
  std::unique_ptr<BankPinInitiator> initiator_;
  std::unique_ptr<BankPinTarget> target_;
  std::unique_ptr<End> blocking_end_;
};
std::vector<std::string> BankPinInitiatorTest::errors_;

std::unique_ptr<memory::BankTwin> model() { return std::make_unique<memory::BankModel>(kWords); }

TEST_F(BankPinInitiatorTest, FromWireToWireByBlockingTransport) {
  back_to_back(TransportStyle::kBlocking, model(), model());
}

TEST_F(BankPinInitiatorTest, FromWireToWireByPhases) {
  back_to_back(TransportStyle::kPhases, model(), model());
}

TEST_F(BankPinInitiatorTest, AVerilatedBankBehindTheTarget) {
  if (bank_twins().empty()) GTEST_SKIP() << "this program was built without Verilator";
  BankSetup setup;
  setup.words = kWords;
  back_to_back(TransportStyle::kPhases, model(), bank_twin("sram", "test").make(setup));
}

/// An SRAM array takes a cycle of annotated delay: just in time.
TEST_F(BankPinInitiatorTest, AnSramArrayIsABankToo) {
  constexpr std::uint64_t kBase = 48 * 1024 + 256;  // in the second tile
  memory::SramArena arena(1, 2 * 48 * 1024, 1 << 20);
  memory::SramArray sram("sram", memory::SramConfig(), 0, 2, arena.view(0), sc_time(10, SC_NS));
  wire(model(), true);
  port(TransportStyle::kBlocking, kBase, true);
  TlmProtocolChecker checker("checker");
  End end("end");
  sram.activity_socket.bind(end.target);
  end.socket.bind(sram.target_socket);
  initiator_->initiator_socket.bind(checker.target_socket);
  checker.initiator_socket.bind(sram.target_socket);
  run_and_compare();
  EXPECT_EQ(checker.violations(), std::vector<std::string>{});
  std::uint32_t word;
  std::memcpy(&word, arena.view(0).data + kBase, 4);
  EXPECT_NE(word, 0u);
}

/// A memory that answers a clock after a request and says END_REQ by that alone; or too often.
struct TerseTarget : sc_core::sc_module {
  tlm_utils::simple_target_socket<TerseTarget> socket{"socket"};
  explicit TerseTarget(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    socket.register_nb_transport_fw(this, &TerseTarget::forward);
  }
  tlm::tlm_sync_enum forward(tlm::tlm_generic_payload& trans, tlm::tlm_phase& phase,
                             sc_time& delay) {
    if (phase == tlm::BEGIN_REQ) answers.notify(trans, phase, delay + sc_time(10, SC_NS));
    return tlm::TLM_ACCEPTED;
  }
  void answer(tlm::tlm_generic_payload& trans, const tlm::tlm_phase& phase) {
    if (--deltas > 0) {  // behind everything else at this time
      answers.notify(trans, phase, sc_core::SC_ZERO_TIME);
      return;
    }
    deltas = 8;
    unsigned char* const stored = &memory[trans.get_address()];
    unsigned char* const data = trans.get_data_ptr();
    std::memcpy(trans.is_read() ? data : stored, trans.is_read() ? stored : data,
                trans.get_data_length());
    trans.set_response_status(tlm::TLM_OK_RESPONSE);
    for (int i = 0; i < end_reqs; ++i) say(trans, tlm::END_REQ);
    say(trans, tlm::BEGIN_RESP);
  }
  void say(tlm::tlm_generic_payload& trans, tlm::tlm_phase phase) {
    sc_time delay;
    EXPECT_EQ(socket->nb_transport_bw(trans, phase, delay), tlm::TLM_ACCEPTED);
  }
  std::vector<unsigned char> memory = std::vector<unsigned char>(4 * kWords);
  int end_reqs = 0;
  int deltas = 8;
  tlm_utils::peq_with_cb_and_phase<TerseTarget> answers{this, &TerseTarget::answer};
};

TEST_F(BankPinInitiatorTest, ARequestWaitsForTheEndOfTheOneBefore) {
  wire(model(), true);
  port(TransportStyle::kPhases, 0, true);
  TlmPhaseChecker checker("checker");
  TerseTarget target("target");
  initiator_->initiator_socket.bind(checker.target_socket);
  checker.initiator_socket.bind(target.socket);
  run_and_compare();
  EXPECT_EQ(checker.violations(), std::vector<std::string>{});
  EXPECT_LE(initiator_->payloads(), 3u);
}

/// Answers after some time, or not with OK.
struct SlowTarget : sc_core::sc_module {
  tlm_utils::simple_target_socket<SlowTarget> socket{"socket"};
  explicit SlowTarget(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    socket.register_b_transport(this, &SlowTarget::b_transport);
  }
  void b_transport(tlm::tlm_generic_payload& trans, sc_time& delay) {
    wait(waits);
    delay += annotates;
    trans.set_response_status(status);
  }
  sc_time waits, annotates;
  tlm::tlm_response_status status = tlm::TLM_OK_RESPONSE;
};

class BankPinLateTest : public BankPinInitiatorTest {
 protected:
  /// Loads of word 9 in the clocks from 20 ns on, two of them. Returns the errors.
  std::vector<std::string> run(TransportStyle style, int waits_ns, int annotates_ns,
                               tlm::tlm_response_status status = tlm::TLM_OK_RESPONSE) {
    BankPinInitiator initiator("initiator", 0x100, style);
    SlowTarget target("target");
    target.waits = sc_time(waits_ns, SC_NS);
    target.annotates = sc_time(annotates_ns, SC_NS);
    target.status = status;
    initiator.initiator_socket.bind(target.socket);
    initiator.clk(clk_);
    initiator.port.bind(far_.pins);
    sc_core::sc_start(21, SC_NS);
    far_.pins.address.write(9);
    far_.pins.enable.write(true);
    sc_core::sc_start(20, SC_NS);
    far_.pins.enable.write(false);
    for (int ns = 41; ns < 150; ns += 10) {
      valid_ += far_.pins.valid.read() ? 1 : 0;
      sc_core::sc_start(10, SC_NS);
    }
    EXPECT_EQ(initiator.accesses(), sent_);
    return errors_;
  }
  static std::string text(const std::string& id, int ns, const std::string& what) {
    return "/wse/cosim/bank_pins/" + id + " initiator: " + std::to_string(ns) +
           " ns: a load at 0x124: " + what;
  }
  using Errors = std::vector<std::string>;
  const std::string late_ = "was not answered by the falling edge after";
  std::uint64_t sent_ = 2;
  int valid_ = 0;
};

TEST_F(BankPinLateTest, AClockOfWaitingIsJustInTime) {
  EXPECT_EQ(run(TransportStyle::kBlocking, 10, 0), Errors{});
  EXPECT_EQ(valid_, 2);
}
TEST_F(BankPinLateTest, AClockOfAnnotatedDelayIsJustInTime) {
  EXPECT_EQ(run(TransportStyle::kBlocking, 3, 7), Errors{});
  EXPECT_EQ(valid_, 2);
}
TEST_F(BankPinLateTest, MoreIsLateAndWhatIsAskedMeanwhileIsNotServed) {
  sent_ = 1;
  EXPECT_EQ(run(TransportStyle::kBlocking, 3, 8), Errors{text("late", 36, late_)});
  EXPECT_EQ(valid_, 0);
}
TEST_F(BankPinLateTest, WhoSleepsIsFoundAtTheRisingEdge) {
  sent_ = 1;
  EXPECT_EQ(run(TransportStyle::kBlocking, 60, 0), Errors{text("late", 40, late_)});
  EXPECT_EQ(valid_, 0);
}
TEST_F(BankPinLateTest, PhasesInTime) {
  EXPECT_EQ(run(TransportStyle::kPhases, 4, 6), Errors{});
  EXPECT_EQ(valid_, 2);
}
TEST_F(BankPinLateTest, PhasesThatAreLate) {
  EXPECT_EQ(run(TransportStyle::kPhases, 11, 0),
            (Errors{text("late", 40, late_), text("late", 50, late_)}));
  EXPECT_EQ(valid_, 0);
}
TEST_F(BankPinLateTest, ARequestThatEndsTwiceIsNamed) {
  BankPinInitiator initiator("initiator", 0, TransportStyle::kPhases);
  TerseTarget target("target");
  target.end_reqs = 2;
  initiator.initiator_socket.bind(target.socket);
  initiator.clk(clk_);
  initiator.port.bind(far_.pins);
  far_.pins.address.write(3);
  far_.pins.enable.write(true);
  sc_core::sc_start(14, SC_NS);
  far_.pins.enable.write(false);
  sc_core::sc_start(20, SC_NS);
  EXPECT_EQ(errors_,
            Errors{"/wse/cosim/bank_pins/phase initiator: 15 ns: a load at 0xc: END_REQ of "
                   "a request that has ended"});
}
TEST_F(BankPinLateTest, AResponseThatIsNotOkIsNamed) {
  const std::string what = "TLM_ADDRESS_ERROR_RESPONSE";
  EXPECT_EQ(run(TransportStyle::kBlocking, 0, 0, tlm::TLM_ADDRESS_ERROR_RESPONSE),
            (Errors{text("refused", 25, what), text("refused", 35, what)}));
  EXPECT_EQ(valid_, 0);
}

}  // namespace
}  // namespace wse::cosim
