// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace wse::cli {

/// A file that is written under NAME.partial.ENDING and gets its name when it is whole. What an
/// interrupted run has written stays under the first name.
class PartialFile {
 public:
  /// `name` is absolute or within the folder.
  PartialFile(const std::string& folder, const std::string& name) {
    const std::filesystem::path path(name);
    path_ = path.is_absolute() ? path : std::filesystem::path(folder) / path;
    partial_ =
        path_.parent_path() / (path_.stem().string() + ".partial" + path_.extension().string());
  }
  std::string path() const { return path_.string(); }
  std::string partial() const { return partial_.string(); }
  std::string folder() const { return path_.parent_path().string(); }
  std::string name() const { return path_.filename().string(); }
  std::string stem() const { return path_.stem().string(); }

  void finish() const { std::filesystem::rename(partial_, path_); }
  void discard() const {
    std::error_code ignored;
    std::filesystem::remove(partial_, ignored);
  }

 private:
  std::filesystem::path path_;
  std::filesystem::path partial_;
};

}  // namespace wse::cli
