// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/program_options.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wse/report/kernel_report.h"

namespace wse::cli {

/// Which kernel, and how large. Options that are not given are empty.
struct KernelChoice {
  std::string name;
  std::string mesh;
  std::string dtype;
  std::string algorithm;
  std::map<std::string, std::string> sizes;  ///< by option: words, group, m, ..
  bool measured = false;

  void add_to(boost::program_options::options_description& options);
};

/// The kernel with its data, of the seed in the record; fills in what the record says of the choice.
/// Throws base::ConfigError and tiles::ProgramError.
std::unique_ptr<tiles::KernelJob> choose_kernel(const KernelChoice& choice,
                                                const tiles::MeshConfig& config,
                                                report::KernelRecord& record);

/// What `wse list kernels` prints.
std::string kernel_list();

}  // namespace wse::cli
