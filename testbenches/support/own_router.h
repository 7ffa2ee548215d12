// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "support/run_command.h"

namespace wse::testing_support {

/// A folder with a router of one's own, as docs/cosim.md says, and a build folder beside it.
class OwnRouter : public ::testing::Test {
 protected:
  void SetUp() override {
    if (run("verilator --version").status != 0) GTEST_SKIP() << "verilator is not installed";
    // Step 1: a folder with the router and a CMakeLists.txt.
    std::filesystem::create_directory(folder_.file("router"));
    for (const char* file :
         {"testbenches/cosim/user_router/pipelined_router.sv",
          "testbenches/cosim/user_router/CMakeLists.txt", "cosim/rtl/wse_router.sv"}) {
      const std::filesystem::path from = std::filesystem::path(WSE_SOURCE_DIR) / file;
      std::filesystem::copy_file(from, router(from.filename().string()));
    }
  }
  std::string router(const std::string& file) { return folder_.file("router/" + file); }
  CommandResult run(const std::string& command) { return run_command(command, folder_); }
  CommandResult configure() {
    return run("cmake -S " WSE_SOURCE_DIR
               " --preset release -B build -DBUILD_TESTING=OFF -DWSE_TWINS=" +
               folder_.file("router"));
  }
  TemporaryFolder folder_;
};

}  // namespace wse::testing_support
