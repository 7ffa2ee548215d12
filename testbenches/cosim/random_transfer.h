// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <tlm>
#include <vector>

#include "wse/base/random.h"

namespace wse::testing_support {

/// A load or store of some bytes, some of which may not be enabled.
struct RandomTransfer {
  RandomTransfer(base::Random& random, std::uint32_t memory_bytes) {
    is_write = random.below(2) == 0;
    const std::uint64_t length = 1 + random.below(random.below(3) == 0 ? 40 : 8);
    address = random.below(memory_bytes - length + 1);
    for (std::uint64_t i = 0; i < length; ++i) data.push_back(byte(random));
    if (random.below(3) != 0) return;
    // Fewer enables than bytes repeat.
    for (std::uint64_t i = 1 + random.below(length + 2); i > 0; --i) {
      enables.push_back(random.below(2) == 0 ? TLM_BYTE_ENABLED : TLM_BYTE_DISABLED);
    }
  }
  static unsigned char byte(base::Random& random) {
    return static_cast<unsigned char>(random.below(256));
  }

  void fill(tlm::tlm_generic_payload& trans) {
    const auto length = static_cast<unsigned int>(data.size());
    trans.set_command(is_write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    trans.set_address(address);
    trans.set_data_ptr(data.data());
    trans.set_data_length(length);
    trans.set_streaming_width(length);
    trans.set_byte_enable_ptr(enables.empty() ? nullptr : enables.data());
    trans.set_byte_enable_length(static_cast<unsigned int>(enables.size()));
    trans.set_dmi_allowed(false);
    trans.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  }
  /// Does it to a plain memory; what a load leaves in its data is in `expected`.
  void apply(std::vector<unsigned char>& memory) {
    expected = data;
    for (std::size_t i = 0; i < data.size(); ++i) {
      if (!enables.empty() && enables[i % enables.size()] != TLM_BYTE_ENABLED) continue;
      unsigned char& stored = memory[address + i];
      (is_write ? stored : expected[i]) = is_write ? data[i] : stored;
    }
  }
  /// Of 32 bits, that it touches.
  std::uint64_t words() const { return (address + data.size() + 3) / 4 - address / 4; }

  bool is_write = false;
  std::uint64_t address = 0;
  std::vector<unsigned char> data, enables, expected;
};

}  // namespace wse::testing_support
