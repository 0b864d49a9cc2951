#include "store/file_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <thread>

namespace wirehall::store {
namespace {

using namespace std::chrono_literals;

struct FileLockTest : testing::Test {
  FileLockTest()
      : folder(std::filesystem::temp_directory_path() / ("wirehall-lock-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder);
  }
  ~FileLockTest() override { std::filesystem::remove_all(folder); }
  std::string path() const { return (folder / "lock").string(); }
  std::filesystem::path folder;
};

TEST_F(FileLockTest, OneHasItAndTheOtherKnowsWho) {
  const FileLock first(path());
  EXPECT_TRUE(first.locked());
  EXPECT_FALSE(first.is_taken());
  const FileLock second(path());
  EXPECT_FALSE(second.locked());
  EXPECT_TRUE(second.is_taken());
  EXPECT_EQ(second.owner(), ::getpid());
}

TEST_F(FileLockTest, WaitsUntilTheOtherProcessHasEnded) {
  std::array<int, 2> to_child{}, to_parent{};
  ASSERT_EQ(::pipe(to_child.data()) + ::pipe(to_parent.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  char byte = 0;
  if (child == 0) {
    ::close(to_child[1]);
    const FileLock lock(path());
    if (::write(to_parent[1], lock.locked() ? "y" : "n", 1) != 1) ::_exit(1);
    while (::read(to_child[0], &byte, 1) > 0) {
    }
    ::_exit(0);
  }
  ASSERT_EQ(::read(to_parent[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  FileLock lock(path());
  EXPECT_TRUE(lock.is_taken());
  EXPECT_EQ(lock.owner(), child);
  EXPECT_FALSE(lock.wait(1ms));
  std::thread other([&] { ::close(to_child[1]); });  // the child ends
  EXPECT_TRUE(lock.wait(30s));
  other.join();
  EXPECT_EQ(lock.owner(), ::getpid());
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  for (const int fd : {to_child[0], to_parent[0], to_parent[1]}) ::close(fd);
}

TEST_F(FileLockTest, AStrangeHolderIsNotWaitedFor) {
  const FileLock first(path());
  std::ofstream(path()) << "nobody\n";
  FileLock second(path());
  EXPECT_EQ(second.owner(), 0);
  EXPECT_FALSE(second.wait(1h));
}

TEST_F(FileLockTest, NoLongerThanItIsTold) {
  const FileLock first(path());
  FileLock second(path());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(second.wait(60ms));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 60ms);
  EXPECT_FALSE(second.locked());
}

TEST_F(FileLockTest, WhatCannotBeMadeIsNotWaitedFor) {
  FileLock lock((folder / "missing" / "lock").string());
  EXPECT_FALSE(lock.is_taken());
  EXPECT_FALSE(lock.wait(1h));
  EXPECT_EQ(lock.owner(), 0);
}

}  // namespace
}  // namespace wirehall::store
