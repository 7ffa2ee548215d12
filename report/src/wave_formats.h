// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "wse/base/wave_sink.h"

namespace wse::report {

/// The formats of open_wave_file.
std::unique_ptr<base::WaveSink> open_vcd(const std::string& path);
std::unique_ptr<base::WaveSink> open_fst(const std::string& path);

/// Signals in the order in which a file declares them, and the scopes to enter and leave between
/// them.
class ScopeWalk {
 public:
  /// Scopes to leave, then those to enter, to come from the signal before to this one.
  struct Steps {
    std::size_t leave = 0;
    std::vector<std::string> enter;
  };
  Steps to(const std::string& scope);
  std::size_t depth() const { return open_.size(); }

 private:
  std::vector<std::string> open_;
};

}  // namespace wse::report
