// SPDX-License-Identifier: Apache-2.0
// Tiles whose SRAM is banks with pins compute what tiles with plain memory do, in the same cycles.
// WSE_SEED=n replays one case.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "support/fabric_case.h"
#include "support/random_kernel.h"
#include "wse/base/twin_error.h"
#include "wse/cosim/bank_twins.h"
#include "wse/memory/bank_model.h"
#include "wse/memory/banked_sram.h"
#include "wse/tiles/kernels/kernel_job.h"
#include "wse/tiles/kernels/streamed_gemm.h"

namespace wse::cosim {
namespace {

using memory::BankedSram;
using memory::BankModel;
using memory::BankPins;
using memory::BankTwin;
using testing::KernelCase;
using tiles::TileMesh;

using MakeBanks = std::function<std::vector<std::unique_ptr<BankTwin>>(const memory::SramConfig&)>;

std::vector<std::unique_ptr<BankTwin>> model_banks(const memory::SramConfig& config) {
  std::vector<std::unique_ptr<BankTwin>> banks;
  for (std::uint32_t b = 0; b < config.banks; ++b) {
    banks.push_back(std::make_unique<BankModel>(words_of_bank(config)));
  }
  return banks;
}

std::vector<std::unique_ptr<BankTwin>> rtl_banks(const memory::SramConfig& config) {
  return make_bank_twins(bank_twin("sram", "test"), config, {});
}

/// All that can be seen of a run.
struct Seen {
  std::string end;
  base::Cycles cycles = 0;
  tiles::EngineStats stats;
  std::vector<std::uint8_t> memory;
};

Seen run(const KernelCase& c, std::uint64_t percent, const MakeBanks& make) {
  constexpr base::Cycles kLimit = 1024;
  struct Limit {};
  TileMesh mesh(c.kernel, c.config);
  base::Random random(c.seed);
  for (std::uint32_t tile = 0; tile < c.tiles(); ++tile) {
    const std::vector<std::uint8_t> memory = c.initial_memory(tile);
    mesh.write(tile, 0, memory.data(), memory.size());
    if (random.below(100) >= percent) continue;
    mesh.set_sram(tile, std::make_unique<BankedSram>(c.config.sram, make(c.config.sram)));
  }
  Seen seen;
  try {
    mesh.run([&mesh] {
      if (mesh.now() >= kLimit) throw Limit{};
    });
  } catch (const Limit&) {
    seen.end = "limit";
  } catch (const tiles::KernelFailure& failure) {
    seen.end = failure.what();
  }
  seen.cycles = mesh.now();
  seen.stats = mesh.stats();
  for (std::uint32_t tile = 0; tile < c.tiles(); ++tile) {
    std::vector<std::uint8_t> memory(c.reachable_bytes());
    mesh.read(tile, 0, memory.data(), memory.size());
    seen.memory.insert(seen.memory.end(), memory.begin(), memory.end());
  }
  return seen;
}

void compare(std::uint64_t cases, std::uint64_t percent, const MakeBanks& make) {
  const char* only = std::getenv("WSE_SEED");
  std::uint64_t completed = 0;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    if (only != nullptr) seed = std::strtoull(only, nullptr, 10);
    const KernelCase c = testing::random_kernel(seed);
    const Seen expected = run(c, 0, make);
    const Seen seen = run(c, percent, make);
    // A tile that is alone at work goes steps ahead of what others see; one with banks does not.
    if (expected.end == seen.end && expected.end.empty()) {
      ++completed;
      ASSERT_EQ(seen.cycles, expected.cycles) << "seed " << seed;
      ASSERT_EQ(seen.stats.elements, expected.stats.elements) << "seed " << seed;
      ASSERT_TRUE(seen.stats.banks == expected.stats.banks) << "seed " << seed;
      ASSERT_TRUE(seen.stats.events == expected.stats.events) << "seed " << seed;
      ASSERT_TRUE(seen.memory == expected.memory) << "seed " << seed;
    }
    ASSERT_EQ(seen.end, expected.end) << "seed " << seed;
    if (only != nullptr) break;
  }
  if (only == nullptr) {
    EXPECT_GT(completed, cases / 4);
  }
}

TEST(BankedSramTest, RandomProgramsComputeTheSameOnModelsOfBanks) {
  compare(testing::case_count(300, 30), 60, model_banks);
}

TEST(BankedSramTest, RandomProgramsComputeTheSameOnBanksOfRtl) {
  if (bank_twins().empty()) GTEST_SKIP() << "this program was built without Verilator";
  compare(testing::case_count(40, 6), 50, rtl_banks);
}

/// Runs a kernel with banks at every tile; what the banks did.
BankedSram::Stats run_on_banks(const tiles::KernelJob& job, const tiles::MeshConfig& config) {
  TileMesh mesh(job.kernel(), config);
  job.fill(mesh);
  std::vector<const BankedSram*> all;
  for (std::uint32_t tile = 0; tile < mesh.kernel().mesh().tiles(); ++tile) {
    auto sram = std::make_unique<BankedSram>(config.sram, model_banks(config.sram));
    all.push_back(sram.get());
    mesh.set_sram(tile, std::move(sram));
  }
  mesh.run();
  BankedSram::Stats sum;
  for (const BankedSram* sram : all) {
    sum.loads += sram->stats().loads;
    sum.late += sram->stats().late;
    sum.deepest = std::max(sum.deepest, sram->stats().deepest);
  }
  EXPECT_EQ(mesh.cycles(), tiles::run_kernel(job, config).cycles);
  return sum;
}

// What BankCore allows in a cycle single-ported banks can do, with stores that wait for a free clock.
TEST(BankedSramTest, EveryLoadOfAKernelFindsItsClock) {
  const tiles::MeshConfig config;
  tiles::StreamedGemmShape shape;
  shape.mesh = {3, 2};
  shape.tokens = 96;
  shape.inputs = 24;
  shape.outputs = 18;
  shape.type = tiles::DataType::kFp16;
  const BankedSram::Stats gemm = run_on_banks(tiles::StreamedGemm(shape, config, 1), config);
  EXPECT_GT(gemm.loads, 10'000U);
  EXPECT_EQ(gemm.late, 0U);
  EXPECT_LE(gemm.deepest, 8U);  // three steps behind, two threads
}

/// A bank that forgets to answer.
class MuteBank final : public BankTwin {
 public:
  BankPins::Outputs outputs() const override { return {}; }
  void clock(const BankPins::Inputs& /*inputs*/) override {}
};

TEST(BankedSramTest, ABankThatDoesNotAnswerIsNamed) {
  const memory::SramConfig config;
  std::vector<std::unique_ptr<BankTwin>> banks = model_banks(config);
  banks[5] = std::make_unique<MuteBank>();
  BankedSram sram(config, std::move(banks));
  sram.begin(7, 1);
  std::uint32_t word = 0;
  sram.load(8, 4, &word);  // pair 1, low
  try {
    sram.load(12, 4, &word);  // pair 1, high
    FAIL() << "nothing was thrown";
  } catch (const base::TwinError& error) {
    EXPECT_NE(std::string(error.what()).find("cycle 7: bank 5"), std::string::npos) << error.what();
  }
}

TEST(BankedSramTest, ALoadSeesTheBytesStoredBeforeWhereverTheyWait) {
  const memory::SramConfig config;
  BankedSram sram(config, model_banks(config));
  base::Random random(3);
  std::vector<std::uint8_t> right(256);
  for (base::Cycles cycle = 0; cycle < 20'000; ++cycle) {
    sram.begin(cycle, 1);
    const auto bytes = static_cast<std::uint32_t>(random.below(2) * 2 + 2);
    const std::uint64_t at = random.below((right.size() - bytes) / 2) * 2;
    const auto bits = static_cast<std::uint32_t>(random.next());
    if (random.below(2) == 0) {
      sram.store(at, bytes, &bits);
      std::memcpy(&right[at], &bits, bytes);
    } else {
      std::uint32_t found = 0;
      std::uint32_t expected = 0;
      sram.load(at, bytes, &found);
      std::memcpy(&expected, &right[at], bytes);
      ASSERT_EQ(found, expected) << cycle;
    }
  }
}

}  // namespace
}  // namespace wse::cosim
