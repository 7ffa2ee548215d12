// SPDX-License-Identifier: Apache-2.0
// Sparse weights on long rows and many densities: the row against the kernel, mask by mask.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "support/sparse_case.h"

namespace wse::testing {
namespace {

using tiles::DataType;

TEST(MaskPaceLongTest, RowsTakeTheCyclesOfTheKernel) {
  double sum = 0;
  int cases = 0;
  for (const DataType type : {DataType::kMixed, DataType::kFp16, DataType::kFp32}) {
    for (const fabric::Mesh mesh : {fabric::Mesh{8, 8}, {16, 16}, {32, 4}, {64, 2}, {128, 1}}) {
      for (const double density : {0.9, 0.5, 0.25, 0.1, 0.05}) {
        for (const std::uint32_t tokens : {16u, 42u}) {
          const bool wide = type == DataType::kFp32 && mesh.columns == 128 && density > 0.25;
          if (wide || (mesh.columns == 128 && density > 0.5)) continue;  // more than a column holds
          const SparseCase c{mesh, type, density, tokens, 9, 8};
          const tiles::StreamedGemm gemm(c.shape(), tiles::MeshConfig(), 1);
          const auto kernel = static_cast<double>(run_kernel(gemm, tiles::MeshConfig()).cycles);
          const double difference = static_cast<double>(cycles_by_row(c, gemm)) - kernel;
          EXPECT_LT(std::abs(difference), 0.025 * kernel + 40) << c.text();
          std::cout << fmt::format("{:+6.2f} %  {}\n", 100 * difference / kernel, c.text())
                    << std::flush;
          sum += std::abs(difference) / kernel;
          ++cases;
        }
      }
    }
  }
  std::cout << fmt::format("{:6.2f} %  mean of {}\n", 100 * sum / cases, cases);
  EXPECT_LT(sum / cases, 0.015);
}

}  // namespace
}  // namespace wse::testing
