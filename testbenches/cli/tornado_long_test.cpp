// SPDX-License-Identifier: Apache-2.0
// The tornado of a model of 20 billion parameters, and what it costs.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "support/run_command.h"

namespace wse {
namespace {

using nlohmann::json;

double cpu_seconds_of_children() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

// Processor time does not depend on what else this computer does.
TEST(TornadoLongTest, ThirtyParametersOfGptNeoxTakeLessThanFiveMinutesOfTwoProcessors) {
  const testing_support::TemporaryFolder folder;
  const auto begin = std::chrono::steady_clock::now();
  const auto r = testing_support::run_command(
      std::string(WSE_CLI) + " train gpt-neox-20b --wave none --tornado --json --out out", folder);
  ASSERT_EQ(r.status, 0) << r.err;
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const json tornado = json::parse(r.out)["tornado"];
  std::size_t runs = 0;
  for (const json& p : tornado["parameters"]) {
    for (const json& value : p["tokens_per_second"]) runs += value.is_null() ? 0 : 1;
  }
  EXPECT_GT(tornado["parameters"].size(), 100u);
  EXPECT_GT(runs, 200u);
  const double cpu = cpu_seconds_of_children();
  std::printf("%zu runs: %.0f s of processors, %.0f s\n", runs, cpu, wall);
  EXPECT_LT(cpu / static_cast<double>(runs) * 60 / 2, 300);
  const json& rate = tornado["interval"]["tokens_per_second"];
  const double base = tornado["base"]["tokens_per_second"];
  EXPECT_LT(rate[0], base);
  EXPECT_GT(rate[1], base);
}

}  // namespace
}  // namespace wse
