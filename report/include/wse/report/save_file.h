// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "wse/base/units.h"

namespace wse::report {

/// A GTKWave save file (.gtkw): which signals of a wave file are shown, in which order and how.
class SaveFile {
 public:
  /// Opens on begin .. end, picoseconds. `waves` is the file beside it.
  SaveFile(const std::string& waves, base::Picoseconds begin, base::Picoseconds end);

  void title(const std::string& text);
  /// A whole number, in decimal.
  void number(const std::string& signal);
  /// Bits: up to eight one by one, more of them in hexadecimal.
  void bits(const std::string& signal, std::uint32_t width);
  /// `width` bits of a vector of `of` bits, from bit `lowest` on, under a name of their own.
  void part(const std::string& alias, const std::string& vector, std::uint32_t of,
            std::uint32_t lowest, std::uint32_t width, bool as_number);
  /// A number shown by name: `names_file` has a line `value name` for each.
  void state(const std::string& signal, const std::string& names_file);
  /// A real number, as text.
  void real(const std::string& signal);
  /// A real number drawn as steps over two rows.
  void analog(const std::string& signal);
  /// What is added between is a group under a title, open or folded.
  void begin_group(const std::string& text, bool open);
  void end_group();

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string group_;
  bool group_open_ = true;
};

}  // namespace wse::report
