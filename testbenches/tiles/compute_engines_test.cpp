// SPDX-License-Identifier: Apache-2.0
// The rules of 'The compute engine, cycle by cycle' in docs/timing.md, each with cycles worked out
// by hand. A program starts in cycle 0: its task is taken in 0 and its first instruction issues in
// 3.
#include "wse/tiles/compute_engines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "wse/tiles/half.h"
#include "wse/tiles/program_builder.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::tiles {
namespace {

using base::Cycles;
using fabric::Mesh;
using fabric::Port;
using testing::ElementsAre;
using testing::HasSubstr;
using P = ProgramBuilder;

constexpr DataType kFp16 = DataType::kFp16;
constexpr DataType kFp32 = DataType::kFp32;
constexpr DataType kInt32 = DataType::kInt32;
constexpr std::uint8_t kColor = 3;

/// So many banks that arrays of a few words never meet in one.
MeshConfig many_banks() {
  MeshConfig config;
  config.sram.banks = 64;
  return config;
}

/// A cycle in which something begins, and one in which it ends.
struct Times {
  Cycles begin;
  Cycles end;
  friend bool operator==(Times a, Times b) { return a.begin == b.begin && a.end == b.end; }
  friend std::ostream& operator<<(std::ostream& out, Times t) {
    return out << t.begin << " .. " << t.end;
  }
};

/// A kernel with its mesh, which notes when tasks and vector operations begin and end.
class Bench final : public EngineWatch {
 public:
  explicit Bench(Kernel what, const MeshConfig& config = many_banks())
      : kernel_(std::move(what)), mesh_(kernel_, config) {
    mesh_.engines().add_watch(*this);
  }

  TileMesh& mesh() { return mesh_; }
  Bench& run() {
    mesh_.run();
    return *this;
  }
  /// What the failure says; empty if there is none.
  std::string failure() {
    try {
      mesh_.run();
    } catch (const KernelFailure& failure) {
      return failure.what();
    }
    return "";
  }
  std::uint32_t reg(std::uint32_t number, std::uint32_t tile = 0) const {
    return mesh_.engines().register_of(tile, number);
  }
  template <class T>
  void put(std::uint32_t tile, const Array& array, const std::vector<T>& values) {
    mesh_.write(tile, array.address, values.data(), values.size() * sizeof(T));
  }
  template <class T>
  std::vector<T> get(std::uint32_t tile, const Array& array) const {
    std::vector<T> values(array.bytes() / sizeof(T));
    mesh_.read(tile, array.address, values.data(), values.size() * sizeof(T));
    return values;
  }
  /// From the cycle in which a task is taken to that of its last instruction.
  std::vector<Times> tasks(const std::string& name, std::uint32_t tile = 0) const {
    return times_of(tile, "task " + name);
  }
  /// From the issue of a vector operation to its last step.
  std::vector<Times> operations(std::uint32_t instruction, std::uint32_t tile = 0) const {
    return times_of(tile, std::to_string(instruction));
  }

  bool watches(base::Coordinate) const override { return true; }
  void task(base::Coordinate at, Cycles cycle, const Program& program, std::uint32_t number,
            bool begins) override {
    note(at, "task " + program.tasks[number].name, cycle, begins);
  }
  void operation(base::Coordinate at, Cycles cycle, const Program&, std::uint32_t,
                 std::uint32_t instruction, bool begins) override {
    note(at, std::to_string(instruction), cycle, begins);
  }

 private:
  struct Note {
    std::uint32_t tile;
    std::string what;
    Times times;
    bool open;
  };
  void note(base::Coordinate at, const std::string& what, Cycles cycle, bool begins) {
    const std::uint32_t tile = kernel_.mesh().tile(at.x, at.y);
    if (begins) return notes_.push_back({tile, what, {cycle, cycle}, true});
    for (Note& n : notes_) {
      if (!n.open || n.tile != tile || n.what != what) continue;
      n.times.end = cycle;
      n.open = false;
      return;
    }
    ADD_FAILURE() << what << " ends without a beginning";
  }
  std::vector<Times> times_of(std::uint32_t tile, const std::string& what) const {
    std::vector<Times> times;
    for (const Note& n : notes_) {
      if (n.tile == tile && n.what == what) times.push_back(n.times);
    }
    return times;
  }

  Kernel kernel_;
  TileMesh mesh_;
  std::vector<Note> notes_;
};

Kernel on_one_tile(P& p) {
  Kernel kernel(Mesh{1, 1});
  kernel.name = "k";
  kernel.program_of[0] = kernel.add(p.build());
  return kernel;
}

/// The first tile of a row sends on kColor to the last one.
Kernel on_a_row(std::uint32_t columns, P& sender, P& receiver) {
  Kernel kernel(Mesh{columns, 1});
  kernel.name = "k";
  kernel.routes.set(0, kColor, {Port::kRamp, Port::kEast});
  for (std::uint32_t x = 1; x + 1 < columns; ++x) {
    kernel.routes.set(x, kColor, {Port::kWest, Port::kEast});
  }
  kernel.routes.set(columns - 1, kColor, {Port::kWest, Port::kRamp});
  kernel.program_of[0] = kernel.add(sender.build());
  kernel.program_of[columns - 1] = kernel.add(receiver.build());
  return kernel;
}

/// Sends an array from cycle 3 on, a wavelet a cycle: number i can be read at the next tile in 9 +
/// i.
struct Sender : P {
  explicit Sender(std::uint32_t words, bool control = false) : P("sender") {
    output(0, kColor);
    x = array("x", words);
    task("main").active = true;
    vector(VectorOp::kMove, kInt32, control ? control_out(0) : fabric_out(0), all(x),
           integer(words));
    end();
  }
  Array x;
};

/// Has kColor on a queue.
struct Receiver : P {
  explicit Receiver(std::uint8_t queue = 0) : P("receiver") { input(queue, kColor); }
};

/// Numbers from 1 on.
template <class T>
std::vector<T> count_up(std::uint32_t n) {
  std::vector<T> values(n);
  std::iota(values.begin(), values.end(), T{1});
  return values;
}

void scalars(P& p, int n) {
  for (int i = 0; i < n; ++i) p.set(12, P::integer(i));
}

// Tasks -------------------------------------------------------------------------------------------

TEST(ComputeEnginesTest, ATaskIssuesThreeCyclesAfterItIsTaken) {
  P p("p");
  p.task("t").active = true;
  p.set(1, P::integer(7));
  p.set(2, P::r(1));
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  // Taken in 0; issues in 3, 4 and 5.
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 5}));
  const auto& times = bench.mesh().engines().times(0);
  EXPECT_EQ(times.begin, 3U);
  EXPECT_EQ(times.end, 6U);
  EXPECT_EQ(times.busy, 3U);
  EXPECT_EQ(bench.reg(2), 7U);
}

TEST(ComputeEnginesTest, StartAndScalarCyclesAreThoseOfTheConfiguration) {
  P p("p");
  p.task("t").active = true;
  p.set(1, P::integer(7));
  p.set(2, P::integer(8));
  p.end();
  MeshConfig config;
  config.compute.task_start_cycles = 10;
  config.compute.scalar_cycles = 4;
  Bench bench(on_one_tile(p), config);
  bench.run();
  // Issues in 10, 14 and 18.
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 18}));
  EXPECT_EQ(bench.mesh().engines().times(0).begin, 10U);
}

TEST(ComputeEnginesTest, RegistersHoldThePlaceOfTheTileAtLaunch) {
  P p("p");
  p.task("t").active = true;
  p.end();
  Kernel kernel(Mesh{3, 1});
  kernel.program_of[2] = kernel.add(p.build());
  Bench bench(std::move(kernel));
  bench.run();
  EXPECT_EQ(bench.reg(kColumnRegister, 2), 2U);
  EXPECT_EQ(bench.reg(kRowRegister, 2), 0U);
  EXPECT_EQ(bench.reg(0, 2), 0U);
}

TEST(ComputeEnginesTest, ADataTaskFindsItsWaveletInRegister0) {
  Sender sender(3);
  Receiver receiver;
  receiver.data_task("digit", 0);
  receiver.scalar(VectorOp::kMul, kInt32, 1, P::r(1), P::integer(10));
  receiver.scalar(VectorOp::kAdd, kInt32, 1, P::r(1), P::r(0));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.put(0, sender.x, count_up<std::uint32_t>(3));
  bench.run();
  EXPECT_EQ(bench.reg(1, 1), 123U);
  // The first one comes in 9 and issues in 12, 13, 14; the next one is taken a cycle later.
  EXPECT_THAT(bench.tasks("digit", 1), ElementsAre(Times{9, 14}, Times{15, 20}, Times{21, 26}));
}

TEST(ComputeEnginesTest, AControlTaskRunsForItsNumberAndOthersAreDropped) {
  Sender sender(3, true);
  Receiver receiver;
  receiver.control_task("five", 0, 5);
  receiver.scalar(VectorOp::kAdd, kInt32, 1, P::r(1), P::integer(1));
  receiver.set(2, P::r(0));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  // Numbers are bits 16 to 21: those above do not count.
  const std::uint32_t last = (5U | 64U) << 16;
  bench.put<std::uint32_t>(0, sender.x, {5U << 16, 7U << 16, last});
  bench.run();
  EXPECT_EQ(bench.reg(1, 1), 2U);
  EXPECT_EQ(bench.reg(2, 1), last);
  // The second one comes in 10 and is dropped while the first task runs; the third comes in 11.
  EXPECT_THAT(bench.tasks("five", 1), ElementsAre(Times{9, 14}, Times{15, 20}));
}

TEST(ComputeEnginesTest, DataBehindAControlWaveletThatNobodyWantsIsRead) {
  P sender("sender");
  sender.output(0, kColor);
  const Array x = sender.array("x", 1);
  sender.task("main").active = true;
  sender.vector(VectorOp::kMove, kInt32, sender.control_out(0), P::integer(9 << 16), P::integer(1));
  sender.vector(VectorOp::kMove, kInt32, sender.fabric_out(0), sender.all(x), P::integer(1));
  sender.end();
  Receiver receiver;
  const Array y = receiver.array("y", 1);
  receiver.task("main").active = true;
  receiver.vector(VectorOp::kMove, kInt32, receiver.all(y), receiver.fabric_in(0), P::integer(1));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.put<std::uint32_t>(0, x, {42});
  bench.run();
  EXPECT_THAT(bench.get<std::uint32_t>(1, y), ElementsAre(42U));
  // Written in 4, so there in 10; the control wavelet left in 9.
  EXPECT_THAT(bench.operations(0, 1), ElementsAre(Times{3, 10}));
}

TEST(ComputeEnginesTest, DataAndControlTasksShareAQueue) {
  P sender("sender");
  sender.output(0, kColor);
  sender.task("main").active = true;
  const Operand data = sender.fabric_out(0), control = sender.control_out(0);
  sender.vector(VectorOp::kMove, kInt32, data, P::integer(7), P::integer(1));
  sender.vector(VectorOp::kMove, kInt32, control, P::integer(5 << 16), P::integer(1));
  sender.vector(VectorOp::kMove, kInt32, data, P::integer(5 << 16), P::integer(1));
  sender.end();
  Receiver receiver;
  receiver.control_task("control", 0, 5);
  receiver.set(1, P::r(0));
  receiver.end();
  receiver.data_task("data", 0);
  receiver.set(2, P::r(0));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.run();
  EXPECT_EQ(bench.tasks("data", 1).size(), 2U);
  EXPECT_EQ(bench.tasks("control", 1).size(), 1U);
  EXPECT_EQ(bench.reg(1, 1), 5U << 16);
  EXPECT_EQ(bench.reg(2, 1), 5U << 16);
}

TEST(ComputeEnginesTest, DataThatAnOperationReadsStartsNoTask) {
  Sender sender(3);
  Receiver receiver;
  const Array y = receiver.array("y", 2);
  receiver.task("main").active = true;
  on_microthread(receiver.vector(VectorOp::kMove, kInt32, receiver.all(y), receiver.fabric_in(0),
                                 P::integer(2)),
                 0);
  receiver.end();
  receiver.data_task("data", 0);
  receiver.set(1, P::r(0));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.put(0, sender.x, count_up<std::uint32_t>(3));
  bench.run();
  EXPECT_THAT(bench.get<std::uint32_t>(1, y), ElementsAre(1U, 2U));
  EXPECT_EQ(bench.reg(1, 1), 3U);
  // Steps in 9 and 10; the third word comes in 11.
  EXPECT_THAT(bench.operations(0, 1), ElementsAre(Times{3, 10}));
  EXPECT_THAT(bench.tasks("data", 1), ElementsAre(Times{11, 15}));
}

TEST(ComputeEnginesTest, ABlockedDataTaskLeavesItsWaveletInTheQueue) {
  Sender sender(1);
  Receiver receiver;
  receiver.data_task("data", 0).blocked = true;
  receiver.set(1, P::r(0));
  receiver.end();
  receiver.task("main").active = true;
  scalars(receiver, 20);
  receiver.unblock(0);
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.put<std::uint32_t>(0, sender.x, {9});
  bench.run();
  // 20 scalars in 3 .. 22, unblocked in 23, end in 24.
  EXPECT_THAT(bench.tasks("main", 1), ElementsAre(Times{0, 24}));
  EXPECT_THAT(bench.tasks("data", 1), ElementsAre(Times{25, 29}));
  EXPECT_EQ(bench.reg(1, 1), 9U);
}

TEST(ComputeEnginesTest, TasksAreActivatedBlockedAndUnblocked) {
  P p("p");
  p.task("a").active = true;
  p.activate(1);
  p.activate(2);
  p.block(1);
  p.end();
  p.task("b");
  p.end();
  p.task("c");
  p.unblock(1);
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  // a issues in 3 .. 6; b is blocked, so c is taken in 7 and issues in 10 and 11; then b.
  EXPECT_THAT(bench.tasks("a"), ElementsAre(Times{0, 6}));
  EXPECT_THAT(bench.tasks("c"), ElementsAre(Times{7, 11}));
  EXPECT_THAT(bench.tasks("b"), ElementsAre(Times{12, 15}));
}

TEST(ComputeEnginesTest, TasksOfHighPriorityRunFirstThenThoseWrittenFirst) {
  P p("p");
  for (const char* name : {"a", "b", "c", "d"}) {
    Task& task = p.task(name);
    task.active = true;
    task.high_priority = *name >= 'c';
    p.end();
  }
  Bench bench(on_one_tile(p));
  bench.run();
  EXPECT_THAT(bench.tasks("c"), ElementsAre(Times{0, 3}));
  EXPECT_THAT(bench.tasks("d"), ElementsAre(Times{4, 7}));
  EXPECT_THAT(bench.tasks("a"), ElementsAre(Times{8, 11}));
  EXPECT_THAT(bench.tasks("b"), ElementsAre(Times{12, 15}));
}

// Threads -----------------------------------------------------------------------------------------

/// y = x, elements of fp32. Arrays of eight words keep the read of a step and the write of the
/// third step before it in different banks.
Instruction& copy(P& p, const Array& y, const Array& x, std::uint32_t n) {
  const Operand to = p.part(y, 0, n), from = p.part(x, 0, n);
  return p.vector(VectorOp::kMove, kFp32, to, from, P::integer(n));
}

TEST(ComputeEnginesTest, AnOperationOnTheMainThreadStepsInTheCycleOfItsIssue) {
  P p("p");
  const Array x = p.array("x", 8), y = p.array("y", 8);
  p.task("t").active = true;
  copy(p, y, x, 4);
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  // Steps in 3 .. 6, the end in 7.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 6}));
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 7}));
  EXPECT_EQ(bench.mesh().cycles(), 4U);
}

TEST(ComputeEnginesTest, AnOperationMayHaveStartCycles) {
  P p("p");
  const Array x = p.array("x", 8), y = p.array("y", 8);
  p.task("t").active = true;
  copy(p, y, x, 4);
  p.end();
  MeshConfig config = many_banks();
  config.compute.vector_start_cycles = 5;
  Bench bench(on_one_tile(p), config);
  bench.run();
  // Issued in 3, steps in 8 .. 11.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 11}));
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 12}));
}

// "From the first issue of any tile to the cycle after the last step of a vector operation or
// store."
TEST(ComputeEnginesTest, CyclesOfAKernelEndWithTheLastStepAndNotWithWhatFollows) {
  P p("p");
  const Array x = p.array("x", 8), y = p.array("y", 8);
  p.task("t").active = true;
  copy(p, y, x, 4);  // 3 .. 6
  scalars(p, 5);
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  EXPECT_EQ(bench.mesh().engines().stats().end, 7U);
  EXPECT_EQ(bench.mesh().cycles(), 4U);
}

TEST(ComputeEnginesTest, CyclesOfAKernelEndWithTheLastStore) {
  P p("p");
  p.array("x", 8);
  p.task("t").active = true;
  scalars(p, 1);
  p.store(P::integer(0), P::integer(5));  // in 4
  scalars(p, 5);
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  EXPECT_EQ(bench.mesh().engines().stats().end, 5U);
  EXPECT_EQ(bench.mesh().cycles(), 2U);
}

TEST(ComputeEnginesTest, AMicrothreadStepsACycleLaterAndTheMainThreadGoesOn) {
  P p("p");
  const Array x = p.array("x", 8), y = p.array("y", 8);
  p.task("t").active = true;
  on_microthread(copy(p, y, x, 4), 0);
  p.set(1, P::integer(1));
  p.set(2, P::integer(2));
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  // Issued in 3. Then in turn, behind the main thread: microthread 4, 6, 8, 10; main thread 5, 7,
  // 9.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 10}));
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 9}));
  EXPECT_EQ(bench.mesh().engines().times(0).busy, 8U);
}

TEST(ComputeEnginesTest, TwoMicrothreadsShareTheDatapathInTurn) {
  P p("p");
  const Array a = p.array("a", 8), b = p.array("b", 8), c = p.array("c", 8), d = p.array("d", 8);
  p.task("t").active = true;
  on_microthread(copy(p, b, a, 4), 0);
  on_microthread(copy(p, d, c, 4), 1);
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  // 3 main, 4 first, 5 main (issues the second), 6 first, 7 second, 8 main (end), 9 first, 10
  // second, 11 first (its last), 12 and 13 second.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 11}));
  EXPECT_THAT(bench.operations(1), ElementsAre(Times{5, 13}));
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 8}));
}

TEST(ComputeEnginesTest, AMicrothreadOfHighPriorityGoesBeforeTheMainThreadAndThatBeforeALowOne) {
  P p("p");
  const Array a = p.array("a", 8), b = p.array("b", 8), c = p.array("c", 8), d = p.array("d", 8);
  p.task("t").active = true;
  on_microthread(copy(p, b, a, 4), 0).priority = Priority::kLow;
  on_microthread(copy(p, d, c, 4), 1).priority = Priority::kHigh;
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  // 3 and 4 main, 5 .. 8 the high one, 9 main (end), 10 .. 13 the low one.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 13}));
  EXPECT_THAT(bench.operations(1), ElementsAre(Times{4, 8}));
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 9}));
}

TEST(ComputeEnginesTest, AMicrothreadThatHasFinishedActivatesATask) {
  P p("p");
  const Array x = p.array("x", 8), y = p.array("y", 8);
  p.task("t").active = true;
  on_microthread(copy(p, y, x, 2), 0, Completion::kActivate, 1);
  p.end();
  p.task("after");
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  // Steps in 4 and, behind the end of the task, in 6; so the task is taken in 7.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 6}));
  EXPECT_THAT(bench.tasks("after"), ElementsAre(Times{7, 10}));
}

TEST(ComputeEnginesTest, AMicrothreadThatHasFinishedUnblocksATask) {
  P p("p");
  const Array x = p.array("x", 8), y = p.array("y", 8);
  p.task("t").active = true;
  on_microthread(copy(p, y, x, 2), 7, Completion::kUnblock, 1);
  p.end();
  Task& after = p.task("after");
  after.active = true;
  after.blocked = true;
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  EXPECT_THAT(bench.tasks("after"), ElementsAre(Times{7, 10}));
}

TEST(ComputeEnginesTest, ABusyMicrothreadMakesTheMainThreadWait) {
  P p("p");
  const Array x = p.array("x", 8), y = p.array("y", 8);
  p.task("t").active = true;
  on_microthread(copy(p, y, x, 4), 0);
  on_microthread(copy(p, y, x, 4), 0);
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  // 3 main, 4 .. 7 the first one, 8 main, 9 the second one, 10 main (end), 11 .. 13 the second one.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 7}));
  EXPECT_THAT(bench.operations(1), ElementsAre(Times{8, 13}));
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 10}));
}

// FIFOs and circular buffers ----------------------------------------------------------------------

TEST(ComputeEnginesTest, AFifoJoinsTwoThreads) {
  P p("p");
  const Array x = p.array("x", 8);
  p.array("gap", 24);  // gaps keep the arrays apart, in banks of their own
  const Array ring = p.array("ring", 2);
  p.array("gap", 14);
  const Array y = p.array("y", 8);
  const Operand fifo = p.fifo(ring);
  p.task("t").active = true;
  on_microthread(p.vector(VectorOp::kMove, kFp32, fifo, p.all(x), P::integer(8)), 0);
  p.vector(VectorOp::kMove, kFp32, p.all(y), fifo, P::integer(8));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put(0, x, count_up<float>(8));
  bench.run();
  EXPECT_EQ(bench.get<float>(0, y), count_up<float>(8));
  // Pushes in 4, 6 .. 18; the main thread issues in 5 and takes in 5, 7 .. 19.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 18}));
  EXPECT_THAT(bench.operations(1), ElementsAre(Times{5, 19}));
}

TEST(ComputeEnginesTest, AFullFifoMakesItsWriterWait) {
  P p("p");
  const Array x = p.array("x", 32), ring = p.array("ring", 2);
  p.array("gap", 14);
  const Array y = p.array("y", 4);
  const Operand fifo = p.fifo(ring);
  p.task("t").active = true;
  on_microthread(p.vector(VectorOp::kMove, kFp32, fifo, p.part(x, 0, 4), P::integer(4)), 0);
  scalars(p, 10);
  p.vector(VectorOp::kMove, kFp32, p.all(y), fifo, P::integer(4));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put(0, x, count_up<float>(4));
  bench.run();
  EXPECT_EQ(bench.get<float>(0, y), count_up<float>(4));
  // Pushes in 4 and 6, scalars in 5 and 7 .. 15; then takes and pushes in turn: taken in 16, pushed
  // in 17, 18, 19, taken in 20 and 21.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 19}));
  EXPECT_THAT(bench.operations(11), ElementsAre(Times{16, 21}));
}

TEST(ComputeEnginesTest, AFullFifoFaultsWhereItIsAskedTo) {
  P p("p");
  const Array x = p.array("x", 8), ring = p.array("ring", 2);
  p.task("t").active = true;
  p.vector(VectorOp::kMove, kFp32, p.fifo(ring, true), p.all(x), P::integer(8));
  p.end();
  Bench bench(on_one_tile(p));
  // Pushes in 3 and 4, none in 5.
  EXPECT_EQ(bench.failure(),
            "tile fault in cycle 5: tile (0,0), program 'p', task 't', instruction 0 (move of "
            "fp32): the FIFO 'ring' of 2 elements overflows");
}

TEST(ComputeEnginesTest, APushActivatesATask) {
  P p("p");
  const Array x = p.array("x", 8), ring = p.array("ring", 8), y = p.array("y", 2);
  const Operand fifo = p.fifo(ring, false, 1);
  p.task("t").active = true;
  p.vector(VectorOp::kMove, kFp32, fifo, p.part(x, 0, 2), P::integer(2));
  p.end();
  p.task("pushed");
  p.vector(VectorOp::kMove, kFp32, p.all(y), fifo, P::integer(2));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put(0, x, count_up<float>(8));
  bench.run();
  EXPECT_EQ(bench.get<float>(0, y), count_up<float>(2));
  // Pushes in 3 and 4, the end in 5.
  EXPECT_THAT(bench.tasks("pushed"), ElementsAre(Times{6, 11}));
}

TEST(ComputeEnginesTest, ACircularBufferGoesOnWhereTheLastOperationEnded) {
  P p("p");
  const Array x = p.array("x", 6), ring = p.array("ring", 4);
  const Operand buffer = p.circular(ring);
  p.task("t").active = true;
  p.vector(VectorOp::kMove, kFp32, buffer, p.part(x, 0, 3), P::integer(3));
  p.vector(VectorOp::kMove, kFp32, buffer, p.part(x, 3, 3), P::integer(3));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put(0, x, count_up<float>(6));
  bench.run();
  EXPECT_THAT(bench.get<float>(0, ring), ElementsAre(5.0F, 6.0F, 3.0F, 4.0F));
}

TEST(ComputeEnginesTest, ACircularBufferThatIsReadAndWrittenGoesOnOnce) {
  P p("p");
  const Array ring = p.array("ring", 4);
  const Operand buffer = p.circular(ring);
  p.task("t").active = true;
  for (int i = 0; i < 3; ++i) {
    p.vector(VectorOp::kAdd, kFp32, buffer, buffer, P::number(10), P::integer(2));
  }
  p.end();
  Bench bench(on_one_tile(p));
  bench.put(0, ring, count_up<float>(4));
  bench.run();
  EXPECT_THAT(bench.get<float>(0, ring), ElementsAre(21.0F, 22.0F, 13.0F, 14.0F));
}

TEST(ComputeEnginesTest, ASeekMovesACircularBuffer) {
  P p("p");
  const Array ring = p.array("ring", 4);
  const Operand buffer = p.circular(ring);
  p.task("t").active = true;
  p.vector(VectorOp::kMove, kFp32, buffer, P::number(1), P::integer(3));
  p.set(1, P::integer(1));
  p.seek(buffer, P::r(1));
  p.vector(VectorOp::kMove, kFp32, buffer, P::number(2), P::integer(1));
  p.vector(VectorOp::kMove, kFp32, buffer, P::number(3), P::integer(2));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put<float>(0, ring, {0, 0, 0, 0});
  bench.run();
  EXPECT_THAT(bench.get<float>(0, ring), ElementsAre(1.0F, 2.0F, 3.0F, 3.0F));
}

// Rings of a program are numbered in its order; there may be more of them than bits in a word.
TEST(ComputeEnginesTest, EachOfManyCircularBuffersGoesOn) {
  P p("p");
  std::vector<Array> arrays;
  std::vector<Operand> buffers;
  for (int i = 0; i < 41; ++i) {
    arrays.push_back(p.array("ring" + std::to_string(i), 4));
    buffers.push_back(p.circular(arrays.back()));
  }
  p.task("t").active = true;
  for (int i = 0; i < 2; ++i) {
    p.vector(VectorOp::kMove, kFp32, buffers[40], buffers[8], P::integer(2));
  }
  p.end();
  Bench bench(on_one_tile(p));
  bench.put(0, arrays[8], count_up<float>(4));
  bench.run();
  EXPECT_EQ(bench.get<float>(0, arrays[40]), count_up<float>(4));
}

// Walks -------------------------------------------------------------------------------------------

struct Walk {
  std::uint32_t first;
  std::vector<Dimension> dimensions;
};

/// The elements that a walk goes over, by nested loops.
std::vector<std::uint32_t> elements_of(const Walk& walk) {
  std::vector<std::uint32_t> all;
  std::vector<Dimension> d = walk.dimensions;
  d.resize(4, Dimension{1, 0});
  const auto index = [](std::uint32_t i, const Dimension& of) {
    return static_cast<std::int64_t>(i) * of.stride;
  };
  for (std::uint32_t l = 0; l < d[3].extent; ++l) {
    for (std::uint32_t k = 0; k < d[2].extent; ++k) {
      for (std::uint32_t j = 0; j < d[1].extent; ++j) {
        for (std::uint32_t i = 0; i < d[0].extent; ++i) {
          all.push_back(static_cast<std::uint32_t>(walk.first + index(i, d[0]) + index(j, d[1]) +
                                                   index(k, d[2]) + index(l, d[3])));
        }
      }
    }
  }
  return all;
}

Operand walk_of(P& p, const Array& array, const Walk& walk) {
  const auto& d = walk.dimensions;
  switch (d.size()) {
    case 1:
      return p.walk(array, walk.first, {d[0]});
    case 2:
      return p.walk(array, walk.first, {d[0], d[1]});
    case 3:
      return p.walk(array, walk.first, {d[0], d[1], d[2]});
    default:
      return p.walk(array, walk.first, {d[0], d[1], d[2], d[3]});
  }
}

const std::vector<Walk>& walks() {
  static const std::vector<Walk> kWalks{
      {3, {{5, 1}}},
      {20, {{5, -3}}},
      {7, {{6, 0}}},
      {0, {{4, 1}, {3, 8}}},
      {30, {{4, -1}, {3, -8}}},
      {2, {{3, 1}, {4, 0}}},
      {40, {{3, 5}, {4, -7}, {2, 1}}},
      {0, {{2, 1}, {3, 0}, {2, 20}}},
      {60, {{2, 1}, {2, -4}, {3, -8}, {2, -24}}},
      {1, {{3, 2}, {2, 0}, {2, 7}, {2, 30}}},
  };
  return kWalks;
}

TEST(ComputeEnginesTest, AnOperandWalksOverUpToFourDimensions) {
  for (const DataType type : {kFp32, DataType::kInt16}) {
    for (const Walk& walk : walks()) {
      const std::vector<std::uint32_t> elements = elements_of(walk);
      const auto n = static_cast<std::uint32_t>(elements.size());
      const std::uint8_t bytes = type == kFp32 ? 4 : 2;
      P p("p");
      const Array x = p.array("x", 64, bytes), y = p.array("y", n, bytes);
      p.task("t").active = true;
      p.vector(VectorOp::kMove, type, p.all(y), walk_of(p, x, walk), P::integer(n));
      p.end();
      Bench bench(on_one_tile(p));
      if (bytes == 4) {
        bench.put(0, x, count_up<std::uint32_t>(64));
      } else {
        bench.put(0, x, count_up<std::uint16_t>(64));
      }
      bench.run();
      std::vector<std::uint32_t> got;
      if (bytes == 4) {
        got = bench.get<std::uint32_t>(0, y);
      } else {
        for (const std::uint16_t value : bench.get<std::uint16_t>(0, y)) got.push_back(value);
      }
      for (std::uint32_t i = 0; i < n; ++i) ASSERT_EQ(got[i], elements[i] + 1) << "element " << i;
    }
  }
}

TEST(ComputeEnginesTest, AResultWalksOverUpToFourDimensions) {
  for (const Walk& walk : walks()) {
    const std::vector<std::uint32_t> elements = elements_of(walk);
    const auto n = static_cast<std::uint32_t>(elements.size());
    P p("p");
    const Array x = p.array("x", n), y = p.array("y", 64);
    p.task("t").active = true;
    p.vector(VectorOp::kMove, kFp32, walk_of(p, y, walk), p.all(x), P::integer(n));
    p.end();
    Bench bench(on_one_tile(p));
    bench.put(0, x, count_up<std::uint32_t>(n));
    bench.put(0, y, std::vector<std::uint32_t>(64, 0));
    bench.run();
    std::vector<std::uint32_t> wanted(64, 0);
    for (std::uint32_t i = 0; i < n; ++i) wanted[elements[i]] = i + 1;
    EXPECT_EQ(bench.get<std::uint32_t>(0, y), wanted);
  }
}

TEST(ComputeEnginesTest, AWalkThatIsLongerThanItsExtentsBeginsAnew) {
  P p("p");
  const Array x = p.array("x", 4), y = p.array("y", 10);
  p.task("t").active = true;
  p.vector(VectorOp::kMove, kFp32, p.all(y), p.walk(x, 0, {{2, 1}, {2, 2}}), P::integer(10));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put(0, x, count_up<float>(4));
  bench.run();
  EXPECT_THAT(bench.get<float>(0, y), ElementsAre(1, 2, 3, 4, 1, 2, 3, 4, 1, 2));
}

TEST(ComputeEnginesTest, ASumWalksOnOneElement) {
  // A result of stride 0 that is an operand as well: each step sees what the last one wrote.
  P p("p");
  const Array x = p.array("x", 8), sum = p.array("sum", 1);
  p.task("t").active = true;
  p.vector(VectorOp::kAdd, kFp32, p.walk(sum, 0, {{8, 0}}), p.walk(sum, 0, {{8, 0}}), p.all(x),
           P::integer(8));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put(0, x, count_up<float>(8));
  bench.put<float>(0, sum, {0});
  bench.run();
  EXPECT_THAT(bench.get<float>(0, sum), ElementsAre(36.0F));
}

// Lanes -------------------------------------------------------------------------------------------

TEST(ComputeEnginesTest, AStepInMemoryDoesAsManyElementsAsThereAreLanes) {
  struct Case {
    DataType type;
    std::uint8_t from, to;  // bytes of an element
    Cycles steps;           // of 64 elements
  };
  for (const Case& c :
       {Case{kFp16, 2, 2, 16}, Case{DataType::kInt16, 2, 2, 16}, Case{DataType::kMixed, 2, 4, 32},
        Case{DataType::kMixed, 4, 2, 32}, Case{kFp32, 4, 4, 64}, Case{kInt32, 4, 4, 64}}) {
    P p("p");
    const Array x = p.array("x", 64, c.from), y = p.array("y", 64, c.to);
    p.task("t").active = true;
    p.vector(VectorOp::kMove, c.type, p.all(y), p.all(x), P::integer(64));
    p.end();
    Bench bench(on_one_tile(p));
    bench.run();
    EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 2 + c.steps})) << name_of(c.type);
    EXPECT_EQ(bench.mesh().cycles(), c.steps);
    EXPECT_EQ(bench.mesh().engines().stats().elements, 64U);
  }
}

TEST(ComputeEnginesTest, AStepDoesOnlyElementsThatLieSideBySide) {
  const auto steps = [](std::initializer_list<Dimension> walk, std::uint32_t length) {
    P p("p");
    const Array x = p.array("x", 64, 2), y = p.array("y", 64, 2);
    p.task("t").active = true;
    p.vector(VectorOp::kMove, kFp16, p.part(y, 0, length), p.walk(x, 0, walk), P::integer(length));
    p.end();
    Bench bench(on_one_tile(p));
    bench.run();
    return bench.operations(0).front().end - 2;
  };
  EXPECT_EQ(steps({{10, 1}}, 10), 3U);          // 4, 4, 2
  EXPECT_EQ(steps({{3, 1}, {4, 8}}, 12), 4U);   // 3 each
  EXPECT_EQ(steps({{6, 1}, {2, 10}}, 12), 4U);  // 4, 2, 4, 2
  EXPECT_EQ(steps({{12, 2}}, 12), 12U);
  EXPECT_EQ(steps({{12, 0}}, 12), 12U);
}

/// Cycles of a vector of 64 elements from a tile to its neighbour.
Cycles sent(DataType type, std::uint8_t bytes) {
  P sender("sender");
  sender.output(0, kColor);
  const Array x = sender.array("x", 64, bytes);
  sender.task("main").active = true;
  sender.vector(VectorOp::kMove, type, sender.fabric_out(0, bytes), sender.all(x), P::integer(64));
  sender.end();
  Receiver receiver;
  const Array y = receiver.array("y", 64, bytes);
  receiver.task("main").active = true;
  receiver.vector(VectorOp::kMove, type, receiver.all(y), receiver.fabric_in(0, bytes),
                  P::integer(64));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.run();
  EXPECT_EQ(bench.mesh().fabric().counts().delivered, bytes == 2 ? 32U : 64U);
  return bench.mesh().cycles();
}

TEST(ComputeEnginesTest, AStepThroughTheFabricDoesWhatAWaveletHolds) {
  EXPECT_EQ(sent(kFp16, 2), 32U + 6);
  EXPECT_EQ(sent(DataType::kInt16, 2), 32U + 6);
  EXPECT_EQ(sent(DataType::kMixed, 2), 32U + 6);
  EXPECT_EQ(sent(DataType::kMixed, 4), 64U + 6);
  EXPECT_EQ(sent(kFp32, 4), 64U + 6);
  EXPECT_EQ(sent(kInt32, 4), 64U + 6);
}

TEST(ComputeEnginesTest, TwoHalvesAreOneWaveletAndAnOddOneIsAlone) {
  P sender("sender");
  sender.output(0, kColor);
  const Array x = sender.array("x", 5, 2);
  sender.task("main").active = true;
  sender.vector(VectorOp::kMove, kFp16, sender.fabric_out(0, 2), sender.all(x), P::integer(5));
  sender.end();
  Receiver receiver;
  const Array y = receiver.array("y", 3);
  receiver.task("main").active = true;
  receiver.vector(VectorOp::kMove, kInt32, receiver.all(y), receiver.fabric_in(0), P::integer(3));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.put<std::uint16_t>(0, x, {0x1111, 0x2222, 0x3333, 0x4444, 0x5555});
  bench.run();
  // As in memory: the first one lowest.
  EXPECT_THAT(bench.get<std::uint32_t>(1, y), ElementsAre(0x22221111U, 0x44443333U, 0x5555U));
}

TEST(ComputeEnginesTest, HalvesFromTheFabricAreAddedInPairs) {
  P sender("sender");
  sender.output(0, kColor);
  const Array x = sender.array("x", 5, 2);
  sender.task("main").active = true;
  sender.vector(VectorOp::kMove, kFp16, sender.fabric_out(0, 2), sender.all(x), P::integer(5));
  sender.end();
  Receiver receiver;
  const Array y = receiver.array("y", 6, 2);
  receiver.task("main").active = true;
  receiver.vector(VectorOp::kAdd, kFp16, receiver.part(y, 0, 5), receiver.part(y, 0, 5),
                  receiver.fabric_in(0, 2), P::integer(5));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  std::vector<std::uint16_t> a, b, wanted;
  for (int i = 0; i < 6; ++i) {
    if (i < 5) a.push_back(Half::of(static_cast<float>(i)).bits());
    b.push_back(Half::of(100.0F).bits());
    wanted.push_back(Half::of(i < 5 ? 100.0F + static_cast<float>(i) : 100.0F).bits());
  }
  bench.put(0, x, a);
  bench.put(1, y, b);
  bench.run();
  EXPECT_EQ(bench.get<std::uint16_t>(1, y), wanted);
  EXPECT_EQ(bench.mesh().engines().stats().flops, 5U);
}

TEST(ComputeEnginesTest, TheMixedFormatWidensOperandsAndRoundsResults) {
  P p("p");
  const Array h = p.array("h", 2, 2), wide = p.array("wide", 2),
              narrowed = p.array("narrowed", 2, 2);
  p.task("t").active = true;
  // (1 + 2^-10)^2 + 2^-20 is exact in fp32.
  p.vector(VectorOp::kFma, DataType::kMixed, p.all(wide), p.all(h), p.all(h),
           P::number(1.0F / 1048576), P::integer(2));
  p.vector(VectorOp::kMove, DataType::kMixed, p.all(narrowed), p.all(wide), P::integer(2));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put<std::uint16_t>(0, h, {0x3c01, 0xc000});
  bench.run();
  EXPECT_THAT(bench.get<float>(0, wide),
              ElementsAre(1.0F + 1.0F / 512 + 2.0F / 1048576, 4.0F + 1.0F / 1048576));
  EXPECT_THAT(bench.get<std::uint16_t>(0, narrowed), ElementsAre(0x3c02, 0x4400));
}

// Unpack ------------------------------------------------------------------------------------------

TEST(ComputeEnginesTest, UnpackPutsValuesWhereTheirIndexSays) {
  Sender sender(3);
  Receiver receiver;
  const Array y = receiver.array("y", 8, 2);
  receiver.task("main").active = true;
  receiver.vector(VectorOp::kUnpack, kFp16, receiver.all(y), receiver.fabric_in(0), P::integer(3));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.put<std::uint32_t>(0, sender.x, {6U << 16 | 0x1234, 1U << 16 | 0xabcd, 7U << 16 | 0x1});
  bench.put(1, y, std::vector<std::uint16_t>(8, 0));
  bench.run();
  EXPECT_THAT(bench.get<std::uint16_t>(1, y), ElementsAre(0, 0xabcd, 0, 0, 0, 0, 0x1234, 1));
  EXPECT_THAT(bench.operations(0, 1), ElementsAre(Times{3, 11}));  // in 9, 10 and 11
}

TEST(ComputeEnginesTest, UnpackFaultsAtAnIndexOutOfRange) {
  Sender sender(2);
  Receiver receiver;
  const Array y = receiver.array("y", 8, 2);
  receiver.task("main").active = true;
  receiver.vector(VectorOp::kUnpack, kFp16, receiver.all(y), receiver.fabric_in(0), P::integer(2));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.put<std::uint32_t>(0, sender.x, {7U << 16, 8U << 16});
  EXPECT_EQ(bench.failure(),
            "tile fault in cycle 10: tile (1,0), program 'receiver', task 'main', instruction 0 "
            "(unpack of fp16): index 8 of 'y', which has 8 elements");
}

// Banks -------------------------------------------------------------------------------------------

/// Eight banks: double word d lies in pair d mod 4, so addresses 32 bytes apart meet.
TEST(ComputeEnginesTest, AnAdditionInPlaceRunsAtFullRate) {
  struct Case {
    DataType type;
    std::uint8_t bytes;
    Cycles steps;
  };
  for (const Case& c : {Case{kFp32, 4, 64}, Case{kFp16, 2, 16}}) {
    P p("p");
    const Array x = p.array("x", 64, c.bytes);
    p.task("t").active = true;
    p.vector(VectorOp::kAdd, c.type, p.all(x), p.all(x), P::integer(1), P::integer(64));
    p.end();
    Bench bench(on_one_tile(p), MeshConfig());
    bench.run();
    // Three steps behind, a write is 12 bytes behind the read in fp32 and 24 bytes in fp16.
    EXPECT_EQ(bench.mesh().cycles(), c.steps);
    const memory::BankCounts banks = bench.mesh().engines().stats().banks;
    EXPECT_EQ(banks.conflict_cycles, 0U);
    EXPECT_EQ(c.bytes == 4 ? banks.reads32 : banks.reads64, c.steps);
    EXPECT_EQ(c.bytes == 4 ? banks.writes32 : banks.writes64, c.steps);
  }
}

TEST(ComputeEnginesTest, TwoArraysInTheSamePairOfBanksCostTwoCyclesAStep) {
  P p("p");
  const Array x = p.array("x", 64), y = p.array("y", 64), z = p.array("z", 64);
  ASSERT_EQ((y.address - x.address) % 32, 0U);
  p.task("t").active = true;
  p.vector(VectorOp::kAdd, kFp32, p.all(z), p.all(x), p.all(y), P::integer(64));
  p.end();
  Bench bench(on_one_tile(p), MeshConfig());
  bench.run();
  // Steps in 3, 5 .. 129; nothing issues in 130.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 129}));
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 131}));
  EXPECT_EQ(bench.mesh().cycles(), 128U);
  EXPECT_EQ(bench.mesh().engines().stats().banks.conflict_cycles, 64U);
  EXPECT_EQ(bench.mesh().engines().times(0).busy, 129U);
}

TEST(ComputeEnginesTest, TwoArraysInOtherPairsRunAtFullRate) {
  P p("p");
  const Array x = p.array("x", 66), y = p.array("y", 70), z = p.array("z", 64);
  ASSERT_EQ((y.address - x.address) % 32, 8U);
  ASSERT_EQ((z.address - x.address) % 32, 0U);
  p.task("t").active = true;
  p.vector(VectorOp::kAdd, kFp32, p.all(z), p.part(x, 0, 64), p.part(y, 0, 64), P::integer(64));
  p.end();
  Bench bench(on_one_tile(p), MeshConfig());
  bench.run();
  // Reads in pairs i / 2 and i / 2 + 1, the write in (i - 3) / 2: always another one.
  EXPECT_EQ(bench.mesh().cycles(), 64U);
}

TEST(ComputeEnginesTest, AWriteThatMeetsTheReadThreeStepsLaterCostsTwoCyclesAStep) {
  P p("p");
  const Array x = p.array("x", 64), y = p.array("y", 72);
  p.task("t").active = true;
  // Element i of the result lies 12 bytes behind where element i of the operand would meet it.
  p.vector(VectorOp::kMove, kFp32, p.part(y, 3, 64), p.all(x), P::integer(64));
  p.end();
  Bench bench(on_one_tile(p), MeshConfig());
  bench.run();
  // Whether the first three steps, before which nothing was written, meet anything is open.
  EXPECT_LE(bench.mesh().cycles(), 128U);
  EXPECT_GE(bench.mesh().cycles(), 125U);
}

// "The write of the step three before": the first steps of an operation have none.
TEST(ComputeEnginesTest, AnOperationOfThreeStepsMeetsNoWriteOfItsOwn) {
  P p("p");
  const Array x = p.array("x", 4), y = p.array("y", 4);
  p.task("t").active = true;
  p.vector(VectorOp::kMove, kFp32, p.all(y), p.all(x), P::integer(3));
  p.end();
  Bench bench(on_one_tile(p), MeshConfig());
  bench.run();
  EXPECT_EQ(bench.mesh().engines().stats().banks.conflict_cycles, 0U);
}

// Rows of one word 32 bytes apart: every read and every write is in the same pair, whatever the
// delay.
TEST(ComputeEnginesTest, AWriteThreeStepsBehindFollowsAWalkOfTwoDimensions) {
  P p("p");
  const Array x = p.array("x", 512), y = p.array("y", 512);
  ASSERT_EQ((y.address - x.address) % 32, 0U);
  p.task("t").active = true;
  const Operand to = p.walk(y, 0, {{1, 1}, {64, 8}}), from = p.walk(x, 0, {{1, 1}, {64, 8}});
  p.vector(VectorOp::kMove, kFp32, to, from, P::integer(64));
  p.end();
  Bench bench(on_one_tile(p), MeshConfig());
  bench.run();
  EXPECT_LE(bench.mesh().engines().stats().banks.conflict_cycles, 64U);
  EXPECT_GE(bench.mesh().engines().stats().banks.conflict_cycles, 61U);
}

// Scalars -----------------------------------------------------------------------------------------

TEST(ComputeEnginesTest, WordsAreLoadedAndStored) {
  P p("p");
  const Array x = p.array("x", 4);
  p.task("t").active = true;
  p.set(3, P::integer(4));
  p.load(1, P::r(3));
  p.scalar(VectorOp::kAdd, kInt32, 1, P::r(1), P::integer(1));
  p.store(P::integer(12), P::r(1));
  p.store(P::integer(0), P::integer(-1));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put<std::uint32_t>(0, x, {10, 20, 30, 40});
  bench.run();
  EXPECT_THAT(bench.get<std::uint32_t>(0, x), ElementsAre(~0U, 20U, 30U, 21U));
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 8}));
}

TEST(ComputeEnginesTest, ALoopTakesACycleAnInstruction) {
  P p("p");
  p.task("t").active = true;
  p.set(1, P::integer(3));
  const std::uint16_t begin = p.here();
  p.scalar(VectorOp::kAdd, kInt32, 2, P::r(2), P::r(1));
  p.scalar(VectorOp::kSub, kInt32, 1, P::r(1), P::integer(1));
  p.jump_if_not_zero(P::r(1), begin);
  p.end();
  Bench bench(on_one_tile(p));
  bench.run();
  EXPECT_EQ(bench.reg(2), 6U);
  // 3, three times three, and the end in 13.
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 13}));
}

TEST(ComputeEnginesTest, JumpsLookAtTheirOperand) {
  P p("p");
  p.task("t").active = true;
  p.jump_if_zero(P::r(1), 2);      // 0: taken
  p.set(2, P::integer(1));         // 1: left out
  p.jump_if_not_zero(P::r(1), 4);  // 2: not taken
  p.set(3, P::integer(1));         // 3
  p.jump(6);                       // 4
  p.set(4, P::integer(1));         // 5: left out
  p.end();                         // 6
  Bench bench(on_one_tile(p));
  bench.run();
  EXPECT_EQ(bench.reg(2), 0U);
  EXPECT_EQ(bench.reg(3), 1U);
  EXPECT_EQ(bench.reg(4), 0U);
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 7}));
}

TEST(ComputeEnginesTest, ARegisterGivesALength) {
  P p("p");
  const Array x = p.array("x", 8), y = p.array("y", 8);
  p.task("t").active = true;
  p.set(1, P::integer(5));
  p.vector(VectorOp::kMove, kFp32, p.all(y), p.all(x), P::r(1));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put(0, x, count_up<float>(8));
  bench.put(0, y, std::vector<float>(8, 0));
  bench.run();
  EXPECT_THAT(bench.get<float>(0, y), ElementsAre(1, 2, 3, 4, 5, 0, 0, 0));
  EXPECT_THAT(bench.operations(1), ElementsAre(Times{4, 8}));
}

TEST(ComputeEnginesTest, AnAddressRegisterMovesADescriptorWhenAnOperationStarts) {
  P p("p");
  const Array x = p.array("x", 8), y = p.array("y", 4);
  p.task("t").active = true;
  p.set(2, P::integer(8));
  on_microthread(
      p.vector(VectorOp::kMove, kFp32, p.all(y), p.at_register(p.part(x, 0, 4), 2), P::integer(4)),
      0);
  p.set(2, P::integer(0));  // too late for the operation
  p.end();
  Bench bench(on_one_tile(p));
  bench.put(0, x, count_up<float>(8));
  bench.run();
  EXPECT_THAT(bench.get<float>(0, y), ElementsAre(3, 4, 5, 6));
}

// Faults ------------------------------------------------------------------------------------------

/// What becomes of a copy of 4 words from x at the offset in register 1 to y at that in register 2.
std::string copy_at(std::int64_t from, std::int64_t to) {
  P p("p");
  const Array x = p.array("x", 4), y = p.array("y", 4);
  p.task("start").active = true;
  p.activate(1);
  p.set(1, P::integer(from));
  p.set(2, P::integer(to));
  p.end();
  p.task("copy");
  p.vector(VectorOp::kMove, kFp32, p.at_register(p.all(y), 2), p.at_register(p.all(x), 1),
           P::integer(4));
  p.end();
  return Bench(on_one_tile(p)).failure();
}

TEST(ComputeEnginesTest, AReadOutOfTheMemoryStopsTheRun) {
  // The first task issues in 3 .. 6, the copy begins in 7 + 3; its third element is out.
  EXPECT_EQ(copy_at(49152 - 8, 0),
            "tile fault in cycle 12: tile (0,0), program 'p', task 'copy', instruction 4 (move of "
            "fp32): reads byte 49152 of 'x', the memory has 49152");
  EXPECT_EQ(copy_at(-4, 0),
            "tile fault in cycle 10: tile (0,0), program 'p', task 'copy', instruction 4 (move of "
            "fp32): reads byte -4 of 'x', the memory has 49152");
}

TEST(ComputeEnginesTest, AWriteOutOfTheMemoryStopsTheRun) {
  EXPECT_EQ(copy_at(0, 49152 - 16),
            "tile fault in cycle 10: tile (0,0), program 'p', task 'copy', instruction 4 (move of "
            "fp32): writes byte 49152 of 'y', the memory has 49152");
  EXPECT_THAT(copy_at(0, -20), HasSubstr("writes byte -4 of 'y', the memory has 49152"));
  EXPECT_EQ(copy_at(0, 0), "");
}

TEST(ComputeEnginesTest, ALoadOrStoreOutOfTheMemoryStopsTheRun) {
  P p("p");
  p.task("t").active = true;
  p.load(1, P::integer(49152 - 2));
  p.end();
  EXPECT_EQ(Bench(on_one_tile(p)).failure(),
            "tile fault in cycle 3: tile (0,0), program 'p', task 't', instruction 0: reads byte "
            "49150, the memory has 49152");
  P q("q");
  q.task("t").active = true;
  q.store(P::integer(-4), P::integer(1));
  q.end();
  EXPECT_THAT(Bench(on_one_tile(q)).failure(),
              HasSubstr("instruction 0: writes byte 4294967292, the memory has 49152"));
}

TEST(ComputeEnginesTest, AnIllegalKernelIsRefusedBeforeTheRun) {
  P p("p");
  p.task("t").active = true;
  p.jump(5);
  const Kernel kernel = on_one_tile(p);
  EXPECT_THROW(TileMesh(kernel, MeshConfig()), ProgramError);
}

// Deadlocks ---------------------------------------------------------------------------------------

TEST(ComputeEnginesTest, ADeadlockNamesTheWaveletThatIsWaitedFor) {
  Sender sender(1);
  Receiver receiver(2);
  const Array y = receiver.array("y", 2);
  receiver.task("main").active = true;
  receiver.vector(VectorOp::kMove, kInt32, receiver.all(y), receiver.fabric_in(2), P::integer(2));
  receiver.end();
  const std::string text = Bench(on_a_row(2, sender, receiver)).failure();
  EXPECT_THAT(text, testing::StartsWith("deadlock in cycle "));
  EXPECT_THAT(text,
              HasSubstr("\n  tile (1,0), program 'receiver', task 'main', instruction 0 (move "
                        "of int32): 1 of 2 elements done, waits for a wavelet of color 3 in "
                        "input queue 2"));
}

TEST(ComputeEnginesTest, ADeadlockNamesATaskThatIsActivatedAndBlocked) {
  P p("p");
  p.task("a").active = true;
  p.block(1);
  p.activate(1);
  p.end();
  p.task("b");
  p.end();
  EXPECT_THAT(Bench(on_one_tile(p)).failure(),
              HasSubstr("tile (0,0), program 'p', task 'b': is activated and blocked"));
}

TEST(ComputeEnginesTest, ADeadlockNamesWaveletsThatNobodyReads) {
  Sender sender(2);
  Receiver receiver(1);
  receiver.task("main").active = true;
  receiver.end();
  EXPECT_THAT(
      Bench(on_a_row(2, sender, receiver)).failure(),
      HasSubstr("tile (1,0), program 'receiver': 2 wavelets of color 3 in input queue 1 that "
                "nobody reads"));
}

TEST(ComputeEnginesTest, ADeadlockNamesAQueueWithoutRoom) {
  Sender sender(64);
  Receiver receiver(4);
  receiver.task("main").active = true;
  receiver.end();
  const std::string text = Bench(on_a_row(2, sender, receiver)).failure();
  // Behind the ramp 2 + 2, in the two routers 2 and 2 + 2, in the output queue 2.
  EXPECT_THAT(text,
              HasSubstr("12 of 64 elements done, waits for room in output queue 0 of color 3"));
  EXPECT_THAT(text, HasSubstr("2 wavelets of color 3 in output queue 0"));
  EXPECT_THAT(text, HasSubstr("4 wavelets of color 3 in input queue 4 that nobody reads"));
  EXPECT_THAT(text, HasSubstr("waits for the compute engine of tile (1, 0) to read color 3"));
}

TEST(ComputeEnginesTest, ADeadlockNamesTheMicrothreadAndTheFifoThatAreWaitedFor) {
  P p("p");
  const Array x = p.array("x", 4), ring = p.array("ring", 2);
  const Operand fifo = p.fifo(ring);
  p.task("t").active = true;
  on_microthread(p.vector(VectorOp::kMove, kFp32, fifo, p.all(x), P::integer(4)), 2);
  on_microthread(p.vector(VectorOp::kMove, kFp32, fifo, p.all(x), P::integer(4)), 2);
  p.end();
  const std::string text = Bench(on_one_tile(p)).failure();
  EXPECT_THAT(text, HasSubstr("2 of 4 elements done, the FIFO 'ring' is full"));
  EXPECT_THAT(text, HasSubstr("instruction 1 (move of fp32): waits for microthread 2"));
}

// Through the fabric ------------------------------------------------------------------------------

TEST(ComputeEnginesTest, ASlowReceiverHoldsItsSenderBackAndLosesNothing) {
  for (const std::uint8_t queue : {std::uint8_t{0}, std::uint8_t{2}, std::uint8_t{4}}) {
    const std::uint32_t depth = MeshConfig().compute.input_depths[queue];
    Sender sender(64);
    Receiver receiver(queue);
    const Array y = receiver.array("y", 64);
    receiver.task("main").active = true;
    receiver.set(1, P::integer(600));
    receiver.scalar(VectorOp::kSub, kInt32, 1, P::r(1), P::integer(1));
    receiver.jump_if_not_zero(P::r(1), 1);
    receiver.vector(VectorOp::kMove, kInt32, receiver.all(y), receiver.fabric_in(queue),
                    P::integer(64));
    receiver.end();
    Bench bench(on_a_row(2, sender, receiver));
    bench.put(0, sender.x, count_up<std::uint32_t>(64));
    int looks = 0;
    bench.mesh().run([&] {
      const Cycles now = bench.mesh().now();
      if (now < 200 || now > 1200) return;
      ++looks;
      const fabric::EngineCounts counts = bench.mesh().fabric().counts();
      // Slots: depth + 2 (r - 1) behind the ramp; 2 + 2 (h - 1) in the second router, 2 + 2 (r - 1)
      // in the first one; 2 in the output queue.
      EXPECT_EQ(counts.delivered, depth + 2);
      EXPECT_EQ(bench.mesh().fabric().held(), 2U + 4U);
      EXPECT_EQ(counts.injected, depth + 2 + 6);
      EXPECT_EQ(bench.mesh().engines().stats().elements, depth + 2 + 6 + 2);
    });
    EXPECT_GE(looks, 3);
    EXPECT_EQ(bench.get<std::uint32_t>(1, y), count_up<std::uint32_t>(64));
    // 1,201 scalars from 3 on; then a word a cycle, for the queues are full.
    EXPECT_THAT(bench.operations(3, 1), ElementsAre(Times{1204, 1204 + 63}));
  }
}

TEST(ComputeEnginesTest, AWordIsReadTwoRampsAndTheHopsAfterItIsGiven) {
  for (const std::uint32_t columns : {2U, 3U}) {
    for (const std::uint32_t hop : {1U, 3U}) {
      for (const std::uint32_t ramp : {2U, 5U}) {
        for (const std::uint32_t words : {1U, 20U}) {
          Sender sender(words);
          Receiver receiver;
          const Array y = receiver.array("y", words);
          receiver.task("main").active = true;
          receiver.vector(VectorOp::kMove, kInt32, receiver.all(y), receiver.fabric_in(0),
                          P::integer(words));
          receiver.end();
          MeshConfig config = many_banks();
          config.fabric.hop_cycles = hop;
          config.fabric.ramp_cycles = ramp;
          Bench bench(on_a_row(columns, sender, receiver), config);
          bench.put(0, sender.x, count_up<std::uint32_t>(words));
          bench.run();
          EXPECT_EQ(bench.get<std::uint32_t>(columns - 1, y), count_up<std::uint32_t>(words));
          // Written in 3 + i, given in 4 + i; leaves the router r later, the last one h a hop
          // later, and can be read r later.
          const Cycles first = 4 + 2 * ramp + (columns - 1) * hop;
          EXPECT_THAT(bench.operations(0, columns - 1), ElementsAre(Times{3, first + words - 1}));
          EXPECT_EQ(bench.mesh().cycles(), first + words - 3);
        }
      }
    }
  }
}

TEST(ComputeEnginesTest, AWordThatIsPassedOnTakesSixCyclesATile) {
  constexpr std::uint32_t kWords = 10;
  constexpr std::uint8_t kSecond = 4;
  Sender sender(kWords);
  Receiver receiver;
  P middle("middle");
  middle.input(0, kColor);
  middle.output(0, kSecond);
  middle.task("main").active = true;
  middle.vector(VectorOp::kAdd, kInt32, middle.fabric_out(0), middle.fabric_in(0), P::integer(100),
                P::integer(kWords));
  middle.end();
  P last("last");
  last.input(0, kSecond);
  const Array y = last.array("y", kWords);
  last.task("main").active = true;
  last.vector(VectorOp::kMove, kInt32, last.all(y), last.fabric_in(0), P::integer(kWords));
  last.end();
  Kernel kernel(Mesh{3, 1});
  kernel.routes.set(0, kColor, {Port::kRamp, Port::kEast});
  kernel.routes.set(1, kColor, {Port::kWest, Port::kRamp});
  kernel.routes.set(1, kSecond, {Port::kRamp, Port::kEast});
  kernel.routes.set(2, kSecond, {Port::kWest, Port::kRamp});
  kernel.program_of[0] = kernel.add(sender.build());
  kernel.program_of[1] = kernel.add(middle.build());
  kernel.program_of[2] = kernel.add(last.build());
  Bench bench(std::move(kernel));
  bench.put(0, sender.x, count_up<std::uint32_t>(kWords));
  bench.run();
  // Read in 9 .. 18 and in 15 .. 24.
  EXPECT_THAT(bench.operations(0, 1), ElementsAre(Times{3, 18}));
  EXPECT_THAT(bench.operations(0, 2), ElementsAre(Times{3, 24}));
  EXPECT_EQ(bench.get<std::uint32_t>(2, y).front(), 101U);
  EXPECT_EQ(bench.get<std::uint32_t>(2, y).back(), 110U);
  EXPECT_EQ(bench.mesh().cycles(), kWords + 2 * 6);
}

TEST(ComputeEnginesTest, OutputQueuesGiveInTurn) {
  // Two colors to the next tile, 6 words each in queues of depth 6.
  constexpr std::uint8_t kSecond = 4;
  P sender("sender");
  sender.output(2, kColor);
  sender.output(3, kSecond);
  sender.task("main").active = true;
  sender.vector(VectorOp::kMove, kInt32, sender.fabric_out(2), P::integer(1), P::integer(6));
  sender.vector(VectorOp::kMove, kInt32, sender.fabric_out(3), P::integer(2), P::integer(6));
  sender.end();
  P receiver("receiver");
  receiver.input(0, kColor);
  receiver.input(1, kSecond);
  const Array x = receiver.array("x", 32), y = receiver.array("y", 6);
  receiver.task("main").active = true;
  on_microthread(receiver.vector(VectorOp::kMove, kInt32, receiver.part(x, 0, 6),
                                 receiver.fabric_in(0), P::integer(6)),
                 0);
  on_microthread(receiver.vector(VectorOp::kMove, kInt32, receiver.all(y), receiver.fabric_in(1),
                                 P::integer(6)),
                 1);
  receiver.end();
  Kernel kernel(Mesh{2, 1});
  for (const std::uint8_t color : {kColor, kSecond}) {
    kernel.routes.set(0, color, {Port::kRamp, Port::kEast});
    kernel.routes.set(1, color, {Port::kWest, Port::kRamp});
  }
  kernel.program_of[0] = kernel.add(sender.build());
  kernel.program_of[1] = kernel.add(receiver.build());
  Bench bench(std::move(kernel));
  bench.run();
  // A word a cycle is written in 3 .. 14 and given in 4 .. 15, whatever the color: read in 9 .. 20.
  EXPECT_THAT(bench.operations(0, 1), ElementsAre(Times{3, 14}));
  EXPECT_EQ(bench.operations(1, 1).front().end, 20U);
}

// "A color each": either the check refuses two output queues of one color, or their words arrive.
TEST(ComputeEnginesTest, TwoOutputQueuesOfOneColorAreRefusedOrWork) {
  P sender("sender");
  sender.output(0, kColor);
  sender.output(1, kColor);
  sender.task("main").active = true;
  for (const std::uint8_t queue : {std::uint8_t{0}, std::uint8_t{1}}) {
    sender.vector(VectorOp::kMove, kInt32, sender.fabric_out(queue), P::integer(queue),
                  P::integer(20));
  }
  sender.end();
  Receiver receiver;
  const Array y = receiver.array("y", 40);
  receiver.task("main").active = true;
  receiver.vector(VectorOp::kMove, kInt32, receiver.all(y), receiver.fabric_in(0), P::integer(40));
  receiver.end();
  const Kernel kernel = on_a_row(2, sender, receiver);
  try {
    check(kernel, MeshConfig().sram.size_bytes);
  } catch (const ProgramError&) {
    return;
  }
  EXPECT_EQ(Bench(kernel).failure(), "");
}

TEST(ComputeEnginesTest, AColorThatIsTornDownIsAFaultOfTheTileThatSendsIt) {
  Kernel kernel({2, 1});
  kernel.routes.set(0, kColor, {Port::kRamp, Port::kEast});
  kernel.routes.set(1, kColor, {Port::kWest, Port::kRamp});
  P sender("sender");
  sender.output(2, kColor);
  sender.task("send").active = true;
  constexpr std::uint32_t kTeardown = 3;  // of the router of the sender: the first command
  sender.vector(VectorOp::kMove, kInt32, sender.control_out(2), P::integer(kTeardown),
                P::integer(1));
  sender.vector(VectorOp::kMove, kInt32, sender.fabric_out(2), P::integer(7), P::integer(40));
  sender.end();
  P reader("reader");
  reader.input(0, kColor);
  reader.task("wait");
  reader.end();
  kernel.program_of[0] = kernel.add(sender.build());
  kernel.program_of[1] = kernel.add(reader.build());
  const std::string failure = Bench(kernel).failure();
  EXPECT_THAT(failure,
              HasSubstr("tile (0,0): color 3 was torn down, 4 of its wavelets from the "
                        "compute engine stay\n  tile (0,0), program 'sender', task 'send', "
                        "instruction 1 (move of int32): "));
  EXPECT_THAT(failure, HasSubstr("waits for room in output queue 2 of color 3"));
}

}  // namespace
}  // namespace wse::tiles
