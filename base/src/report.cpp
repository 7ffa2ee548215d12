// SPDX-License-Identifier: Apache-2.0
#include "wse/base/report.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <string_view>

namespace wse::base {
namespace {

spdlog::logger& logger() {
  static spdlog::logger the_logger = [] {
    spdlog::logger made("wse", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("%-8l %v");
    return made;
  }();
  return the_logger;
}

/// The name of the module whose process spoke; `-` outside the processes.
std::string instance_of(const sc_core::sc_report& report) {
  if (report.get_process_name() == nullptr) return "-";
  const std::string process = report.get_process_name();
  const std::size_t dot = process.rfind('.');
  return dot == std::string::npos ? process : process.substr(0, dot);
}

/// The kernel reports what a process threw once more, with a head of its own.
bool is_rethrown(const sc_core::sc_report& report) {
  return std::string_view(report.get_msg_type()) == "uncaught exception";
}

void handle(const sc_core::sc_report& report, const sc_core::sc_actions&) {
  if (is_rethrown(report)) throw ReportedError(report.get_msg());
  const std::string instance = instance_of(report);
  switch (report.get_severity()) {
    case sc_core::SC_INFO:
    case sc_core::SC_WARNING:
      logger().log(
          report.get_severity() == sc_core::SC_INFO ? spdlog::level::info : spdlog::level::warn,
          "{:>14}  {:<24} {}: {}", report.get_time().to_string(), instance, report.get_msg_type(),
          report.get_msg());
      return;
    case sc_core::SC_ERROR:
    case sc_core::SC_FATAL:
    case sc_core::SC_MAX_SEVERITY:
      throw ReportedError(fmt::format("{}: {} ({}, {})", report.get_msg_type(), report.get_msg(),
                                      instance, report.get_time().to_string()));
  }
}

}  // namespace

void install_report_sink(int verbosity) {
  sc_core::sc_report_handler::set_verbosity_level(verbosity);
  sc_core::sc_report_handler::set_handler(handle);
}

}  // namespace wse::base
