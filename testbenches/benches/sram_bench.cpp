// SPDX-License-Identifier: Apache-2.0
// A bench to copy: the SRAM of a small die between a driver of accesses and a sink of its activity.
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "waves.h"
#include "wse/memory/sram_array.h"

using namespace sc_core;
using namespace wse;

struct Driver : sc_module {
  tlm_utils::simple_initiator_socket<Driver> memory_socket{"memory_socket"};
  tlm_utils::simple_target_socket<Driver> activity_socket{"activity_socket"};
  tlm::tlm_generic_payload trans;  // of every access; an extension given to it is its own
  base::ActivityRecord activity;   // the last that came
  std::uint64_t address = 0, data = 0;
  double latency_ns = 0;
  int response = 0;
  bool passed = true;

  SC_CTOR(Driver) {
    trans.set_data_ptr(reinterpret_cast<unsigned char*>(&data));
    trans.set_data_length(sizeof data);
    trans.set_streaming_width(sizeof data);
    trans.set_extension(new memory::BankReport);
    activity_socket.register_b_transport(this, &Driver::take);
    SC_THREAD(run);
  }
  void run() {
    for (std::uint64_t i = 0; i < 4; ++i) access(tlm::TLM_WRITE_COMMAND, 8 * i, i * i);
    for (std::uint64_t i = 0; i < 4; ++i) passed &= access(tlm::TLM_READ_COMMAND, 8 * i) == i * i;
    std::printf("4 writes and 4 reads, %g ns each\n", latency_ns);
    access(tlm::TLM_READ_COMMAND, 48 * 1024 - 4);  // 8 bytes across the end of the first tile
    passed &= response == tlm::TLM_ADDRESS_ERROR_RESPONSE && latency_ns == 0;
    std::printf("a read across the end of a tile: %s\n", trans.get_response_string().c_str());
    tlm::tlm_dmi dmi;  // a pointer to the bytes: the SRAM does not see its uses ..
    passed &= memory_socket->get_direct_mem_ptr(trans, dmi) && dmi.get_dmi_ptr()[24] == 9;
    trans.get_extension<memory::BankReport>()->counts.reads64 = 1;  // .. and is told of them
    access(tlm::TLM_IGNORE_COMMAND, 0);  // the end of an activity window: the SRAM posts
    const auto reads = at(activity.counts, base::EventKind::kSramRead64);
    const auto writes = at(activity.counts, base::EventKind::kSramWrite64);
    std::printf("activity: %d reads and %d writes of 64 bits\n", int(reads), int(writes));
    passed &= reads == 5 && writes == 4;
  }
  std::uint64_t access(tlm::tlm_command command, std::uint64_t where, std::uint64_t value = 0) {
    trans.set_command(command);
    trans.set_address(address = where);
    trans.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    trans.set_dmi_allowed(false);
    data = value;
    sc_time latency;
    memory_socket->b_transport(trans, latency);  // annotates its latency, never waits
    response = trans.get_response_status();
    latency_ns = latency.to_seconds() * 1e9;
    wait(latency + sc_time(1, SC_NS));
    return data;
  }
  void take(tlm::tlm_generic_payload& record, sc_time&) {
    activity = *reinterpret_cast<const base::ActivityRecord*>(record.get_data_ptr());
    record.set_response_status(tlm::TLM_OK_RESPONSE);
  }
};

int sc_main(int argc, char** argv) {
  benches::Waves waves(argc, argv, "sram");
  memory::SramArena arena(1, 4 * 48 * 1024, 1 << 20);  // one die of 4 tiles
  memory::SramArray sram("sram", {}, 0, 4, arena.view(0), sc_time(909, SC_PS));
  Driver driver("driver");
  driver.memory_socket.bind(sram.target_socket);
  sram.activity_socket.bind(driver.activity_socket);
  sc_trace(waves.vcd, driver.address, "address", 20);
  sc_trace(waves.vcd, driver.data, "data");
  sc_trace(waves.vcd, driver.response, "response");
  sc_trace(waves.vcd, driver.latency_ns, "latency_ns");
  sc_start();
  waves.close({"-Memory accesses", "0x address", "data", "+ response", "latency_ns"});
  return driver.passed ? 0 : 1;
}
