// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "line.h"
#include "predicted.h"
#include "wse/tiles/kernels/collective.h"
#include "wse/tiles/program_builder.h"

namespace wse::tiles {

/// A step of a tile in a collective. Its value is the input until something has been added or taken,
/// then the result.
struct PlanStep {
  enum class Kind : std::uint8_t {
    kSend,   ///< out <- value
    kAdd,    ///< value <- value + in, `repeat` vectors one after the other
    kPass,   ///< out <- value + in, word by word
    kTake,   ///< result <- in
    kCopy,   ///< result <- input, where they are not the same
    kWork,   ///< calls work `first` with `count`
    kStamp,  ///< notes the time as number `first`
    kWait    ///< a cycle for each hop that the tile is nearer to tile (0, 0) than the farthest one
  };
  Kind kind = Kind::kSend;
  std::uint8_t in = kNone;  ///< color
  std::uint8_t out = kNone;
  bool advance = false;  ///< the last wavelet advances switches
  std::uint32_t first = 0;
  std::uint32_t count = 0;  ///< elements
  std::uint32_t repeat = 1;
  VectorOp op = VectorOp::kAdd;  ///< of what is added
  bool dummy = false;            ///< works on a dummy vector

  friend bool operator<(const PlanStep& a, const PlanStep& b);
};
using Plan = std::vector<PlanStep>;

/// Writes the plans of all tiles and the routes between them.
class CollectivePlan {
 public:
  CollectivePlan(CollectiveKind kind, const CollectiveShape& shape, std::string name);

  // Reductions of a line into its first tile. `colors` is the first of those that they take.
  void star(const Line& line, std::uint8_t color);                             ///< 1 color
  void chain(const Line& line, std::uint8_t colors);                           ///< 2 colors
  void tree(const Line& line, std::uint8_t colors);                            ///< 4 colors
  void two_phase(const Line& line, std::uint8_t colors, std::uint32_t group);  ///< 4 colors
  void reduce(const Line& line, std::uint8_t colors, ReduceAlgorithm algorithm,
              std::uint32_t group);
  /// From both ends of each row to its middle tile, in two levels of chains, and back to all tiles of the
  /// row; 9 colors.
  void allreduce_rows();
  /// From tile (0, 0) to all: along the first row, and from each of its tiles down the column, at once.
  void broadcast_everywhere(std::uint8_t color);
  /// Vectors of `count` elements to and from the first tile, which has them all in order.
  void scatter(const Line& line, std::uint8_t color, std::uint32_t count);
  void gather(const Line& line, std::uint8_t color, std::uint32_t count);

  /// What a measurement does before the kernel, if it is wanted; 5 colors.
  void synchronise();

  Plan& plan(std::uint32_t tile) { return plans_[tile]; }
  fabric::RouteTable& routes() { return collective_.kernel.routes; }
  void send(std::uint32_t tile, std::uint8_t color, bool advance = false);
  void add(std::uint32_t tile, std::uint8_t color, std::uint32_t repeat = 1);
  void pass(std::uint32_t tile, std::uint8_t in, std::uint8_t out);
  void take(std::uint32_t tile, std::uint8_t color);
  void copy(std::uint32_t tile);

  /// Where arrays of all programs lie.
  void place(const MemoryMap& map) { map_ = map; }
  /// Writes the arrays of a program and gives the one that holds the value; called first.
  void arrays(std::function<Array(ProgramBuilder&)> make) { before_ = std::move(make); }
  /// What a tile does between messages.
  using Work = std::function<void(ProgramBuilder&, std::uint32_t)>;
  /// Adds a step to all tiles; `count_of` gives what the work is called with.
  void work(Work what, const std::function<std::uint32_t(std::uint32_t tile)>& count_of);
  /// From here on messages are of these elements of the value (0: all), and are combined so.
  void part(std::uint32_t first, std::uint32_t count) {
    first_ = first;
    count_ = count;
  }
  void combine(VectorOp op) { op_ = op; }
  /// Programs of all tiles; `input` and `result` are their elements in each tile.
  Collective build(std::uint32_t input, std::uint32_t result);

 private:
  static constexpr std::uint32_t kDummyWords = 16;
  static constexpr std::uint32_t kNearBytes = 256;
  std::uint32_t elements() const {
    return dummy_ ? kDummyWords : count_ != 0 ? count_ : shape_.elements();
  }
  PlanStep step(PlanStep::Kind kind) const;
  static PlanStep stamp(std::uint32_t number);
  void write_wait(ProgramBuilder& p, const Array& dummy) const;
  Program write(const Plan& plan, std::uint32_t input, std::uint32_t result) const;

  const CollectiveShape shape_;
  Collective collective_;
  std::vector<Plan> plans_;  ///< by tile
  MemoryMap map_;
  std::function<Array(ProgramBuilder&)> before_;
  std::vector<Work> works_;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;  ///< 0: all
  VectorOp op_ = VectorOp::kAdd;
  bool dummy_ = false;  ///< steps that are added work on the dummy vector
};

}  // namespace wse::tiles
