// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/stage_core.h"

#include <algorithm>
#include <utility>

#include "wse/base/check.h"

namespace wse::tiles {

using base::Cycles;
using base::Phase;

namespace {

constexpr std::size_t index(Phase phase) { return static_cast<std::size_t>(phase); }

constexpr std::pair<Phase, CauseEvents StagePart::*> kPasses[] = {
    {Phase::kForward, &StagePart::forward},
    {Phase::kRecompute, &StagePart::recompute},
    {Phase::kBackward, &StagePart::backward},
    {Phase::kUpdate, &StagePart::update}};

}  // namespace

StageCore::StageCore(StageConfig config)
    : config_(std::move(config)), events_(config_.parts.size()) {
  WSE_CHECK(config_.samples > 0 && config_.in_flight > 0, "a stage has samples to work on");
  for (const StagePart& p : config_.parts) {
    std::array<base::EventCounts, base::kNumPhases>& once = once_.emplace_back();
    for (const auto& [phase, events] : kPasses) once[index(phase)] = sum_of(p.*events);
  }
}

void StageCore::begin_step(Cycles cycle) {
  WSE_CHECK(updated_ && activations_.empty() && gradients_.empty(),
            "a step begins when the one before has ended");
  time_.begin(cycle);
  forwards_ = 0;
  backwards_ = 0;
  updated_ = false;
}

void StageCore::end_step(Cycles cycle) {
  WSE_CHECK(updated_ && time_.free_at() <= cycle, "a step ends after its update");
  spend(cycle, Phase::kUpdate, Cause::kPipelineWait);
}

void StageCore::spend(Cycles until, Phase phase, Cause cause) {
  time_.spend(until, phase, cause, config_.place);
}

std::optional<StageCore::Done> StageCore::next_done() {
  if (updated_) return std::nullopt;
  if (backwards_ == config_.samples) {
    updated_ = true;
    return run(Pass::kUpdate, config_.samples);
  }
  const bool forward = forwards_ < config_.samples && forwards_ - backwards_ < config_.in_flight;
  std::deque<Cycles>& data = forward ? activations_ : gradients_;
  if (data.empty()) return std::nullopt;
  spend(data.front(), forward ? Phase::kForward : Phase::kBackward, Cause::kPipelineWait);
  data.pop_front();
  if (!forward) return run(Pass::kBackward, backwards_++);
  const Done done = run(Pass::kForward, forwards_++);
  most_in_flight_ = std::max(most_in_flight_, forwards_ - backwards_);
  return done;
}

void StageCore::run_causes(const CauseCycles& cycles, Phase phase) {
  const Cycles start = time_.free_at();
  for (std::size_t cause = 0; cause < kNumCauses; ++cause) {
    spend(time_.free_at() + cycles[cause], phase, static_cast<Cause>(cause));
  }
  if (start == time_.free_at()) return;
  ++passes_[index(phase)];
  for (std::size_t i = 0; i < events_.size(); ++i) {
    events_[i].add(phase, start, time_.free_at(), once_[i][index(phase)]);
  }
}

EventLedger StageCore::tally(std::size_t part) const {
  EventLedger sum{};
  for (const auto& [phase, events] : kPasses) {
    for (std::size_t cause = 0; cause < kNumCauses; ++cause) {
      for (std::size_t kind = 0; kind < base::kNumEventKinds; ++kind) {
        sum[index(phase)][cause][kind] =
            passes_[index(phase)] * (config_.parts[part].*events)[cause][kind];
      }
    }
  }
  return sum;
}

StageCore::Done StageCore::run(Pass pass, std::uint64_t sample) {
  const Cycles start = time_.free_at();
  switch (pass) {
    case Pass::kForward:
      run_causes(config_.cycles.forward, Phase::kForward);
      for (const StagePart& p : config_.parts) multiply_adds_ += p.forward_multiply_adds;
      break;
    case Pass::kBackward:
      run_causes(config_.cycles.recompute, Phase::kRecompute);
      run_causes(config_.cycles.backward, Phase::kBackward);
      for (const StagePart& p : config_.parts) multiply_adds_ += p.backward_multiply_adds;
      break;
    case Pass::kUpdate:
      run_causes(config_.cycles.update, Phase::kUpdate);
      break;
  }
  return {pass, sample, start, time_.free_at()};
}

const Ledger& StageCore::take_until(Cycles until) {
  time_.take_until(until, ledger_, taken_);
  return ledger_;
}

base::Bytes StageCore::resident_bytes() const {
  return config_.state_bytes + config_.sample_bytes * std::min(config_.samples, config_.in_flight);
}

}  // namespace wse::tiles
