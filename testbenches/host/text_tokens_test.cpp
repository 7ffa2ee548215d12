// SPDX-License-Identifier: Apache-2.0
// A text as numbers of its characters, and batches of it.
#include "wse/host/text_tokens.h"

#include <gtest/gtest.h>

#include "wse/base/config_errors.h"

namespace wse::host {
namespace {

std::string error_of(const std::string& text, std::uint32_t vocabulary = 96) {
  try {
    const TextTokens tokens(text, vocabulary, "a.txt");
  } catch (const base::ConfigError& error) {
    return error.what();
  }
  return {};
}

TEST(TextTokensTest, CharactersAreNumberedInTheirOrder) {
  const TextTokens tokens("b\na\xc3\xa4 b", 5, "a.txt");
  EXPECT_EQ(tokens.characters(), 5U);
  EXPECT_EQ(tokens.tokens(), (std::vector<std::uint32_t>{3, 0, 2, 4, 1, 3}));
}

TEST(TextTokensTest, WhatIsNoTextIsRefused) {
  EXPECT_NE(error_of("").find("text = empty: must have characters"), std::string::npos)
      << error_of("");
  EXPECT_NE(error_of("ab\xff").find("text = byte 2: is no UTF-8"), std::string::npos)
      << error_of("ab\xff");
  EXPECT_NE(error_of("a\xc3").find("byte 1: is no UTF-8"), std::string::npos);
  EXPECT_NE(error_of(std::string("abc\0d", 5)).find("byte 3 is 0: must not be a control"),
            std::string::npos);
  EXPECT_EQ(error_of("a\tb\r\n"), "");
  const std::string overflow = error_of("abcd", 3);
  EXPECT_NE(overflow.find("vocab_size = 3: must be at least 4"), std::string::npos) << overflow;
  EXPECT_THROW(read_text("/nowhere/a.txt", 96), base::ConfigError);
}

TEST(TextTokensTest, BatchesFollowEachOtherAndBeginAnew) {
  std::string text;
  for (char c = 'a'; c <= 'z'; ++c) text += c;
  const TextTokens tokens(text, 96, "a.txt");
  TextBatches batches(tokens, 2, 5, 7);
  const TokenBatch first = batches.next();
  const TokenBatch again = TextBatches(tokens, 2, 5, 7).next();
  EXPECT_EQ(first.tokens, again.tokens);
  std::uint32_t expected = first.tokens[0];
  for (int step = 0; step < 5; ++step) {
    const TokenBatch batch = step == 0 ? first : batches.next();
    for (std::uint32_t s = 0; s < 2; ++s) {
      if (expected + 5 >= 26) expected = 0;
      for (std::uint32_t i = 0; i < 5; ++i, ++expected) {
        EXPECT_EQ(batch.tokens[s * 5 + i], expected);
        EXPECT_EQ(batch.targets[s * 5 + i], expected + 1);
      }
    }
  }
}

TEST(TextTokensTest, AShortTextIsRefused) {
  const TextTokens tokens("abcde", 96, "a.txt");
  EXPECT_NO_THROW(TextBatches(tokens, 1, 4, 1));
  try {
    const TextBatches batches(tokens, 1, 5, 1);
    FAIL();
  } catch (const base::ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("must have at least 6"), std::string::npos);
  }
}

}  // namespace
}  // namespace wse::host
