// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/base/check.h"
#include "wse/memory/bank_step.h"
#include "wse/memory/tile_sram.h"

namespace wse::tiles {

/// The SRAM of a tile behind a socket that denies direct access to it.
template <class Socket>
class SocketSram final : public memory::TileSram {
 public:
  /// `base`: address of the tile's first byte at the target.
  SocketSram(Socket& socket, std::uint64_t base) : socket_(socket), base_(base) {}

  void begin(base::Cycles cycle, unsigned cycles) override {
    step_.cycle = cycle;
    step_.cycles = cycles;
  }
  void load(std::uint64_t address, std::uint32_t bytes, void* to) override {
    move(tlm::TLM_READ_COMMAND, address, bytes, to, &step_);
  }
  void store(std::uint64_t address, std::uint32_t bytes, const void* from) override {
    move(tlm::TLM_WRITE_COMMAND, address, bytes, const_cast<void*>(from), &step_);
  }
  void settle() override {}

  /// Outside of steps and uncounted, by debug transport.
  void peek(std::uint64_t address, std::uint32_t bytes, void* to) {
    move(tlm::TLM_READ_COMMAND, address, bytes, to, nullptr);
  }
  void poke(std::uint64_t address, std::uint32_t bytes, void* from) {
    move(tlm::TLM_WRITE_COMMAND, address, bytes, from, nullptr);
  }

 private:
  void move(tlm::tlm_command command, std::uint64_t address, std::uint32_t bytes, void* data,
            memory::BankStep* step) {
    tlm::tlm_generic_payload trans;
    trans.set_command(command);
    trans.set_address(base_ + address);
    trans.set_data_ptr(static_cast<unsigned char*>(data));
    trans.set_data_length(bytes);
    trans.set_streaming_width(bytes);
    if (step == nullptr) {
      WSE_CHECK(socket_->transport_dbg(trans) == bytes, "a memory without debug transport");
      return;
    }
    trans.set_extension(step);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;  // BankCore has counted the cycles
    socket_->b_transport(trans, delay);
    trans.clear_extension(step);
    WSE_CHECK(trans.is_response_ok(),
              "an SRAM that does not take a step: " + trans.get_response_string());
  }

  Socket& socket_;
  const std::uint64_t base_;
  memory::BankStep step_;
};

}  // namespace wse::tiles
