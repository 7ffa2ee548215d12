// SPDX-License-Identifier: Apache-2.0
#include "wse/model/binding.h"

#include <algorithm>
#include <utility>

#include "wse/host/memoryx.h"

namespace wse::model {

std::string_view Binding::by() const {
  const std::pair<double, std::string_view> all[] = {
      {compute, "compute"}, {io, "io"}, {sram, "sram"}, {latency, "latency"}};
  return std::max_element(std::begin(all), std::end(all),
                          [](const auto& a, const auto& b) { return a.first < b.first; })
      ->second;
}

Binding binding_of(const std::array<double, tiles::kNumCauses>& time_ledger) {
  using tiles::Cause;
  Binding binding;
  for (std::size_t c = 0; c < tiles::kNumCauses; ++c) {
    switch (static_cast<Cause>(c)) {
      case Cause::kMultiplyAdd:
      case Cause::kPadding:
      case Cause::kVectorStart:
      case Cause::kReduction:
      case Cause::kAttention:
      case Cause::kVector:
      case Cause::kLayerChange:
      case Cause::kImbalance:
        binding.compute += time_ledger[c];
        break;
      case Cause::kRecompute:
        binding.sram += time_ledger[c];
        break;
      case Cause::kWeightWait:
      case Cause::kGradientWait:
        binding.io += time_ledger[c];
        break;
      case Cause::kResultWait:
      case Cause::kUpdateWait:
      case Cause::kPipelineWait:
      case Cause::kUnplaced:
      case Cause::kCount:
        binding.latency += time_ledger[c];
        break;
    }
  }
  return binding;
}

Residency residency_of(const host::ModelSpec& model, const Settings& settings,
                       const TrainingPlan& plan) {
  const MachineConfig& machine = settings.machine;
  const base::GeometryConfig& g = machine.geometry;
  Residency r;
  r.sram_built = base::Bytes{g.die_columns} * g.die_rows * g.die_tiles_columns * g.die_tiles_rows *
                 machine.sram.size_bytes;
  r.sram_program = machine.sram_bytes_user();
  r.activations = plan.activation_bytes;
  r.free = plan.activation_limit - plan.activation_bytes;
  const base::Bytes rest = r.sram_program - plan.activation_limit;
  r.parameter_state = model.parameters() * host::MemoryX::kStateBytesPerParameter;
  r.parameter_capacity = machine.memoryx.capacity_bytes;
  if (plan.passes == 0) {  // nothing is streamed: parameters lie beside the code
    r.code_and_sums = rest;
    return r;
  }
  r.weights_in_flight = std::min<base::Bytes>(rest, machine.io.buffer_bytes);
  r.gradients_waiting = std::min<base::Bytes>(
      rest - r.weights_in_flight, machine.tile.gradient_buffers * plan.schedule.block_bytes);
  r.code_and_sums = rest - r.weights_in_flight - r.gradients_waiting;
  return r;
}

}  // namespace wse::model
