// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>
#include <systemc>

namespace wse::testing_support {

/// SystemC elaborates once a process; this fixture says so before the kernel's E529 does.
class SystemCTest : public ::testing::Test {
 protected:
  SystemCTest() {
    if (sc_core::sc_get_status() != sc_core::SC_ELABORATION) {
      throw std::logic_error("one SystemC test a process: use ctest or --gtest_filter=Suite.Name");
    }
  }
};

}  // namespace wse::testing_support
