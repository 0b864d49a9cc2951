#include "cli/new/tree.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/temporary_directory.h"

namespace wirehall::cli {
namespace {
namespace fs = std::filesystem;

const std::vector<PlannedFile> kFiles = {{"a.txt", "A", false, false},
                                         {"b/c/run", "#!/bin/sh\n", true, false},
                                         {"b/.env", "SECRET=x", false, true}};
const auto kGoOn = [] { return true; };

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

mode_t mode(const fs::path& file) {
  struct stat found {};
  EXPECT_EQ(::stat(file.c_str(), &found), 0);
  return found.st_mode & 0777;
}

class Tree : public testing::Test {
 protected:
  test::TemporaryDirectory directory_;
  fs::path root_ = directory_.path();
};

TEST_F(Tree, IsThereAsItWasPlanned) {
  ASSERT_TRUE(write_tree(root_ / "app", kFiles, kGoOn).ok());
  EXPECT_EQ(*read_text(root_ / "app/a.txt"), "A");
  EXPECT_EQ(mode(root_ / "app/b/c/run") & 0100, 0100u);
  EXPECT_EQ(mode(root_ / "app/a.txt") & 0111, 0u);
  EXPECT_EQ(mode(root_ / "app/b/.env"), 0600u);
  EXPECT_EQ(mode(root_ / "app") & 0500, 0500u);
  EXPECT_EQ(entries(root_), 1u);
}

TEST_F(Tree, NeverOverwrites) {
  fs::create_directory(root_ / "app");
  std::ofstream(root_ / "app/mine") << "mine";
  const Status written = write_tree(root_ / "app", kFiles, kGoOn);
  EXPECT_NE(written.error().detail().find("exists already"), std::string::npos);
  EXPECT_EQ(*read_text(root_ / "app/mine"), "mine");
  EXPECT_EQ(entries(root_ / "app"), 1u);
  EXPECT_EQ(entries(root_), 1u);
  std::ofstream(root_ / "file") << "x";
  EXPECT_FALSE(write_tree(root_ / "file", kFiles, kGoOn).ok());
  fs::create_symlink(root_ / "nowhere", root_ / "link");
  EXPECT_FALSE(write_tree(root_ / "link", kFiles, kGoOn).ok());
}

TEST_F(Tree, TakesAnEmptyFolder) {
  fs::create_directory(root_ / "app");
  EXPECT_TRUE(write_tree(root_ / "app", kFiles, kGoOn).ok());
}

TEST_F(Tree, AnInterruptedRunLeavesNothing) {
  for (int files = 0; files < 3; ++files) {
    int asked = 0;
    const Status written = write_tree(root_ / "app", kFiles, [&] { return asked++ < files; });
    EXPECT_EQ(written.error().code(), ErrorCode::kShuttingDown);
    EXPECT_EQ(entries(root_), 0u) << files;
  }
}

TEST_F(Tree, AFailureLeavesNothingAndNamesTheFile) {
  std::vector<PlannedFile> files = kFiles;
  files.push_back({"a.txt/below", "a file cannot hold a file", false, false});
  const Status written = write_tree(root_ / "app", files, kGoOn);
  EXPECT_NE(written.error().detail().find("a.txt"), std::string::npos);
  EXPECT_EQ(entries(root_), 0u);
}

TEST_F(Tree, AParentThatIsNotThereIsNamed) {
  const Status written = write_tree(root_ / "no/app", kFiles, kGoOn);
  EXPECT_NE(written.error().detail().find((root_ / "no").string()), std::string::npos)
      << written.error().detail();
}

TEST_F(Tree, ReplacingKeepsTheMode) {
  std::ofstream(root_ / "run") << "old";
  fs::permissions(root_ / "run", fs::perms::owner_all);
  ASSERT_TRUE(replace_file(root_ / "run", "new").ok());
  EXPECT_EQ(*read_text(root_ / "run"), "new");
  EXPECT_EQ(mode(root_ / "run"), 0700u);
  ASSERT_TRUE(replace_file(root_ / "fresh/file", "x").ok());
  EXPECT_EQ(*read_text(root_ / "fresh/file"), "x");
  EXPECT_EQ(entries(root_), 2u);
}

}  // namespace
}  // namespace wirehall::cli
