// SPDX-License-Identifier: Apache-2.0
#include "wse/model/gpt_step.h"

#include <fmt/format.h>

#include <algorithm>

#include "gpt_layout.h"
#include "gpt_operations.h"
#include "wse/base/check.h"
#include "wse/tiles/cost_terms.h"

namespace wse::model {
namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

[[noreturn]] void refuse(const GptMesh& on, const tiles::MeshConfig& config,
                         const std::string& reason) {
  const auto least = GptStep::least_mesh(on, config);
  throw base::ConfigError("--mesh", fmt::format("{}x{}", on.mesh.columns, on.mesh.rows),
                          fmt::format("{}; {}", reason,
                                      least ? fmt::format("{}x{} is the least that holds the model",
                                                          least->columns, least->rows)
                                            : "no mesh holds the model"));
}

std::vector<GptOperation> operations_of(const GptMesh& on, const tiles::MeshConfig& config) {
  base::ConfigErrors errors;
  on.validate(errors);
  errors.throw_if_any();
  if (const std::string rule = on.indivisible(); !rule.empty()) refuse(on, config, rule);
  try {
    return gpt_operations(on, config);
  } catch (const tiles::ProgramError& error) {
    refuse(on, config, fmt::format("does not hold the model ({})", first_line(error.what())));
  }
}

GptOperationPlan::Work kind_of(const GptOperation& operation) {
  using Work = GptOperationPlan::Work;
  if (!operation.work) return operation.work_with.empty() ? Work::kParameters : Work::kVector;
  switch (operation.work->operation) {
    case base::Operation::kGemmForward:
    case base::Operation::kGemmInputGradient:
    case base::Operation::kGemmWeightGradient:
      return Work::kMatrix;
    case base::Operation::kAttentionForward:
    case base::Operation::kAttentionBackward:
      return Work::kAttention;
    case base::Operation::kVector:
      // Tables come in through the lanes.
      return operation.weight_words + operation.gradient_words > 0 ? Work::kParameters
                                                                   : Work::kVector;
    case base::Operation::kLayerChange:
    case base::Operation::kRedistribute:
      break;
  }
  return Work::kParameters;
}

}  // namespace

std::optional<fabric::Mesh> GptStep::least_mesh(const GptMesh& on,
                                                const tiles::MeshConfig& config) {
  std::vector<fabric::Mesh> meshes;
  for (const std::uint32_t columns : on.columns_that_fit()) {
    for (const std::uint32_t rows : on.rows_that_fit()) meshes.push_back({columns, rows});
  }
  std::stable_sort(meshes.begin(), meshes.end(), [](const fabric::Mesh& a, const fabric::Mesh& b) {
    return a.tiles() < b.tiles();
  });
  for (const fabric::Mesh& mesh : meshes) {
    GptMesh other = on;
    other.mesh = mesh;
    if (GptLayout(other).end > config.sram.size_bytes) continue;
    try {
      gpt_operations(other, config);
      return mesh;
    } catch (const tiles::ProgramError&) {
      continue;
    }
  }
  return std::nullopt;
}

GptStep::GptStep(const GptMesh& on, const tiles::MeshConfig& config, std::uint32_t threads)
    : on_(on),
      operations_(operations_of(on, config)),
      activation_bytes_(GptLayout(on).end),
      chain_(on.with_lanes(), config, threads) {}

GptStep::~GptStep() = default;

std::size_t GptStep::operations() const { return operations_.size(); }

std::vector<const tiles::Kernel*> GptStep::kernels() const {
  std::vector<const tiles::Kernel*> all;
  for (const GptOperation& operation : operations_) all.push_back(&operation.kernel);
  return all;
}

std::vector<GptOperationPlan> GptStep::plan(const tiles::TileConfig& tile) const {
  std::vector<GptOperationPlan> plans;
  const base::Mapping mapping(on_.mesh.columns, on_.mesh.rows, 1);
  for (const GptOperation& operation : operations_) {
    auto plan = std::find_if(plans.begin(), plans.end(),
                             [&](const GptOperationPlan& p) { return p.name == operation.name; });
    if (plan == plans.end()) {
      plan = plans.insert(plans.end(), GptOperationPlan{});
      plan->name = operation.name;
      plan->work = kind_of(operation);
      plan->predicted_with = operation.work_with;
    }
    ++plan->runs;
    plan->weight_words += operation.weight_words;
    plan->gradient_words += operation.gradient_words;
    if (!operation.work) continue;
    plan->predicted =
        plan->predicted.value_or(0) +
        tiles::total(cycles_of(*operation.work, mapping, tile, tiles::Precision::kFp32));
  }
  return plans;
}

host::GptResult GptStep::run(const std::vector<double>& parameters, const host::TokenBatch& batch,
                             const tiles::ChainHooks& hooks) {
  const host::GptOffsets at(on_.shape);
  WSE_CHECK(parameters.size() == at.count(), "parameters of another shape");
  WSE_CHECK(batch.sequences == on_.sequences && batch.tokens.size() == on_.all_tokens() &&
                batch.targets.size() == on_.all_tokens(),
            "a batch of another size");
  host::GptResult result;
  result.gradients.assign(at.count(), 0);
  GptStreams streams{parameters, batch, result.gradients};
  for (const GptOperation& operation : operations_) {
    if (operation.fill) operation.fill(chain_.memory(), streams);
    chain_.run(operation.name, operation.kernel, hooks);
    if (operation.take) operation.take(chain_.memory(), streams);
  }
  result.loss = streams.loss;
  return result;
}

}  // namespace wse::model
