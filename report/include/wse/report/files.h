// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace wse::report {

/// Makes the folder and proves that it can be written. Throws ConfigError (path --out) if not.
void prepare_folder(const std::string& folder);

/// Keeps other runs out of a folder while it lives. Throws ConfigError (path --out) if one is in it.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_;
};

/// Writes beside and renames, so that an earlier file stays whole until the new one is. Throws
/// ConfigError on failure.
void write_file(const std::string& path, const std::string& text);

/// The same for files that belong together: none is renamed before all are written.
void write_files(const std::vector<std::pair<std::string, std::string>>& path_and_text);

}  // namespace wse::report
