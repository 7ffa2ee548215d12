// SPDX-License-Identifier: Apache-2.0
#include "layer_copies.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string.hpp>
#include <boost/lexical_cast/try_lexical_convert.hpp>

namespace wse::model {
namespace {

constexpr const char* kPath = "run.layer_copies";

[[noreturn]] void refuse(const std::string& value, const std::string& rule) {
  throw base::ConfigError(kPath, value, rule);
}

std::uint32_t number(const std::string& text, const std::string& whole) {
  std::uint32_t value = 0;
  const bool digits = !text.empty() && boost::algorithm::all(text, boost::is_digit());
  if (!digits || !boost::conversion::try_lexical_convert(text, value)) {
    refuse(whole, "must be auto, or layers and their copies like 0-11:2,12:1,head:4");
  }
  return value;
}

struct Range {
  std::uint64_t first;
  std::uint64_t last;
};

Range range_of(const std::string& text, const std::string& whole, std::uint64_t layers) {
  if (text == "head") return {layers, layers};
  const std::size_t dash = text.find('-');
  const std::uint64_t first = number(text.substr(0, dash), whole);
  const std::uint64_t last =
      dash == std::string::npos ? first : number(text.substr(dash + 1), whole);
  if (first > last || last >= layers) {
    refuse(whole, fmt::format("layers must be 0 .. {}, in order", layers - 1));
  }
  return {first, last};
}

}  // namespace

std::vector<std::uint32_t> read_layer_copies(const std::string& text, std::uint64_t layers,
                                             std::uint32_t columns) {
  std::vector<std::uint32_t> copies(layers + 1, 0);
  if (text == "auto") return copies;
  std::vector<std::string> entries;
  boost::split(entries, text, boost::is_any_of(","));
  for (const std::string& entry : entries) {
    const std::size_t colon = entry.find(':');
    const Range range = range_of(entry.substr(0, colon), entry, layers);
    const std::uint32_t value =
        number(colon == std::string::npos ? "" : entry.substr(colon + 1), entry);
    const std::uint32_t most = std::min(64U, columns);
    if (value < 1 || value > most) refuse(entry, fmt::format("copies must be 1 .. {}", most));
    for (std::uint64_t place = range.first; place <= range.last; ++place) {
      if (copies[place] != 0) refuse(entry, "names a layer again");
      copies[place] = value;
    }
  }
  return copies;
}

}  // namespace wse::model
