// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "wse/fabric/engine.h"
#include "wse/memory/bank_core.h"
#include "wse/tiles/compute_engines.h"
#include "wse/tiles/kernel.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::testing {

/// Compute engines written as docs/timing.md reads, a function a rule: slow and plain, every tile
/// looked at in every cycle. What wse::tiles::ComputeEngines is held equal to.
class SlowEngines final : public fabric::EngineSink {
 public:
  enum class Outcome { kCompleted, kDeadlock, kFault, kLimit };
  struct Fault {
    base::Cycles cycle = 0;
    std::uint32_t tile = 0;
    std::size_t instruction = 0;
  };
  using TileTimes = tiles::ComputeEngines::TileTimes;

  /// `kernel` and `fabric` outlive this; the fabric has the depths of the input queues.
  SlowEngines(const tiles::Kernel& kernel, const tiles::MeshConfig& config, fabric::Engine& fabric);

  /// Launches all programs and runs until nothing goes on, a tile faults, or the cycle `limit`.
  Outcome run(base::Cycles limit);

  std::vector<std::uint8_t>& memory(std::uint32_t tile) { return tiles_[tile].memory; }
  std::uint32_t register_of(std::uint32_t tile, std::size_t number) const {
    return tiles_[tile].registers[number];
  }
  const TileTimes& times(std::uint32_t tile) const { return tiles_[tile].times; }
  const std::vector<Fault>& faults() const { return faults_; }
  tiles::EngineStats stats() const;
  base::Cycles now() const { return fabric_.now(); }

  void deliver(base::Cycles cycle, const fabric::Delivery* begin,
               const fabric::Delivery* end) override;
  void free_slots(base::Cycles cycle, const std::uint32_t* begin,
                  const std::uint32_t* end) override;

 private:
  /// A circular buffer or FIFO.
  struct Ring {
    std::uint64_t head = 0;
    std::uint64_t count = 0;  ///< of a FIFO
  };
  /// A vector operation under way.
  struct Operation {
    std::size_t instruction = 0;
    std::uint64_t length = 0;
    std::uint64_t done = 0;
    base::Cycles first_step = 0;                        ///< not before
    std::array<std::uint32_t, 4> bits{};                ///< of operands that are no descriptors
    std::array<std::uint32_t, 4> first{};               ///< addresses, of those that are
    std::array<const tiles::Descriptor*, 4> operand{};  ///< result, a, b, c; null: no descriptor
  };
  struct Tile {
    explicit Tile(const memory::SramConfig& sram) : memory(sram.size_bytes), banks(sram) {}

    std::uint32_t number = 0;
    const tiles::Program* program = nullptr;
    std::vector<std::uint8_t> memory;
    memory::BankCore banks;      ///< of scalar accesses
    memory::BankCounts counted;  ///< of steps
    std::array<std::uint32_t, tiles::kNumRegisters> registers{};
    std::vector<Ring> rings;
    std::set<std::size_t> active, blocked;  ///< tasks
    std::optional<std::size_t> task;        ///< that the main thread runs
    std::size_t next_instruction = 0;
    base::Cycles main_ready = 0;  ///< the main thread issues nothing before
    base::Cycles banks_free = 0;  ///< nothing is issued before
    std::array<std::optional<Operation>, tiles::kNumThreads> operations;
    std::size_t issued_last = 0;  ///< thread
    std::array<std::deque<fabric::Wavelet>, tiles::kNumInputQueues> inputs;
    std::array<std::deque<fabric::Wavelet>, tiles::kNumOutputQueues> outputs;
    std::array<std::uint32_t, tiles::kNumOutputQueues> slots{};  ///< behind the ramp
    /// Output queue. Where the turn begins is never seen: the first queue that is written is alone.
    std::size_t given_last = 0;
    bool stopped = false;
    TileTimes times;
    // Of the cycle:
    bool acted = false;
    std::set<std::size_t> read;              ///< input queues; each gives one wavelet a cycle
    std::optional<std::size_t> gave;         ///< output queue
    std::vector<std::uint8_t> freed_colors;  ///< slots of input queues
    std::optional<fabric::Wavelet> given;
  };
  struct Stop {
    std::size_t instruction;
  };

  void launch();
  void cycle();
  void receive_what_is_due();
  void step(Tile& t);
  bool goes_on(const Tile& t) const;
  bool is_left(const Tile& t) const;

  void give_to_ramp(Tile& t);
  void drop_control_wavelets(Tile& t);
  void choose_task(Tile& t);
  bool can_start(const Tile& t, std::size_t number) const;
  void start_task(Tile& t, std::size_t number);
  fabric::Wavelet take(Tile& t, std::size_t queue);

  void issue(Tile& t);
  bool issue_of(Tile& t, std::size_t thread);
  bool issue_instruction(Tile& t);
  std::uint32_t value_of(const Tile& t, const tiles::Operand& operand) const;
  void compute_scalar(Tile& t, const tiles::Instruction& i);
  void load(Tile& t, const tiles::Instruction& i);
  void store(Tile& t, const tiles::Instruction& i);
  void check_word(const Tile& t, std::uint64_t address, std::uint64_t bytes) const;

  bool start_vector(Tile& t, const tiles::Instruction& i);
  bool step_vector(Tile& t, std::size_t thread);
  void finish_vector(Tile& t, std::size_t thread);
  static std::size_t accumulator_of(const Operation& o);
  std::size_t elements_of_step(const tiles::Instruction& i, const Operation& o) const;
  bool operands_are_there(const Tile& t, const Operation& o, std::size_t n) const;
  bool result_has_room(const Tile& t, const Operation& o, std::size_t n) const;
  unsigned ask_banks(Tile& t, const Operation& o, std::size_t n);
  std::vector<std::uint32_t> read_operand(Tile& t, const tiles::Instruction& i, const Operation& o,
                                          std::size_t which, std::size_t n);
  void write_result(Tile& t, const tiles::Instruction& i, const Operation& o,
                    std::vector<std::uint32_t> results);
  void unpack(Tile& t, const Operation& o, std::uint32_t pair);
  std::int64_t address_of(const Tile& t, const tiles::Descriptor& d, std::uint32_t first,
                          std::uint64_t element) const;
  void check_reach(const Operation& o, const tiles::Descriptor& d, std::int64_t address) const;

  const tiles::Kernel& kernel_;
  const tiles::MeshConfig config_;
  fabric::Engine& fabric_;
  std::vector<Tile> tiles_;
  std::multimap<base::Cycles, fabric::Delivery> arrivals_;
  std::multimap<base::Cycles, std::uint32_t> freed_slots_;  ///< leaves
  bool anything_goes_on_ = false;
  tiles::EngineStats stats_;
  std::vector<Fault> faults_;
};

const char* name_of(SlowEngines::Outcome outcome);

}  // namespace wse::testing
