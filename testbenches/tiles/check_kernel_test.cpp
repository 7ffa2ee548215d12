// SPDX-License-Identifier: Apache-2.0
// Every rule of check(), each broken by a small kernel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "wse/tiles/kernel.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {
namespace {

using fabric::Mesh;
using fabric::Port;
using testing::HasSubstr;
using testing::Not;
using P = ProgramBuilder;

constexpr std::uint64_t kSram = 48 * 1024;
constexpr DataType kFp32 = DataType::kFp32;

/// A program on tile (0, 0) of a mesh of one; nothing is routed.
Kernel on_one_tile(Program program) {
  Kernel kernel(Mesh{1, 1});
  kernel.name = "k";
  kernel.program_of[0] = kernel.add(std::move(program));
  return kernel;
}

/// What check() says; empty if the kernel is legal.
std::string violations(const Kernel& kernel, std::uint64_t sram = kSram) {
  try {
    check(kernel, sram, 256);
  } catch (const ProgramError& error) {
    return error.what();
  }
  return "";
}
std::string violations(P& p, std::uint64_t sram = kSram) {
  return violations(on_one_tile(p.build()), sram);
}

/// A program of a task 't' that goes on with what the test adds.
struct Started : P {
  Started() : P("p") { task("t").active = true; }
};

/// An instruction 0 of 'p' that is wrong in one way.
std::string first_instruction(const std::string& rule) {
  return "k, tile (0,0), program 'p', task 't', instruction 0: " + rule;
}

TEST(CheckKernelTest, ALegalKernelPasses) {
  P p("double");
  const Array x = p.array("x", 64);
  p.task("main").active = true;
  p.vector(VectorOp::kAdd, kFp32, p.all(x), p.all(x), p.all(x), P::integer(64));
  p.end();
  EXPECT_EQ(violations(p), "");
}

TEST(CheckKernelTest, ALegalKernelWithRoutesPasses) {
  Kernel kernel(Mesh{2, 1});
  kernel.routes.set(0, 5, {Port::kRamp, Port::kEast});
  kernel.routes.set(1, 5, {Port::kWest, Port::kRamp});
  P sender("sender");
  sender.output(0, 5);
  const Array x = sender.array("x", 4, 2);
  sender.task("main").active = true;
  sender.vector(VectorOp::kMove, DataType::kFp16, sender.fabric_out(0, 2), sender.all(x),
                P::integer(4));
  sender.end();
  P receiver("receiver");
  receiver.input(3, 5);
  const Array y = receiver.array("y", 4, 2);
  receiver.data_task("main", 3);
  receiver.vector(VectorOp::kMove, DataType::kFp16, receiver.all(y), receiver.fabric_in(3, 2),
                  P::integer(4));
  receiver.end();
  kernel.program_of[0] = kernel.add(sender.build());
  kernel.program_of[1] = kernel.add(receiver.build());
  EXPECT_EQ(violations(kernel), "");
}

TEST(CheckKernelTest, AnIdleMeshPasses) { EXPECT_EQ(violations(Kernel(Mesh{3, 2})), ""); }

// Routes, queues and colors -----------------------------------------------------------------------

TEST(CheckKernelTest, AnIllegalRouteIsNamedWithTheRest) {
  Started p;
  p.jump(7);
  Kernel kernel = on_one_tile(p.build());
  kernel.routes.set(0, 3, {Port::kRamp, Port::kEast});  // leaves the mesh
  const std::string text = violations(kernel);
  EXPECT_THAT(text, HasSubstr("east"));
  EXPECT_THAT(text, HasSubstr("jumps to instruction 7"));
}

TEST(CheckKernelTest, AColorIsOneOf24) {
  Started p;
  p.input(2, 24);
  p.end();
  EXPECT_EQ(violations(p),
            "k, tile (0,0), program 'p': input queue 2 has color 24, must be 0 .. 23");
}

/// A route around the only tile, from its ramp back to its ramp.
Kernel with_route(P& p, std::uint8_t color) {
  Kernel kernel = on_one_tile(p.build());
  kernel.routes.set(0, color, {Port::kRamp, Port::kRamp});
  return kernel;
}

TEST(CheckKernelTest, AColorFillsOneInputQueue) {
  Started p;
  p.input(0, 4);
  p.input(1, 4);
  p.end();
  EXPECT_EQ(violations(with_route(p, 4)),
            "k, tile (0,0), program 'p': color 4 is tied to two input queues");
}

TEST(CheckKernelTest, AnInputQueueNeedsARouteToTheRamp) {
  Started p;
  p.input(1, 4);
  p.end();
  EXPECT_EQ(violations(p),
            "k, tile (0,0), program 'p': input queue 1 waits for color 4, which no route leads to "
            "the ramp");
}

TEST(CheckKernelTest, ARouteToTheRampNeedsAnInputQueue) {
  Started p;
  p.output(0, 4);
  p.end();
  EXPECT_EQ(violations(with_route(p, 4)),
            "k, tile (0,0), program 'p': color 4 is routed to the ramp, no input queue has it");
}

TEST(CheckKernelTest, AnOutputQueueNeedsARouteFromTheRamp) {
  Started p;
  p.output(2, 4);
  p.end();
  EXPECT_EQ(violations(p),
            "k, tile (0,0), program 'p': output queue 2 sends color 4, which no route takes from "
            "the ramp");
  Started q;
  q.output(3, 31);
  q.end();
  EXPECT_THAT(violations(q), HasSubstr("output queue 3 sends color 31"));
}

TEST(CheckKernelTest, EachTileOfAProgramIsChecked) {
  Kernel kernel(Mesh{2, 2});
  kernel.name = "k";
  Started p;
  p.input(0, 1);
  p.end();
  const std::uint16_t number = kernel.add(p.build());
  kernel.program_of[1] = number;
  kernel.program_of[2] = number;
  const std::string text = violations(kernel);
  EXPECT_THAT(text, HasSubstr("tile (1,0)"));
  EXPECT_THAT(text, HasSubstr("tile (0,1)"));
  EXPECT_THAT(text, Not(HasSubstr("tile (0,0)")));
}

// Programs and tasks ------------------------------------------------------------------------------

TEST(CheckKernelTest, AProgramHasATaskAndInstructions) {
  P p("p");
  const std::string text = violations(p);
  EXPECT_THAT(text, HasSubstr("k, tile (0,0), program 'p': has no task"));
  EXPECT_THAT(text, HasSubstr("runs past its last instruction, which must be an end or a jump"));
}

TEST(CheckKernelTest, AProgramHasAtMost32Tasks) {
  P p("p");
  for (int i = 0; i < 33; ++i) {
    p.task("t" + std::to_string(i));
    p.end();
  }
  EXPECT_EQ(violations(p), "k, tile (0,0), program 'p': has 33 tasks, at most 32 can be");
}

TEST(CheckKernelTest, AProgramEndsWithAnEndOrAJump) {
  Started p;
  p.set(0, P::integer(1));
  EXPECT_EQ(violations(p),
            "k, tile (0,0), program 'p': runs past its last instruction, which must be an end or a "
            "jump");
  Started q;
  q.jump(0);
  EXPECT_EQ(violations(q), "");
}

TEST(CheckKernelTest, DataAndCodeFitTheMemoryTogether) {
  // 1,000 bytes, of which two instructions take 16.
  Started fits;
  fits.array("x", 246);
  fits.set(0, P::integer(1));
  fits.end();
  EXPECT_EQ(violations(fits, 1000), "");
  Started p;
  p.array("x", 248);
  p.set(0, P::integer(1));
  p.end();
  EXPECT_EQ(violations(p, 1000),
            "k, tile (0,0), program 'p': needs 992 bytes of data and 16 of code, a tile has 1000");
}

TEST(CheckKernelTest, ATaskHasInstructions) {
  Started p;
  p.end();
  p.task("empty");
  EXPECT_EQ(violations(p), "k, tile (0,0), program 'p', task 'empty': has no instructions");
}

TEST(CheckKernelTest, ATaskOfWaveletsHasAQueueWithAColor) {
  P p("p");
  p.data_task("d", 3);
  p.end();
  p.control_task("c", 9, 1);
  p.end();
  const std::string text = violations(p);
  EXPECT_THAT(
      text,
      HasSubstr(
          "k, tile (0,0), program 'p', task 'd': waits for input queue 3, which has no color"));
  EXPECT_THAT(text, HasSubstr("task 'c': waits for input queue 9, which has no color"));
}

TEST(CheckKernelTest, ATaskOfWaveletsIsNotActivatedAtLaunch) {
  P p("p");
  p.input(0, 4);
  p.data_task("d", 0).active = true;
  p.end();
  EXPECT_EQ(violations(with_route(p, 4)),
            "k, tile (0,0), program 'p', task 'd': is activated by wavelets, not at launch");
}

TEST(CheckKernelTest, AControlIdHasSixBits) {
  for (const std::uint8_t id : {std::uint8_t{63}, std::uint8_t{64}}) {
    P p("p");
    p.input(0, 4);
    p.control_task("c", 0, id);
    p.end();
    EXPECT_EQ(violations(with_route(p, 4)),
              id == 63 ? ""
                       : "k, tile (0,0), program 'p', task 'c': has the control id 64, must be "
                         "0 .. 63");
  }
}

// Descriptors -------------------------------------------------------------------------------------

std::string descriptor_of_x(const std::string& rule) {
  return "k, tile (0,0), program 'p', descriptor of 'x': " + rule;
}

/// A program with descriptors that no instruction uses, one of them wrong.
template <class Change>
std::string with_descriptor(Change change) {
  Started p;
  p.end();
  const Array x = p.array("x", 16);
  change(p, x);
  return violations(p);
}

TEST(CheckKernelTest, AnElementHasTwoOrFourBytes) {
  EXPECT_EQ(with_descriptor([](P& p, Array x) {
              x.element_bytes = 3;
              p.part(x, 0, 2);
            }),
            descriptor_of_x("has elements of 3 bytes, must be 2 or 4"));
}

TEST(CheckKernelTest, AnAddressRegisterExists) {
  EXPECT_EQ(with_descriptor([](P& p, Array x) { p.at_register(p.all(x), 16); }),
            descriptor_of_x("adds register 16, there are 16"));
  EXPECT_EQ(with_descriptor([](P& p, Array x) { p.at_register(p.all(x), 15); }), "");
}

TEST(CheckKernelTest, ADescriptorOfTheFabricHasAQueueWithAColor) {
  EXPECT_EQ(with_descriptor([](P& p, Array) { p.fabric_in(2); }),
            "k, tile (0,0), program 'p': reads input queue 2, which has no color");
  EXPECT_EQ(with_descriptor([](P& p, Array) { p.fabric_in(8); }),
            "k, tile (0,0), program 'p': reads input queue 8, which has no color");
  EXPECT_EQ(with_descriptor([](P& p, Array) { p.fabric_out(5); }),
            "k, tile (0,0), program 'p': writes output queue 5, which has no color");
  EXPECT_EQ(with_descriptor([](P& p, Array) { p.control_out(6); }),
            "k, tile (0,0), program 'p': writes output queue 6, which has no color");
}

TEST(CheckKernelTest, ARingHasElements) {
  const auto empty = [](Array x) {
    x.elements = 0;
    return x;
  };
  EXPECT_EQ(with_descriptor([&](P& p, Array x) { p.circular(empty(x)); }),
            descriptor_of_x("is a ring of no elements"));
  EXPECT_EQ(with_descriptor([&](P& p, Array x) { p.fifo(empty(x)); }),
            descriptor_of_x("is a ring of no elements"));
}

TEST(CheckKernelTest, AFifoActivatesATaskThatExists) {
  EXPECT_EQ(with_descriptor([](P& p, Array x) { p.fifo(x, false, 1); }),
            descriptor_of_x("activates task 1, which does not exist"));
  EXPECT_EQ(with_descriptor([](P& p, Array x) { p.fifo(x, false, 0); }), "");
}

TEST(CheckKernelTest, AWalkHasOneToFourDimensions) {
  EXPECT_EQ(with_descriptor([](P& p, Array x) { p.walk(x, 0, {}); }),
            descriptor_of_x("has 0 dimensions, must be 1 .. 4"));
  EXPECT_EQ(with_descriptor([](P& p, Array x) {
              p.walk(x, 0, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}});
            }),
            descriptor_of_x("has 5 dimensions, must be 1 .. 4"));
  EXPECT_EQ(with_descriptor([](P& p, Array x) {
              p.walk(x, 0, {{2, 1}, {2, 2}, {2, 4}, {2, 8}});
            }),
            "");
}

TEST(CheckKernelTest, ADimensionHasElements) {
  EXPECT_EQ(with_descriptor([](P& p, Array x) {
              p.walk(x, 0, {{4, 1}, {0, 4}});
            }),
            descriptor_of_x("has a dimension of no elements"));
}

TEST(CheckKernelTest, NearArraysFitTheirBuffer) {
  Started legal;
  legal.near_array("a", 64);
  legal.end();
  EXPECT_EQ(violations(legal), "");
  Started p;
  const Array a = p.near_array("a", 33);
  p.same(a, "b");  // counts once
  p.near_array("c", 64, 2);
  p.end();
  EXPECT_EQ(
      violations(p),
      "k, tile (0,0), program 'p': needs 260 bytes of the buffer beside the datapath, which has "
      "256");
}

TEST(CheckKernelTest, AReceiveHasAQueueAndRegistersForItsWord) {
  Started p;
  p.receive(15, 2, DataType::kMixed, 9);
  p.end();
  const std::string text = violations(p);
  EXPECT_THAT(text, HasSubstr("receives from input queue 2, which has no color"));
  EXPECT_THAT(text, HasSubstr("jumps to instruction 9, the last one is 1"));
  EXPECT_THAT(text, HasSubstr("needs a register for each of its results"));
}

TEST(CheckKernelTest, AWalkBackwardsStaysInTheMemory) {
  EXPECT_EQ(with_descriptor([](P& p, Array x) {
              p.walk(x, 3, {{5, -1}});
            }),
            descriptor_of_x("begins before the memory"));
  EXPECT_EQ(with_descriptor([](P& p, Array x) { p.walk(x, 3, {{4, -1}}); }), "");
}

TEST(CheckKernelTest, AWalkEndsBeforeTheCode) {
  // The only instruction takes the last 8 of 49,152 bytes: elements of 4 bytes end with 12,285.
  EXPECT_EQ(with_descriptor([](P& p, Array x) { p.part(x, 12284, 2); }), "");
  EXPECT_EQ(with_descriptor([](P& p, Array x) { p.part(x, 12284, 3); }),
            descriptor_of_x("reaches byte 49147, data end at 49144 of 49152"));
  // 0, 4 .. 60 and then 6,000 elements further, twice.
  EXPECT_THAT(with_descriptor([](P& p, Array x) {
                p.walk(x, 0, {{16, 1}, {3, 6143}});
              }),
              HasSubstr("data end at 49144 of 49152"));
  EXPECT_EQ(with_descriptor([](P& p, Array x) { p.walk(x, 12285, {{2, 0}, {3, -6000}}); }), "");
  EXPECT_THAT(with_descriptor([](P& p, Array x) {
                x.address = 49140;
                p.circular({x.address, 2, 4});
              }),
              HasSubstr("reaches byte 49147"));
}

TEST(CheckKernelTest, AnAddressThatARegisterMovesIsLeftToTheRun) {
  EXPECT_EQ(with_descriptor([](P& p, Array x) { p.at_register(p.part(x, 0, 100'000), 3); }), "");
}

TEST(CheckKernelTest, AnAddressIsEven) {
  EXPECT_THAT(with_descriptor([](P& p, Array x) {
                x.address += 1;
                p.part(x, 0, 2);
              }),
              HasSubstr("begins at the odd address 1"));
}

// Instructions ------------------------------------------------------------------------------------

template <class Add>
std::string with_instruction(Add add) {
  Started p;
  const Array x = p.array("x", 16);
  add(p, x);
  p.end();
  return violations(p);
}

TEST(CheckKernelTest, ThereAre16Registers) {
  EXPECT_EQ(with_instruction([](P& p, Array) { p.set(16, P::integer(1)); }),
            first_instruction("register 16 of 16"));
  EXPECT_EQ(with_instruction([](P& p, Array) { p.set(1, P::r(20)); }),
            first_instruction("register 20 of 16"));
  EXPECT_EQ(with_instruction([](P& p, Array x) {
              p.vector(VectorOp::kMove, kFp32, p.all(x), p.all(x), P::r(17));
            }),
            first_instruction("register 17 of 16"));
}

TEST(CheckKernelTest, OnlyVectorOperationsHaveDescriptors) {
  EXPECT_EQ(with_instruction([](P& p, Array x) { p.set(1, p.all(x)); }),
            first_instruction("descriptor 0 cannot be here"));
  EXPECT_EQ(with_instruction([](P& p, Array x) { p.store(P::integer(0), p.all(x)); }),
            first_instruction("descriptor 0 cannot be here"));
  EXPECT_THAT(with_instruction([](P& p, Array x) {
                p.vector(VectorOp::kMove, kFp32, p.all(x), Operand::descriptor(5), P::integer(1));
              }),
              HasSubstr("descriptor 5 cannot be here"));
}

TEST(CheckKernelTest, AnOperationExistsForItsType) {
  EXPECT_EQ(
      with_instruction([](P& p, Array) { p.scalar(VectorOp::kAnd, kFp32, 1, P::r(1), P::r(2)); }),
      first_instruction("there is no and of fp32"));
  EXPECT_EQ(with_instruction(
                [](P& p, Array) { p.scalar(VectorOp::kUnpack, DataType::kInt16, 1, P::r(1)); }),
            first_instruction("there is no unpack of int16"));
  EXPECT_EQ(with_instruction([](P& p, Array x) {
              p.vector(VectorOp::kToInt, DataType::kInt32, p.all(x), p.all(x), P::integer(4));
            }),
            first_instruction("there is no to_int of int32"));
}

TEST(CheckKernelTest, AScalarResultGoesToARegister) {
  EXPECT_EQ(with_instruction([](P& p, Array) {
              p.set(1, P::integer(1));
              p.last().result = {};
            }),
            first_instruction("needs a register for its result"));
  EXPECT_EQ(with_instruction([](P& p, Array) {
              p.load(1, P::integer(0));
              p.last().result = P::integer(3);
            }),
            first_instruction("needs a register for its result"));
}

TEST(CheckKernelTest, AJumpStaysInTheProgram) {
  EXPECT_EQ(with_instruction([](P& p, Array) { p.jump(2); }),
            first_instruction("jumps to instruction 2, the last one is 1"));
  EXPECT_EQ(with_instruction([](P& p, Array) { p.jump_if_zero(P::r(1), 3); }),
            first_instruction("jumps to instruction 3, the last one is 1"));
  EXPECT_EQ(with_instruction([](P& p, Array) { p.jump_if_not_zero(P::r(1), 4); }),
            first_instruction("jumps to instruction 4, the last one is 1"));
  EXPECT_EQ(with_instruction([](P& p, Array) { p.jump(1); }), "");
}

TEST(CheckKernelTest, ATaskThatIsNamedExists) {
  const std::string rule = first_instruction("names task 1, the last one is 0");
  EXPECT_EQ(with_instruction([](P& p, Array) { p.activate(1); }), rule);
  EXPECT_EQ(with_instruction([](P& p, Array) { p.block(1); }), rule);
  EXPECT_EQ(with_instruction([](P& p, Array) { p.unblock(1); }), rule);
}

TEST(CheckKernelTest, ASeekMovesARing) {
  EXPECT_EQ(with_instruction([](P& p, Array x) { p.seek(p.all(x), P::integer(0)); }),
            first_instruction("moves ring 255, the last one is -1"));
  EXPECT_EQ(with_instruction([](P& p, Array x) { p.seek(p.circular(x), P::integer(0)); }), "");
}

// Vector operations -------------------------------------------------------------------------------

TEST(CheckKernelTest, ThereAreEightMicrothreads) {
  const auto with_thread = [](std::uint8_t microthread) {
    return with_instruction([=](P& p, Array x) {
      on_microthread(p.vector(VectorOp::kMove, kFp32, p.all(x), p.all(x), P::integer(4)),
                     microthread);
    });
  };
  EXPECT_EQ(with_thread(7), "");
  EXPECT_EQ(with_thread(8), first_instruction("microthread 8, the last one is 7"));
}

TEST(CheckKernelTest, AVectorOperationHasALength) {
  EXPECT_EQ(with_instruction([](P& p, Array x) {
              p.vector(VectorOp::kMove, kFp32, p.all(x), p.all(x), Operand{});
            }),
            first_instruction("has no length"));
}

TEST(CheckKernelTest, OnlyAMicrothreadTellsATaskThatItHasFinished) {
  EXPECT_EQ(
      with_instruction([](P& p, Array x) {
        p.vector(VectorOp::kMove, kFp32, p.all(x), p.all(x), P::integer(4)).completion =
            Completion::kActivate;
      }),
      first_instruction("only an operation of a microthread tells a task that it has finished"));
  EXPECT_EQ(with_instruction([](P& p, Array x) {
              on_microthread(p.vector(VectorOp::kMove, kFp32, p.all(x), p.all(x), P::integer(4)), 0,
                             Completion::kUnblock, 3);
            }),
            first_instruction("names task 3, which does not exist"));
}

/// A program with a queue each way; `add` gets its builder, an array of fp32 and one of fp16.
template <class Add>
std::string with_queues(Add add) {
  Started p;
  p.input(0, 4);
  p.output(0, 4);
  const Array x = p.array("x", 16);
  const Array h = p.array("h", 16, 2);
  add(p, x, h);
  p.end();
  return violations(with_route(p, 4));
}

TEST(CheckKernelTest, AResultCanBeWritten) {
  const std::string rule =
      first_instruction("needs a descriptor for its result that can be written");
  EXPECT_EQ(with_queues([](P& p, Array x, Array) {
              p.vector(VectorOp::kMove, kFp32, p.fabric_in(0), p.all(x), P::integer(4));
            }),
            rule);
  EXPECT_EQ(with_queues([](P& p, Array x, Array) {
              p.vector(VectorOp::kMove, kFp32, P::r(1), p.all(x), P::integer(4));
            }),
            rule);
}

TEST(CheckKernelTest, AnOperationHasItsOperandsAndNoMore) {
  EXPECT_EQ(with_queues([](P& p, Array x, Array) {
              p.vector(VectorOp::kAdd, kFp32, p.all(x), p.all(x), P::integer(4));
            }),
            first_instruction("add takes 2 operands"));
  EXPECT_EQ(with_queues([](P& p, Array x, Array) {
              p.vector(VectorOp::kMove, kFp32, p.all(x), p.all(x), P::number(1), P::integer(4));
            }),
            first_instruction("move takes 1 operands"));
  EXPECT_EQ(with_queues([](P& p, Array x, Array) {
              p.vector(VectorOp::kFma, kFp32, p.all(x), p.all(x), p.all(x), P::integer(4));
            }),
            first_instruction("fma takes 3 operands"));
}

TEST(CheckKernelTest, AnOutputQueueIsNotRead) {
  EXPECT_EQ(with_queues([](P& p, Array x, Array) {
              p.vector(VectorOp::kMove, kFp32, p.all(x), p.fabric_out(0), P::integer(4));
            }),
            first_instruction("reads a descriptor that can only be written"));
}

TEST(CheckKernelTest, ElementsHaveTheWidthOfTheType) {
  EXPECT_EQ(with_queues([](P& p, Array x, Array h) {
              p.vector(VectorOp::kMove, kFp32, p.all(x), p.all(h), P::integer(4));
            }),
            first_instruction("move of fp32 on elements of 2 bytes"));
  EXPECT_EQ(with_queues([](P& p, Array x, Array h) {
              p.vector(VectorOp::kMove, DataType::kInt16, p.all(x), p.all(h), P::integer(4));
            }),
            first_instruction("move of int16 on elements of 4 bytes"));
  EXPECT_EQ(with_queues([](P& p, Array x, Array h) {
              p.vector(VectorOp::kMove, DataType::kMixed, p.all(x), p.all(h), P::integer(4));
              p.vector(VectorOp::kMove, DataType::kMixed, p.all(h), p.all(x), P::integer(4));
            }),
            "");
}

TEST(CheckKernelTest, AnOperationReadsAQueueOnce) {
  EXPECT_EQ(with_queues([](P& p, Array x, Array) {
              p.vector(VectorOp::kAdd, kFp32, p.all(x), p.fabric_in(0), p.fabric_in(0),
                       P::integer(4));
            }),
            first_instruction("reads one input queue twice"));
}

TEST(CheckKernelTest, WaveletsOfOneOperationHoldEquallyManyElements) {
  EXPECT_EQ(with_queues([](P& p, Array, Array) {
              p.vector(VectorOp::kMove, DataType::kMixed, p.fabric_out(0, 4), p.fabric_in(0, 2),
                       P::integer(4));
            }),
            first_instruction("mixes wavelets of one element with wavelets of two"));
}

TEST(CheckKernelTest, WaveletsOfTwoElementsNeedWalksInTwos) {
  const std::string rule =
      first_instruction("two elements are one wavelet, 'h' does not walk in twos");
  const auto with_walk = [](std::initializer_list<Dimension> walk) {
    return with_queues([&](P& p, Array, Array h) {
      p.vector(VectorOp::kMove, DataType::kFp16, p.walk(h, 0, walk), p.fabric_in(0, 2),
               P::integer(4));
    });
  };
  EXPECT_EQ(with_walk({{4, 2}}), rule);
  EXPECT_EQ(with_walk({{3, 1}, {2, 4}}), rule);
  EXPECT_EQ(with_walk({{2, 1}, {3, 4}}), "");
  EXPECT_EQ(with_walk({{4, 1}}), "");
}

// A walk that is longer than its extents begins anew: of three, the second pair is torn.
TEST(CheckKernelTest, AWalkOfThreeThatBeginsAnewDoesNotWalkInTwos) {
  EXPECT_EQ(with_queues([](P& p, Array, Array h) {
              p.vector(VectorOp::kMove, DataType::kFp16, p.walk(h, 0, {{3, 1}}), p.fabric_in(0, 2),
                       P::integer(6));
            }),
            first_instruction("two elements are one wavelet, 'h' does not walk in twos"));
}

TEST(CheckKernelTest, ThereAreTwoPortsToRead) {
  EXPECT_EQ(with_queues([](P& p, Array x, Array) {
              p.vector(VectorOp::kFma, kFp32, p.all(x), p.all(x), p.all(x), p.all(x),
                       P::integer(4));
            }),
            first_instruction("reads three operands from memory, there are two ports"));
  EXPECT_EQ(with_queues([](P& p, Array x, Array) {
              p.vector(VectorOp::kFma, kFp32, p.all(x), p.all(x), p.fabric_in(0), p.all(x),
                       P::integer(4));
            }),
            "");
}

TEST(CheckKernelTest, UnpackWritesElementsOfTwoBytesInMemory) {
  const std::string rule = first_instruction("unpack writes elements of 2 bytes in memory");
  EXPECT_EQ(with_queues([](P& p, Array x, Array) {
              p.vector(VectorOp::kUnpack, DataType::kFp16, p.all(x), p.fabric_in(0), P::integer(4));
            }),
            rule);
  EXPECT_EQ(with_queues([](P& p, Array, Array h) {
              p.vector(VectorOp::kUnpack, DataType::kFp16, p.circular(h), p.fabric_in(0),
                       P::integer(4));
            }),
            rule);
  EXPECT_EQ(with_queues([](P& p, Array, Array h) {
              p.vector(VectorOp::kUnpack, DataType::kFp16, p.all(h), p.fabric_in(0, 2),
                       P::integer(4));
            }),
            first_instruction("unpack of fp16 on elements of 2 bytes"));
  EXPECT_EQ(with_queues([](P& p, Array, Array h) {
              p.vector(VectorOp::kUnpack, DataType::kFp16, p.all(h), p.fabric_in(0), P::integer(4));
            }),
            "");
}

// Texts -------------------------------------------------------------------------------------------

TEST(CheckKernelTest, ViolationsAreToldTogetherALineEach) {
  P p("two tasks");
  p.task("first").active = true;
  p.set(16, P::integer(1));
  p.end();
  p.task("second");
  p.jump(9);
  Kernel kernel(Mesh{3, 2});
  kernel.program_of[5] = kernel.add(p.build());
  EXPECT_EQ(violations(kernel),
            "kernel, tile (2,1), program 'two tasks', task 'first', instruction 0: register 16 of "
            "16\n"
            "kernel, tile (2,1), program 'two tasks', task 'second', instruction 2: jumps to "
            "instruction 9, the last one is 2");
}

TEST(CheckKernelTest, AProgramThatNoTileRunsIsCheckedAsWell) {
  Started p;
  p.jump(4);
  Kernel kernel(Mesh{1, 1});
  kernel.name = "k";
  kernel.add(p.build());
  EXPECT_EQ(violations(kernel),
            "k, program 'p', task 't', instruction 0: jumps to instruction 4, the last one is 0");
}

TEST(CheckKernelTest, AfterTwentyViolationsTheRestIsCounted) {
  Started p;
  for (int i = 0; i < 25; ++i) p.jump(100);
  const std::string text = violations(p);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20);
  EXPECT_THAT(text, testing::EndsWith("\nand 5 more"));
}

}  // namespace
}  // namespace wse::tiles
