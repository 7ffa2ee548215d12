// SPDX-License-Identifier: Apache-2.0
#include "wse/report/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "wse/base/config_errors.h"

namespace wse::report {

namespace fs = std::filesystem;

void prepare_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw base::ConfigError("--out", folder, "cannot be made: " + error.message());
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    throw base::ConfigError("--out", folder, "cannot be written to");
  }
}

FolderLock::FolderLock(const std::string& folder)
    : file_(open((folder + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (file_ < 0) throw base::ConfigError("--out", folder, "cannot be written to");
  if (flock(file_, LOCK_EX | LOCK_NB) == 0) return;
  close(file_);
  throw base::ConfigError("--out", folder,
                          "is being written by another run; wait for it or take another folder");
}
FolderLock::~FolderLock() { close(file_); }

void write_file(const std::string& path, const std::string& text) { write_files({{path, text}}); }

void write_files(const std::vector<std::pair<std::string, std::string>>& path_and_text) {
  const std::string ending = ".new." + std::to_string(getpid());
  const auto fail = [&](const std::string& path) {
    for (const auto& file : path_and_text) std::remove((file.first + ending).c_str());
    throw base::ConfigError("--out", path, "cannot be written");
  };
  for (const auto& [path, text] : path_and_text) {
    std::ofstream file(path + ending, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) fail(path);
  }
  for (const auto& [path, text] : path_and_text) {
    if (std::rename((path + ending).c_str(), path.c_str()) != 0) fail(path);
  }
}

}  // namespace wse::report
