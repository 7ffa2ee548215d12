// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>

#include "wse/base/random.h"
#include "wse/power/energy_accounts.h"

namespace wse::power {
namespace {

using base::EventCounts;
using base::EventKind;

const std::string kTable = WSE_SOURCE_DIR "/configs/energy/n7.csv";

std::string table_text() {
  std::ostringstream text;
  text << std::ifstream(kTable).rdbuf();
  return text.str();
}

std::string refusal(const std::string& text) {
  const auto path =
      std::filesystem::temp_directory_path() / ("wse_energy_" + std::to_string(getpid()) + ".csv");
  std::ofstream(path) << text;
  std::string what;
  try {
    EnergyTable::read(path.string());
  } catch (const base::ConfigError& error) {
    what = error.what();
  }
  std::filesystem::remove(path);
  return what;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(EnergyTableTest, TheShippedTableHoldsEveryKind) {
  const EnergyTable table = EnergyTable::read(kTable);
  EXPECT_DOUBLE_EQ(table.joules(EventKind::kFmacFp16), 0.5e-12);
  EXPECT_DOUBLE_EQ(table.leakage_w(), 2.2e-3);
  EXPECT_DOUBLE_EQ(table.constant_w(), 220);
}

TEST(EnergyTableTest, BadRowsAreNamedWithTheirLine) {
  EXPECT_EQ(refusal(table_text()), "");
  EXPECT_NE(refusal(replaced(table_text(), "0.50,0.75", "-1,0.75")).find(":2: fmac_fp16 = -1"),
            std::string::npos);
  EXPECT_NE(refusal(replaced(table_text(), "0.50,0.75", "nan,0.75")).find("fmac_fp16 = nan"),
            std::string::npos);
  EXPECT_NE(
      refusal(replaced(table_text(), ",fmac_fp16,", ",fmac_fp61,")).find("did you mean fmac_fp16?"),
      std::string::npos);
  EXPECT_NE(refusal(replaced(table_text(), ",fmac_fp16,", ",fmac_fp32,")).find("is given twice"),
            std::string::npos);
  EXPECT_NE(
      refusal(replaced(table_text(), ",fmac_fp16,", ",fmac_fp32,")).find("fmac_fp16: is missing"),
      std::string::npos);
  EXPECT_NE(refusal("a,b\n").find("must begin with"), std::string::npos);
  EXPECT_NE(refusal("").find("cannot be read or is empty"), std::string::npos);
}

TEST(EnergyAccountsTest, EveryGroupingGivesTheSameSum) {
  const EnergyTable table = EnergyTable::read(kTable);
  EnergyAccounts accounts(table, {}, 84);
  base::Random random(9);
  for (int i = 0; i < 5'000; ++i) {
    EventCounts counts{};
    for (std::uint64_t& n : counts) n = random.below(1'000'000'000);
    const auto die = static_cast<std::uint32_t>(random.below(84));
    const auto phase = static_cast<base::Phase>(random.below(base::kNumPhases));
    accounts.add(die, phase, static_cast<std::uint32_t>(random.below(5)), counts);
    accounts.add_static(die, phase, 0.001 * static_cast<double>(i), 0.5);
  }
  const auto sum = [](const std::vector<double>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0);
  };
  const double total = accounts.total();
  EXPECT_NEAR(sum(accounts.by_die()) / total, 1, 1e-12);
  EXPECT_NEAR(sum(accounts.by_phase()) / total, 1, 1e-12);
  EXPECT_NEAR(sum(accounts.by_kind()) / total, 1, 1e-12);
}

TEST(EnergyAccountsTest, DynamicEnergyFollowsTheSquareOfTheVoltage) {
  EnergyAccounts accounts(EnergyTable::read(kTable), {}, 1);
  EventCounts counts{};
  at(counts, EventKind::kRamp) = 1'000;
  EXPECT_DOUBLE_EQ(accounts.joules(counts, 0), 4e-10);
  EXPECT_NEAR(accounts.joules(counts, 4), 4e-10 * 0.64, 1e-22);
}

}  // namespace
}  // namespace wse::power
