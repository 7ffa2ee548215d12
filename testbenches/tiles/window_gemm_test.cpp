// SPDX-License-Identifier: Apache-2.0
// A window of a streamed GEMM does what its tiles do in the whole mesh: values to the bit, cycles an output.
#include "wse/tiles/kernels/window_gemm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/fabric_case.h"
#include "wse/base/random.h"
#include "wse/tiles/kernels/streamed_gemm.h"

namespace wse::tiles {
namespace {

/// All outputs of a mesh of `columns` x `rows` tiles, of which the window has some.
struct Case {
  std::uint32_t columns, rows, tokens, inputs, outputs;  // the last three a tile
  DataType type;
  base::Rectangle window;

  StreamedGemmShape whole() const {
    StreamedGemmShape s;
    s.mesh = {columns, rows};
    s.tokens = rows * tokens;
    s.inputs = columns * inputs;
    s.outputs = columns * outputs;
    s.type = type;
    return s;
  }
  WindowGemmShape part() const {
    WindowGemmShape s;
    s.ring = columns;
    s.columns = window.columns;
    s.first_row = window.rows.begin;
    s.rows = window.rows.size();
    s.tile_tokens = tokens;
    s.inputs = columns * inputs;
    s.outputs = columns * outputs;
    s.block_outputs = s.outputs;
    s.type = type;
    return s;
  }
};

std::vector<std::uint8_t> bytes_of(const TileMesh& mesh, std::uint32_t tile, const Array& array) {
  std::vector<std::uint8_t> bytes(array.bytes());
  mesh.read(tile, array.address, bytes.data(), bytes.size());
  return bytes;
}

/// Cycles of the tiles of a rectangle, from the first issue to the last.
base::Cycles cycles_of(const TileMesh& mesh, const base::Rectangle& tiles) {
  base::Cycles begin = EngineStats::kNever;
  base::Cycles end = 0;
  for (std::uint32_t y = tiles.rows.begin; y < tiles.rows.end; ++y) {
    for (std::uint32_t x = tiles.columns.begin; x < tiles.columns.end; ++x) {
      const auto times = mesh.times(mesh.kernel().mesh().tile(x, y));
      begin = std::min(begin, times.begin);
      end = std::max(end, times.end);
    }
  }
  return end - begin;
}
base::Rectangle below_weights(base::Rectangle tiles) {
  ++tiles.rows.begin;
  ++tiles.rows.end;
  return tiles;
}

/// A case in the whole mesh and in the window, run.
struct Pair {
  explicit Pair(const Case& c)
      : whole(c.whole(), MeshConfig(), 5),
        part(c.part(), MeshConfig(), 5),
        whole_mesh(whole.kernel(), MeshConfig()),
        part_mesh(part.kernel(), MeshConfig()) {
    whole.fill(whole_mesh);
    static_cast<const KernelJob&>(part).fill(part_mesh);
    whole_mesh.run();
    part_mesh.run();
    whole_cycles = cycles_of(whole_mesh, below_weights(c.window));
    part_cycles = cycles_of(part_mesh, part.working_tiles());
  }
  StreamedGemm whole;
  WindowGemm part;
  TileMesh whole_mesh, part_mesh;
  base::Cycles whole_cycles, part_cycles;
};

void expect_equal_values(const Case& c) {
  const Pair pair(c);
  const base::Rectangle window = pair.part.working_tiles();
  for (std::uint32_t y = 0; y < c.window.rows.size(); ++y) {
    for (std::uint32_t x = 0; x < c.window.columns.size(); ++x) {
      const std::uint32_t here =
          pair.part.kernel().mesh().tile(window.columns.begin + x, window.rows.begin + y);
      const std::uint32_t there =
          pair.whole.kernel().mesh().tile(c.window.columns.begin + x, c.window.rows.begin + 1 + y);
      const Array ours = *pair.part.kernel().program(here)->find_array("y");
      const Array theirs = *pair.whole.kernel().program(there)->find_array("y");
      ASSERT_EQ(bytes_of(pair.part_mesh, here, ours), bytes_of(pair.whole_mesh, there, theirs))
          << "tile " << x << ", " << y << " of a window from " << c.window.columns.begin << " of "
          << c.columns << ", " << name_of(c.type);
    }
  }
  Comparison comparison(pair.part_mesh);
  static_cast<const KernelJob&>(pair.part).compare(comparison);
  EXPECT_LE(comparison.max_rel_error(), pair.part.error_bound());
}

TEST(WindowGemmTest, ValuesAreThoseOfTheWholeMesh) {
  constexpr DataType kTypes[]{DataType::kMixed, DataType::kFp16, DataType::kFp32};
  const std::uint64_t cases = testing::case_count(45, 12);
  for (std::uint64_t seed = 0; seed < cases; ++seed) {
    base::Random random(seed);
    Case c;
    c.columns = random.between(1, 13);
    c.rows = random.between(1, 4);
    c.tokens = 2 * random.between(1, seed % 5 == 0 ? 40 : 10);
    c.inputs = random.between(1, 6);
    c.outputs = random.between(1, 4);
    c.type = kTypes[seed % 3];
    c.window.columns.begin = random.between(0, c.columns - 1);
    c.window.columns.end = random.between(c.window.columns.begin + 1, c.columns);
    c.window.rows.begin = random.between(0, c.rows - 1);
    c.window.rows.end = random.between(c.window.rows.begin + 1, c.rows);
    expect_equal_values(c);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

// What fills the ring and the columns is left out by the difference of two lengths.
TEST(WindowGemmTest, AnOutputTakesTheCyclesOfTheWholeMesh) {
  for (const DataType type : {DataType::kMixed, DataType::kFp16, DataType::kFp32}) {
    // Sums beside the datapath, and in the SRAM.
    for (const std::uint32_t tokens : {18U, 80U}) {
      Case c{16, 4, tokens, 17, 3, type, {{5, 11}, {1, 3}}};
      const Pair brief(c);
      c.outputs = 6;
      const Pair twice(c);
      const auto whole = static_cast<double>(twice.whole_cycles - brief.whole_cycles);
      const auto part = static_cast<double>(twice.part_cycles - brief.part_cycles);
      EXPECT_NEAR(part / whole, 1, 0.001) << name_of(type) << ", " << tokens;
      EXPECT_NEAR(static_cast<double>(twice.part_cycles),
                  static_cast<double>(twice.part.predicted()),
                  0.02 * static_cast<double>(twice.part.predicted()))
          << name_of(type) << ", " << tokens;
    }
  }
}

TEST(WindowGemmTest, BlocksAndUnevenInputsGiveTheProduct) {
  for (const bool transposed : {false, true}) {
    WindowGemmShape s;
    s.ring = 21;
    s.columns = {0, 9};
    s.rows = 3;
    s.tile_tokens = 6;
    s.inputs = 100;  // four or five a column
    s.outputs = 90;
    s.first_output = 7;
    s.block_outputs = 31;  // of which some stay in the window
    s.transposed = transposed;
    const WindowGemm gemm(s, MeshConfig(), 3);
    const KernelResult result = run_kernel(gemm, MeshConfig());
    EXPECT_LT(result.max_rel_error, gemm.error_bound());
    EXPECT_GT(result.max_rel_error, 0);
    const KernelResult other = run_kernel(WindowGemm(s, MeshConfig(), 4), MeshConfig());
    EXPECT_NE(other.result_hash, result.result_hash);
    EXPECT_EQ(other.cycles, result.cycles);
  }
}

// Of a column with fewer inputs than columns one weight is zero.
TEST(WindowGemmTest, ColumnsWithoutInputsTakePart) {
  WindowGemmShape s;
  s.ring = 12;
  s.columns = {3, 9};
  s.inputs = 5;
  s.outputs = 12;
  s.block_outputs = 12;
  const WindowGemm gemm(s, MeshConfig(), 3);
  EXPECT_LT(run_kernel(gemm, MeshConfig()).max_rel_error, gemm.error_bound());
}

TEST(WindowGemmTest, SlowWeightsSetThePace) {
  Case c{12, 2, 18, 5, 8, DataType::kMixed, {{4, 9}, {0, 2}}};
  WindowGemm gemm(c.part(), MeshConfig(), 1);
  const KernelResult free = run_kernel(gemm, MeshConfig());
  gemm.set_arrival({1000, 1000 + 4 * free.cycles, 1000, 0});
  const KernelResult slow = run_kernel(gemm, MeshConfig());
  EXPECT_GT(slow.cycles, 3.8 * static_cast<double>(free.cycles));
  EXPECT_LT(slow.cycles, 4.1 * static_cast<double>(free.cycles));
  EXPECT_LT(slow.max_rel_error, gemm.error_bound());
  gemm.set_arrival({1000, 1000 + free.cycles / 2, 1000 + free.cycles / 4, 0});  // ahead of the work
  EXPECT_NEAR(static_cast<double>(run_kernel(gemm, MeshConfig()).cycles),
              static_cast<double>(free.cycles), 0.03 * static_cast<double>(free.cycles));
}

TEST(WindowGemmTest, ThreadsChangeNothing) {
  const Case c{14, 9, 8, 6, 2, DataType::kMixed, {{3, 10}, {1, 8}}};
  const WindowGemm gemm(c.part(), MeshConfig(), 1);
  MeshConfig config;
  config.fabric.copies_a_thread = 1;
  const KernelResult one = run_kernel(gemm, config);
  for (const std::uint32_t threads : {2U, 3U}) {
    EXPECT_EQ(run_kernel(gemm, config, threads).result_hash, one.result_hash) << threads;
  }
}

TEST(WindowGemmTest, AShareThatATileDoesNotHoldIsRefused) {
  Case c{12, 2, 18, 5, 8, DataType::kMixed, {{4, 9}, {0, 2}}};
  WindowGemmShape s = c.part();
  s.inputs = 12 * 400;
  try {
    const WindowGemm gemm(s, MeshConfig(), 1);
    FAIL() << "no error";
  } catch (const ProgramError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("bytes of data"));
  }
}

}  // namespace
}  // namespace wse::tiles
