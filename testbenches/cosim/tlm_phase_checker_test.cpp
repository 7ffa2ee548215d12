// SPDX-License-Identifier: Apache-2.0
// A checker that never complains proves nothing: each planted violation must be found.
#include "support/tlm_phase_checker.h"

#include <gtest/gtest.h>

#include "support/systemc_test.h"

namespace wse::testing_support {
namespace {

struct Near : sc_core::sc_module, tlm::tlm_mm_interface {
  tlm_utils::simple_initiator_socket<Near> socket{"socket"};
  explicit Near(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    socket.register_nb_transport_bw(this, &Near::backward);
  }
  tlm::tlm_sync_enum backward(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) {
    return tlm::TLM_ACCEPTED;
  }
  void free(tlm::tlm_generic_payload*) override {}
};
struct Far : sc_core::sc_module {
  tlm_utils::simple_target_socket<Far> socket{"socket"};
  tlm::tlm_sync_enum answer = tlm::TLM_ACCEPTED;
  explicit Far(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    socket.register_nb_transport_fw(this, &Far::forward);
  }
  tlm::tlm_sync_enum forward(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) {
    return answer;
  }
};

class TlmPhaseCheckerTest : public SystemCTest {
 protected:
  using Trans = tlm::tlm_generic_payload;
  TlmPhaseCheckerTest() {
    near_.socket.bind(checker_.target_socket);
    checker_.initiator_socket.bind(far_.socket);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    for (Trans& t : trans_) renew(t);
  }
  void renew(Trans& t) {
    t.set_mm(&near_);
    if (t.get_ref_count() == 0) t.acquire();
    t.set_address(0x40);
    t.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  }
  void there(Trans& t, tlm::tlm_phase phase, int ns = 0) {
    sc_core::sc_time delay(ns, sc_core::SC_NS);
    near_.socket->nb_transport_fw(t, phase, delay);
  }
  void back(Trans& t, tlm::tlm_phase phase, int ns = 0) {
    sc_core::sc_time delay(ns, sc_core::SC_NS);
    far_.socket->nb_transport_bw(t, phase, delay);
  }
  /// All four phases as they should be.
  void whole(Trans& t) {
    there(t, tlm::BEGIN_REQ);
    back(t, tlm::END_REQ);
    t.set_response_status(tlm::TLM_OK_RESPONSE);
    back(t, tlm::BEGIN_RESP);
    there(t, tlm::END_RESP);
  }
  void expect_rule(const std::string& rule) {
    ASSERT_EQ(checker_.violations().size(), 1u);
    EXPECT_EQ(checker_.violations().front().rfind(rule + ": checker, ", 0), 0u)
        << checker_.violations().front();
  }
  Near near_{"near"};
  TlmPhaseChecker checker_{"checker"};
  Far far_{"far"};
  Trans trans_[2];
};

TEST_F(TlmPhaseCheckerTest, FourPhasesAndTheirShortFormsAreNoViolation) {
  whole(trans_[0]);
  renew(trans_[0]);
  there(trans_[0], tlm::BEGIN_REQ);
  trans_[0].set_response_status(tlm::TLM_OK_RESPONSE);
  back(trans_[0], tlm::BEGIN_RESP);  // ends the request too
  there(trans_[1], tlm::BEGIN_REQ);
  there(trans_[0], tlm::END_RESP);
  trans_[1].set_response_status(tlm::TLM_OK_RESPONSE);
  back(trans_[1], tlm::BEGIN_RESP);
  far_.answer = tlm::TLM_COMPLETED;
  there(trans_[1], tlm::END_RESP);
  EXPECT_EQ(checker_.violations(), std::vector<std::string>{});
  EXPECT_EQ(checker_.completed(), 3u);
  EXPECT_EQ(checker_.overlapped(), 1u);
}
TEST_F(TlmPhaseCheckerTest, RequestsOverlap) {
  there(trans_[0], tlm::BEGIN_REQ);
  there(trans_[1], tlm::BEGIN_REQ);
  expect_rule("requests-overlap");
}
TEST_F(TlmPhaseCheckerTest, ResponsesOverlap) {
  for (Trans& t : trans_) {
    there(t, tlm::BEGIN_REQ);
    back(t, tlm::END_REQ);
    t.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  for (Trans& t : trans_) back(t, tlm::BEGIN_RESP);
  expect_rule("responses-overlap");
}
TEST_F(TlmPhaseCheckerTest, ARequestEndsOnce) {
  there(trans_[0], tlm::BEGIN_REQ);
  back(trans_[0], tlm::END_REQ);
  back(trans_[0], tlm::END_REQ);
  expect_rule("end-req-unexpected");
}
TEST_F(TlmPhaseCheckerTest, AResponseEndsAfterItBegan) {
  there(trans_[0], tlm::BEGIN_REQ);
  there(trans_[0], tlm::END_RESP);
  expect_rule("end-resp-unexpected");
}
TEST_F(TlmPhaseCheckerTest, AResponseHasAStatus) {
  there(trans_[0], tlm::BEGIN_REQ);
  back(trans_[0], tlm::BEGIN_RESP);
  expect_rule("response-still-incomplete");
}
TEST_F(TlmPhaseCheckerTest, AttributesStay) {
  there(trans_[0], tlm::BEGIN_REQ);
  trans_[0].set_address(0x44);
  back(trans_[0], tlm::END_REQ);
  expect_rule("attribute-changed");
}
TEST_F(TlmPhaseCheckerTest, TimesDoNotGoBack) {
  there(trans_[0], tlm::BEGIN_REQ, 5);
  back(trans_[0], tlm::END_REQ, 4);
  expect_rule("time-goes-back");
}
TEST_F(TlmPhaseCheckerTest, PayloadsAreHeld) {
  Trans loose;
  there(loose, tlm::BEGIN_REQ);
  expect_rule("not-held");
}
TEST_F(TlmPhaseCheckerTest, PhasesHaveADirection) {
  there(trans_[0], tlm::BEGIN_REQ);
  there(trans_[0], tlm::END_REQ);
  expect_rule("wrong-path");
}

}  // namespace
}  // namespace wse::testing_support
