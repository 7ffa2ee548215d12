// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace wse::cosim {

/// A module of the reference RTL, and what synthesis makes of it: a line of cosim/rtl/cells.csv.
struct RtlRow {
  std::vector<std::string> sources;     ///< files of cosim/rtl, that of the module first
  std::string top;                      ///< the module
  std::vector<std::string> parameters;  ///< NAME=value; the others keep their defaults
  std::uint64_t cells = 0;  ///< all that Yosys' `stat` counts, flip-flops and memories included
  std::uint64_t flip_flops = 0;  ///< of one bit
  std::uint64_t memories = 0;    ///< that stay memories; 0: all become flip-flops
};

/// The folder of the reference RTL.
std::string rtl_folder();
/// Rows of a table of that form. What is wrong with a line is added to `errors`, and no row made of it.
std::vector<RtlRow> read_rtl_table(const std::string& path, std::vector<std::string>& errors);
/// Those of cosim/rtl/cells.csv that are right.
std::vector<RtlRow> rtl_rows();
/// Letters, digits and underscores that name a row.
std::string name_of(const RtlRow& row);
std::ostream& operator<<(std::ostream& out, const RtlRow& row);

}  // namespace wse::cosim
