// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wse::report {

/// A variable that the header of a VCD file declares.
struct VcdVariable {
  std::vector<std::string> scopes;  ///< from the outside in
  std::string name;                 ///< without its range
  std::uint32_t width = 0;          ///< bits; 0: a real number
  std::string code;                 ///< stands for it in value changes; names of one net share it
};

/// The variables of a header, in its order. Throws InternalError for what is no VCD.
std::vector<VcdVariable> read_vcd_header(const std::string& text);

/// A value change; views into the text.
struct VcdChange {
  std::string_view code;
  std::string_view value;  ///< bits, the highest first and as many as were written, or a number
};

/// Goes through value changes; times and commands between them do not count.
class VcdChanges {
 public:
  /// The text must outlive it. Throws InternalError for what is no VCD.
  explicit VcdChanges(std::string_view text) : rest_(text) {}
  /// False at the end.
  bool next(VcdChange& change);

 private:
  std::string_view line();
  std::string_view rest_;
};

/// A value at the full width: VCD leaves out leading zeros, and spreads x and z.
std::string vcd_bits(std::string_view value, std::uint32_t width);

}  // namespace wse::report
