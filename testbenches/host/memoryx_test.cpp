// SPDX-License-Identifier: Apache-2.0
#include "wse/host/memoryx.h"

#include <gtest/gtest.h>

namespace wse::host {
namespace {

MemoryXConfig slow() {
  MemoryXConfig config;
  config.bytes_per_second = 28'000'000'000'000ULL;  // an update of a parameter a picosecond
  config.update_bytes_per_parameter = 28;
  config.accumulate_bytes_per_parameter = 14;
  return config;
}

TEST(MemoryXTest, UpdatesQueueBehindEachOther) {
  MemoryX server(slow());
  server.begin_step();
  EXPECT_EQ(server.gradients(1'000, 500, true), 1'500u);
  EXPECT_EQ(server.gradients(1'000, 600, true), 2'500u);  // waits for the first
  EXPECT_EQ(server.gradients(10, 9'000, true), 9'010u);   // starts when it comes
  EXPECT_EQ(server.parameters_updated(), 2'010u);
}

TEST(MemoryXTest, EarlierMicroBatchesAreOnlyAdded) {
  MemoryX server(slow());
  server.begin_step();
  EXPECT_EQ(server.gradients(1'000, 0, false), 500u);
  EXPECT_EQ(server.parameters_updated(), 0u);
}

}  // namespace
}  // namespace wse::host
