// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace wse::testing_support {

/// A folder of its own for one test, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    char pattern[] = "/tmp/wse_test_XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// What a command line left behind.
struct CommandResult {
  int status = -1;
  std::string out;
  std::string err;
};

/// Runs a shell command in the folder.
inline CommandResult run_command(const std::string& command, const TemporaryFolder& folder) {
  const std::string full = "cd '" + folder.path() + "' && { " + command + "; } >.stdout 2>.stderr";
  const int raw = std::system(full.c_str());
  return {WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw),
          read_file(folder.file(".stdout")), read_file(folder.file(".stderr"))};
}

inline bool has_browser(const TemporaryFolder& folder) {
  return run_command("command -v chromium", folder).status == 0;
}

/// A page of the folder once its scripts have run; what the console says is in `err`.
inline CommandResult open_page(const std::string& page, const TemporaryFolder& folder) {
  return run_command(
      "timeout 60 chromium --headless --no-sandbox --disable-gpu --no-first-run "
      "--disable-background-networking --disable-component-update --disable-sync "
      "--user-data-dir=" +
          folder.file("profile") + " --enable-logging=stderr --dump-dom file://" +
          folder.file(page),
      folder);
}

}  // namespace wse::testing_support
