// SPDX-License-Identifier: Apache-2.0
#include "wse/tiles/cycle_region.h"

#include <algorithm>

#include "socket_sram.h"
#include "wse/base/activity_port.h"
#include "wse/base/check.h"
#include "wse/memory/bank_report.h"

namespace wse::tiles {

using base::Cycles;

namespace {
constexpr Cycles kNever = ~Cycles{0};
}

struct CycleRegion::Remote {
  using Socket = tlm_utils::simple_initiator_socket<CycleRegion>;
  Remote(Socket& socket, std::uint32_t tile_, std::uint64_t base, std::uint64_t bytes)
      : tile(tile_), sram(socket, base), memory(bytes) {}

  const std::uint32_t tile;
  SocketSram<Socket> sram;
  std::vector<std::uint8_t> memory;
};

CycleRegion::~CycleRegion() = default;

CycleRegion::CycleRegion(const sc_core::sc_module_name& name, const Kernel& kernel,
                         const base::Rectangle& tiles, const Place& place, const MeshConfig& config,
                         const base::ClockEpochs& epochs, const base::WindowTicker& ticker)
    : sc_core::sc_module(name),
      kernel_(kernel),
      tiles_(tiles),
      place_(place),
      config_(config),
      epochs_(epochs),
      ticker_(ticker) {
  WSE_CHECK(place.cores.size() == tiles.tiles(), "a core for each tile");
  SC_HAS_PROCESS(CycleRegion);
  SC_METHOD(run);
  sensitive << wake_;
  dont_initialize();
  SC_METHOD(end_window);
  sensitive << ticker.tick();
  dont_initialize();
  ramp_in_socket.on_receive([this](fabric::RampFrame& frame) { receive(frame); });
}

/// Programs compute on the SRAM itself, where they may.
void CycleRegion::start_of_simulation() {
  std::vector<std::uint8_t*> memory;
  for (const std::uint64_t core : place_.cores) {
    tlm::tlm_generic_payload trans;
    trans.set_command(tlm::TLM_READ_COMMAND);
    trans.set_address(core * config_.sram.size_bytes);
    tlm::tlm_dmi dmi;
    const std::uint64_t last = trans.get_address() + config_.sram.size_bytes - 1;
    if (!memory_socket->get_direct_mem_ptr(trans, dmi) || !dmi.is_read_write_allowed() ||
        trans.get_address() < dmi.get_start_address() || last > dmi.get_end_address()) {
      const auto tile = static_cast<std::uint32_t>(memory.size());
      remotes_.push_back(std::make_unique<Remote>(memory_socket, tile, trans.get_address(),
                                                  config_.sram.size_bytes));
      memory.push_back(remotes_.back()->memory.data());
      continue;
    }
    memory.push_back(dmi.get_dmi_ptr() + (trans.get_address() - dmi.get_start_address()));
  }
  engines_ = std::make_unique<ComputeEngines>(kernel_, tiles_, config_.compute, config_.sram,
                                              config_.fabric.ramp_slots(),
                                              config_.fabric.ramp_cycles, memory);
  for (const auto& remote : remotes_) engines_->set_sram(remote->tile, remote->sram);
}

/// Arrays beside the datapath come from the SRAM of the tile before a launch, and go back.
void CycleRegion::copy_near(bool back) {
  const fabric::Mesh mesh = kernel_.mesh();
  for (const auto& remote : remotes_) {
    const std::uint32_t columns = tiles_.columns.size();
    const Program* program = kernel_.program(mesh.tile(
        tiles_.columns.begin + remote->tile % columns, tiles_.rows.begin + remote->tile / columns));
    if (program == nullptr) continue;
    for (const auto& [name, array] : program->arrays) {
      if (!array.near) continue;
      std::uint8_t* const here = remote->memory.data() + array.address;
      back ? remote->sram.poke(array.address, array.bytes(), here)
           : remote->sram.peek(array.address, array.bytes(), here);
    }
  }
}

void CycleRegion::launch(Cycles cycle) {
  WSE_CHECK(epochs_.time_of(cycle) >= base::now(), std::string(name()) + ": a launch in the past");
  copy_near(false);
  launch_ = cycle;
  arm();
}

void CycleRegion::receive(const fabric::RampFrame& frame) {
  const Cycles use = frame.cycle + config_.fabric.ramp_cycles;
  auto it = due_.find(use);
  if (it == due_.end()) {
    it = due_.emplace(use, Due()).first;
    if (!spare_.empty()) {
      it->second = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  Due& due = it->second;
  due.wavelets.insert(due.wavelets.end(), frame.wavelets.begin(), frame.wavelets.end());
  due.credits.insert(due.credits.end(), frame.credits.begin(), frame.credits.end());
  arm();
}

void CycleRegion::arm() {
  Cycles next = std::min(launch_, due_.empty() ? kNever : due_.begin()->first);
  if (engines_ != nullptr && engines_->can_act()) next = engines_->now();
  if (next == kNever) return;
  const base::Picoseconds at = std::max(epochs_.time_of(next), base::now());
  wake_.notify(base::to_sc_time(at - base::now()));
}

void CycleRegion::run() {
  const Cycles cycle = epochs_.cycle_at_or_after(base::now());
  if (epochs_.time_of(cycle) == base::now() && cycle >= engines_->now()) act(cycle);
  arm();
}

void CycleRegion::act(Cycles cycle) {
  if (cycle > engines_->now()) engines_->skip_to(cycle);
  if (launch_ == cycle) {
    engines_->launch();
    launch_ = kNever;
  }
  if (!due_.empty() && due_.begin()->first <= cycle) {
    WSE_CHECK(due_.begin()->first == cycle, std::string(name()) + ": a frame from the past");
    Due& due = due_.begin()->second;
    for (const fabric::RampWavelet& w : due.wavelets) engines_->receive(w.tile, w.wavelet);
    for (const fabric::RampCredit& c : due.credits) engines_->receive_credit(c.tile, c.color);
    due.wavelets.clear();
    due.credits.clear();
    spare_.push_back(std::move(due));
    due_.erase(due_.begin());
  }
  frame_.clear();
  frame_.cycle = cycle;
  engines_->step(frame_);
  if (!frame_.wavelets.empty() || !frame_.credits.empty()) ramp_out_socket.send(frame_);
}

void CycleRegion::finish() { copy_near(true); }

void CycleRegion::end_window() { report_window(ticker_.ended(), ticker_.end_of(ticker_.ended())); }

void CycleRegion::report_window(std::uint64_t window, base::Picoseconds /*end*/) {
  const EngineStats now = engines_->stats();
  memory::BankReport report;
  report.die = place_.die;
  report.phase = base::Phase::kForward;
  report.window = window;
  report.counts.reads64 = now.banks.reads64 - reported_.banks.reads64;
  report.counts.writes64 = now.banks.writes64 - reported_.banks.writes64;
  report.counts.reads32 = now.banks.reads32 - reported_.banks.reads32;
  report.counts.writes32 = now.banks.writes32 - reported_.banks.writes32;
  report.counts.conflict_cycles = now.banks.conflict_cycles - reported_.banks.conflict_cycles;
  tlm::tlm_generic_payload trans;
  trans.set_command(tlm::TLM_IGNORE_COMMAND);
  trans.set_extension(&report);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  memory_socket->b_transport(trans, delay);
  trans.clear_extension(&report);
  if (!trans.is_response_ok()) {
    SC_REPORT_ERROR("/wse/tiles/memory_refused", trans.get_response_string().c_str());
  }
  base::ActivityRecord record;
  record.die = place_.die;
  record.phase = base::Phase::kForward;
  record.window = window;
  record.phase_cycles = now.busy_cycles - reported_.busy_cycles;
  for (std::size_t k = 0; k < base::kNumEventKinds; ++k) {
    record.counts[k] = now.events[k] - reported_.events[k];
  }
  reported_ = now;
  if (record.counts == base::EventCounts{}) return;
  base::post_activity(activity_socket, record, "/wse/tiles/activity_refused");
}

}  // namespace wse::tiles
