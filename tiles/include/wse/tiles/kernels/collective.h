// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wse/base/units.h"
#include "wse/tiles/kernel.h"

namespace wse::tiles {

/// What a collective operation works on.
///
/// Shapes  a mesh of W x H tiles, a vector of `words` elements in each; fp16: 2 words.
/// Types   kFp32; kFp16: two elements a wavelet, sums rounded at every tile; kMixed: inputs fp16, sums
///         fp32, one element a wavelet.
struct CollectiveShape {
  fabric::Mesh mesh{1, 1};
  std::uint32_t words = 1;  ///< wavelets of a vector
  DataType type = DataType::kFp32;
  /// Tiles synchronise before and note the time, as measurements on hardware do: a chain of a dummy
  /// vector to tile (0, 0) and a broadcast, after whose last word each tile samples its counter; then
  /// those that heard it early wait for the others ([luczynski2024], its artifact). Not for a ring.
  bool measured = false;

  std::uint32_t elements() const { return type == DataType::kFp16 ? 2 * words : words; }
};

enum class CollectiveKind : std::uint8_t {
  kSend,
  kBroadcast,
  kReduce,
  kAllreduce,
  kScatter,
  kGather
};

/// A collective operation, ready to run.
struct Collective {
  Collective(CollectiveKind what, const CollectiveShape& of)
      : kind(what), shape(of), kernel(of.mesh) {}

  CollectiveKind kind;
  CollectiveShape shape;
  Kernel kernel;
  Array input;                 ///< of every tile
  Array result;                ///< of the tiles that have one
  Array times;                 ///< if measured: counters after the broadcast, before and after
  base::Cycles predicted = 0;  ///< by the published closed form; 0: there is none
};

enum class ReduceAlgorithm : std::uint8_t { kStar, kChain, kTree, kTwoPhase, kSnake };
enum class AllreduceAlgorithm : std::uint8_t { kReduceBroadcast, kRing, kCentre };

/// Tile (0, 0) sends its vector to the tile at the far end of its row: W - 1 hops.
/// Time    words + W - 1 + 5 cycles (docs/timing.md); source [luczynski2024], T_R = 2.
Collective send(const CollectiveShape& shape);

/// Tile (0, 0) sends its vector to all: along its row and, from there, down all columns at once.
/// Time    words + W + H - 2 + 5; one color; source [luczynski2024], flooding broadcast.
Collective broadcast(const CollectiveShape& shape);

/// The sum of all vectors, in tile (0, 0). On H > 1 every row is reduced, then the first column with
/// the same algorithm (X-Y); the snake is one chain over all tiles.
///
/// star       every tile sends straight to the root, the nearest first; one color.
/// chain      each tile adds its own and passes on, word by word; two colors in turn.
/// tree       in round k, i with i mod 2^k = 2^(k-1) sends to i - 2^(k-1); its last message of those
///            below is passed on word by word; four colors, whose switches each message advances.
/// two-phase  chains of `group` neighbours (default floor(sqrt P)), then a chain of their heads.
/// Layout     input and result at 0; sums in place unless the type is mixed.
/// Errors     ProgramError for a tree of more than 1,024 tiles a row.
/// Source     [luczynski2024]; the closed forms of `predicted` are theirs.
Collective reduce(const CollectiveShape& shape, ReduceAlgorithm algorithm,
                  std::optional<std::uint32_t> group = std::nullopt);

/// The sum of all vectors, in every tile.
///
/// reduce-broadcast  chain (or the given algorithm) and broadcast.
/// ring              on H = 1: scatter of sums, then gathering, around a ring folded onto the row; P
///                   chunks, padded; messages of a chunk are received whole.
/// centre            every row sends star-wise to its two centre columns, these to the centre 2 x 2,
///                   which exchange their sums and send them back: least latency for scalars.
/// Source            [luczynski2024]; centre: the allreduce of [rocki2020].
Collective allreduce(const CollectiveShape& shape, AllreduceAlgorithm algorithm,
                     ReduceAlgorithm reduction = ReduceAlgorithm::kChain);

/// Tile (0, 0) sends each tile of its row its own vector: input holds W of them, the row's tile x gets
/// number x. On H > 1 the first column first: input holds W x H.
Collective scatter(const CollectiveShape& shape);
/// The reverse: the result of tile (0, 0) holds the vectors of all tiles, row by row.
Collective gather(const CollectiveShape& shape);

std::string name_of(ReduceAlgorithm algorithm);
std::string name_of(AllreduceAlgorithm algorithm);

}  // namespace wse::tiles
