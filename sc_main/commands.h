// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace wse::cli {

/// Exit statuses of the command line's contract.
inline constexpr int kDone = 0;
inline constexpr int kRunFailed = 1;
inline constexpr int kBadUsage = 2;
inline constexpr int kMismatch = 3;
inline constexpr int kInterrupted = 130;

using Arguments = std::vector<std::string>;  ///< what follows the name of the command

int train_command(const Arguments& arguments);
int validate_command(const Arguments& arguments);
int kernel_command(const Arguments& arguments);
int noc_command(const Arguments& arguments);
int cosim_command(const Arguments& arguments);
/// The commands of those names with twins.
int cosim_noc_command(const Arguments& arguments);
int cosim_kernel_command(const Arguments& arguments);
int campaign_command(const Arguments& arguments);
int power_command(const Arguments& arguments);
int bench_command(const Arguments& arguments);
int sweep_command(const Arguments& arguments);
int diff_command(const Arguments& arguments);
int explain_command(const Arguments& arguments);
int list_command(const Arguments& arguments);
int report_command(const Arguments& arguments);
int tb_command(const Arguments& arguments);

/// A short testbench of testbenches/benches/.
struct Bench {
  std::string name;
  std::string text;  ///< one line
};
const std::vector<Bench>& benches();

/// Folder that holds configs/: WSE_HOME, the one that was installed with the program, or where the
/// project was built.
std::string home();
/// Names with the file ending under configs/<folder>, sorted, without the ending.
std::vector<std::string> preset_names(const std::string& folder, const std::string& ending);
/// A preset's file, or the argument itself if it names a file. Throws ConfigError with the nearest
/// name.
std::string preset_file(const std::string& what, const std::string& name, const std::string& folder,
                        const std::string& ending);
/// Name of a model by its file; a `config.json` is named for its folder.
std::string model_name(const std::string& file);
/// Where an energy table is read from: as seen from here, else from home().
std::string energy_table_file(const std::string& given);

}  // namespace wse::cli
