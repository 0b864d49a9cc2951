#include "store/file_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
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

TEST_F(FileLockTest, WaitsUntilItIsFree) {
  auto first = std::make_unique<FileLock>(path());
  FileLock second(path());
  ASSERT_TRUE(second.is_taken());
  std::thread other([&] {
    std::this_thread::sleep_for(50ms);  // the other is waiting by then, or finds it free: either is right
    first.reset();
  });
  EXPECT_TRUE(second.wait(30s));
  other.join();
  EXPECT_TRUE(second.locked());
  EXPECT_TRUE(FileLock(path()).is_taken());
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
