// SPDX-License-Identifier: Apache-2.0
#include "kernel_choice.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "mesh_options.h"
#include "wse/base/config_errors.h"
#include "wse/base/text_forms.h"
#include "wse/tiles/kernels/attention.h"
#include "wse/tiles/kernels/collective_job.h"
#include "wse/tiles/kernels/embedding.h"
#include "wse/tiles/kernels/gemv.h"
#include "wse/tiles/kernels/gradient_gemm.h"
#include "wse/tiles/kernels/mesh_gemm.h"
#include "wse/tiles/kernels/rowwise.h"
#include "wse/tiles/kernels/stencil25.h"
#include "wse/tiles/kernels/streamed_gemm.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;
using tiles::AllreduceAlgorithm;
using tiles::DataType;
using tiles::KernelJob;
using tiles::ReduceAlgorithm;

/// What the maker of a kernel is given; it reports what it does not like.
struct Request {
  const KernelChoice& choice;
  fabric::Mesh mesh;
  DataType type;
  std::string algorithm;  ///< the name of one of the kernel's
  const tiles::MeshConfig& config;
  report::KernelRecord& record;
  base::ConfigErrors& errors;

  /// An option of a range; what it is if it is not given.
  std::uint32_t size(const std::string& name, std::int64_t otherwise, std::int64_t least,
                     std::int64_t most);
  double share(const std::string& name);
};

std::uint32_t Request::size(const std::string& name, std::int64_t otherwise, std::int64_t least,
                            std::int64_t most) {
  const auto given = choice.sizes.find(name);
  std::int64_t value = otherwise;
  const bool is_given = given != choice.sizes.end() && !given->second.empty();
  bool legal = true;
  if (is_given) {
    char* end = nullptr;
    value = std::strtoll(given->second.c_str(), &end, 10);
    legal = *end == '\0' && value >= least && value <= most;
  }
  errors.require(legal, "--" + name, is_given ? given->second : "",
                 fmt::format("must be {} .. {}", least, most));
  return static_cast<std::uint32_t>(legal ? value : least);
}

double Request::share(const std::string& name) {
  const auto given = choice.sizes.find(name);
  if (given == choice.sizes.end() || given->second.empty()) return 1;
  char* end = nullptr;
  const double value = std::strtod(given->second.c_str(), &end);
  const bool legal = *end == '\0' && value > 0 && value <= 1;
  errors.require(legal, "--" + name, given->second, "must be above 0 and at most 1");
  return legal ? value : 1;
}

/// A kernel that the command line knows.
struct KernelKind {
  std::string name;
  std::string text;
  std::vector<std::string> algorithms;  ///< the first is the default; empty: there is only one
  std::vector<std::string> sizes;       ///< options that it takes
  std::string mesh;                     ///< default
  DataType type;                        ///< default
  std::function<std::unique_ptr<KernelJob>(Request&)> make;
};

tiles::CollectiveShape collective_shape(Request& r) {
  tiles::CollectiveShape shape;
  shape.mesh = r.mesh;
  shape.words = r.size("words", 16, 1, 1'000'000);
  shape.type = r.type;
  shape.measured = r.choice.measured;
  r.record.words = shape.words;
  return shape;
}

/// A kernel whose collective is made of the shape.
template <class Make>
std::function<std::unique_ptr<KernelJob>(Request&)> collective(const Make& make) {
  return [make](Request& r) -> std::unique_ptr<KernelJob> {
    const tiles::CollectiveShape shape = collective_shape(r);
    const auto group = r.algorithm == "two-phase" ? r.size("group", -1, 1, 4096) : 0;
    r.errors.throw_if_any();
    return std::make_unique<tiles::CollectiveJob>(make(shape, r.algorithm, group), r.record.seed);
  };
}

/// The one of `all` that has the name.
template <class Algorithm>
Algorithm algorithm_of(const std::string& name, std::initializer_list<Algorithm> all) {
  return *std::find_if(all.begin(), all.end(), [&](Algorithm a) { return name_of(a) == name; });
}

tiles::Collective make_reduce(const tiles::CollectiveShape& shape, const std::string& algorithm,
                              std::uint32_t group) {
  const auto which = algorithm_of(
      algorithm, {ReduceAlgorithm::kChain, ReduceAlgorithm::kStar, ReduceAlgorithm::kTree,
                  ReduceAlgorithm::kTwoPhase, ReduceAlgorithm::kSnake});
  const bool given = group != 0 && group != static_cast<std::uint32_t>(-1);
  return reduce(shape, which, given ? std::optional(group) : std::nullopt);
}

tiles::Collective make_allreduce(const tiles::CollectiveShape& shape, const std::string& algorithm,
                                 std::uint32_t) {
  return allreduce(
      shape, algorithm_of(algorithm, {AllreduceAlgorithm::kReduceBroadcast,
                                      AllreduceAlgorithm::kRing, AllreduceAlgorithm::kCentre}));
}

std::unique_ptr<KernelJob> make_gemv(Request& r) {
  tiles::GemvShape shape;
  shape.mesh = r.mesh;
  shape.type = r.type;
  shape.rows = r.size("rows", 64, 1, 1 << 20);
  shape.columns = r.size("cols", 64, 1, 1 << 20);
  r.errors.throw_if_any();
  r.record.sizes = {{"rows", shape.rows}, {"cols", shape.columns}};
  return std::make_unique<tiles::Gemv>(shape, r.config, r.record.seed);
}

std::unique_ptr<KernelJob> make_gemm(Request& r) {
  const std::uint32_t m = r.size("m", 64, 1, 1 << 20);
  const std::uint32_t k = r.size("k", 64, 1, 1 << 20);
  const std::uint32_t n = r.size("n", 64, 1, 1 << 20);
  const double density = r.share("density");
  r.record.sizes = {{"m", m}, {"k", k}, {"n", n}, {"density", density}};
  const bool transposed = r.algorithm == "stream-input-gradient";
  if (r.algorithm != "stream" && !transposed) {
    r.errors.require(density == 1, "--density", density, "is for a GEMM by stream");
    r.errors.throw_if_any();
    if (r.algorithm == "stream-gradient") {
      const tiles::GradientGemmShape gradient{r.mesh, m, k, n, r.type};
      return std::make_unique<tiles::GradientGemm>(gradient, r.config, r.record.seed);
    }
    tiles::MeshGemmShape shape{r.mesh,
                               m,
                               k,
                               n,
                               r.type,
                               algorithm_of(r.algorithm, {tiles::MeshGemmAlgorithm::kSumma,
                                                          tiles::MeshGemmAlgorithm::kCannon,
                                                          tiles::MeshGemmAlgorithm::kInterleaved})};
    return std::make_unique<tiles::MeshGemm>(shape, r.config, r.record.seed);
  }
  r.errors.throw_if_any();
  tiles::StreamedGemmShape shape;
  shape.mesh = r.mesh;
  shape.type = r.type;
  shape.tokens = m;
  shape.inputs = transposed ? n : k;
  shape.outputs = transposed ? k : n;
  shape.density = density;
  shape.transposed = transposed;
  return std::make_unique<tiles::StreamedGemm>(shape, r.config, r.record.seed);
}

std::function<std::unique_ptr<KernelJob>(Request&)> rowwise(tiles::RowwiseOp op) {
  return [op](Request& r) -> std::unique_ptr<KernelJob> {
    tiles::RowwiseShape shape;
    shape.mesh = r.mesh;
    shape.type = r.type;
    shape.op = op;
    shape.tokens = r.size("m", 64, 1, 1 << 20);
    shape.features = r.size("n", 64, 1, 1 << 20);
    shape.backward = r.algorithm == "backward";
    r.errors.throw_if_any();
    r.record.sizes = {{"m", shape.tokens}, {"n", shape.features}};
    return std::make_unique<tiles::Rowwise>(shape, r.config, r.record.seed);
  };
}

std::unique_ptr<KernelJob> make_embedding(Request& r) {
  tiles::EmbeddingShape shape;
  shape.mesh = r.mesh;
  shape.type = r.type;
  shape.tokens = r.size("m", 64, 1, 1 << 20);
  shape.features = r.size("n", 64, 1, 1 << 20);
  shape.vocabulary = r.size("vocabulary", 64, 1, 1 << 24);
  shape.backward = r.algorithm == "backward";
  r.errors.throw_if_any();
  r.record.sizes = {{"m", shape.tokens}, {"n", shape.features}, {"vocabulary", shape.vocabulary}};
  return std::make_unique<tiles::Embedding>(shape, r.config, r.record.seed);
}

std::unique_ptr<KernelJob> make_attention(Request& r) {
  tiles::AttentionShape shape;
  shape.mesh = r.mesh;
  shape.type = r.type;
  shape.tokens = r.size("m", 64, 1, 1 << 20);
  shape.heads = r.size("heads", 1, 1, 4096);
  const std::uint32_t features = r.size("n", 64, 1, 1 << 20);
  shape.causal = r.algorithm.find("full") == std::string::npos;
  shape.backward = r.algorithm.find("backward") != std::string::npos;
  r.errors.require(features % shape.heads == 0, "--n", features, "must be a multiple of --heads");
  r.errors.require(r.mesh.columns % shape.heads == 0, "--heads", shape.heads,
                   "must divide the columns of the mesh: a head is a group of columns");
  r.errors.throw_if_any();
  shape.head_features = features / shape.heads;
  r.record.sizes = {{"m", shape.tokens}, {"n", features}, {"heads", shape.heads}};
  return std::make_unique<tiles::Attention>(shape, r.config, r.record.seed);
}

std::unique_ptr<KernelJob> make_stencil25(Request& r) {
  tiles::StencilShape shape;
  shape.mesh = r.mesh;
  shape.nz = r.size("nz", 100, 1, 100'000);
  shape.block = r.size("block", 0, 1, 100'000);
  shape.steps = r.size("steps", 1, 1, 1'000'000);
  r.errors.require(r.mesh.columns >= 5 && r.mesh.rows >= 5, "--mesh", r.choice.mesh,
                   "must have five columns and rows: a cell depends on four in each direction");
  r.errors.require(r.type == DataType::kFp32, "--dtype", r.choice.dtype, "must be fp32");
  r.errors.throw_if_any();
  r.record.sizes = {{"nz", shape.nz}, {"block", shape.block_cells()}, {"steps", shape.steps}};
  return std::make_unique<tiles::Stencil25>(shape, r.record.seed);
}

const std::vector<KernelKind>& kinds() {
  using tiles::CollectiveShape;
  const auto only = [](tiles::Collective (*make)(const CollectiveShape&)) {
    return collective([make](const CollectiveShape& shape, const std::string&, std::uint32_t) {
      return make(shape);
    });
  };
  static const std::vector<KernelKind> kKinds{
      {"send",
       "the vector of tile (0,0) to the far end of its row",
       {},
       {"words"},
       "8x1",
       DataType::kFp32,
       only(tiles::send)},
      {"broadcast",
       "the vector of tile (0,0) to all",
       {},
       {"words"},
       "8x1",
       DataType::kFp32,
       only(tiles::broadcast)},
      {"reduce",
       "the sum of all vectors in tile (0,0)",
       {"chain", "star", "tree", "two-phase", "snake"},
       {"words", "group"},
       "8x1",
       DataType::kFp32,
       collective(make_reduce)},
      {"allreduce",
       "the sum of all vectors in every tile",
       {"reduce-broadcast", "ring", "centre"},
       {"words"},
       "8x1",
       DataType::kFp32,
       collective(make_allreduce)},
      {"scatter",
       "a vector of tile (0,0) for each tile",
       {},
       {"words"},
       "8x1",
       DataType::kFp32,
       only(tiles::scatter)},
      {"gather",
       "the vectors of all tiles to tile (0,0)",
       {},
       {"words"},
       "8x1",
       DataType::kFp32,
       only(tiles::gather)},
      {"gemv", "y = A x, A[rows, cols]", {}, {"rows", "cols"}, "8x8", DataType::kFp32, make_gemv},
      {"gemm",
       "Y[m,n] = X[m,k] W[k,n]",
       {"stream", "stream-gradient", "stream-input-gradient", "summa", "cannon", "interleaved"},
       {"m", "k", "n", "density"},
       "8x8",
       DataType::kFp32,
       make_gemm},
      {"layernorm",
       "of the n features of m tokens",
       {"forward", "backward"},
       {"m", "n"},
       "8x8",
       DataType::kFp32,
       rowwise(tiles::RowwiseOp::kLayerNorm)},
      {"softmax",
       "over n features of m tokens",
       {"forward", "backward"},
       {"m", "n"},
       "8x8",
       DataType::kFp32,
       rowwise(tiles::RowwiseOp::kSoftmax)},
      {"gelu",
       "of the n features of m tokens",
       {"forward", "backward"},
       {"m", "n"},
       "8x8",
       DataType::kFp32,
       rowwise(tiles::RowwiseOp::kGelu)},
      {"cross-entropy",
       "loss of m tokens over n features",
       {"forward", "backward"},
       {"m", "n"},
       "8x8",
       DataType::kFp32,
       rowwise(tiles::RowwiseOp::kCrossEntropy)},
      {"rotary",
       "rotary embedding of the n features of m tokens",
       {"forward", "backward"},
       {"m", "n"},
       "8x8",
       DataType::kFp32,
       rowwise(tiles::RowwiseOp::kRotary)},
      {"attention",
       "of m tokens to each other, n features in heads",
       {"causal", "causal-backward", "full", "full-backward"},
       {"m", "n", "heads"},
       "8x8",
       DataType::kFp32,
       make_attention},
      {"embedding",
       "n features of m tokens by their words",
       {"forward", "backward"},
       {"m", "n", "vocabulary"},
       "8x8",
       DataType::kFp32,
       make_embedding},
      {"stencil25",
       "a wave on W x H x nz cells, eighth order in space",
       {},
       {"nz", "block", "steps"},
       "10x10",
       DataType::kFp32,
       make_stencil25},
  };
  return kKinds;
}

const KernelKind& kind_of(const std::string& name) {
  std::vector<std::string> names;
  for (const KernelKind& kind : kinds()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  const std::string near = base::nearest_name(name, names);
  throw base::ConfigError(
      "NAME", name,
      near.empty() ? "is unknown, see wse list kernels" : "is unknown; did you mean " + near + "?");
}

DataType type_of(const std::string& name, base::ConfigErrors& errors) {
  for (const DataType type : {DataType::kFp32, DataType::kMixed, DataType::kFp16}) {
    if (name == tiles::name_of(type)) return type;
  }
  errors.add("--dtype", name, "must be fp32, mixed or fp16");
  return DataType::kFp32;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string algorithm_of(const KernelKind& kind, const std::string& name,
                         base::ConfigErrors& errors) {
  if (name.empty()) return kind.algorithms.empty() ? "" : kind.algorithms.front();
  if (kind.algorithms.empty()) {
    errors.add("--algorithm", name, kind.name + " has only one");
  } else if (std::count(kind.algorithms.begin(), kind.algorithms.end(), name) == 0) {
    const std::string near = base::nearest_name(name, kind.algorithms);
    errors.add("--algorithm", name,
               "is unknown; " + (near.empty() ? "there are " + joined(kind.algorithms)
                                              : "did you mean " + near + "?"));
  }
  return name;
}

}  // namespace

void KernelChoice::add_to(po::options_description& options) {
  std::string algorithms;
  for (const KernelKind& kind : kinds()) {
    if (kind.algorithms.size() < 2) continue;
    algorithms += fmt::format("{}of {}: {}", algorithms.empty() ? "" : "; ", kind.name,
                              joined(kind.algorithms));
  }
  options.add_options()("mesh", po::value(&mesh)->value_name("WxH"), "columns and rows of tiles")(
      "dtype", po::value(&dtype)->value_name("TYPE"), "fp32, mixed or fp16")(
      "algorithm", po::value(&algorithm)->value_name("NAME"), algorithms.c_str())(
      "words", po::value(&sizes["words"])->value_name("N"),
      "32-bit words in each tile's vector (collectives; default 16)")(
      "group", po::value(&sizes["group"])->value_name("S"),
      "tiles of a group of two-phase (default the root of the row's)")(
      "rows", po::value(&sizes["rows"])->value_name("M"), "of the matrix of a gemv (default 64)")(
      "cols", po::value(&sizes["cols"])->value_name("N"), "its columns (default 64)")(
      "m", po::value(&sizes["m"])->value_name("N"),
      "rows of the result of a matrix product, or tokens")(
      "k", po::value(&sizes["k"])->value_name("N"), "its terms")(
      "n", po::value(&sizes["n"])->value_name("N"), "its columns, or features")(
      "density", po::value(&sizes["density"])->value_name("D"),
      "share of the weights that are not zero (default 1)")(
      "heads", po::value(&sizes["heads"])->value_name("H"), "of an attention (default 1)")(
      "vocabulary", po::value(&sizes["vocabulary"])->value_name("V"),
      "words of an embedding (default 64)")("nz", po::value(&sizes["nz"])->value_name("N"),
                                            "cells of a tile of a stencil (default 100)")(
      "block", po::value(&sizes["block"])->value_name("B"),
      "cells that it exchanges at a time (default: as many as fit)")(
      "steps", po::value(&sizes["steps"])->value_name("S"), "steps in time (default 1)")(
      "measured", po::bool_switch(&measured),
      "synchronise the tiles first and read their counters, as on hardware (collectives)");
}

std::unique_ptr<KernelJob> choose_kernel(const KernelChoice& choice,
                                         const tiles::MeshConfig& config,
                                         report::KernelRecord& record) {
  const KernelKind& kind = kind_of(choice.name);
  base::ConfigErrors errors;
  Request request{choice,
                  mesh_of(choice.mesh.empty() ? kind.mesh : choice.mesh, errors),
                  choice.dtype.empty() ? kind.type : type_of(choice.dtype, errors),
                  algorithm_of(kind, choice.algorithm, errors),
                  config,
                  record,
                  errors};
  for (const auto& [name, text] : choice.sizes) {
    const bool taken = std::count(kind.sizes.begin(), kind.sizes.end(), name) != 0;
    errors.require(text.empty() || taken, "--" + name, text, "is no option of " + kind.name);
  }
  const auto group = choice.sizes.find("group");
  errors.require(
      group == choice.sizes.end() || group->second.empty() || request.algorithm == "two-phase",
      "--group", group == choice.sizes.end() ? "" : group->second,
      "must be 1 .. 4096, of a reduce by two-phase");
  const bool is_collective = std::count(kind.sizes.begin(), kind.sizes.end(), "words") != 0;
  errors.require(!choice.measured || is_collective, "--measured", "given",
                 "is for collectives only");
  record.kernel = kind.name;
  record.algorithm = request.algorithm;
  record.mesh = request.mesh;
  record.type = request.type;
  record.measured = choice.measured;
  return kind.make(request);
}

std::string kernel_list() {
  std::string text;
  for (const KernelKind& kind : kinds()) {
    text +=
        fmt::format("{:<13} {}{}{}\n", kind.name, kind.text, kind.algorithms.size() > 1 ? ": " : "",
                    kind.algorithms.size() > 1 ? joined(kind.algorithms) : "");
  }
  return text;
}

}  // namespace wse::cli
