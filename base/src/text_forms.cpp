// SPDX-License-Identifier: Apache-2.0
#include "wse/base/text_forms.h"

#include <regex>

namespace wse::base {

std::optional<Rectangle> parse_size(const std::string& text) {
  static const std::regex form("([0-9]{1,5})x([0-9]{1,5})");
  std::smatch match;
  if (!std::regex_match(text, match, form)) return std::nullopt;
  const auto number = [&match](std::size_t i) {
    return static_cast<std::uint32_t>(std::stoul(match[i]));
  };
  return Rectangle{{0, number(1)}, {0, number(2)}};
}

std::optional<Rectangle> parse_tiles(const std::string& text) {
  static const std::regex form(
      "([0-9]{1,5})(\\.\\.([0-9]{1,5}))?,([0-9]{1,5})(\\.\\.([0-9]{1,5}))?");
  std::smatch match;
  if (!std::regex_match(text, match, form)) return std::nullopt;
  const auto span = [&match](std::size_t first, std::size_t last) {
    const auto begin = static_cast<std::uint32_t>(std::stoul(match[first]));
    const auto end =
        match[last].matched ? static_cast<std::uint32_t>(std::stoul(match[last])) : begin;
    return Span{begin, end + 1};
  };
  const Rectangle tiles{span(1, 3), span(4, 6)};
  if (tiles.tiles() == 0) return std::nullopt;
  return tiles;
}

}  // namespace wse::base
