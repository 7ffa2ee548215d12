// SPDX-License-Identifier: Apache-2.0
#include "wse/base/activity.h"

#include <fmt/format.h>

#include "wse/base/result_hash.h"
#include "wse/base/work_item.h"

namespace wse::base {

std::string_view name_of(EventKind kind) {
  static constexpr std::array<std::string_view, kNumEventKinds> kNames = {
      "fmac_fp16",    "fmac_mixed",    "fmac_fp32",     "add_fp16",         "add_fp32",
      "int_alu",      "sram_read64",   "sram_write64",  "sram_read32",      "sram_write32",
      "local_cache",  "control_cycle", "task_switch",   "router_traversal", "link_hop",
      "die_crossing", "ramp",          "clock_running", "clock_gated",      "io_bit"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Phase phase) {
  static constexpr std::array<std::string_view, kNumPhases> kNames = {
      "idle", "forward", "recompute", "backward", "update"};
  return kNames[static_cast<std::size_t>(phase)];
}

std::string_view name_of(Tensor tensor) {
  static constexpr std::array<std::string_view, kNumTensors> kNames = {
      "none", "attention", "feed_forward", "router", "experts", "norms", "head"};
  return kNames[static_cast<std::size_t>(tensor)];
}

std::string_view name_of(Operation operation) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "gemm_forward",      "gemm_input_gradient", "gemm_weight_gradient",
      "attention_forward", "attention_backward",  "vector",
      "layer_change",      "redistribute"};
  return kNames[static_cast<std::size_t>(operation)];
}

std::string ResultHash::text() const { return fmt::format("{:016x}", state_); }

}  // namespace wse::base
