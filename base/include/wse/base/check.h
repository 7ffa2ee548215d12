// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace wse::base {

/// A broken invariant of the model itself: never the user's fault, on in every build.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void check_failed(const char* expression, const char* file, int line,
                               const std::string& what);

}  // namespace wse::base

/// Holds in every build type; `what` names the instance and the cycle.
#define WSE_CHECK(expression, what) \
  ((expression) ? void(0) : ::wse::base::check_failed(#expression, __FILE__, __LINE__, (what)))
