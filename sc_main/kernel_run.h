// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.h"
#include "wse/report/kernel_report.h"

namespace wse::cli {

/// Runs what `wse kernel` would run with these arguments, without files or output.
report::KernelRecord run_kernel(const Arguments& arguments);

}  // namespace wse::cli
