// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace wse::base {

/// Which keys a token sees in its sequence. An image stands behind the text, row by row; its tokens
/// see all of the text.
enum class AttentionKind : std::uint8_t {
  kCausal,            ///< itself and all before
  kFull,              ///< all
  kImageRow,          ///< of the image, as many tokens as a row has, up to itself
  kImageColumn,       ///< of the image, those above it, and itself
  kImageConvolution,  ///< of the image, those in a square window around it, up to itself
};

struct AttentionPattern {
  AttentionKind kind = AttentionKind::kCausal;
  std::uint64_t sequence = 0;
  std::uint64_t image_side =
      0;                      ///< rows and columns of the image; the rest of the sequence is text
  std::uint64_t window = 11;  ///< side of the convolution's square

  friend bool operator==(const AttentionPattern& a, const AttentionPattern& b) {
    return a.kind == b.kind && a.sequence == b.sequence && a.image_side == b.image_side &&
           a.window == b.window;
  }
  std::uint64_t text() const { return sequence - image_side * image_side; }
  /// Keys that the token at `position` sees.
  std::uint64_t keys_of(std::uint64_t position) const;
  /// Keys seen by the first n tokens of a stream of sequences, summed.
  std::uint64_t keys_before(std::uint64_t n) const;
  /// Keys of the token that sees most.
  std::uint64_t most_keys() const;

 private:
  std::uint64_t keys_in_sequence_before(std::uint64_t n) const;
};

}  // namespace wse::base
