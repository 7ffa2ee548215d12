// SPDX-License-Identifier: Apache-2.0
#include "wse/memory/sram_array.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <tuple>
#include <vector>

#include <cstring>

#include "support/systemc_test.h"
#include "support/tlm_protocol_checker.h"
#include "wse/memory/bank_model.h"
#include "wse/memory/bank_report.h"
#include "wse/memory/banked_sram.h"

namespace wse::memory {
namespace {

using base::ActivityRecord;
using base::EventKind;

/// Initiator of memory accesses, and the target of activity records.
struct Driver : sc_core::sc_module {
  explicit Driver(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    activity.register_b_transport(this, &Driver::take);
  }
  void take(int, tlm::tlm_generic_payload& trans, sc_core::sc_time&) {
    ActivityRecord record;
    std::memcpy(&record, trans.get_data_ptr(), sizeof record);
    records.push_back(record);
    trans.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm_utils::simple_initiator_socket<Driver> memory{"memory"};
  tlm_utils::multi_passthrough_target_socket<Driver> activity{"activity"};
  std::vector<ActivityRecord> records;
};

class SramArrayTest : public testing_support::SystemCTest {
 protected:
  static constexpr std::uint64_t kTile = 48 * 1024;
  static constexpr std::uint64_t kTiles = 4;

  SramArrayTest() {
    driver_.memory.bind(checker_.target_socket);
    checker_.initiator_socket.bind(sram_.target_socket);
    sram_.activity_socket.bind(driver_.activity);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  ~SramArrayTest() override {
    EXPECT_TRUE(checker_.violations().empty()) << checker_.violations().front();
  }
  static void fill(tlm::tlm_generic_payload& trans, tlm::tlm_command command, std::uint64_t address,
                   void* data, unsigned length) {
    trans.set_command(command);
    trans.set_address(address);
    trans.set_data_ptr(static_cast<unsigned char*>(data));
    trans.set_data_length(length);
    trans.set_streaming_width(length);
  }
  tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address, void* data,
                                  unsigned length = 8) {
    tlm::tlm_generic_payload trans;
    fill(trans, command, address, data, length);
    driver_.memory->b_transport(trans, delay_);
    return trans.get_response_status();
  }
  void post_report(std::uint64_t reads64) {
    BankReport report;
    report.die = 3;
    report.phase = base::Phase::kForward;
    report.window = 7;
    report.counts.reads64 = reads64;
    tlm::tlm_generic_payload trans;
    trans.set_command(tlm::TLM_IGNORE_COMMAND);
    trans.set_extension(&report);
    driver_.memory->b_transport(trans, delay_);
    trans.clear_extension(&report);
    EXPECT_TRUE(trans.is_response_ok());
  }

  SramArena arena_{4, kTile* kTiles, 1 << 30};
  SramArray sram_{"sram", SramConfig{},   3,
                  kTiles, arena_.view(3), sc_core::sc_time(1, sc_core::SC_NS)};
  Driver driver_{"driver"};
  testing_support::TlmProtocolChecker checker_{"checker"};
  sc_core::sc_time delay_;
};

TEST_F(SramArrayTest, TransportDmiAndDebugSeeTheSameBytes) {
  std::uint64_t word = 0x0123456789abcdef;
  ASSERT_EQ(access(tlm::TLM_WRITE_COMMAND, kTile + 16, &word), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(delay_, sc_core::sc_time(1, sc_core::SC_NS));
  std::uint64_t seen = 0;
  tlm::tlm_generic_payload debug;
  fill(debug, tlm::TLM_READ_COMMAND, kTile + 16, &seen, 8);
  EXPECT_EQ(driver_.memory->transport_dbg(debug), 8u);
  EXPECT_EQ(seen, word);
  tlm::tlm_generic_payload ask;
  fill(ask, tlm::TLM_READ_COMMAND, kTile + 16, &seen, 8);
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(driver_.memory->get_direct_mem_ptr(ask, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0u);
  EXPECT_EQ(dmi.get_end_address(), kTile * kTiles - 1);
  EXPECT_EQ(std::memcmp(dmi.get_dmi_ptr() + kTile + 16, &word, 8), 0);
  EXPECT_EQ(sram_.stats().reads + sram_.stats().writes, 1u);  // debug and DMI leave no trace
  EXPECT_EQ(delay_, sc_core::sc_time(1, sc_core::SC_NS));
}

TEST_F(SramArrayTest, RefusedAccessesCostNothing) {
  std::uint64_t word = 1;
  EXPECT_EQ(access(tlm::TLM_READ_COMMAND, kTile - 8, &word),
            tlm::TLM_OK_RESPONSE);  // last word of a tile
  const sc_core::sc_time before = delay_;
  EXPECT_EQ(access(tlm::TLM_READ_COMMAND, kTile - 7, &word),
            tlm::TLM_ADDRESS_ERROR_RESPONSE);  // across its end
  EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, kTile * kTiles, &word), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, ~std::uint64_t{0}, &word),
            tlm::TLM_ADDRESS_ERROR_RESPONSE);
  tlm::tlm_generic_payload streaming;
  fill(streaming, tlm::TLM_READ_COMMAND, 0, &word, 8);
  streaming.set_streaming_width(4);
  driver_.memory->b_transport(streaming, delay_);
  EXPECT_EQ(streaming.get_response_status(), tlm::TLM_BURST_ERROR_RESPONSE);
  tlm::tlm_generic_payload enables;
  fill(enables, tlm::TLM_READ_COMMAND, 0, &word, 8);
  unsigned char mask[8] = {0xff};
  enables.set_byte_enable_ptr(mask);
  enables.set_byte_enable_length(8);
  driver_.memory->b_transport(enables, delay_);
  EXPECT_EQ(enables.get_response_status(), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
  EXPECT_EQ(delay_, before);
  EXPECT_EQ(sram_.stats().reads, 1u);
  EXPECT_EQ(sram_.stats().writes, 0u);
}

TEST_F(SramArrayTest, ATileThatIsElsewhereDeniesDmiAndEndsThatOfItsNeighbours) {
  std::vector<std::unique_ptr<BankTwin>> banks;
  for (int b = 0; b < 8; ++b) banks.push_back(std::make_unique<BankModel>(1536));
  BankedSram twin(SramConfig{}, std::move(banks));
  sram_.set_twin(1, twin);
  std::uint64_t word = 0x0123456789abcdef;
  ASSERT_EQ(access(tlm::TLM_WRITE_COMMAND, kTile + 16, &word), tlm::TLM_OK_RESPONSE);
  std::uint64_t seen = 0;
  ASSERT_EQ(access(tlm::TLM_READ_COMMAND, kTile + 16, &seen), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(seen, word);
  twin.load(16, 8, &seen);
  EXPECT_EQ(seen, word);
  EXPECT_NE(std::memcmp(arena_.view(3).data + kTile + 16, &word, 8), 0);
  tlm::tlm_generic_payload trans;
  const auto ask = [&](std::uint64_t address) {
    fill(trans, tlm::TLM_READ_COMMAND, address, &seen, 8);
    tlm::tlm_dmi dmi;
    const bool granted = driver_.memory->get_direct_mem_ptr(trans, dmi);
    return std::make_tuple(granted, dmi.get_start_address(), dmi.get_end_address());
  };
  EXPECT_EQ(ask(kTile + 16), std::make_tuple(false, kTile, 2 * kTile - 1));
  EXPECT_EQ(ask(8), std::make_tuple(true, std::uint64_t{0}, kTile - 1));
  EXPECT_EQ(ask(2 * kTile), std::make_tuple(true, 2 * kTile, kTile * kTiles - 1));
  EXPECT_EQ(driver_.memory->transport_dbg(trans), 8u);
}

TEST_F(SramArrayTest, ARunThroughDmiThatPostsItsAccessesCostsWhatTransportCosts) {
  std::uint64_t word = 5;
  for (int i = 0; i < 10; ++i)
    access(tlm::TLM_READ_COMMAND, 8 * static_cast<std::uint64_t>(i), &word);
  post_report(0);
  post_report(10);
  ASSERT_EQ(driver_.records.size(), 2u);
  for (const ActivityRecord& record : driver_.records) {
    EXPECT_EQ(record.die, 3u);
    EXPECT_EQ(record.window, 7u);
    EXPECT_EQ(at(record.counts, EventKind::kSramRead64), 10u);
  }
}

}  // namespace
}  // namespace wse::memory
