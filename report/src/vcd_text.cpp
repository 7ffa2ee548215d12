// SPDX-License-Identifier: Apache-2.0
#include "vcd_text.h"

#include <fmt/format.h>

#include <sstream>

#include "wse/base/check.h"

namespace wse::report {
namespace {

[[noreturn]] void fail(std::string_view text) {
  throw base::InternalError(fmt::format("'{}' in the waves of a twin is no VCD", text));
}

VcdVariable read_variable(std::istream& words, const std::vector<std::string>& scopes) {
  VcdVariable variable;
  std::string type;
  words >> type >> variable.width >> variable.code >> variable.name;
  if (!words) fail("$var " + type);
  if (type == "real") variable.width = 0;
  for (std::string word; words >> word && word != "$end";) continue;  // the range
  variable.scopes = scopes;
  return variable;
}

}  // namespace

std::vector<VcdVariable> read_vcd_header(const std::string& text) {
  std::vector<VcdVariable> variables;
  std::vector<std::string> scopes;
  std::istringstream words(text);
  for (std::string word; words >> word && word != "$enddefinitions";) {
    if (word == "$scope") {
      std::string type, name;
      words >> type >> name;
      scopes.push_back(name);
    } else if (word == "$upscope") {
      if (scopes.empty()) fail(word);
      scopes.pop_back();
    } else if (word == "$var") {
      variables.push_back(read_variable(words, scopes));
    }
  }
  if (!words) fail("no $enddefinitions");
  return variables;
}

std::string_view VcdChanges::line() {
  const std::size_t end = std::min(rest_.find('\n'), rest_.size());
  std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  return line;
}

bool VcdChanges::next(VcdChange& change) {
  while (!rest_.empty()) {
    const std::string_view text = line();
    if (text.empty() || text[0] == '#' || text[0] == '$') continue;
    if (text[0] != 'b' && text[0] != 'B' && text[0] != 'r' && text[0] != 'R') {
      if (text.size() < 2) fail(text);
      change = {text.substr(1), text.substr(0, 1)};
      return true;
    }
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || space < 2) fail(text);
    change = {text.substr(space + 1), text.substr(1, space - 1)};
    return true;
  }
  return false;
}

std::string vcd_bits(std::string_view value, std::uint32_t width) {
  if (value.size() > width) fail(value);
  const char first = value.empty() ? '0' : value[0];
  std::string bits(width - value.size(), first == '1' ? '0' : first);
  return bits.append(value);
}

}  // namespace wse::report
