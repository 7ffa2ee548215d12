// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "axpy_layout.h"
#include "line.h"
#include "vector_math.h"
#include "wse/tiles/cost_terms.h"
#include "wse/tiles/kernels/attention.h"

namespace wse::tiles {

/// Colors of an attention kernel. Keys and values come in one stream of blocks backward, in two forward.
namespace attention_colors {
inline constexpr std::uint8_t kBlocks = 0;  // one a stream
inline constexpr std::uint8_t kRing = 2;    // four
inline constexpr std::uint8_t kUp = 6;      // two, by the parity of the row that sends
inline constexpr std::uint8_t kDown = 8;    // two
}  // namespace attention_colors

struct AttentionPlace {
  const LineRing& ring;  ///< of the columns of the head
  std::uint32_t rank;
  std::uint32_t row;
};

/// What the programs of both directions have in common: arrays, the streams of keys and values, and what
/// goes around the ring of the head.
class AttentionTile {
 public:
  base::Cycles cycles() const { return w_.cycles(); }

 protected:
  using P = ProgramBuilder;
  enum : std::uint8_t {
    kWeight,
    kSecondWeight,  ///< behind the first: two numbers of a wavelet
    kScore,         ///< bytes to a key among rows of fp32 numbers of queries
    kShare,         ///< the same among rows of shares
    kWindow,        ///< to what masks a key
    kFeature,       ///< to a feature among activations
    kSum,           ///< to a feature among fp32 sums
    kAt,            ///< address of keys or values of a block
    kLeft,
    kBlocksLeft,
    kGradient  ///< to a feature among gradients of the block
  };
  enum : std::uint8_t { kBlockThread, kRingThread = 2, kGradientThread };
  /// Queues; those of two streams, or of one and of gradients.
  enum : std::uint8_t { kBlockQueue, kUpQueue, kRingQueue, kDownQueue };
  /// The score of a key that is not seen.
  static constexpr float kLowest = -3e38F;

  AttentionTile(const AttentionShape& shape, const ComputeConfig& config,
                const AttentionPlace& place, const MemoryMap& map, const std::string& name)
      : shape_(shape),
        place_(place),
        p_(name, map),
        w_(p_, config),
        type_(shape.type),
        t_(shape.tile_tokens()),
        f_(shape.tile_features()),
        lanes_(lanes_of_wire(type_)),
        bytes_(element_bytes_of(type_)),
        scale_(1 / std::sqrt(static_cast<float>(shape.head_features))),
        near_(p_.near_array("near", config.cache_bytes / 4)),
        sums_(p_.part(near_, 0, t_)) {
    if (shape.causal) {
      window_ = p_.array("window", 2 * t_ - 1);
      mask_ = p_.at_register(p_.part(window_, first_of(rank()), own_elements()), kWindow);
    }
    if (place.ring.size() > 1) {
      p_.input(kRingQueue, place.ring.receives(rank()));
      p_.output(kRingQueue, place.ring.sends(rank()));
    }
  }

  bool is_first() const { return place_.row == 0; }
  bool is_last() const { return place_.row + 1 == shape_.rows(); }
  std::uint32_t rank() const { return place_.rank; }
  /// Keys of the tile's own block and of the last one: whole wavelets.
  std::uint32_t own_keys() const { return is_last() ? last_keys() : t_; }
  std::uint32_t last_keys() const { return round_up(shape_.last_tokens(), lanes_); }

  // Queries, in shares of the ranks.

  std::uint32_t first_of(std::uint32_t rank) const {
    return static_cast<std::uint32_t>(std::uint64_t{rank} * (t_ / lanes_) / place_.ring.size() *
                                      lanes_);
  }
  std::uint32_t queries_of(std::uint32_t rank) const { return first_of(rank + 1) - first_of(rank); }
  std::uint32_t own_queries() const { return queries_of(rank()); }
  /// Of descriptors, which cannot be empty.
  std::uint32_t own_elements() const { return std::max(own_queries(), 1U); }
  /// The tile's queries among numbers of queries.
  Operand own(const Array& a) { return p_.part(a, first_of(rank()), own_elements()); }
  Operand own_row(const Array& rows, std::uint32_t row, std::uint8_t offset) {
    return p_.at_register(
        p_.part(rows, row * stride(rows.element_bytes) + first_of(rank()), own_elements()), offset);
  }
  /// Elements from a feature of the activations to the next one.
  std::uint32_t feature_stride() const { return p_.map().stride_or(stride(bytes_)); }
  /// Elements from a row of numbers of queries to the next one: a turn of the banks.
  std::uint32_t stride(std::uint8_t bytes) const { return round_up(t_, kBankTurn / bytes); }

  // Around the ring.

  /// Rows of numbers of queries, `planes` times `rows` of them.
  struct Rows {
    const Array& array;
    std::uint32_t rows;
    std::uint32_t planes = 1;
    std::uint32_t plane_rows = 0;  ///< from a plane to the next
  };
  /// Adds the numbers of all tiles; each ends with the sums of its queries.
  void reduce_scatter(const Rows& rows) {
    for (std::uint32_t k = 1; k < place_.ring.size(); ++k) {
      exchange(rows, k, k + 1, true);
    }
  }
  /// Each tile has those of its queries and ends with all.
  void all_gather(const Rows& rows) {
    for (std::uint32_t k = 0; k + 1 < place_.ring.size(); ++k) {
      exchange(rows, k, k + 1, false);
    }
  }

  /// Before rows are written that a tile may still be sending.
  void wait_for_ring() {
    if (place_.ring.size() > 1) wait(kRingThread);
  }
  /// Until a microthread is free: an operation of no elements.
  void wait(std::uint8_t thread) {
    on_microthread(p_.vector(VectorOp::kMove, DataType::kFp32, sums_, P::number(0), P::integer(0)),
                   thread);
    w_.count(1);
  }

  // Blocks of keys.

  struct Block {
    enum { kBefore, kOwn, kBehind } place;
    std::uint32_t keys;
    std::uint32_t tokens;  ///< of the keys; others fill a wavelet
  };
  /// Sends the tile's own block on a stream.
  void send_own(std::uint8_t stream, Operand block, std::uint32_t n) {
    const auto queue = static_cast<std::uint8_t>(kBlockQueue + stream);
    const auto color = static_cast<std::uint8_t>(attention_colors::kBlocks + stream);
    p_.input(queue, color);
    p_.output(queue, color);
    on_microthread(
        p_.vector(VectorOp::kMove, plain(), p_.fabric_out(queue, bytes_), block, P::integer(n)),
        static_cast<std::uint8_t>(kBlockThread + stream));
    w_.count(1 + n / lanes_);
  }
  /// When all of the block has come: lets the next row send on the stream, if the block was the own one.
  void hand_on(const Block& block, std::uint8_t stream) {
    if (block.place != Block::kOwn || is_last()) return;
    const auto queue = static_cast<std::uint8_t>(kBlockQueue + stream);
    on_microthread(p_.vector(VectorOp::kMove, DataType::kInt32, p_.control_out(queue),
                             P::integer(kHandOn), P::integer(1)),
                   static_cast<std::uint8_t>(kBlockThread + stream));
    w_.count(1);
  }
  /// The order of a block: a wavelet's worth of tokens of each of `rows` features, then the next ones.
  Operand block_order(const Array& kv, std::uint32_t row, std::uint32_t rows) {
    const std::uint32_t n = feature_stride();
    return p_.walk(kv, row * n,
                   {{lanes_, 1},
                    {rows, static_cast<std::int32_t>(n)},
                    {own_keys() / lanes_, static_cast<std::int32_t>(lanes_)}});
  }
  /// Calls what(block) for all that arrive, in their order.
  template <class What>
  void each_block(const What& what) {
    const std::uint32_t last_row = shape_.rows() - 1;
    if (!is_first()) {
      w_.set(kBlocksLeft, P::r(kRowRegister));
      w_.repeat_up_to(place_.row, kBlocksLeft, [&] { what(Block{Block::kBefore, t_, t_}); });
    }
    what(Block{Block::kOwn, own_keys(), is_last() ? shape_.last_tokens() : t_});
    if (shape_.causal || is_last()) return;
    p_.scalar(VectorOp::kSub, DataType::kInt32, kBlocksLeft, P::integer(last_row - 1),
              P::r(kRowRegister));
    w_.count_scalar();
    w_.repeat_up_to(std::max(last_row - 1 - place_.row, 1U), kBlocksLeft, [&] {
      what(Block{Block::kBehind, t_, t_});
    });
    what(Block{Block::kBehind, last_keys(), shape_.last_tokens()});
  }

  /// Begins what masks keys behind the query: the window over lowest numbers and zeros moves a key on.
  void fill_window() {
    if (!shape_.causal) return;
    if (t_ > 1) {
      w_.vector(VectorOp::kMove, DataType::kFp32, p_.part(window_, 0, t_ - 1), P::number(kLowest),
                t_ - 1);
    }
    w_.vector(VectorOp::kMove, DataType::kFp32, p_.part(window_, t_ - 1, t_), P::number(0), t_);
  }

  // Small things.

  DataType plain() const { return type_ == DataType::kFp32 ? type_ : DataType::kFp16; }
  /// Operations on the tile's share of the queries.
  void of_own(VectorOp op, Operand result, Operand a, Operand b = {}, Operand c = {}) {
    w_.vector(op, DataType::kFp32, result, a, b, c, own_queries());
  }
  /// Adds to sums: result = a w + sum, with the first one a w.
  void multiply(bool first, Operand result, Operand a, std::uint32_t lane, Operand sum) {
    const Operand weight = P::r(kWeight + lane);
    if (first) {
      w_.vector(VectorOp::kMul, type_, result, a, weight, t_);
    } else {
      w_.vector(VectorOp::kFma, type_, result, a, weight, sum, t_);
    }
  }
  /// Scores of a key while they are summed: beside the datapath if those of a wavelet's keys fit.
  Operand sum_of(std::uint32_t lane, Operand row) {
    const bool fits = lanes_ * t_ <= near_.elements;
    return fits ? p_.part(near_, lane * t_, t_) : row;
  }
  Operand feature_row(const Array& activations, std::uint32_t feature) {
    return p_.part(activations, feature * feature_stride(), t_);
  }
  Array activations(const char* name, std::uint32_t pair, std::uint32_t features) {
    begin_in_pair(p_, pair);
    return p_.array(name, features * feature_stride(), bytes_);
  }
  Array rows_of(const char* name, std::uint32_t rows, std::uint32_t pair, std::uint8_t bytes = 4) {
    begin_in_pair(p_, pair);
    return p_.array(name, rows * stride(bytes), bytes);
  }
  /// Scratch of the tile's queries: number 0 and 1 beside the datapath if they fit.
  Operand scratch(std::uint32_t number) {
    const std::uint32_t n = own_elements();
    if ((number + 1) * n <= near_.elements) return p_.part(near_, number * n, n);
    begin_in_pair(p_, number % 2 == 0 ? 1 : 3);
    return p_.all(p_.array("scratch", n));
  }

  const AttentionShape& shape_;
  const AttentionPlace place_;
  P p_;
  VectorWriter w_;
  const DataType type_;
  const std::uint32_t t_, f_, lanes_;
  const std::uint8_t bytes_;
  const float scale_;
  const Array near_;
  const Operand sums_;  ///< of all queries, beside the datapath
  Array window_;
  Operand mask_;

 private:
  std::uint32_t before(std::uint32_t k) const {
    return (rank() + place_.ring.size() - k % place_.ring.size()) % place_.ring.size();
  }
  /// Sends the share of the rank `sent` before the tile's, and takes the one of `received`.
  void exchange(const Rows& rows, std::uint32_t sent, std::uint32_t received, bool adds) {
    const std::uint8_t bytes = rows.array.element_bytes;
    const DataType type = bytes == 4 ? DataType::kFp32 : DataType::kFp16;
    const auto count = [&](std::uint32_t of) {
      return queries_of(before(of)) * rows.rows * rows.planes;
    };
    const auto share = [&](std::uint32_t of) {
      const std::uint32_t rank = before(of);
      return p_.walk(rows.array, first_of(rank),
                     {{queries_of(rank), 1},
                      {rows.rows, static_cast<std::int32_t>(stride(bytes))},
                      {rows.planes, static_cast<std::int32_t>(rows.plane_rows * stride(bytes))}});
    };
    if (count(sent) > 0) {
      on_microthread(p_.vector(VectorOp::kMove, type, p_.fabric_out(kRingQueue, bytes), share(sent),
                               P::integer(count(sent))),
                     kRingThread);
    }
    if (count(received) > 0) {
      const Operand in = p_.fabric_in(kRingQueue, bytes);
      const Operand to = share(received);
      const Operand n = P::integer(count(received));
      adds ? p_.vector(VectorOp::kAdd, type, to, to, in, n)
           : p_.vector(VectorOp::kMove, type, to, in, n);
    }
    // All wait for the largest share.
    const std::uint32_t most =
        lanes_ * static_cast<std::uint32_t>(base::ceil_div(t_ / lanes_, place_.ring.size()));
    w_.count(CostTerms::ring_steps(std::uint64_t{most} * rows.rows * rows.planes * bytes) +
             CostTerms::kRingMessage);
  }
};

}  // namespace wse::tiles
