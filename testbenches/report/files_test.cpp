// SPDX-License-Identifier: Apache-2.0
#include "wse/report/files.h"

#include <gtest/gtest.h>

#include "support/run_command.h"
#include "wse/base/config_errors.h"

namespace wse::report {
namespace {

namespace fs = std::filesystem;
using testing_support::read_file;

std::size_t entries(const std::string& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(FilesTest, AFileIsReplacedWholeAndNothingIsLeftBeside) {
  const testing_support::TemporaryFolder folder;
  write_file(folder.file("a"), "first, longer");
  write_file(folder.file("a"), "second");
  EXPECT_EQ(read_file(folder.file("a")), "second");
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(FilesTest, WhatCannotBeWrittenIsSaidAndNothingIsLeftBeside) {
  const testing_support::TemporaryFolder folder;
  fs::create_directory(folder.file("a"));
  EXPECT_THROW(write_file(folder.file("a"), "text"), base::ConfigError);
  EXPECT_THROW(write_file(folder.file("none/a"), "text"), base::ConfigError);
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(FilesTest, AFolderIsMadeWithItsParentsOrRefused) {
  const testing_support::TemporaryFolder folder;
  prepare_folder(folder.file("x/y"));
  EXPECT_TRUE(fs::is_directory(folder.file("x/y")));
  folder.write("file", "");
  EXPECT_THROW(prepare_folder(folder.file("file/y")), base::ConfigError);
}

}  // namespace
}  // namespace wse::report
