// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace wse::fabric {

/// Nothing can move and wavelets are left; what() tells who waits for whom.
class DeadlockError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace wse::fabric
