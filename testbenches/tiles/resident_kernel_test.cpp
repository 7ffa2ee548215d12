// SPDX-License-Identifier: Apache-2.0
// The products of resident weights against the cycle level: a token of a forward product is the product
// of a matrix and a vector, whose kernel keeps its matrix in the tiles the same way.
#include <gtest/gtest.h>

#include "support/fabric_case.h"
#include "wse/tiles/kernels/gemv.h"
#include "wse/tiles/resident_terms.h"

namespace wse::tiles {
namespace {

struct Case {
  fabric::Mesh mesh;
  std::uint32_t outputs;
  DataType type;
  Precision precision;
};

base::Cycles measured(const Case& c, std::uint32_t inputs) {
  GemvShape s;
  s.mesh = c.mesh;
  s.rows = c.outputs;
  s.columns = inputs;
  s.type = c.type;
  const Gemv gemv(s, MeshConfig(), 1);
  return run_kernel(gemv, MeshConfig()).cycles;
}

base::Cycles vectors(const Case& c, std::uint32_t inputs) {
  base::WorkItem w;
  w.operation = base::Operation::kGemmForward;
  w.inputs = inputs;
  w.outputs = c.outputs;
  w.tokens = 1;
  const ResidentTerms terms({{0, c.mesh.columns}, {0, c.mesh.rows}}, {}, c.precision, {});
  const CauseCycles cycles = terms.cycles(w);
  const auto of = [&cycles](Cause cause) { return cycles[static_cast<std::size_t>(cause)]; };
  return of(Cause::kMultiplyAdd) + of(Cause::kPadding) + of(Cause::kVectorStart);
}

// More inputs a tile and the same sums: the reductions of both runs are the same and fall out.
TEST(ResidentKernelTest, AVectorOperationAnInputTakesTheCyclesOfTheKernel) {
  for (const Case& c : {Case{{16, 4}, 160, DataType::kMixed, Precision::kMixed},
                        Case{{16, 4}, 200, DataType::kFp16, Precision::kFp16},
                        Case{{8, 8}, 320, DataType::kMixed, Precision::kMixed},
                        Case{{16, 2}, 64, DataType::kFp32, Precision::kFp32}}) {
    const std::uint32_t few = 16 * c.mesh.columns;
    const std::uint32_t many = 48 * c.mesh.columns;
    const auto kernel = static_cast<double>(measured(c, many) - measured(c, few));
    const auto terms = static_cast<double>(vectors(c, many) - vectors(c, few));
    EXPECT_NEAR(terms / kernel, 1, 0.05) << name_of(c.type) << " " << terms << " " << kernel;
  }
}

}  // namespace
}  // namespace wse::tiles
