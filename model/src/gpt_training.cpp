// SPDX-License-Identifier: Apache-2.0
#include "wse/model/gpt_training.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "wse/base/result_hash.h"

namespace wse::model {
namespace {

std::string hash_of(const GptTrainingResult& result) {
  base::ResultHash hash;
  for (const double loss : result.loss) {
    std::uint64_t bits;
    std::memcpy(&bits, &loss, sizeof bits);
    hash.add(bits);
  }
  for (const tiles::OperationCost& cost : result.costs) {
    for (const std::uint64_t n : {cost.runs, cost.cycles, cost.load_cycles, cost.busy_cycles,
                                  cost.flops, cost.wavelet_hops, cost.bank_conflict_cycles}) {
      hash.add(n);
    }
  }
  return hash.text();
}

}  // namespace

double GptTrainingResult::max_rel_error() const {
  double error = 0;
  for (std::size_t s = 0; s < loss.size(); ++s) {
    error = std::max(error, std::abs(loss[s] / reference_loss[s] - 1));
  }
  return error;
}

base::EventCounts GptTrainingResult::events() const {
  base::EventCounts sum{};
  for (const tiles::OperationCost& cost : costs) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += cost.events[i];
  }
  return sum;
}

GptTrainingResult train_gpt(const GptTraining& training, GptStep& step,
                            const host::TextTokens& text) {
  const GptMesh& on = training.on;
  host::TextBatches batches(text, on.sequences, on.shape.positions, training.seed);
  std::vector<double> parameters = host::initial_parameters(on.shape, training.seed);
  std::vector<double> exact = parameters;
  host::Adam adam(training.adam);
  host::Adam exact_adam(training.adam);
  GptTrainingResult result;
  result.plans = step.plan(training.tile);
  for (std::uint64_t s = 0; s < training.steps; ++s) {
    const auto tell = [&](std::uint64_t done) {
      if (training.progress) training.progress(done);
    };
    const host::TokenBatch batch = batches.next();
    const host::GptResult of_tiles =
        step.run(parameters, batch, {training.before, [&] { tell(s); }, training.after});
    adam.step(parameters, of_tiles.gradients);
    const host::GptResult reference = host::reference_step(on.shape, exact, batch);
    exact_adam.step(exact, reference.gradients);
    result.loss.push_back(of_tiles.loss);
    result.reference_loss.push_back(reference.loss);
    tell(s + 1);
  }
  result.costs = step.chain().costs();
  result.cycles = step.chain().cycles();
  result.load_cycles = step.chain().all_load_cycles();
  result.hops_by_tile = step.chain().hops_by_tile();
  result.operations = step.operations();
  result.activation_bytes = step.activation_bytes();
  result.parameters = parameters.size();
  result.result_hash = hash_of(result);
  return result;
}

}  // namespace wse::model
