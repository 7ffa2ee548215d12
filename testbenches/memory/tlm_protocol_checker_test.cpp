// SPDX-License-Identifier: Apache-2.0
// A checker that never complains proves nothing: each planted violation must be found.
#include "support/tlm_protocol_checker.h"

#include <gtest/gtest.h>

#include <functional>

#include "support/systemc_test.h"

namespace wse::testing_support {
namespace {

/// A target that breaks one rule at a time.
struct Culprit : sc_core::sc_module {
  enum class Crime { kNone, kNoResponse, kChangesAddress, kGoesBackInTime };

  explicit Culprit(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    target.register_b_transport(this, &Culprit::b_transport);
  }
  void b_transport(int, tlm::tlm_generic_payload& trans, sc_core::sc_time& delay) {
    if (crime == Crime::kChangesAddress) trans.set_address(trans.get_address() + 8);
    if (crime == Crime::kGoesBackInTime) delay = sc_core::SC_ZERO_TIME;
    if (crime != Crime::kNoResponse) trans.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  Crime crime = Crime::kNone;
  tlm_utils::multi_passthrough_target_socket<Culprit> target{"target"};
};
struct Caller : sc_core::sc_module {
  explicit Caller(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}
  tlm_utils::simple_initiator_socket<Caller> socket{"socket"};
};

class TlmProtocolCheckerTest : public SystemCTest {
 protected:
  TlmProtocolCheckerTest() {
    caller_.socket.bind(checker_.target_socket);
    checker_.initiator_socket.bind(culprit_.target);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  std::size_t violations(Culprit::Crime crime,
                         const std::function<void(tlm::tlm_generic_payload&)>& spoil = {}) {
    culprit_.crime = crime;
    tlm::tlm_generic_payload trans;
    trans.set_command(tlm::TLM_READ_COMMAND);
    trans.set_data_ptr(data_);
    trans.set_data_length(8);
    trans.set_streaming_width(8);
    if (spoil) spoil(trans);
    sc_core::sc_time delay(5, sc_core::SC_NS);
    checker_.clear();
    caller_.socket->b_transport(trans, delay);
    return checker_.violations().size();
  }
  unsigned char data_[8] = {};
  Caller caller_{"caller"};
  TlmProtocolChecker checker_{"checker"};
  Culprit culprit_{"culprit"};
};

TEST_F(TlmProtocolCheckerTest, EveryPlantedViolationIsFound) {
  using Crime = Culprit::Crime;
  EXPECT_EQ(violations(Crime::kNone), 0u);
  EXPECT_GE(violations(Crime::kNoResponse), 1u);
  EXPECT_GE(violations(Crime::kChangesAddress), 1u);
  EXPECT_GE(violations(Crime::kGoesBackInTime), 1u);
  EXPECT_GE(violations(Crime::kNone, [](auto& t) { t.set_data_ptr(nullptr); }), 1u);
  EXPECT_GE(violations(Crime::kNone, [](auto& t) { t.set_data_length(0); }), 1u);
  EXPECT_GE(violations(Crime::kNone, [](auto& t) { t.set_streaming_width(0); }), 1u);
  EXPECT_GE(violations(Crime::kNone, [](auto& t) { t.set_dmi_allowed(true); }), 1u);
  EXPECT_GE(violations(Crime::kNone, [](auto& t) { t.set_response_status(tlm::TLM_OK_RESPONSE); }),
            1u);
}

}  // namespace
}  // namespace wse::testing_support
