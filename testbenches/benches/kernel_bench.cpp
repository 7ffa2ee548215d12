// SPDX-License-Identifier: Apache-2.0
// A bench to copy: a kernel of your own on modules. Each tile of a row holds a piece of two vectors; it
// multiplies them, adds what comes from its eastern neighbour and passes the sum on to the west.
#include <cstdio>

#include "wse/model/kernel_machine.h"
#include "wse/report/fabric_waves.h"
#include "wse/report/files.h"
#include "wse/report/wave_file.h"
#include "wse/tiles/program_builder.h"

using namespace wse;
using namespace wse::tiles;
using fabric::Port;

constexpr unsigned kTiles = 4, kElements = 32;

/// The program of tile x. Its neighbour's sum comes by color x % 2 and leaves by the other one.
Program dot(unsigned x) {
  using P = ProgramBuilder;
  P p(x == 0 ? "dot west end" : x + 1 == kTiles ? "dot east end" : "dot");
  const Array a = p.array("a", kElements, 2), b = p.array("b", kElements, 2);  // fp16
  const Array c = p.array("c", kElements), sum = p.array("sum", 1);            // fp32
  if (x + 1 < kTiles) p.input(0, x % 2);
  if (x > 0) p.output(2, (x + 1) % 2);
  p.task("multiply").active = true;
  p.vector(VectorOp::kMul, DataType::kMixed, p.all(c), p.all(a), p.all(b), P::integer(kElements));
  p.vector(VectorOp::kMove, DataType::kFp32, p.all(sum), P::number(0), P::integer(1));
  // A walk over one element begins anew for each of c.
  p.vector(VectorOp::kAdd, DataType::kFp32, p.all(sum), p.all(c), p.all(sum),
           P::integer(kElements));
  p.activate(1);
  p.end();
  p.task("pass on");
  const Operand east = x + 1 < kTiles ? p.fabric_in(0) : P::number(0);
  const Operand west = x > 0 ? p.fabric_out(2) : p.all(sum);
  p.vector(VectorOp::kAdd, DataType::kFp32, west, p.all(sum), east, P::integer(1));
  p.end();
  return p.build();
}

int sc_main(int argc, char** argv) try {
  Kernel kernel({kTiles, 1});
  kernel.name = "dot product";
  for (unsigned x = 0; x < kTiles; ++x) {
    kernel.program_of[x] = kernel.add(dot(x));
    if (x == 0) continue;
    kernel.routes.set(x, (x + 1) % 2, {Port::kRamp, Port::kWest});
    kernel.routes.set(x - 1, (x + 1) % 2, {Port::kEast, Port::kRamp});
  }
  model::KernelMachine machine("machine", kernel, {});
  const std::string folder = argc > 1 ? argv[1] : ".";
  report::FabricWaveSelection selection;
  selection.tiles = {{0, kTiles}, {0, 1}};
  report::FabricWaves waves(report::open_wave_file(folder + "/kernel.vcd"), kernel.routes,
                            selection, 1'100'000'000);
  waves.add_engines(kernel);
  machine.set_watch(waves);
  machine.add_watch(waves);

  std::vector<std::uint16_t> ones(kTiles * kElements, 0x3c00), twos(kTiles * kElements, 0x4000);
  const base::Rectangle row{{0, kTiles}, {0, 1}};
  const Program& any = kernel.programs.front();
  machine.copy_to(row, any.find_array("a")->address, ones.data(), 2 * kElements);
  machine.copy_to(row, any.find_array("b")->address, twos.data(), 2 * kElements);
  machine.launch();
  machine.wait_for_end();
  float result = 0;
  machine.copy_from({{0, 1}, {0, 1}}, any.find_array("sum")->address, &result, 4);
  waves.close();
  report::write_file(folder + "/kernel.gtkw", waves.save_file("kernel.vcd"));
  std::printf("the dot product is %g, in %d cycles\n", double(result), int(machine.cycles()));
  std::printf("waves: gtkwave %s/kernel.vcd %s/kernel.gtkw\n", folder.c_str(), folder.c_str());
  return result == 2 * kTiles * kElements ? 0 : 1;
} catch (const std::exception& error) {
  std::printf("%s\n", error.what());
  return 1;
}
