// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "wse/tiles/half.h"
#include "wse/tiles/program_builder.h"
#include "wse/tiles/tile_mesh.h"

namespace wse::tiles {

using base::Cycles;
using fabric::Mesh;
using fabric::Port;
using testing::ElementsAre;
using testing::HasSubstr;
using P = ProgramBuilder;

inline constexpr DataType kFp16 = DataType::kFp16;
inline constexpr DataType kFp32 = DataType::kFp32;
inline constexpr DataType kInt32 = DataType::kInt32;
inline constexpr std::uint8_t kColor = 3;

/// As the machine, but for additions and moves of 32 bits one at a time.
inline MeshConfig a_word_a_step() {
  MeshConfig config;
  config.compute.add_lanes_fp32 = 1;
  return config;
}

/// So many banks that arrays of a few words never meet in one; a word a step.
inline MeshConfig many_banks() {
  MeshConfig config;
  config.sram.banks = 64;
  config.compute.add_lanes_fp32 = 1;
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

inline Kernel on_one_tile(P& p) {
  Kernel kernel(Mesh{1, 1});
  kernel.name = "k";
  kernel.program_of[0] = kernel.add(p.build());
  return kernel;
}

/// The first tile of a row sends on kColor to the last one.
inline Kernel on_a_row(std::uint32_t columns, P& sender, P& receiver) {
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
inline std::vector<T> count_up(std::uint32_t n) {
  std::vector<T> values(n);
  std::iota(values.begin(), values.end(), T{1});
  return values;
}

inline void scalars(P& p, int n) {
  for (int i = 0; i < n; ++i) p.set(12, P::integer(i));
}

/// y = x, elements of fp32. Arrays of eight words keep the read of a step and the write of the
/// third step before it in different banks.
inline Instruction& copy(P& p, const Array& y, const Array& x, std::uint32_t n) {
  const Operand to = p.part(y, 0, n), from = p.part(x, 0, n);
  return p.vector(VectorOp::kMove, kFp32, to, from, P::integer(n));
}

}  // namespace wse::tiles
