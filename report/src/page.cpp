// SPDX-License-Identifier: Apache-2.0
#include "wse/report/page.h"

#include <map>
#include <nlohmann/json.hpp>

#include "page_templates.h"

namespace wse::report {
namespace {

/// A script element ends at the first "</": inside JSON strings a solidus may be escaped.
std::string inside_script(std::string json) {
  for (std::size_t at = json.find("</"); at != std::string::npos; at = json.find("</", at + 3)) {
    json.insert(at + 1, "\\");
  }
  return json;
}

}  // namespace

std::string page(const std::string& name, const nlohmann::ordered_json& data) {
  const std::string mark = "@DATA@";
  std::string text = page_templates().at(name);
  text.replace(text.find(mark), mark.size(), inside_script(data.dump()));
  return text;
}

}  // namespace wse::report
