// SPDX-License-Identifier: Apache-2.0
#include "wse/host/text_tokens.h"

#include <fmt/format.h>

#include <boost/locale/utf.hpp>
#include <fstream>
#include <iterator>
#include <map>

#include "wse/base/config_errors.h"
#include "wse/base/random.h"

namespace wse::host {
namespace {

/// Code points of a text.
std::vector<std::uint32_t> characters_of(const std::string& text, const std::string& place) {
  using Utf8 = boost::locale::utf::utf_traits<char>;
  std::vector<std::uint32_t> all;
  for (auto at = text.begin(); at != text.end();) {
    const auto byte = at - text.begin();
    const boost::locale::utf::code_point c = Utf8::decode(at, text.end());
    const bool is_code = c != boost::locale::utf::illegal && c != boost::locale::utf::incomplete;
    if (!is_code) {
      throw base::ConfigError("text", fmt::format("byte {}", byte), "is no UTF-8", place);
    }
    if ((c < 32 && c != '\n' && c != '\t' && c != '\r') || c == 127) {
      throw base::ConfigError("text", fmt::format("byte {} is {}", byte, c),
                              "must not be a control character", place);
    }
    all.push_back(c);
  }
  return all;
}

}  // namespace

TextTokens::TextTokens(const std::string& text, std::uint32_t vocabulary,
                       const std::string& place) {
  if (text.empty()) throw base::ConfigError("text", "empty", "must have characters", place);
  tokens_ = characters_of(text, place);
  std::map<std::uint32_t, std::uint32_t> numbers;  // by code point, in their order
  for (const std::uint32_t c : tokens_) numbers[c] = 0;
  for (auto& [c, number] : numbers) number = characters_++;
  if (characters_ > vocabulary) {
    throw base::ConfigError(
        "vocab_size", std::to_string(vocabulary),
        fmt::format("must be at least {}, the characters of the text", characters_), place);
  }
  for (std::uint32_t& token : tokens_) token = numbers[token];
}

TextTokens read_text(const std::string& path, std::uint32_t vocabulary) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw base::ConfigError("text", path, "cannot be read");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) throw base::ConfigError("text", path, "cannot be read");
  return {text, vocabulary, path};
}

TextBatches::TextBatches(const TextTokens& text, std::uint32_t sequences, std::uint32_t sequence,
                         std::uint64_t seed)
    : text_(text), sequences_(sequences), sequence_(sequence), next_(0) {
  const std::size_t all = text.tokens().size();
  if (all < std::size_t{sequence} + 1) {
    throw base::ConfigError(
        "text", fmt::format("{} characters", all),
        fmt::format("must have at least {}, a sequence and what follows it", sequence + 1));
  }
  next_ = base::Random(seed).below(all - sequence);
}

TokenBatch TextBatches::next() {
  TokenBatch batch;
  batch.sequences = sequences_;
  const std::vector<std::uint32_t>& all = text_.tokens();
  for (std::uint32_t s = 0; s < sequences_; ++s) {
    if (next_ + sequence_ >= all.size()) next_ = 0;
    for (std::uint32_t i = 0; i < sequence_; ++i) {
      batch.tokens.push_back(all[next_ + i]);
      batch.targets.push_back(all[next_ + i + 1]);
    }
    next_ += sequence_;
  }
  return batch;
}

}  // namespace wse::host
