// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "wse/base/activity.h"
#include "wse/base/coordinates.h"
#include "wse/base/units.h"
#include "wse/fabric/active_set.h"
#include "wse/fabric/engine.h"
#include "wse/fabric/ramp_frame.h"
#include "wse/memory/bank_core.h"
#include "wse/memory/tile_sram.h"
#include "wse/tiles/kernel.h"

namespace wse::tiles {

/// An operation that cannot go on; the tile has stopped.
struct TileFault {
  base::Cycles cycle = 0;
  base::Coordinate tile;
  std::string what;  ///< tile, task, instruction, reason
};

/// Sees the operations of some tiles begin and end.
class EngineWatch {
 public:
  virtual ~EngineWatch() = default;
  virtual bool watches(base::Coordinate tile) const = 0;
  /// Task `number` runs on the main thread.
  virtual void task(base::Coordinate tile, base::Cycles cycle, const Program& program,
                    std::uint32_t number, bool begins) = 0;
  /// A vector operation of a thread; ends with the cycle of its last step.
  virtual void operation(base::Coordinate tile, base::Cycles cycle, const Program& program,
                         std::uint32_t thread, std::uint32_t instruction, bool begins) = 0;
};

/// What the compute engines of a region have done.
struct EngineStats {
  static constexpr base::Cycles kNever = ~base::Cycles{0};
  base::Cycles first_issue = kNever;
  base::Cycles end = 0;           ///< the cycle after the last step of a vector operation, or store
  base::Cycles last_issue = 0;    ///< of any kind
  std::uint64_t busy_cycles = 0;  ///< sum over tiles: cycles with an issue
  std::uint64_t flops = 0;
  std::uint64_t elements = 0;  ///< of vector operations
  memory::BankCounts banks;    ///< accesses of their SRAM
  base::EventCounts events{};  ///< what costs energy, but for the banks

  /// Cycles with an issue, or in which the banks are still busy with one.
  std::uint64_t running_cycles() const { return busy_cycles + banks.conflict_cycles; }
  EngineStats& operator+=(const EngineStats& other);  ///< of another region
};

/// The compute engines of a rectangle of tiles, one cycle at a time, by the rules of docs/timing.md.
/// State lies in flat arrays, programs in one table; tiles with nothing to do are not visited.
///
/// In each cycle the owner first gives what takes effect in it, then calls step().
class ComputeEngines {
 public:
  /// `kernel` has passed check() and outlives the engines; `memory` points at the SRAM of each tile of
  /// the rectangle, row by row; `ramp_slots` lie behind each ramp for each color.
  ComputeEngines(const Kernel& kernel, const base::Rectangle& tiles, const ComputeConfig& config,
                 const memory::SramConfig& sram, std::uint32_t ramp_slots,
                 std::uint32_t ramp_cycles, const std::vector<std::uint8_t*>& memory);

  /// The compute engine of a tile goes through `sram`, but for arrays beside its datapath. Before the
  /// launch; `sram` outlives the engines.
  void set_sram(std::uint32_t tile, memory::TileSram& sram);
  /// A tile that is simulated elsewhere: it has no program here. Before the launch.
  void leave_out(std::uint32_t tile) { tile_at(tile).program = Kernel::kIdle; }
  /// Whether an address lies in the buffer beside the datapath.
  bool is_near(std::uint32_t tile, std::uint64_t address) const;

  base::Cycles now() const { return now_; }
  /// All programs begin in the cycle now().
  void launch();
  /// A wavelet or credit that can be used from now() on; `tile` is an index in the rectangle.
  void receive(std::uint32_t tile, const fabric::Wavelet& wavelet);
  void receive_credit(std::uint32_t tile, std::uint8_t color);
  /// Runs the cycle now() and moves on; adds what the engines give to their ramps.
  void step(fabric::RampFrame& frame);
  /// Whether anything happens in now() or later without help from outside.
  bool can_act() const { return awake_until_ > now_; }
  /// Moves on to a later cycle; only if nothing can act.
  void skip_to(base::Cycles cycle);

  EngineStats stats() const {
    EngineStats all = stats_;
    all.banks = banks_.counts();
    base::at(all.events, base::EventKind::kControlCycle) = all.running_cycles();
    base::at(all.events, base::EventKind::kClockRunning) = all.running_cycles();
    return all;
  }
  const std::vector<TileFault>& faults() const { return faults_; }
  /// Cycle counters of a tile: its first issue and the cycle after its last one.
  struct TileTimes {
    base::Cycles begin = EngineStats::kNever;
    base::Cycles end = 0;
    std::uint64_t busy = 0;
  };
  const TileTimes& times(std::uint32_t tile) const { return tile_at(tile).times; }
  /// A tile will soon be given something.
  void prefetch(std::uint32_t tile) const;
  std::uint32_t register_of(std::uint32_t tile, std::uint32_t number) const {
    return registers_[std::size_t{tile} * kNumRegisters + number];
  }
  /// What the time stamp counter of a tile is ahead of the cycles, modulo 2^32: counters are not
  /// aligned.
  static std::uint32_t clock_offset(base::Coordinate tile);
  /// What unfinished tiles wait for, one line each, at most `limit`; empty if all have finished.
  std::vector<std::string> waiting(std::size_t limit) const;
  std::vector<std::string> waiting_of(std::uint32_t tile) const;
  const base::Rectangle& rectangle() const { return rectangle_; }
  /// A line: tile, program, task, instruction, reason.
  std::string describe(std::uint32_t tile, std::uint32_t instruction,
                       const std::string& reason) const;

  /// Before the run; the watch must outlive the engines.
  void add_watch(EngineWatch& watch);
  std::size_t bytes() const;  ///< of all state but the SRAM

 private:
  struct FreeBlocks {
    void operator()(std::uint8_t* blocks) const;
  };
  /// The state of a tile lies together: this, its threads, its queues with their wavelets.
  struct Tile {
    base::Cycles main_ready = 0;     ///< the main thread issues nothing before
    base::Cycles datapath_free = 0;  ///< nothing is issued before: banks are busy
    std::uint8_t* memory = nullptr;
    TileTimes times;
    std::uint32_t active = 0;  ///< tasks, as bits
    std::uint32_t blocked = 0;
    std::uint16_t pc = 0;       ///< of the main thread
    std::uint16_t threads = 0;  ///< with a vector operation, as bits
    std::uint16_t program = Kernel::kIdle;
    std::uint8_t task = kNone;  ///< that the main thread runs
    std::uint8_t last_thread = 0;
    std::uint8_t last_output = 0;
    std::uint8_t controls = 0;  ///< control wavelets in input queues
    std::uint8_t giving = 0;    ///< output queues with a wavelet and a credit, as bits by slot
    bool stopped = false;       ///< by a fault
    bool watched = false;
    bool elsewhere = false;  ///< its SRAM
  };
  /// A vector operation under way.
  struct Thread {
    base::Cycles ready = 0;
    std::uint32_t done = 0;
    std::uint32_t length = 0;
    std::uint32_t value[4]{};  ///< of result, a, b, c: first address, or bits
    std::uint16_t instruction = 0;
    Priority priority = Priority::kMedium;
    std::uint8_t reads = kNone;    ///< an input queue
    std::uint8_t touches = kNone;  ///< an operand in memory: of result, a, b, c
  };
  /// What each step of a vector operation asks of its instruction, found once.
  struct Step {
    std::uint8_t most_elements = 1;
    std::uint8_t accumulator = 0;  ///< accumulator_of()
    bool in_memory = false;        ///< works on nothing but memory and values
    bool has_rings = false;        ///< circular buffers or FIFOs among its operands
    std::uint8_t inputs = 0;       ///< queues that it reads, as bits
    std::uint8_t output = kNone;   ///< queue that it feeds
    std::uint8_t far = 0;          ///< operands that the banks serve, as bits: result, a, b, c
    std::uint8_t near = 0;         ///< how many lie beside the datapath
    std::uint8_t element_bytes[4]{};
    std::int32_t stride[4]{};  ///< bytes from one element to the next
    std::uint32_t line = ~0U;  ///< elements up to which that holds: the shortest inner extent
  };
  /// The words of its wavelets follow behind it.
  struct Queue {
    std::uint8_t head = 0;
    std::uint8_t count = 0;
    std::uint8_t credits = 0;   ///< of an output queue: free slots behind the ramp
    std::uint16_t control = 0;  ///< by place
    std::uint16_t advance = 0;  ///< by place

    std::uint32_t& word(std::uint32_t place) {
      return reinterpret_cast<std::uint32_t*>(this + 1)[place];
    }
    std::uint32_t word(std::uint32_t place) const {
      return reinterpret_cast<const std::uint32_t*>(this + 1)[place];
    }
  };
  struct Ring {
    std::uint32_t head = 0;
    std::uint32_t count = 0;
  };
  struct Visit;   ///< a tile in a cycle
  struct Source;  ///< an operand in a step
  struct Line;    ///< an operand over some steps

  std::uint8_t* block(std::uint32_t tile) const {
    return blocks_.get() + std::size_t{tile} * block_bytes_;
  }
  Tile& tile_at(std::uint32_t tile) const { return *reinterpret_cast<Tile*>(block(tile)); }
  Thread& thread(std::uint32_t tile, std::uint32_t number) const {
    return reinterpret_cast<Thread*>(block(tile) + sizeof(Tile))[number];
  }
  Queue& queue(std::uint32_t tile, std::uint32_t slot) const {
    return *reinterpret_cast<Queue*>(block(tile) + queues_at_ + slot * queue_bytes_);
  }
  Queue& input(std::uint32_t tile, std::uint32_t q) const { return queue(tile, input_slot_[q]); }
  Queue& output(std::uint32_t tile, std::uint32_t q) const { return queue(tile, output_slot_[q]); }
  Ring& ring(std::uint32_t tile, std::uint32_t number) {
    return rings_[std::size_t{tile} * num_rings_ + number];
  }
  std::uint32_t& reg(std::uint32_t tile, std::uint32_t number) {
    return registers_[std::size_t{tile} * kNumRegisters + number];
  }
  base::Coordinate at(std::uint32_t tile) const;
  void wake(std::uint32_t tile, base::Cycles cycle);
  void compile(const Program& program);
  Step compile(const Program& program, const Instruction& i) const;
  void prefetch_data(std::uint32_t tile) const;
  void lay_out(std::uint32_t ramp_cycles);
  std::uint32_t control_task(const Program& p, std::uint32_t q, std::uint32_t data) const;

  base::Cycles visit(std::uint32_t tile, fabric::RampFrame& frame);
  base::Cycles next_look(const Visit& v) const;
  void give_to_ramp(Visit& v);
  void drop_controls(Visit& v);
  void choose_task(Visit& v);
  std::uint32_t able_by_wavelets(Visit& v, std::uint32_t started);
  void start_task(Visit& v, std::uint32_t number);
  std::uint32_t pop_input(Visit& v, std::uint32_t q);
  bool issue(Visit& v);
  bool issue_in_turn(Visit& v, std::uint32_t threads);
  bool lacks_wavelet(const Visit& v, std::uint32_t number) const;
  bool try_thread(Visit& v, std::uint32_t number);
  bool access_word(Visit& v, const Instruction& i);
  bool receive_word(Visit& v, const Instruction& i, std::uint16_t& next);
  bool issue_main(Visit& v);
  bool start_vector(Visit& v, const Instruction& i);
  void finish_vector(Visit& v, std::uint32_t number);
  bool step_vector(Visit& v, std::uint32_t number);
  bool run_alone(Visit& v, const Instruction& i, Thread& t);
  std::uint32_t elements(const Visit& v, const Instruction& i, const Thread& t) const;
  bool ready(Visit& v, const Instruction& i, const Thread& t, std::uint32_t n);
  bool open(Visit& v, const Thread& t, std::uint32_t o, const Operand& operand, std::uint32_t n,
            Source& source);
  static std::uint32_t fetch(const Source& source, std::uint32_t e, DataType type);
  bool put(Visit& v, const Instruction& i, const Thread& t, std::uint32_t n,
           std::uint32_t* results);
  bool unpack(Visit& v, const Instruction& i, const Thread& t, std::uint32_t pair);
  void send(Visit& v, const Descriptor& d, std::uint32_t word, bool last);
  std::int64_t address_of(const Visit& v, const Descriptor& d, std::uint32_t first,
                          std::uint32_t element) const;
  bool rings_ready(Visit& v, const Instruction& i, const Thread& t, std::uint32_t n);
  const Step& step_of(const Visit& v, const Thread& t) const;
  bool reach(Visit& v, const Thread& t, const Descriptor& d, std::int64_t address, std::uint32_t n,
             const char* verb);
  void load(const Visit& v, std::int64_t address, std::uint32_t bytes, std::uint8_t* to) const;
  void store(const Visit& v, std::int64_t address, std::uint32_t bytes, std::uint32_t bits);
  std::uint32_t scalar(const Visit& v, const Operand& operand) const;
  std::uint32_t rings_count(const Visit& v, const Descriptor& d) const;
  std::uint32_t bank_cycles(const Visit& v, const Instruction& i, const Thread& t, std::uint32_t n);
  std::uint32_t address_for_banks(const Visit& v, const Instruction& i, const Thread& t,
                                  std::uint32_t o, std::uint32_t behind) const;
  std::string hindrance(std::uint32_t tile, const Thread& t) const;
  void fail(Visit& v, std::uint32_t instruction, const std::string& reason);
  void show_task(const Visit& v, std::uint32_t number, bool begins);
  void show_operation(const Visit& v, std::uint32_t number, std::uint32_t instruction, bool begins);
  void complete(Visit& v, Completion completion, std::uint16_t task);

  static constexpr std::uint32_t kMostPlaces = 16;    ///< of a queue: a bit each in Queue
  static constexpr std::uint32_t kMostElements = 64;  ///< lanes
  static constexpr base::Cycles kCyclesAhead = 8;     ///< a power of two

  const Kernel& kernel_;
  const base::Rectangle rectangle_;
  const ComputeConfig config_;
  const std::uint64_t sram_bytes_;
  const std::uint32_t num_tiles_;
  memory::BankCore banks_;
  std::uint32_t num_threads_ = 1;
  std::uint32_t num_rings_ = 0;
  std::uint32_t places_ = 1;  ///< of a queue, a power of two
  std::array<std::uint8_t, kNumInputQueues> input_slot_{};
  std::array<std::uint8_t, kNumOutputQueues> output_slot_{};
  std::vector<std::uint8_t> inputs_, outputs_;  ///< queues that any program uses
  std::size_t queues_at_ = 0, queue_bytes_ = 0, block_bytes_ = 0;
  std::unique_ptr<std::uint8_t[], FreeBlocks> blocks_;
  std::vector<Ring> rings_;
  std::vector<std::uint32_t> registers_;
  std::vector<std::array<std::uint8_t, fabric::kNumColors>> input_of_;  ///< by program and color
  std::vector<std::array<std::uint8_t, fabric::kNumColors>> output_of_;
  std::vector<std::uint32_t> wavelet_tasks_;  ///< by program: tasks that wavelets start, as bits
  /// By program: input queues whose control wavelets a receive takes, as bits.
  std::vector<std::uint8_t> takes_controls_;
  std::vector<std::vector<Step>> steps_;  ///< by program and instruction
  bool has_priorities_ = false;           ///< of any microthread, but medium
  std::vector<std::uint32_t> listed_;     ///< tiles to visit in a cycle
  base::Cycles now_ = 0;
  /// Tiles to look at in each of the next cycles, a ring.
  std::array<fabric::ActiveSet, kCyclesAhead> awake_;
  base::Cycles awake_until_ = 0;  ///< behind the last cycle with a tile to look at
  EngineStats stats_;
  std::vector<TileFault> faults_;
  std::vector<EngineWatch*> watches_;
  std::vector<memory::TileSram*> srams_;  ///< by tile, where it is elsewhere; empty: nowhere
};

}  // namespace wse::tiles
