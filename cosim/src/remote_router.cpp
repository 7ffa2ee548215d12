// SPDX-License-Identifier: Apache-2.0
#include "wse/cosim/remote_router.h"

#include <fmt/format.h>

#include <algorithm>

#include "remote_connection.h"
#include "router_record.h"
#include "router_writes.h"
#include "wse_remote.h"

namespace wse::cosim {

using fabric::RouterPins;

namespace {

static_assert(std::tuple_size<RouterRecord>::value == WSE_REMOTE_ROUTER_BYTES,
              "one record on both sides");

struct Pin {
  const char* name;
  unsigned width;
};
constexpr Pin kPins[WSE_REMOTE_PINS] = {{"in_valid", 5},    {"in_data", 160},   {"in_color", 25},
                                        {"in_control", 5},  {"in_advance", 5},  {"in_credit", 120},
                                        {"out_valid", 5},   {"out_data", 160},  {"out_color", 25},
                                        {"out_control", 5}, {"out_advance", 5}, {"out_credit", 120},
                                        {"cfg_write", 1},   {"cfg_kind", 3},    {"cfg_color", 5},
                                        {"cfg_value", 32},  {"mutant", 5}};

}  // namespace

RemoteRouter::RemoteRouter(int connected_socket, const std::string& name,
                           const fabric::RouterSetup& setup, const RemoteWait& wait)
    : connection_(std::make_unique<RemoteConnection>(connected_socket, name, wait)),
      exceptions_(std::uncaught_exceptions()) {
  take_hello(setup);
  send_setup(setup);
}

RemoteRouter::~RemoteRouter() {
  if (!connection_->open()) return;
  if (std::uncaught_exceptions() == exceptions_) {
    connection_->send(WSE_REMOTE_BYE, clocks_, nullptr, 0);
    return;
  }
  connection_->tell("the run has failed elsewhere");
}

void RemoteRouter::take_hello(const fabric::RouterSetup& setup) {
  const auto hello = connection_->receive(WSE_REMOTE_HELLO, 0, WSE_REMOTE_HELLO_BYTES);
  const auto number = [&](std::size_t at) { return wse_remote_get(&hello[at], 4); };
  if (number(0) != WSE_REMOTE_ROUTER) {
    connection_->refuse(fmt::format("what is simulated is of kind {}, must be a router, {}",
                                    number(0), WSE_REMOTE_ROUTER));
  }
  std::string wrong;
  for (std::size_t i = 0; i < WSE_REMOTE_PINS; ++i) {
    const std::uint64_t width = wse_remote_get(&hello[16 + 2 * i], 2);
    if (width == kPins[i].width) continue;
    wrong += fmt::format("{}{} has {} bits, must have {}", wrong.empty() ? "" : "; ", kPins[i].name,
                         width, kPins[i].width);
  }
  if (!wrong.empty()) connection_->refuse(wrong);
  if (number(8) != WSE_REMOTE_ROUTER_BYTES || number(12) != WSE_REMOTE_ROUTER_BYTES) {
    connection_->refuse(fmt::format("records of {} bytes in and {} out, must be {} and {}",
                                    number(8), number(12), WSE_REMOTE_ROUTER_BYTES,
                                    WSE_REMOTE_ROUTER_BYTES));
  }
  if (number(4) < setup.own_slots) {
    connection_->refuse(
        fmt::format("{} slots a queue are too few: fabric.queue_depth and the latencies of this "
                    "machine need {}",
                    number(4), setup.own_slots));
  }
}

void RemoteRouter::send_setup(const fabric::RouterSetup& setup) {
  const std::vector<RouterWrite> writes = configuration_of(setup);
  std::vector<std::uint8_t> payload(8 + 12 * writes.size());
  wse_remote_put(&payload[0], 4, setup.mutant);
  wse_remote_put(&payload[4], 4, writes.size());
  for (std::size_t i = 0; i < writes.size(); ++i) {
    wse_remote_put(&payload[8 + 12 * i], 4, writes[i].kind);
    wse_remote_put(&payload[12 + 12 * i], 4, writes[i].color);
    wse_remote_put(&payload[16 + 12 * i], 4, writes[i].value);
  }
  connection_->send(WSE_REMOTE_SETUP, 0, payload.data(), payload.size());
}

void RemoteRouter::take_outputs() const {
  if (!awaited_) return;
  const auto bytes = connection_->receive(WSE_REMOTE_OUTPUTS, clocks_, WSE_REMOTE_ROUTER_BYTES);
  RouterRecord record;
  std::copy(bytes.begin(), bytes.end(), record.begin());
  outputs_ = pins_of(record);
  awaited_ = false;
}

RouterPins RemoteRouter::outputs() const {
  take_outputs();
  return outputs_;
}

void RemoteRouter::clock(const RouterPins& inputs) {
  take_outputs();  // in turns, even if nobody has asked
  const RouterRecord record = record_of(inputs);
  connection_->send(WSE_REMOTE_CLOCK, clocks_, record.data(), record.size());
  ++clocks_;
  awaited_ = true;
}

}  // namespace wse::cosim
