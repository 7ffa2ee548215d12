// SPDX-License-Identifier: Apache-2.0
// A wrong route, color or address in any kernel shows: the kernel is refused, gets stuck, faults, or its
// results are wrong.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/fabric_case.h"
#include "wse/base/random.h"
#include "wse/tiles/kernels/attention.h"
#include "wse/tiles/kernels/embedding.h"
#include "wse/tiles/kernels/gemv.h"
#include "wse/tiles/kernels/gradient_gemm.h"
#include "wse/tiles/kernels/mesh_gemm.h"
#include "wse/tiles/kernels/rowwise.h"
#include "wse/tiles/kernels/stencil25.h"
#include "wse/tiles/kernels/streamed_gemm.h"

namespace wse::tiles {
namespace {

/// A kernel with something wrong in it.
class Mutant final : public KernelJob {
 public:
  explicit Mutant(const KernelJob& job) : job_(job), kernel_(job.kernel()) {}

  Kernel& changed() { return kernel_; }
  const Kernel& kernel() const override { return kernel_; }
  base::Cycles predicted() const override { return job_.predicted(); }
  void fill(TileMesh& mesh) const override { job_.fill(mesh); }
  void compare(Comparison& comparison) const override { job_.compare(comparison); }

 private:
  const KernelJob& job_;
  Kernel kernel_;
};

class Planter {
 public:
  Planter(Kernel& kernel, std::uint64_t seed) : kernel_(kernel), random_(seed) {}

  /// One output of a route less, or a copy more.
  std::string route() {
    while (true) {
      const auto tile = static_cast<std::uint32_t>(random_.below(kernel_.mesh().tiles()));
      const auto color = static_cast<std::uint8_t>(random_.below(fabric::kNumColors));
      const fabric::ColorRoute* found = kernel_.routes.find(tile, color);
      if (found == nullptr) continue;
      fabric::ColorRoute changed = *found;
      fabric::SwitchPosition& position = changed.positions[0];
      const auto port = static_cast<fabric::Port>(random_.below(5));
      if (position.outputs.contains(port)) continue;
      position.outputs = port;
      kernel_.routes.set(tile, color, changed);
      return "the route of color " + std::to_string(color) + " in tile " + std::to_string(tile);
    }
  }
  /// A queue with the next color.
  std::string color() {
    while (true) {
      Program& p = any_program();
      const std::size_t q = random_.below(kNumInputQueues);
      std::uint8_t& color = p.input_colors[q];
      if (color == kNone) continue;
      color = static_cast<std::uint8_t>((color + 1) % fabric::kNumColors);
      return "the color of input queue " + std::to_string(q) + " of " + p.name;
    }
  }
  /// An array that the host fills or reads, taken to lie an element further.
  std::string address(const std::vector<std::string>& data) {
    while (true) {
      Program& p = any_program();
      const std::string& name = data[random_.below(data.size())];
      bool found = false;
      for (Descriptor& d : p.descriptors) {
        if (d.kind != DescriptorKind::kMemory || d.name != name) continue;
        d.address += d.element_bytes;
        found = true;
      }
      if (found) return "the address of '" + name + "' in " + p.name;
    }
  }

 private:
  Program& any_program() {
    while (true) {
      const std::size_t tile = random_.below(kernel_.mesh().tiles());
      if (kernel_.program_of[tile] != Kernel::kIdle) {
        return kernel_.programs[kernel_.program_of[tile]];
      }
    }
  }
  Kernel& kernel_;
  base::Random random_;
};

/// Whether anybody would notice.
bool is_caught(const Mutant& mutant, double bound, base::Cycles cycles) {
  struct Endless {};
  try {
    std::uint64_t looks = 0;
    const KernelResult result = run_kernel(mutant, MeshConfig(), 1, {}, [&] {
      if (++looks > 10'000) throw Endless();
    });
    // Values that are right in other cycles are noticed as well: cycles are kept by the tests.
    return !(result.max_rel_error <= bound) || result.cycles != cycles;
  } catch (const ProgramError&) {
    return true;
  } catch (const KernelFailure&) {
    return true;
  } catch (const Endless&) {
    return true;
  }
}

struct Case {
  std::string name;
  std::unique_ptr<KernelJob> job;
  double bound;
  std::vector<std::string> data;  ///< arrays that the host fills or reads
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&all](std::string name, auto job, double bound, std::vector<std::string> data) {
    all.push_back({std::move(name), std::move(job), bound, std::move(data)});
  };
  const MeshConfig config;
  GemvShape v;
  v.mesh = {6, 3};
  v.rows = 30;
  v.columns = 40;
  v.type = DataType::kFp32;
  auto gemv = std::make_unique<Gemv>(v, config, 1);
  const double gemv_bound = gemv->error_bound();
  add("gemv", std::move(gemv), gemv_bound, {"a", "result"});
  for (const double density : {1.0, 0.5}) {
    StreamedGemmShape g;
    g.mesh = {4, 2};
    g.tokens = 24;
    g.inputs = 16;
    g.outputs = 20;
    g.type = DataType::kFp32;
    g.density = density;
    add(density == 1 ? "gemm stream" : "gemm stream, sparse",
        std::make_unique<StreamedGemm>(g, config, 1), 1e-5, {"x", "y"});
  }
  add("gemm stream-gradient",
      std::make_unique<GradientGemm>(GradientGemmShape{{4, 3}, 24, 16, 20, DataType::kFp32}, config,
                                     1),
      1e-5, {"x", "dy", "dw"});
  for (const MeshGemmAlgorithm a :
       {MeshGemmAlgorithm::kSumma, MeshGemmAlgorithm::kCannon, MeshGemmAlgorithm::kInterleaved}) {
    add("gemm " + name_of(a),
        std::make_unique<MeshGemm>(MeshGemmShape{{4, 4}, 16, 16, 16, DataType::kFp32, a}, config,
                                   1),
        1e-5,
        a == MeshGemmAlgorithm::kSumma ? std::vector<std::string>{"own a", "own b", "c"}
                                       : std::vector<std::string>{"a", "b", "c"});
  }
  for (const RowwiseOp op : {RowwiseOp::kLayerNorm, RowwiseOp::kSoftmax, RowwiseOp::kGelu,
                             RowwiseOp::kCrossEntropy, RowwiseOp::kRotary}) {
    for (const bool backward : {false, true}) {
      RowwiseShape r;
      r.mesh = {5, 2};
      r.tokens = 12;
      r.features = 20;
      r.op = op;
      r.backward = backward;
      auto job = std::make_unique<Rowwise>(r, config, 1);
      const double bound = job->error_bound();
      std::vector<std::string> data{"x", "y"};
      if (op == RowwiseOp::kCrossEntropy && !backward) data[1] = "loss";
      if (op == RowwiseOp::kRotary) data.insert(data.end(), {"cos", "sin"});
      if (op == RowwiseOp::kLayerNorm && backward) data.insert(data.end(), {"dy", "mean", "rstd"});
      add(name_of(op) + (backward ? " gradient" : ""), std::move(job), bound, std::move(data));
    }
  }
  for (const bool causal : {true, false}) {
    for (const bool backward : {false, true}) {
      AttentionShape a;
      a.mesh = {3, 3};
      a.tokens = 12;
      a.head_features = 6;
      a.causal = causal;
      a.backward = backward;
      auto job = std::make_unique<Attention>(a, config, 1);
      const double bound = job->error_bound();
      const std::vector<std::string> forward{"q", "kv", "y"};
      const std::vector<std::string> gradient{"q", "kv", "y", "dy", "log sum", "dq", "dkv"};
      add(std::string(causal ? "causal" : "full") + " attention" + (backward ? " gradient" : ""),
          std::move(job), bound, backward ? gradient : forward);
    }
  }
  for (const bool backward : {false, true}) {
    EmbeddingShape e;
    e.mesh = {3, 3};
    e.tokens = 12;
    e.features = 6;
    e.vocabulary = 10;
    e.backward = backward;
    add(std::string("embedding") + (backward ? " gradient" : ""),
        std::make_unique<Embedding>(e, config, 1), 1e-5, {"tokens", "table", "x"});
  }
  StencilShape s;
  s.mesh = {6, 7};
  s.nz = 12;
  s.steps = 2;
  add("stencil25", std::make_unique<Stencil25>(s, 1), 1e-5, {"cells", "constants"});
  return all;
}

TEST(PlantedFaultsTest, AreCaughtInEveryKernel) {
  constexpr std::uint64_t kOfAKind = 12;
  for (const Case& c : cases()) {
    const KernelResult right = run_kernel(*c.job, MeshConfig());
    ASSERT_LE(right.max_rel_error, c.bound) << c.name;
    std::uint64_t caught = 0;
    std::uint64_t planted = 0;
    for (std::uint64_t seed = 0; seed < 3 * kOfAKind; ++seed) {
      Mutant mutant(*c.job);
      Planter planter(mutant.changed(), seed);
      const bool sends = c.job->kernel().routes.colors() != 0;
      const std::string what = seed % 3 == 0 && sends   ? planter.route()
                               : seed % 3 == 1 && sends ? planter.color()
                                                        : planter.address(c.data);
      ++planted;
      const bool is_seen = is_caught(mutant, c.bound, right.cycles);
      EXPECT_TRUE(is_seen) << c.name << ", seed " << seed << ": " << what;
      caught += is_seen ? 1 : 0;
    }
    RecordProperty(c.name, std::to_string(caught) + " of " + std::to_string(planted));
  }
}

}  // namespace
}  // namespace wse::tiles
