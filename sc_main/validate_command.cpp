// SPDX-License-Identifier: Apache-2.0
#include <boost/algorithm/string.hpp>
#include <cmath>
#include <fstream>
#include <iostream>

#include "interrupt.h"
#include "kernel_run.h"
#include "settings_options.h"
#include "wse/report/files.h"

namespace wse::cli {
namespace {

namespace po = boost::program_options;

/// A published time and the kernel that is to show it.
struct Row {
  std::string id;
  std::string kernel;  ///< arguments of wse kernel
  double published = 0;
  double tolerance_percent = 0;
  double tolerance_cycles = 0;
  std::string basis;
  std::string source;
  bool is_long = false;
  std::uint64_t measured = 0;

  double error() const { return static_cast<double>(measured) - published; }
  double percent() const { return 100 * error() / published; }
  bool holds() const {
    return std::abs(error()) <= std::max(tolerance_cycles, published * tolerance_percent / 100);
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
    if (cells.size() != 8) throw base::ConfigError(place, line, "must have 8 cells");
    Row row;
    row.id = cells[0];
    row.kernel = cells[1];
    row.published = number_of(cells[2], place);
    row.tolerance_percent = number_of(cells[3], place);
    row.tolerance_cycles = number_of(cells[4], place);
    row.basis = cells[5];
    row.source = cells[6];
    row.is_long = cells[7] == "long";
    if (!row.is_long && cells[7] != "short") {
      throw base::ConfigError(place, cells[7], "must be short or long");
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string tolerance_of(const Row& row) {
  if (row.tolerance_percent == 0 && row.tolerance_cycles == 0) return "exact";
  std::string text = fmt::format("{:g} %", row.tolerance_percent);
  if (row.tolerance_cycles > 0) text += fmt::format(" or {:g} cycles", row.tolerance_cycles);
  return text;
}

/// The table as a page of the documentation.
std::string markdown(const std::vector<Row>& rows) {
  std::string text =
      "# Validation of kernels\n\n"
      "Written by `wse validate --long --out docs/validation.md`; the kernels are run with the "
      "options "
      "shown. Cycles do not depend on the clock. No row is used for calibration.\n\n"
      "| id | `wse kernel` | measured | published | error | tolerance | | basis | source |\n"
      "|---|---|---|---|---|---|---|---|---|\n";
  double sum = 0;
  double largest = 0;
  std::size_t missed = 0;
  for (const Row& row : rows) {
    text += fmt::format("| {} | {} | {} | {:.10g} | {:+.2f} % | {} | {} | {} | {} |\n", row.id,
                        row.kernel, row.measured, row.published, row.percent(), tolerance_of(row),
                        row.holds() ? "holds" : "**misses**", row.basis, row.source);
    sum += std::abs(row.percent());
    largest = std::max(largest, std::abs(row.percent()));
    missed += row.holds() ? 0 : 1;
  }
  text += fmt::format("\n{} rows, {} miss; mean error {:.2f} %, largest {:.2f} %.\n", rows.size(),
                      missed, rows.empty() ? 0.0 : sum / static_cast<double>(rows.size()), largest);
  return text;
}

}  // namespace

int validate_command(const Arguments& arguments) {
  std::string file = home() + "/configs/validation/collectives.csv";
  std::string out;
  bool with_long = false;
  po::options_description options("options");
  options.add_options()("rows", po::value(&file)->value_name("FILE"),
                        "published times (default those of the collectives)")(
      "out", po::value(&out)->value_name("FILE"), "write the table as a page")(
      "long", po::bool_switch(&with_long), "rows that take minutes as well");
  po::variables_map values;
  if (!parse_options(arguments, options, {}, "wse validate [options]", values)) return kDone;
  catch_interrupts();
  std::vector<Row> done;
  for (Row& row : read_rows(file)) {
    if (row.is_long && !with_long) continue;
    Arguments words;
    boost::split(words, row.kernel, boost::is_any_of(" "), boost::token_compress_on);
    row.measured = run_kernel(words).result.cycles;
    std::cout << fmt::format("{:<8} {:<58} {:>9} of {:>9.10g}  {:+7.2f} %  {}\n", row.id,
                             row.kernel, row.measured, row.published, row.percent(),
                             row.holds() ? "holds" : "misses")
              << std::flush;
    done.push_back(std::move(row));
  }
  if (!out.empty()) report::write_file(out, markdown(done));
  return kDone;
}

}  // namespace wse::cli
