// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <boost/algorithm/string.hpp>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>

#include "interrupt.h"
#include "kernel_run.h"
#include "settings_options.h"
#include "wse/report/files.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;

enum class Duration : std::uint8_t { kShort, kLong, kHours };

/// What is compared.
struct Quantity {
  const char* name;
  const char* tolerance_unit;
  const char* form;  ///< of a value
  double (*of)(const report::KernelRecord& record);
};

const std::array<Quantity, 4>& quantities() {
  static const std::array<Quantity, 4> kAll{{
      {"cycles", "cycles", "{:.10g}",
       [](const report::KernelRecord& r) { return static_cast<double>(r.result.cycles); }},
      {"busy percent", "points", "{:.1f} %",
       [](const report::KernelRecord& r) { return 100 * r.result.busy_fraction; }},
      {"wall step kW", "kW", "{:.1f} kW",
       [](const report::KernelRecord& r) {
         return (r.everywhere.system_w - r.idle.system_w) / 1e3;
       }},
      {"wall idle kW", "kW", "{:.1f} kW",
       [](const report::KernelRecord& r) { return r.idle.system_w / 1e3; }},
  }};
  return kAll;
}

const Quantity& quantity_of(const std::string& name, const std::string& place) {
  std::string known;
  for (const Quantity& q : quantities()) {
    if (name == q.name) return q;
    known += (known.empty() ? "" : ", ") + std::string(q.name);
  }
  throw base::ConfigError(place, name, "must be one of: " + known);
}

/// A published number and the kernel that is to show it.
struct Row {
  std::string id;
  std::string kernel;  ///< arguments of wse kernel
  const Quantity* quantity = nullptr;
  double published = 0;
  double tolerance_percent = 0;
  double tolerance = 0;  ///< of the quantity
  std::string basis;
  std::string source;
  Duration duration = Duration::kShort;
  std::string cause;  ///< if it misses: why
  double measured = 0;

  double error() const { return measured - published; }
  double percent() const { return 100 * error() / published; }
  bool holds() const {
    return std::abs(error()) <= std::max(tolerance, published * tolerance_percent / 100);
  }
  /// With its unit where it is no number of cycles.
  std::string text_of(double value) const {
    return fmt::format(fmt::runtime(quantity->form), value);
  }
};

double number_of(const std::string& text, const std::string& place) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') throw base::ConfigError(place, text, "must be a number");
  return value;
}

std::vector<Row> read_rows(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line)) throw base::ConfigError("file", file, "cannot be read");
  std::vector<Row> rows;
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    std::vector<std::string> cells;
    boost::split(cells, line, boost::is_any_of(","));
    const std::string place = fmt::format("{}:{}", file, number);
    if (cells.size() != 10) throw base::ConfigError(place, line, "must have 10 cells");
    Row row;
    row.id = cells[0];
    row.kernel = cells[1];
    row.quantity = &quantity_of(cells[2], place);
    row.published = number_of(cells[3], place);
    row.tolerance_percent = number_of(cells[4], place);
    row.tolerance = number_of(cells[5], place);
    row.basis = cells[6];
    row.source = cells[7];
    static const std::map<std::string, Duration> kDurations{
        {"short", Duration::kShort}, {"long", Duration::kLong}, {"hours", Duration::kHours}};
    const auto duration = kDurations.find(cells[8]);
    if (duration == kDurations.end()) {
      throw base::ConfigError(place, cells[8], "must be short, long or hours");
    }
    row.duration = duration->second;
    row.cause = cells[9];
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string tolerance_of(const Row& row) {
  std::string text;
  if (row.tolerance_percent > 0) text = fmt::format("{:g} %", row.tolerance_percent);
  if (row.tolerance > 0) {
    text += fmt::format("{}{:g} {}", text.empty() ? "" : " or ", row.tolerance,
                        row.quantity->tolerance_unit);
  }
  return text.empty() ? "exact" : text;
}

/// The table as a page of the documentation.
std::string markdown(const std::vector<Row>& rows) {
  std::string text =
      "# Validation of kernels\n\n"
      "Written by `wse validate --hours --out docs/validation.md`; the kernels are run with the "
      "options shown. Cycles do not depend on the clock. No row is used for calibration.\n\n"
      "| id | `wse kernel` | measured | published | error | tolerance | | basis | source |\n"
      "|---|---|---|---|---|---|---|---|---|\n";
  std::string causes;
  double sum = 0;
  double largest = 0;
  std::size_t missed = 0;
  for (const Row& row : rows) {
    text +=
        fmt::format("| {} | {} | {} | {} | {:+.2f} % | {} | {} | {} | {} |\n", row.id, row.kernel,
                    row.text_of(row.measured), row.text_of(row.published), row.percent(),
                    tolerance_of(row), row.holds() ? "holds" : "**misses**", row.basis, row.source);
    sum += std::abs(row.percent());
    largest = std::max(largest, std::abs(row.percent()));
    if (row.holds()) continue;
    ++missed;
    causes += fmt::format("* {} misses: {}.\n", row.id,
                          row.cause.empty() ? "the cause is not known" : row.cause);
  }
  text += fmt::format("\n{} rows, {} miss; mean error {:.2f} %, largest {:.2f} %.\n", rows.size(),
                      missed, rows.empty() ? 0.0 : sum / static_cast<double>(rows.size()), largest);
  if (!causes.empty()) text += "\n" + causes;
  return text;
}

double measure(const Row& row) {
  Arguments words;
  boost::split(words, row.kernel, boost::is_any_of(" "), boost::token_compress_on);
  return row.quantity->of(run_kernel(words));
}

}  // namespace

int validate_command(const Arguments& arguments) {
  std::string file = home() + "/configs/validation/kernels.csv";
  std::string out;
  bool with_long = false;
  bool with_hours = false;
  po::options_description options("options");
  options.add_options()("rows", po::value(&file)->value_name("FILE"),
                        "published numbers (default those of the shipped kernels)")(
      "out", po::value(&out)->value_name("FILE"), "write the table as a page")(
      "long", po::bool_switch(&with_long), "rows that take minutes as well")(
      "hours", po::bool_switch(&with_hours), "all rows");
  po::variables_map values;
  if (!parse_options(arguments, options, {}, "wse validate [options]", values)) return kDone;
  const Duration most = with_hours  ? Duration::kHours
                        : with_long ? Duration::kLong
                                    : Duration::kShort;
  catch_interrupts();
  std::vector<Row> done;
  for (Row& row : read_rows(file)) {
    if (row.duration > most) continue;
    row.measured = measure(row);
    std::cout << fmt::format("{:<9} {:<58} {:>9} of {:>9}  {:+7.2f} %  {}\n", row.id, row.kernel,
                             row.text_of(row.measured), row.text_of(row.published), row.percent(),
                             row.holds() ? "holds" : "misses")
              << std::flush;
    done.push_back(std::move(row));
  }
  if (!out.empty()) report::write_file(out, markdown(done));
  return kDone;
}

}  // namespace wse::cli
