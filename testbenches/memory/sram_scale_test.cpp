// SPDX-License-Identifier: Apache-2.0
// Writes and reads the first and the last word of every one of the 853,776 tiles, die by die.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>
#include <vector>

#include "support/systemc_test.h"
#include "wse/memory/sram_array.h"

namespace wse::memory {
namespace {

struct Monitor : sc_core::sc_module {
  explicit Monitor(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    activity.register_b_transport(this, &Monitor::take);
  }
  void take(int, tlm::tlm_generic_payload& trans, sc_core::sc_time&) {
    trans.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm_utils::multi_passthrough_target_socket<Monitor> activity{"activity"};
};
struct Initiator : sc_core::sc_module {
  explicit Initiator(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}
  tlm_utils::simple_initiator_socket<Initiator> socket{"socket"};
};

class SramScaleTest : public testing_support::SystemCTest {};

TEST_F(SramScaleTest, FirstAndLastWordOfEveryTile) {
  constexpr std::uint32_t kDies = 84;
  constexpr std::uint64_t kTiles = 66 * 154;
  constexpr std::uint64_t kTile = 48 * 1024;
  SramArena arena(kDies, kTiles * kTile, 1ULL << 30);
  Monitor monitor("monitor");
  std::vector<std::unique_ptr<SramArray>> srams;
  std::vector<std::unique_ptr<Initiator>> initiators;
  for (std::uint32_t die = 0; die < kDies; ++die) {
    const std::string n = std::to_string(die);
    srams.push_back(std::make_unique<SramArray>(("sram_" + n).c_str(), SramConfig{}, die, kTiles,
                                                arena.view(die),
                                                sc_core::sc_time(1, sc_core::SC_NS)));
    initiators.push_back(std::make_unique<Initiator>(("initiator_" + n).c_str()));
    initiators[die]->socket.bind(srams[die]->target_socket);
    srams[die]->activity_socket.bind(monitor.activity);
  }
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  std::uint64_t wrong = 0;
  for (std::uint32_t die = 0; die < kDies; ++die) {
    for (const tlm::tlm_command command : {tlm::TLM_WRITE_COMMAND, tlm::TLM_READ_COMMAND}) {
      for (std::uint64_t tile = 0; tile < kTiles; ++tile) {
        for (const std::uint64_t offset : {std::uint64_t{0}, kTile - 8}) {
          const std::uint64_t expected = (std::uint64_t{die} << 40) | (tile << 16) | offset | 1;
          std::uint64_t word = command == tlm::TLM_WRITE_COMMAND ? expected : 0;
          tlm::tlm_generic_payload trans;
          trans.set_command(command);
          trans.set_address(tile * kTile + offset);
          trans.set_data_ptr(reinterpret_cast<unsigned char*>(&word));
          trans.set_data_length(8);
          trans.set_streaming_width(8);
          sc_core::sc_time delay;
          initiators[die]->socket->b_transport(trans, delay);
          if (!trans.is_response_ok() || word != expected) ++wrong;
        }
      }
    }
    arena.release(die);
    EXPECT_EQ(arena.view(die).data[0], 0);
    arena.release(die);
  }
  EXPECT_EQ(wrong, 0u);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss * 1024L, 200'000'000L);
}

}  // namespace
}  // namespace wse::memory
