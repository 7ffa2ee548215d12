// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attention_tile.h"

namespace wse::tiles {

/// dq, dk and dv of a tile.
class AttentionBackward : public AttentionTile {
 public:
  AttentionBackward(const AttentionShape& shape, const ComputeConfig& config,
                    const AttentionPlace& place, const MemoryMap& map)
      : AttentionTile(shape, config, place, map, "attention gradient"),
        q_(activations("q", 2, f_)),
        kv_(activations("kv", 0, 2 * f_)),
        y_(activations("y", 3, f_)),
        dy_(activations("dy", 2, f_)),
        block_kv_(p_.array("block kv", 2 * t_ * f_, bytes_)),
        scores_(rows_of("scores", 2 * t_, 1)),
        shares_(type_ == DataType::kFp32 ? p_.same(scores_, "shares")
                                         : rows_of("shares", 2 * t_, 1, bytes_)),
        sums_of_queries_(rows_of("sums of queries", f_, 2)),
        dq_(sums_are_results() ? p_.same(sums_of_queries_, "dq") : activations("dq", 0, f_)),
        block_(rows_of("block", 2 * f_, 3)),
        dkv_(map.stride == 0 ? rows_of("dkv", 2 * f_, 3, bytes_) : activations("dkv", 3, 2 * f_)),
        log_sum_(rows_of("log sum", 1, 3)),
        delta_(rows_of("delta", 1, 3)),
        c_(scratch(2)),
        math_(w_, own_queries(), scratch(0), scratch(1)) {
    for (std::uint32_t key = 0; key < t_; ++key) {
      dots_.push_back(p_.walk(near_, key, {{t_, 0}}));
    }
    const auto up = [](std::uint32_t row) {
      return static_cast<std::uint8_t>(attention_colors::kUp + row % 2);
    };
    const auto down = [](std::uint32_t row) {
      return static_cast<std::uint8_t>(attention_colors::kDown + row % 2);
    };
    const std::uint32_t row = place.row;
    if (!is_last()) p_.input(kUpQueue, up(row + 1));
    if (!is_first()) p_.output(kUpQueue, up(row));
    if (!is_first() && !shape.causal) p_.input(kDownQueue, down(row - 1));
    if (!is_last() && !shape.causal) p_.output(kDownQueue, down(row));
  }

  Program write() {
    p_.task("attention gradient").active = true;
    fill_window();
    w_.vector(VectorOp::kMove, DataType::kFp32, p_.all(sums_of_queries_), P::number(0),
              sums_of_queries_.elements);
    send_own(0, block_order(kv_, 0, 2 * f_), 2 * own_keys() * f_);
    sum_products_of_results();
    each_block([&](const Block& block) {
      take(block);
      score(block);
      reduce_scatter({scores_, block.keys, 2, t_});
      if (own_queries() > 0) softmax_gradient(block);
      all_gather({shares_, block.keys, 2, t_});
      of_queries(block);
      of_keys(block);
      send_on(block);
    });
    if (!sums_are_results()) {
      for (std::uint32_t f = 0; f < f_; ++f) {
        w_.vector(VectorOp::kMove, type_, feature_row(dq_, f),
                  p_.part(sums_of_queries_, f * stride(4), t_), t_);
      }
    }
    p_.end();
    return p_.build();
  }

 private:
  /// Whether the fp32 sums over the blocks lie as results do.
  bool sums_are_results() const {
    const MemoryMap& map = p_.map();
    return type_ == DataType::kFp32 && map.stride == 0 && map.addresses.count("dq") == 0;
  }
  /// delta = sum of dy y over the features of the head, of each query.
  void sum_products_of_results() {
    for (std::uint32_t f = 0; f < f_; ++f) {
      const Operand to = f + 1 == f_ ? p_.part(delta_, 0, t_) : sums_;
      if (f == 0) {
        w_.vector(VectorOp::kMul, type_, to, feature_row(dy_, f), feature_row(y_, f), t_);
      } else {
        w_.vector(VectorOp::kFma, type_, to, feature_row(dy_, f), feature_row(y_, f), sums_, t_);
      }
    }
    reduce_scatter({delta_, 1});
  }
  void take(const Block& block) {
    const std::uint32_t n = 2 * block.keys * f_;
    p_.vector(VectorOp::kMove, plain(), p_.part(block_kv_, 0, n), p_.fabric_in(kBlockQueue, bytes_),
              P::integer(n));
    w_.count(n / lanes_);
    hand_on(block, 0);
  }
  /// Bytes to a number of the first wavelet's worth of keys in the block; values behind keys.
  std::uint32_t place_of(std::uint32_t row, std::uint32_t key) const {
    return (row * lanes_ + key % lanes_ + key / lanes_ * 2 * f_ * lanes_) * bytes_;
  }
  /// Of all keys: q k, and in the second half of the rows dy v, over the features of the tile.
  void score(const Block& block) {
    wait_for_ring();
    w_.set(kScore, P::integer(0));
    w_.set(kAt, P::integer(block_kv_.address));
    w_.repeat(block.keys / lanes_, kLeft, [&] {
      for (std::uint32_t key = 0; key < lanes_; ++key) {
        score(key, 0, q_, 0);
        score(key, f_, dy_, t_);
      }
      w_.add(kScore, lanes_ * 4 * stride(4));
      w_.add(kAt, place_of(0, lanes_));
    });
  }
  void score(std::uint32_t key, std::uint32_t first, const Array& of_queries, std::uint32_t row) {
    const Operand scores = p_.at_register(p_.part(scores_, (row + key) * stride(4), t_), kScore);
    for (std::uint32_t f = 0; f < f_; ++f) {
      load(place_of(first + f, key));
      multiply(f == 0, f + 1 == f_ ? scores : sums_, feature_row(of_queries, f), 0, sums_);
    }
  }
  /// p = exp(scaled score - log sum); ds = p (dp - delta) times the scale.
  void softmax_gradient(const Block& block) {
    const Operand score = own_row(scores_, 0, kScore);
    const Operand product = own_row(scores_, t_, kScore);
    w_.set(kScore, P::integer(0));
    w_.set(kShare, P::integer(0));
    if (shape_.causal) w_.set(kWindow, P::integer(4 * (t_ - 1)));
    w_.repeat(block.tokens, kLeft, [&] {
      if (shape_.causal && block.place == Block::kOwn) {
        of_own(VectorOp::kAdd, score, score, mask_);
        w_.subtract(kWindow, 4);
      }
      of_own(VectorOp::kMul, c_, score, P::number(scale_));
      of_own(VectorOp::kSub, c_, c_, own(log_sum_));
      math_.exp(score, c_);
      of_own(VectorOp::kSub, c_, product, own(delta_));
      of_own(VectorOp::kMul, c_, c_, score);
      if (type_ != DataType::kFp32) {
        w_.vector(VectorOp::kMove, type_, own_row(shares_, 0, kShare), score, own_queries());
        w_.vector(VectorOp::kMul, type_, own_row(shares_, t_, kShare), c_, P::number(scale_),
                  own_queries());
        w_.add(kShare, bytes_ * stride(bytes_));
      } else {
        of_own(VectorOp::kMul, product, c_, P::number(scale_));
      }
      w_.add(kScore, 4 * stride(4));
    });
  }
  /// dq += ds k, feature by feature.
  void of_queries(const Block& block) {
    const Operand result = p_.at_register(p_.part(sums_of_queries_, 0, t_), kSum);
    w_.set(kSum, P::integer(0));
    w_.set(kAt, P::integer(block_kv_.address));
    w_.repeat(f_, kLeft, [&] {
      for (std::uint32_t key = 0; key < block.keys; ++key) {
        load(place_of(0, key));
        multiply(key == 0, sums_, share_row(t_ + key), 0, sums_);
      }
      w_.vector(VectorOp::kAdd, DataType::kFp32, result, result, sums_, t_);
      w_.add(kSum, 4 * stride(4));
      w_.add(kAt, place_of(1, 0));
    });
  }
  /// ds^T q and p^T dy, over the tile's queries.
  void of_keys(const Block& block) {
    // What was sent of the block before has left.
    wait(kGradientThread);
    w_.set(kFeature, P::integer(0));
    w_.set(kGradient, P::integer(0));
    w_.repeat(f_, kLeft, [&] {
      dots(block, t_, q_, 0);
      dots(block, 0, dy_, f_);
      w_.add(kFeature, bytes_ * feature_stride());
      w_.add(kGradient, 4 * block.keys);
    });
  }
  void dots(const Block& block, std::uint32_t share, const Array& of_queries, std::uint32_t row) {
    const Operand feature = p_.at_register(p_.part(of_queries, 0, t_), kFeature);
    const Operand sums = p_.part(near_, 0, block.keys);
    w_.vector(VectorOp::kMove, DataType::kFp32, sums, P::number(0), block.keys);
    for (std::uint32_t key = 0; key < block.keys; ++key) {
      w_.vector(VectorOp::kFma, type_, dots_[key], share_row(share + key), feature, dots_[key], t_);
    }
    w_.vector(VectorOp::kMove, DataType::kFp32,
              p_.at_register(p_.part(block_, row * block.keys, block.keys), kGradient), sums,
              block.keys);
  }
  /// Gradients of the block go to its owner, each row adds its own.
  void send_on(const Block& block) {
    const std::uint32_t n = 2 * f_ * block.keys;
    const Operand own = p_.part(block_, 0, n);
    if (block.place == Block::kBefore) {
      pass(is_last(), kUpQueue, kUpQueue, own, n);
    } else if (block.place == Block::kBehind) {
      pass(is_first(), kDownQueue, kDownQueue, own, n);
    } else {
      const bool behind = !is_last();
      const bool before = !is_first() && !shape_.causal;
      const Operand result = own_gradients(n);
      if (behind) gather(before ? own : result, own, kUpQueue, n);
      if (before) gather(result, own, kDownQueue, n);
      if (!behind && !before) {
        w_.vector(VectorOp::kMove, type_, result, own, n);
      }
    }
  }
  /// Where the gradients of the own block end: one behind the other, unless a stride is given.
  Operand own_gradients(std::uint32_t n) {
    if (p_.map().stride == 0) return p_.part(dkv_, 0, n);
    return p_.walk(dkv_, 0,
                   {{own_keys(), 1}, {2 * f_, static_cast<std::int32_t>(feature_stride())}});
  }
  void pass(bool begins, std::uint8_t to, std::uint8_t from, Operand own, std::uint32_t n) {
    const Operand out = p_.fabric_out(to);
    on_microthread(begins ? p_.vector(VectorOp::kMove, DataType::kFp32, out, own, P::integer(n))
                          : p_.vector(VectorOp::kAdd, DataType::kFp32, out, own, p_.fabric_in(from),
                                      P::integer(n)),
                   kGradientThread);
    w_.count(n);
  }
  void gather(Operand result, Operand own, std::uint8_t from, std::uint32_t n) {
    on_microthread(p_.vector(VectorOp::kAdd, type_, result, own, p_.fabric_in(from), P::integer(n)),
                   kGradientThread);
    w_.count(n);
  }
  Operand share_row(std::uint32_t row) { return p_.part(shares_, row * stride(bytes_), t_); }
  void load(std::uint32_t offset) {
    p_.load(kWeight, P::r(kAt), type_, P::integer(offset));
    w_.count_scalar();
  }

  const Array q_, kv_, y_, dy_;  ///< kv: keys, then values
  const Array block_kv_;         ///< of the block, as it came
  const Array scores_, shares_;  ///< by key, by query; then dy v, and ds; the same in fp32
  const Array sums_of_queries_, dq_;
  const Array block_;  ///< gradients of keys, then of values; by feature, by key
  const Array dkv_;    ///< the same of the tile's own
  const Array log_sum_, delta_;
  const Operand c_;
  VectorMath math_;
  std::vector<Operand> dots_;  ///< of a key, over the queries
};

}  // namespace wse::tiles
