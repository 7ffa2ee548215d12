// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attention_tile.h"

namespace wse::tiles {

/// y and the log sums of a tile.
class AttentionForward : public AttentionTile {
 public:
  AttentionForward(const AttentionShape& shape, const ComputeConfig& config,
                   const AttentionPlace& place, const MemoryMap& map)
      : AttentionTile(shape, config, place, map, "attention"),
        q_(activations("q", 2, f_)),
        kv_(activations("kv", 0, 2 * f_)),
        y_(activations("y", 2, f_)),
        scores_(rows_of("scores", t_, 1)),
        shares_(type_ == DataType::kFp32 ? p_.same(scores_, "shares")
                                         : rows_of("shares", t_, 1, bytes_)),
        results_(rows_of("results", f_, 2)),
        largest_(rows_of("largest", 1, 3)),
        total_(rows_of("total", 1, 2)),
        factor_(rows_of("factor", 1, 3)),
        log_sum_(rows_of("log sum", 1, 3)),
        score_(own_row(scores_, 0, kScore)),
        share_(own_row(shares_, 0, kShare)),
        c_(scratch(2)),
        math_(w_, own_queries(), scratch(0), scratch(1)) {}

  Program write() {
    p_.task("attention").active = true;
    fill_window();
    w_.vector(VectorOp::kMove, DataType::kFp32, p_.all(results_), P::number(0), results_.elements);
    if (own_queries() > 0) {
      of_own(VectorOp::kMove, own(largest_), P::number(kLowest));
      of_own(VectorOp::kMove, own(total_), P::number(0));
    }
    send_own(kKeys, block_order(kv_, 0, f_), own_keys() * f_);
    const std::uint32_t n = feature_stride();
    send_own(kValues, p_.walk(kv_, f_ * n, {{own_keys(), 1}, {f_, static_cast<std::int32_t>(n)}}),
             own_keys() * f_);
    each_block([&](const Block& block) {
      take_keys(block);
      reduce_scatter({scores_, block.keys});
      if (own_queries() > 0) softmax(block);
      all_gather({shares_, block.keys});
      all_gather({factor_, 1});
      take_values(block);
    });
    finish();
    p_.end();
    return p_.build();
  }

 private:
  enum : std::uint8_t { kKeys, kValues };  // streams

  /// Scores of the tile's queries, over the features of the tile.
  void take_keys(const Block& block) {
    wait_for_ring();
    w_.set(kScore, P::integer(0));
    w_.repeat(block.keys / lanes_, kLeft, [&] {
      for (std::uint32_t f = 0; f < f_; ++f) {
        receive(kBlockQueue + kKeys);
        for (std::uint32_t key = 0; key < lanes_; ++key) {
          const Operand row = p_.at_register(p_.part(scores_, key * stride(4), t_), kScore);
          const Operand sum = sum_of(key, row);
          multiply(f == 0, f + 1 == f_ ? row : sum, feature_row(q_, f), key, sum);
        }
      }
      w_.add(kScore, lanes_ * 4 * stride(4));
    });
    hand_on(block, kKeys);
  }
  void softmax(const Block& block) {
    const bool masks = shape_.causal && block.place == Block::kOwn;
    of_own(VectorOp::kMove, own(factor_), own(largest_));
    begin_keys();
    w_.repeat(block.tokens, kLeft, [&] {
      if (masks) {
        of_own(VectorOp::kAdd, score_, score_, mask_);
        w_.subtract(kWindow, 4);
      }
      of_own(VectorOp::kMax, own(largest_), own(largest_), score_);
      w_.add(kScore, 4 * stride(4));
    });
    of_own(VectorOp::kSub, c_, own(factor_), own(largest_));
    of_own(VectorOp::kMul, c_, c_, P::number(scale_));
    math_.exp(own(factor_), c_);
    of_own(VectorOp::kMul, own(total_), own(total_), own(factor_));
    begin_keys();
    w_.repeat(block.tokens, kLeft, [&] {
      of_own(VectorOp::kSub, c_, score_, own(largest_));
      of_own(VectorOp::kMul, c_, c_, P::number(scale_));
      math_.exp(score_, c_);
      of_own(VectorOp::kAdd, own(total_), own(total_), score_);
      if (type_ != DataType::kFp32) {
        w_.vector(VectorOp::kMove, type_, share_, score_, own_queries());
        w_.add(kShare, bytes_ * stride(bytes_));
      }
      w_.add(kScore, 4 * stride(4));
    });
  }
  void begin_keys() {
    w_.set(kScore, P::integer(0));
    w_.set(kShare, P::integer(0));
    if (shape_.causal) w_.set(kWindow, P::integer(4 * (t_ - 1)));
  }
  /// results = results factor + the sum of shares times values, feature by feature.
  void take_values(const Block& block) {
    const Operand result = p_.at_register(p_.part(results_, 0, t_), kSum);
    w_.set(kSum, P::integer(0));
    w_.repeat(f_, kLeft, [&] {
      for (std::uint32_t key = 0; key < block.keys; ++key) {
        if (key % lanes_ == 0) receive(kBlockQueue + kValues);
        multiply(key == 0, sums_, p_.part(shares_, key * stride(bytes_), t_), key % lanes_, sums_);
      }
      w_.vector(VectorOp::kFma, DataType::kFp32, result, result, p_.part(factor_, 0, t_), sums_,
                t_);
      w_.add(kSum, 4 * stride(4));
    });
    hand_on(block, kValues);
  }
  /// A wavelet of one or two numbers.
  void receive(std::uint8_t queue) {
    lanes_ == 2 ? p_.receive_pair(kWeight, queue)
                : static_cast<void>(p_.receive(kWeight, queue, type_));
    w_.count_scalar();
  }
  void finish() {
    if (own_queries() > 0) {
      math_.reciprocal(own(factor_), own(total_));
      math_.log(c_, own(total_));
      of_own(VectorOp::kFma, own(log_sum_), own(largest_), P::number(scale_), c_);
    }
    all_gather({factor_, 1});
    for (std::uint32_t f = 0; f < f_; ++f) {
      w_.vector(VectorOp::kMul, type_, feature_row(y_, f), p_.part(results_, f * stride(4), t_),
                p_.part(factor_, 0, t_), t_);
    }
  }

  const Array q_, kv_, y_;       ///< kv: keys, then values
  const Array scores_, shares_;  ///< by key, by query; the same in fp32
  const Array results_;          ///< by feature, by query
  const Array largest_, total_;  ///< scores so far; sum of exponentials
  const Array factor_;           ///< by which sums shrink; at the end 1 / total
  const Array log_sum_;
  const Operand score_, share_;  ///< of a key, of the tile's share of queries
  const Operand c_;
  VectorMath math_;
};

}  // namespace wse::tiles
