// SPDX-License-Identifier: Apache-2.0
// The rules of 'The compute engine, cycle by cycle' in docs/timing.md, each with cycles worked out
// by hand: tasks, threads, scalars, faults and the fabric. A program starts in cycle 0: its task is
// taken in 0 and its first instruction issues in 3.
#include "support/engine_bench.h"

namespace wse::tiles {
namespace {

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

TEST(ComputeEnginesTest, AReceiveWaitsForItsWaveletAndSplitsIt) {
  Sender sender(4);
  Receiver receiver(2);
  receiver.task("t").active = true;
  receiver.receive(0, 2, kFp16);
  receiver.receive(2, 2, DataType::kMixed);
  receiver.receive_pair(6, 2);
  receiver.receive(4, 2, kInt32);
  receiver.time(5);
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.put<std::uint32_t>(0, sender.x, {0x12343c00, 0x5678c000, 0xc0003c00, 0x9abcdef0});
  bench.run();
  EXPECT_EQ(bench.reg(0, 1), 0x3c00U);
  EXPECT_EQ(bench.reg(1, 1), 0x1234U);
  EXPECT_EQ(bench.reg(2, 1), 0xc0000000U);  // -2 as fp32
  EXPECT_EQ(bench.reg(3, 1), 0x5678U);
  EXPECT_EQ(bench.reg(6, 1), 0x3f800000U);  // 1 and -2
  EXPECT_EQ(bench.reg(7, 1), 0xc0000000U);
  EXPECT_EQ(bench.reg(4, 1), 0x9abcdef0U);
  // The words can be read in 9 to 12.
  EXPECT_EQ(bench.reg(5, 1) - ComputeEngines::clock_offset({1, 0}), 13U);
}

TEST(ComputeEnginesTest, AReceiveJumpsAtAControlWavelet) {
  Sender sender(2, true);
  Receiver receiver;
  receiver.task("t").active = true;
  receiver.receive(0, 0, kInt32, 2);  // both controls lead on, nothing is received
  receiver.set(1, P::integer(7));
  receiver.receive(0, 0, kInt32, 4);
  receiver.set(2, P::integer(8));
  receiver.set(3, P::integer(9));
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  bench.put<std::uint32_t>(0, sender.x, {1, 1});
  bench.run();
  EXPECT_EQ(bench.reg(0, 1), 0U);
  EXPECT_EQ(bench.reg(1, 1), 0U);
  EXPECT_EQ(bench.reg(2, 1), 0U);
  EXPECT_EQ(bench.reg(3, 1), 9U);
}

TEST(ComputeEnginesTest, ADeadlockNamesTheReceiveThatWaits) {
  Sender sender(1);
  Receiver receiver;
  receiver.task("t").active = true;
  receiver.receive(0, 0, kInt32);
  receiver.receive(0, 0, kInt32);
  receiver.end();
  Bench bench(on_a_row(2, sender, receiver));
  EXPECT_THAT(bench.failure(), HasSubstr("waits for a wavelet of color 3 in input queue 0"));
}

TEST(ComputeEnginesTest, ALoadHasAnOffsetAndTheWidthOfItsType) {
  P p("p");
  const Array x = p.array("x", 4, 2);
  p.task("t").active = true;
  p.set(7, P::integer(x.address));
  p.load(0, P::r(7), kInt32, P::integer(2));
  p.load(1, P::r(7), kFp16, P::integer(2));
  p.load(2, P::r(7), DataType::kMixed, P::integer(4));
  p.end();
  Bench bench(on_one_tile(p));
  bench.put<std::uint16_t>(0, x, {0x1111, 0x3c00, 0xc000, 0x4444});
  bench.run();
  EXPECT_EQ(bench.reg(0), 0xc0003c00U);
  EXPECT_EQ(bench.reg(1), 0x3c00U);
  EXPECT_EQ(bench.reg(2), 0xc0000000U);
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
    check(kernel, MeshConfig().sram.size_bytes, MeshConfig().compute.cache_bytes);
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
