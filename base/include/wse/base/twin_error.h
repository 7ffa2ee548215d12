// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace wse::base {

/// Something that stands in for a part of the machine broke the part's one-clock contract; what() tells
/// which, when and how.
class TwinError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace wse::base
