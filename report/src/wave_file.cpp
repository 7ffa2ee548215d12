// SPDX-License-Identifier: Apache-2.0
#include "wse/report/wave_file.h"

#include <filesystem>
#include <sstream>

#include "wave_formats.h"
#include "wse/base/config_errors.h"

namespace wse::report {

std::unique_ptr<base::WaveSink> open_wave_file(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".vcd") return open_vcd(path);
  if (ending != ".fst") throw base::ConfigError("--wave", path, "must end in .vcd or .fst");
  if (!can_write_fst()) {
    throw base::ConfigError("--wave", path,
                            "needs the FST writer, which was missing when the program was built "
                            "(Debian's package verilator has it); .vcd works");
  }
  return open_fst(path);
}

ScopeWalk::Steps ScopeWalk::to(const std::string& scope) {
  std::vector<std::string> wanted;
  std::istringstream names(scope);
  for (std::string name; std::getline(names, name, '.');) wanted.push_back(name);
  std::size_t common = 0;
  while (common < open_.size() && common < wanted.size() && open_[common] == wanted[common]) {
    ++common;
  }
  Steps steps;
  steps.leave = open_.size() - common;
  steps.enter.assign(wanted.begin() + static_cast<std::ptrdiff_t>(common), wanted.end());
  open_ = std::move(wanted);
  return steps;
}

}  // namespace wse::report
