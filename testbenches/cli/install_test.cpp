// SPDX-License-Identifier: Apache-2.0
// What `cmake --install` leaves is enough for a project of its own, and for the executable.
#include <gtest/gtest.h>

#include "support/run_command.h"

namespace wse {
namespace {

using testing_support::CommandResult;
using testing_support::run_command;

class InstallTest : public ::testing::Test {
 protected:
  /// Without what points back to where the project was built.
  CommandResult must(const std::string& command) {
    CommandResult r = run_command("unset WSE_HOME; " + command, folder_);
    EXPECT_EQ(r.status, 0) << command << "\n" << r.out << r.err;
    return r;
  }
  testing_support::TemporaryFolder folder_;
};

TEST_F(InstallTest, AProjectOutOfTheTreeBuildsAndRunsAgainstThePackage) {
  must("cmake --install " WSE_BINARY_DIR " --prefix \"$PWD/prefix\"");
  must("cp -r prefix/share/wse-tlm/testbenches/benches/out_of_tree own");
  must("cmake -G Ninja -S own -B own/build -DCMAKE_PREFIX_PATH=\"$PWD/prefix\"");
  must("cmake --build own/build");
  const CommandResult run = must("own/build/own_testbench");
  EXPECT_NE(run.out.find("4 of 4 credits came back"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find(" W\n"), std::string::npos) << run.out;
  const CommandResult newer = run_command(
      "cmake -G Ninja -S own -B newer -DCMAKE_CXX_STANDARD=20 -DCMAKE_PREFIX_PATH=\"$PWD/prefix\"",
      folder_);
  EXPECT_NE(newer.status, 0);
  EXPECT_NE(newer.err.find("SystemC is built for C++17"), std::string::npos) << newer.err;
}

/// The topmost layer brings everything that any layer needs to link.
TEST_F(InstallTest, TheTopmostLayerLinks) {
  must("cmake --install " WSE_BINARY_DIR " --prefix \"$PWD/prefix\" && mkdir own");
  folder_.write(
      "own/main.cpp",
      "#include <systemc>\n#include \"wse/report/wave_file.h\"\n"
      "int sc_main(int, char**) { wse::report::open_wave_file(\"own.vcd\"); return 0; }\n");
  folder_.write("own/CMakeLists.txt",
                "cmake_minimum_required(VERSION 3.23)\nproject(own LANGUAGES CXX)\n"
                "find_package(wse-tlm REQUIRED)\nadd_executable(own main.cpp)\n"
                "target_link_libraries(own PRIVATE wse::report)\n");
  must("cmake -G Ninja -S own -B own/build -DCMAKE_PREFIX_PATH=\"$PWD/prefix\"");
  must("cmake --build own/build");
  must("own/build/own && test -f own.vcd");
}

TEST_F(InstallTest, TheExecutableFindsItsConfigurationsBesideItself) {
  must("cmake --install " WSE_BINARY_DIR " --prefix \"$PWD/prefix\"");
  const CommandResult explain = must("prefix/bin/wse explain io.lanes");
  EXPECT_NE(explain.out.find(folder_.file("prefix/share/wse-tlm/configs")), std::string::npos)
      << explain.out;
  must("prefix/bin/wse train tiny-gpt --machine tiny --quiet");
  must("mkdir moved && mv prefix/bin prefix/share moved/ && moved/bin/wse list machines");
  EXPECT_NE(must("WSE_HOME=" WSE_SOURCE_DIR " moved/bin/wse explain io.lanes")
                .out.find(WSE_SOURCE_DIR "/configs"),
            std::string::npos);
}

}  // namespace
}  // namespace wse
