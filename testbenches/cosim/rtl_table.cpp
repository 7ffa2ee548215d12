// SPDX-License-Identifier: Apache-2.0
#include "rtl_table.h"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace wse::cosim {
namespace {

constexpr const char* kHeader = "sources,top,parameters,cells,flip_flops,memories";
constexpr std::size_t kColumns = 6;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == separator) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  if (parts.back().empty() && separator == ' ') parts.pop_back();
  return parts;
}

/// Notes what is wrong with a line.
class LineErrors {
 public:
  LineErrors(std::string place, std::vector<std::string>& errors)
      : place_(std::move(place)), errors_(errors) {}
  void add(const std::string& column, const std::string& value, const std::string& rule) {
    errors_.push_back(place_ + ": " + column + " = " + value + ": " + rule);
    any_ = true;
  }
  std::uint64_t number(const std::string& column, const std::string& text) {
    const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
    if (!text.empty() && digits && text.size() < 10) return std::stoull(text);
    add(column, text, "must be a whole number");
    return 0;
  }
  bool any() const { return any_; }

 private:
  std::string place_;
  std::vector<std::string>& errors_;
  bool any_ = false;
};

RtlRow row_of(const std::vector<std::string>& columns, LineErrors& errors) {
  RtlRow row;
  row.sources = split(columns[0], ' ');
  row.top = columns[1];
  row.parameters = split(columns[2], ' ');
  row.cells = errors.number("cells", columns[3]);
  row.flip_flops = errors.number("flip_flops", columns[4]);
  row.memories = errors.number("memories", columns[5]);
  for (const std::string& source : row.sources) {
    if (!std::filesystem::exists(rtl_folder() + source)) {
      errors.add("sources", source, "must be a file of cosim/rtl");
    }
  }
  if (row.sources.empty() || row.sources.front() != row.top + ".sv") {
    errors.add("sources", columns[0], "must begin with the file of " + row.top);
  }
  for (const std::string& parameter : row.parameters) {
    if (parameter.find('=') == std::string::npos) {
      errors.add("parameters", parameter, "must be NAME=value");
    }
  }
  return row;
}

}  // namespace

std::string rtl_folder() { return WSE_SOURCE_DIR "/cosim/rtl/"; }

std::vector<RtlRow> read_rtl_table(const std::string& path, std::vector<std::string>& errors) {
  std::vector<RtlRow> rows;
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != kHeader) {
    errors.push_back(path + ": first line = " + line + ": must be " + kHeader);
    return rows;
  }
  for (std::size_t number = 2; std::getline(file, line); ++number) {
    LineErrors of_line(path + ":" + std::to_string(number), errors);
    const std::vector<std::string> columns = split(line, ',');
    if (columns.size() != kColumns) {
      of_line.add("line", line, "must have " + std::to_string(kColumns) + " columns");
      continue;
    }
    const RtlRow row = row_of(columns, of_line);
    if (!of_line.any()) rows.push_back(row);
  }
  return rows;
}

std::vector<RtlRow> rtl_rows() {
  std::vector<std::string> ignored;  // RtlTableTest tells them
  return read_rtl_table(rtl_folder() + "cells.csv", ignored);
}

std::string name_of(const RtlRow& row) {
  std::string name = row.top;
  for (const std::string& parameter : row.parameters) name += "_" + parameter;
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
}

std::ostream& operator<<(std::ostream& out, const RtlRow& row) { return out << name_of(row); }

}  // namespace wse::cosim
