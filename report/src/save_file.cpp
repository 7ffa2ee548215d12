// SPDX-License-Identifier: Apache-2.0
#include "wse/report/save_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace wse::report {
namespace {

/// GTKWave's zoom z shows 2^z / 200 units of time a pixel.
double zoom_for(double range) {
  constexpr double kPixels = 680;  // width of the wave area when the window opens
  return std::ceil(std::log2(std::max(range, 1.0) / kPixels * 200) * 10) / 10;
}

}  // namespace

SaveFile::SaveFile(const std::string& waves, base::Picoseconds begin, base::Picoseconds end)
    : text_(
          fmt::format("[*] wse-tlm\n[dumpfile] \"{}\"\n[timestart] {}\n[size] 1500 950\n"
                      "[pos] -1 -1\n*-{:.6f} -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 "
                      "-1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1\n[sst_width] 200\n[signals_width] 260\n"
                      "[sst_expanded] 1\n",
                      waves, begin, zoom_for(static_cast<double>(end - begin)))) {}

void SaveFile::title(const std::string& text) { text_ += "@200\n-" + text + "\n"; }
void SaveFile::number(const std::string& signal) { text_ += "@24\n" + signal + "\n"; }
void SaveFile::bits(const std::string& signal, std::uint32_t width) {
  text_ += fmt::format("@{}\n{}\n", width <= 8 ? "28" : "22", signal);
}
void SaveFile::part(const std::string& alias, const std::string& vector, std::uint32_t of,
                    std::uint32_t lowest, std::uint32_t width, bool as_number) {
  text_ += width == 1  ? fmt::format("@28\n+{{{}}}", alias)
           : as_number ? fmt::format("@24\n#{{{}[{}:0]}}", alias, width - 1)
                       : fmt::format("@22\n#{{{}[{}:0]}}", alias, width - 1);
  // Bits are numbered from the left.
  for (std::uint32_t bit = 0; bit < width; ++bit) {
    text_ += fmt::format(" ({}){}[{}:0]", of - lowest - width + bit, vector, of - 1);
  }
  text_ += "\n";
}
void SaveFile::state(const std::string& signal, const std::string& names_file) {
  text_ += "@2024\n^1 " + names_file + "\n" + signal + "\n";
}
void SaveFile::real(const std::string& signal) { text_ += "@420\n" + signal + "\n"; }
void SaveFile::analog(const std::string& signal) {
  text_ += "@8420\n" + signal + "\n@20000\n-\n-\n";
}
void SaveFile::begin_group(const std::string& text, bool open) {
  group_ = text;
  group_open_ = open;
  text_ += fmt::format("@{}\n-{}\n", open ? "800200" : "c00200", text);
}
void SaveFile::end_group() {
  text_ += fmt::format("@{}\n-{}\n", group_open_ ? "1000200" : "1401200", group_);
}

}  // namespace wse::report
