// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace wse::testing_support {

/// The text of a VCD file, read word by word as its standard says; what fst2vcd gives, too.
class WaveDump {
 public:
  explicit WaveDump(const std::string& text) {
    std::istringstream words(text);
    read_header(words);
    read_changes(words);
  }

  bool has(const std::string& signal) const { return codes_.count(signal) != 0; }
  std::uint32_t width(const std::string& signal) const { return codes_.at(signal).width; }
  std::size_t signals() const { return codes_.size(); }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, code] : codes_) all.push_back(name);
    return all;
  }
  /// Times in the file.
  const std::set<std::uint64_t>& times() const { return times_; }
  /// Changes of a signal: time and value, as many characters as bits.
  const std::vector<std::pair<std::uint64_t, std::string>>& changes(
      const std::string& signal) const {
    static const std::vector<std::pair<std::uint64_t, std::string>> kNone;
    const auto it = values_.find(codes_.at(signal).code);
    return it == values_.end() ? kNone : it->second;
  }
  /// At a time; empty before the first value.
  std::string bits(const std::string& signal, std::uint64_t time) const {
    std::string value;
    for (const auto& [when, bits] : changes(signal)) {
      if (when > time) break;
      value = bits;
    }
    return value;
  }
  /// Bits lowest .. lowest + count - 1 as a number.
  std::uint64_t number(const std::string& signal, std::uint64_t time, std::size_t lowest = 0,
                       std::size_t count = 64) const {
    const std::string all = bits(signal, time);
    if (all.empty()) throw std::runtime_error(signal + " has no value");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count && lowest + i < all.size(); ++i) {
      const char bit = all[all.size() - 1 - lowest - i];
      if (bit != '0' && bit != '1') throw std::runtime_error(signal + " is " + all);
      value |= std::uint64_t{bit == '1'} << i;
    }
    return value;
  }

 private:
  struct Code {
    std::string code;
    std::uint32_t width = 0;
  };

  void read_header(std::istream& words) {
    std::vector<std::string> scopes;
    for (std::string word; words >> word && word != "$enddefinitions";) {
      std::string type, name;
      if (word == "$scope") {
        words >> type >> name;
        scopes.push_back(name);
      } else if (word == "$upscope") {
        scopes.pop_back();
      } else if (word == "$var") {
        Code code;
        words >> type >> code.width >> code.code >> name;
        std::string path;
        for (const std::string& scope : scopes) path += scope + ".";
        // fst2vcd may write the range next to the name.
        codes_[path + (code.width > 1 ? name.substr(0, name.rfind('[')) : name)] = code;
        widths_[code.code] = code.width;
      }
    }
    if (!words) throw std::runtime_error("no $enddefinitions");
    if (!scopes.empty()) throw std::runtime_error("scopes are left open");
  }

  void read_changes(std::istream& words) {
    std::uint64_t now = 0;
    for (std::string word; words >> word;) {
      if (word[0] == '#') {
        const std::uint64_t time = std::stoull(word.substr(1));
        if (!times_.empty() && time < now) throw std::runtime_error("times fall");
        now = time;
        times_.insert(now);
      } else if (word[0] == 'b' || word[0] == 'r') {
        std::string code;
        words >> code;
        std::string bits = word.substr(1);
        const std::uint32_t width = widths_.at(code);
        if (bits.size() < width) bits.insert(0, width - bits.size(), bits[0] == 'x' ? 'x' : '0');
        values_[code].emplace_back(now, bits);
      } else if (word[0] != '$') {
        values_[word.substr(1)].emplace_back(now, word.substr(0, 1));
      }
    }
  }

  std::map<std::string, Code> codes_;
  std::map<std::string, std::uint32_t> widths_;
  std::map<std::string, std::vector<std::pair<std::uint64_t, std::string>>> values_;
  std::set<std::uint64_t> times_;
};

/// Signals that a save file of GTKWave names, without their ranges.
inline std::set<std::string> saved_signals(const std::string& save) {
  std::set<std::string> names;
  std::istringstream lines(save);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || std::string("[@*-^").find(line[0]) != std::string::npos) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (word[0] == '#' || word[0] == '+') continue;  // the name of a part
      if (word[0] == '(') word = word.substr(word.find(')') + 1);
      names.insert(word.back() == ']' && word.find(':', word.rfind('[')) != std::string::npos
                       ? word.substr(0, word.rfind('['))
                       : word);
    }
  }
  return names;
}

}  // namespace wse::testing_support
