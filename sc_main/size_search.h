// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "kernel_choice.h"

namespace wse::cli {

/// The largest value of each size, the others as they are, or of all together, with which the kernel fits its
/// tiles: a line for a message, or nothing.
std::string what_fits(const KernelChoice& choice, const tiles::MeshConfig& config,
                      const report::KernelRecord& record);

}  // namespace wse::cli
