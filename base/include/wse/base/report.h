// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <systemc>

namespace wse::base {

/// What the model has to say while it runs goes through SC_REPORT_* with a stable id
/// (/wse/<layer>/<what>). This installs one sink for it: spdlog on standard error, with columns of
/// level, simulated time, instance and id. Libraries never print; the executable installs the sink
/// once.
///
/// Information is shown from SC_REPORT_INFO_VERB's verbosity `verbosity` down (SC_NONE: none).
/// Warnings are always shown. An error throws ReportedError, as it would without the sink.
void install_report_sink(int verbosity);

/// An SC_REPORT_ERROR or SC_REPORT_FATAL: `id: text (instance, time)`.
class ReportedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace wse::base
