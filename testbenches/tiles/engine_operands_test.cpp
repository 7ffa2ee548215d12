// SPDX-License-Identifier: Apache-2.0
// Operands of vector operations: rings, walks, lanes, unpack and banks, each with cycles worked out by
// hand; the rules are in docs/timing.md.
#include "support/engine_bench.h"

namespace wse::tiles {
namespace {

// FIFOs and circular buffers ----------------------------------------------------------------------

TEST(EngineOperandsTest, AFifoJoinsTwoThreads) {
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

TEST(EngineOperandsTest, AFullFifoMakesItsWriterWait) {
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

TEST(EngineOperandsTest, AFullFifoFaultsWhereItIsAskedTo) {
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

TEST(EngineOperandsTest, APushActivatesATask) {
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

TEST(EngineOperandsTest, ACircularBufferGoesOnWhereTheLastOperationEnded) {
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

TEST(EngineOperandsTest, ACircularBufferThatIsReadAndWrittenGoesOnOnce) {
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

TEST(EngineOperandsTest, ASeekMovesACircularBuffer) {
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
TEST(EngineOperandsTest, EachOfManyCircularBuffersGoesOn) {
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

TEST(EngineOperandsTest, AnOperandWalksOverUpToFourDimensions) {
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

TEST(EngineOperandsTest, AResultWalksOverUpToFourDimensions) {
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

TEST(EngineOperandsTest, AWalkThatIsLongerThanItsExtentsBeginsAnew) {
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

TEST(EngineOperandsTest, ASumWalksOnOneElement) {
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

TEST(EngineOperandsTest, AnAccumulatorTakesTheElementsOfAStepOneAfterTheOther) {
  // A product of two vectors: four elements of fp16 a step, two of mixed, whose sum is fp32.
  for (const DataType type : {kFp16, DataType::kMixed}) {
    const std::uint8_t sum_bytes = type == kFp16 ? 2 : 4;
    P p("p");
    const Array x = p.near_array("x", 16, 2), y = p.array("y", 16, 2);
    const Array sum = p.near_array("sum", 1, sum_bytes);
    const Operand into = p.walk(sum, 0, {{16, 0}});
    p.task("t").active = true;
    p.vector(VectorOp::kFma, type, into, p.all(x), p.all(y), into, P::integer(16));
    p.end();
    Bench bench(on_one_tile(p), MeshConfig());
    std::vector<std::uint16_t> ones(16, 0x3c00);
    ones[3] = 0x4000;  // 2
    bench.put(0, x, ones);
    bench.put(0, y, ones);
    bench.run();
    EXPECT_EQ(bench.mesh().cycles(), type == kFp16 ? 4U : 8U);
    if (type == kFp16) {
      EXPECT_EQ(bench.get<std::uint16_t>(0, sum)[0], Half::of(19.0F).bits());
    } else {
      EXPECT_EQ(bench.get<float>(0, sum)[0], 19.0F);
    }
  }
}

// Lanes -------------------------------------------------------------------------------------------

TEST(EngineOperandsTest, AStepInMemoryDoesAsManyElementsAsThereAreLanes) {
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

TEST(EngineOperandsTest, MovesAndAdditionsOf32BitsAreTwoAStepAndMultiplicationsOne) {
  struct Case {
    VectorOp op;
    DataType type;
    Cycles steps;
  };
  for (const Case& c : {Case{VectorOp::kMove, kFp32, 8}, Case{VectorOp::kAdd, kFp32, 8},
                        Case{VectorOp::kMax, kInt32, 8}, Case{VectorOp::kXor, kInt32, 8},
                        Case{VectorOp::kMul, kFp32, 16}, Case{VectorOp::kToInt, kFp32, 16}}) {
    P p("p");
    const Array x = p.near_array("x", 16), y = p.near_array("y", 16);
    p.task("t").active = true;
    p.vector(c.op, c.type, p.all(y), p.all(x), operands_of(c.op) == 2 ? p.all(x) : Operand(),
             Operand(), P::integer(16));
    p.end();
    EXPECT_EQ(Bench(on_one_tile(p), MeshConfig()).run().mesh().cycles(), c.steps)
        << name_of(c.op) << " " << name_of(c.type);
  }
}

TEST(EngineOperandsTest, AStepDoesOnlyElementsThatLieSideBySide) {
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

TEST(EngineOperandsTest, AStepThroughTheFabricDoesWhatAWaveletHolds) {
  EXPECT_EQ(sent(kFp16, 2), 32U + 6);
  EXPECT_EQ(sent(DataType::kInt16, 2), 32U + 6);
  EXPECT_EQ(sent(DataType::kMixed, 2), 32U + 6);
  EXPECT_EQ(sent(DataType::kMixed, 4), 64U + 6);
  EXPECT_EQ(sent(kFp32, 4), 64U + 6);
  EXPECT_EQ(sent(kInt32, 4), 64U + 6);
}

TEST(EngineOperandsTest, TwoHalvesAreOneWaveletAndAnOddOneIsAlone) {
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

TEST(EngineOperandsTest, HalvesFromTheFabricAreAddedInPairs) {
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

TEST(EngineOperandsTest, TheMixedFormatWidensOperandsAndRoundsResults) {
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

TEST(EngineOperandsTest, UnpackPutsValuesWhereTheirIndexSays) {
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

TEST(EngineOperandsTest, UnpackFaultsAtAnIndexOutOfRange) {
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
TEST(EngineOperandsTest, AnAdditionInPlaceRunsAtFullRate) {
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
    Bench bench(on_one_tile(p), a_word_a_step());
    bench.run();
    // Three steps behind, a write is 12 bytes behind the read in fp32 and 24 bytes in fp16.
    EXPECT_EQ(bench.mesh().cycles(), c.steps);
    const memory::BankCounts banks = bench.mesh().engines().stats().banks;
    EXPECT_EQ(banks.conflict_cycles, 0U);
    EXPECT_EQ(c.bytes == 4 ? banks.reads32 : banks.reads64, c.steps);
    EXPECT_EQ(c.bytes == 4 ? banks.writes32 : banks.writes64, c.steps);
  }
}

TEST(EngineOperandsTest, TwoArraysInTheSamePairOfBanksCostTwoCyclesAStep) {
  P p("p");
  const Array x = p.array("x", 64), y = p.array("y", 64), z = p.array("z", 64);
  ASSERT_EQ((y.address - x.address) % 32, 0U);
  p.task("t").active = true;
  p.vector(VectorOp::kAdd, kFp32, p.all(z), p.all(x), p.all(y), P::integer(64));
  p.end();
  Bench bench(on_one_tile(p), a_word_a_step());
  bench.run();
  // Steps in 3, 5 .. 129; nothing issues in 130.
  EXPECT_THAT(bench.operations(0), ElementsAre(Times{3, 129}));
  EXPECT_THAT(bench.tasks("t"), ElementsAre(Times{0, 131}));
  EXPECT_EQ(bench.mesh().cycles(), 128U);
  EXPECT_EQ(bench.mesh().engines().stats().banks.conflict_cycles, 64U);
  EXPECT_EQ(bench.mesh().engines().times(0).busy, 65U);
}

TEST(EngineOperandsTest, AnArrayInTheNearBufferAsksNothingOfTheBanks) {
  // x and y lie 32 bytes apart, the sum has a third operand: all three would meet.
  P p("p");
  const Array x = p.array("x", 8), y = p.array("y", 8);
  const Array sum = p.near_array("sum", 8);
  p.task("t").active = true;
  p.vector(VectorOp::kFma, kFp32, p.all(sum), p.all(x), P::number(2), p.all(sum), P::integer(8));
  p.vector(VectorOp::kFma, kFp32, p.all(sum), p.all(sum), p.all(sum), p.all(y), P::integer(8));
  p.end();
  Bench bench(on_one_tile(p), a_word_a_step());
  bench.put(0, x, count_up<float>(8));
  bench.put(0, y, count_up<float>(8));
  bench.put<float>(0, sum, std::vector<float>(8, 1));
  bench.run();
  EXPECT_EQ(bench.operations(0)[0], (Times{3, 10}));
  EXPECT_EQ(bench.operations(1)[0], (Times{11, 18}));
  EXPECT_EQ(bench.get<float>(0, sum)[1], (1 + 4) * (1 + 4) + 2);
}

TEST(EngineOperandsTest, TwoArraysInOtherPairsRunAtFullRate) {
  P p("p");
  const Array x = p.array("x", 66), y = p.array("y", 70), z = p.array("z", 64);
  ASSERT_EQ((y.address - x.address) % 32, 8U);
  ASSERT_EQ((z.address - x.address) % 32, 0U);
  p.task("t").active = true;
  p.vector(VectorOp::kAdd, kFp32, p.all(z), p.part(x, 0, 64), p.part(y, 0, 64), P::integer(64));
  p.end();
  Bench bench(on_one_tile(p), a_word_a_step());
  bench.run();
  // Reads in pairs i / 2 and i / 2 + 1, the write in (i - 3) / 2: always another one.
  EXPECT_EQ(bench.mesh().cycles(), 64U);
}

TEST(EngineOperandsTest, AWriteThatMeetsTheReadThreeStepsLaterCostsTwoCyclesAStep) {
  P p("p");
  const Array x = p.array("x", 64), y = p.array("y", 72);
  p.task("t").active = true;
  // Element i of the result lies 12 bytes behind where element i of the operand would meet it.
  p.vector(VectorOp::kMove, kFp32, p.part(y, 3, 64), p.all(x), P::integer(64));
  p.end();
  Bench bench(on_one_tile(p), a_word_a_step());
  bench.run();
  // Whether the first three steps, before which nothing was written, meet anything is open.
  EXPECT_LE(bench.mesh().cycles(), 128U);
  EXPECT_GE(bench.mesh().cycles(), 125U);
}

// "The write of the step three before": the first steps of an operation have none.
TEST(EngineOperandsTest, AnOperationOfThreeStepsMeetsNoWriteOfItsOwn) {
  P p("p");
  const Array x = p.array("x", 4), y = p.array("y", 4);
  p.task("t").active = true;
  p.vector(VectorOp::kMove, kFp32, p.all(y), p.all(x), P::integer(3));
  p.end();
  Bench bench(on_one_tile(p), a_word_a_step());
  bench.run();
  EXPECT_EQ(bench.mesh().engines().stats().banks.conflict_cycles, 0U);
}

// Rows of one word 32 bytes apart: every read and every write is in the same pair, whatever the
// delay.
TEST(EngineOperandsTest, AWriteThreeStepsBehindFollowsAWalkOfTwoDimensions) {
  P p("p");
  const Array x = p.array("x", 512), y = p.array("y", 512);
  ASSERT_EQ((y.address - x.address) % 32, 0U);
  p.task("t").active = true;
  const Operand to = p.walk(y, 0, {{1, 1}, {64, 8}}), from = p.walk(x, 0, {{1, 1}, {64, 8}});
  p.vector(VectorOp::kMove, kFp32, to, from, P::integer(64));
  p.end();
  Bench bench(on_one_tile(p), a_word_a_step());
  bench.run();
  EXPECT_LE(bench.mesh().engines().stats().banks.conflict_cycles, 64U);
  EXPECT_GE(bench.mesh().engines().stats().banks.conflict_cycles, 61U);
}

}  // namespace
}  // namespace wse::tiles
