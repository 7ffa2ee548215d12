// SPDX-License-Identifier: Apache-2.0
// The tutorials do what they say: their files are written, their commands run in order in an empty
// folder, and what they show of an output is there, numbers aside. Fences: ```sh runs and succeeds,
// ```sh fails runs and fails, ```text is part of the output before it, ```console is for a person,
// anything else is a file named in its first line.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <vector>

#include "support/run_command.h"

namespace wse {
namespace {

namespace fs = std::filesystem;

struct Block {
  std::string fence;
  std::string text;
};

std::vector<Block> blocks_of(const std::string& markdown) {
  std::vector<Block> blocks;
  bool inside = false;
  std::istringstream lines(markdown);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("```", 0) == 0) {
      if (!inside) blocks.push_back({line.substr(3), ""});
      inside = !inside;
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

/// Lines without their numbers and surplus spaces.
std::set<std::string> shapes_of(const std::string& text) {
  static const std::regex number("[0-9]+(\\.[0-9]+)?");
  static const std::regex spaces(" +");
  std::set<std::string> shapes;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    shapes.insert(std::regex_replace(std::regex_replace(line, number, "#"), spaces, " "));
  }
  return shapes;
}

class TutorialsTest : public ::testing::TestWithParam<const char*> {
 protected:
  TutorialsTest() : page_(std::string(WSE_SOURCE_DIR "/docs/tutorials/") + GetParam() + ".md") {
    folder_.write("wse", "#!/bin/sh\nexec " WSE_CLI " \"$@\"\n");
    fs::permissions(folder_.file("wse"), fs::perms::owner_all);
    for (const char* name : {"configs", "testbenches"}) {
      fs::create_symlink(std::string(WSE_SOURCE_DIR "/") + name, folder_.file(name));
    }
    fs::create_directory(folder_.file("build"));
    fs::create_symlink(WSE_BINARY_DIR, folder_.file("build/release"));
  }

  void run(const Block& block) {
    folder_.write(".block.sh", block.text);
    const auto result = testing_support::run_command("sh -eu .block.sh", folder_);
    output_ = result.out + result.err;
    EXPECT_EQ(result.status != 0, block.fence == "sh fails") << block.text << output_;
  }
  void compare(const Block& block) const {
    const std::set<std::string> seen = shapes_of(output_);
    for (const std::string& shown : shapes_of(block.text)) {
      EXPECT_EQ(seen.count(shown), 1u) << shown << "\nis not in\n" << output_;
    }
  }
  void write(const Block& block) {
    static const std::regex first_line("(#|//) ([A-Za-z0-9_./-]+\\.[a-z]+)\n");
    std::smatch match;
    ASSERT_TRUE(
        std::regex_search(block.text, match, first_line, std::regex_constants::match_continuous))
        << block.text;
    const fs::path file = folder_.file(match[2]);
    fs::create_directories(file.parent_path());
    folder_.write(match[2], block.text);
  }

  const std::string page_;
  testing_support::TemporaryFolder folder_;
  std::string output_;
};

TEST_P(TutorialsTest, DoesWhatItSays) {
  const std::vector<Block> blocks = blocks_of(testing_support::read_file(page_));
  ASSERT_FALSE(blocks.empty());
  for (const Block& block : blocks) {
    if (block.fence == "sh" || block.fence == "sh fails") {
      run(block);
    } else if (block.fence == "text") {
      compare(block);
    } else if (block.fence != "console") {
      write(block);
    }
    if (HasFailure()) return;  // what follows builds on it
  }
}

TEST_P(TutorialsTest, ItsLinksLeadSomewhere) {
  const std::string text = testing_support::read_file(page_);
  static const std::regex link("\\]\\(([^)#:]+)\\)");
  for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it) {
    EXPECT_TRUE(fs::exists(fs::path(page_).parent_path() / (*it)[1].str())) << (*it)[1];
  }
}

INSTANTIATE_TEST_SUITE_P(All, TutorialsTest,
                         ::testing::Values("first-run", "heat-map", "own-kernel", "own-machine",
                                           "own-routes", "own-testbench", "reading-waves",
                                           "train-for-real"),
                         [](const auto& page) {
                           std::string name = page.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace wse
