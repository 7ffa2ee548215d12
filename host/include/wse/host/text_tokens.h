// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wse::host {

/// Sequences of a step, one behind the other, and for each token the one that follows it.
struct TokenBatch {
  std::uint32_t sequences = 1;
  std::vector<std::uint32_t> tokens;
  std::vector<std::uint32_t> targets;
};

/// A text as numbers of its characters, in the order of their code points.
class TextTokens {
 public:
  /// `place` names the text in messages. Throws ConfigError if it is empty, is no text (UTF-8 without
  /// control characters but tabs and ends of lines) or has more characters than the vocabulary.
  TextTokens(const std::string& text, std::uint32_t vocabulary, const std::string& place);

  const std::vector<std::uint32_t>& tokens() const { return tokens_; }
  /// Different characters; smaller numbers than these occur.
  std::uint32_t characters() const { return characters_; }

 private:
  std::vector<std::uint32_t> tokens_;
  std::uint32_t characters_ = 0;
};
/// Reads a file. Throws ConfigError if it cannot be read, and as above.
TextTokens read_text(const std::string& path, std::uint32_t vocabulary);

/// Batches of a text in order, from a place that the seed chooses, and again from its beginning at its end.
class TextBatches {
 public:
  /// `text` outlives the batches. Throws ConfigError if it is shorter than a sequence and a target.
  TextBatches(const TextTokens& text, std::uint32_t sequences, std::uint32_t sequence,
              std::uint64_t seed);
  TokenBatch next();

 private:
  const TextTokens& text_;
  const std::uint32_t sequences_, sequence_;
  std::size_t next_;  ///< token at which the next sequence begins
};

}  // namespace wse::host
