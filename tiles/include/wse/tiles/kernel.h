// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "wse/fabric/route_table.h"
#include "wse/tiles/compute_config.h"
#include "wse/tiles/program.h"

namespace wse::tiles {

/// Programs on a rectangle of tiles, and the routes between them.
struct Kernel {
  static constexpr std::uint16_t kIdle = 0xffff;

  explicit Kernel(fabric::Mesh mesh) : routes(mesh), program_of(mesh.tiles(), kIdle) {}

  fabric::Mesh mesh() const { return routes.mesh(); }
  const Program* program(std::uint32_t tile) const {
    return program_of[tile] == kIdle ? nullptr : &programs[program_of[tile]];
  }
  /// Adds a program for the tiles that it will be set to.
  std::uint16_t add(Program program) {
    programs.push_back(std::move(program));
    return static_cast<std::uint16_t>(programs.size() - 1);
  }

  std::string name;
  fabric::RouteTable routes;
  std::vector<Program> programs;
  std::vector<std::uint16_t> program_of;  ///< by tile
};

/// A program that cannot run; what() names every violation with program, tile, task and instruction.
class ProgramError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Checks everything that can be known before a run: memory map, queues, colors and routes, tasks,
/// jumps, operands. `sram_bytes`: of a tile; `near_bytes`: of its buffer beside the datapath. Throws
/// ProgramError.
void check(const Kernel& kernel, std::uint64_t sram_bytes, std::uint64_t near_bytes);

}  // namespace wse::tiles
