// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wse/base/config_errors.h"

namespace wse::cosim {

/// RTL that was built in by wse_add_rtl_twin().
struct TwinKind {
  std::string name;  ///< as in rtl:NAME
  std::string source;
  std::uint32_t size = 0;     ///< wavelets in a queue of a router, words in a bank or a tile
  std::uint32_t mutants = 0;  ///< faults that it can be told to have, 1 .. mutants
};

/// Throws ConfigError for `what`: no RTL of a kind ("router") has this name; says which is near, or
/// why there is none.
[[noreturn]] void refuse_twin(const std::string& kind, const std::string& name,
                              const std::string& what, const std::vector<std::string>& names);

/// The one of a name; throws ConfigError for `what` if there is none.
template <class Kind>
const Kind& find_twin(const std::vector<Kind>& all, const std::string& kind,
                      const std::string& name, const std::string& what) {
  std::vector<std::string> names;
  for (const Kind& one : all) {
    if (one.name == name) return one;
    names.push_back(one.name);
  }
  refuse_twin(kind, name, what, names);
}

}  // namespace wse::cosim
