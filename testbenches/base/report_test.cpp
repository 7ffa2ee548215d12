// SPDX-License-Identifier: Apache-2.0
#include "wse/base/report.h"

#include <gtest/gtest.h>

#include "support/systemc_test.h"

namespace wse::base {
namespace {

struct Speaker final : sc_core::sc_module {
  explicit Speaker(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    SC_HAS_PROCESS(Speaker);
    SC_METHOD(speak);
  }
  void speak() {
    SC_REPORT_INFO_VERB("/wse/test/detail", "a detail", sc_core::SC_HIGH);
    SC_REPORT_INFO_VERB("/wse/test/news", "some news", sc_core::SC_MEDIUM);
    SC_REPORT_WARNING("/wse/test/care", "take care");
    if (fails) SC_REPORT_ERROR("/wse/test/broken", "it broke");
  }
  bool fails = false;
};

class ReportTest : public testing_support::SystemCTest {};

TEST_F(ReportTest, WhatIsSaidHasLevelTimeInstanceAndId) {
  install_report_sink(sc_core::SC_MEDIUM);
  Speaker speaker("speaker");
  testing::internal::CaptureStderr();
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "info                0 s  speaker                  /wse/test/news: some news\n"
            "warning             0 s  speaker                  /wse/test/care: take care\n");
}

TEST_F(ReportTest, AnErrorIsThrownWithItsIdInstanceAndTime) {
  install_report_sink(sc_core::SC_NONE);
  Speaker speaker("speaker");
  speaker.fails = true;
  try {
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_STREQ(error.what(), "/wse/test/broken: it broke (speaker, 0 s)");
  }
}

}  // namespace
}  // namespace wse::base
