// The bytes of uploads: what is told is there, what is refused leaves nothing, and no name leads elsewhere.
#include "store/files/file_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace {

// Counts down to the synchronisation that fails; negative: none does.
std::atomic<int> sync_to_fail{-1};
std::atomic<int> syncs{0};

// At most so many bytes are read or written at once; 0: as many as are asked for.
std::atomic<std::size_t> transfer_bytes_max{0};

template <class Buffer>
ssize_t transfer_some(long call, int file, Buffer* buffer, std::size_t size, off_t offset) {
  if (const std::size_t most = transfer_bytes_max; most != 0) {
    size = std::min(size, most);
    std::this_thread::yield();  // in the middle of what has to be whole
  }
  return ::syscall(call, file, buffer, size, offset);
}

int sync_or_fail(long call, int file) {
  ++syncs;
  if (sync_to_fail >= 0 && sync_to_fail-- == 0) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(call, file));
}

}  // namespace

// In place of the C library's, for this program: a disk that fails to keep what it was given, and one that
// takes and gives little at a time.
extern "C" int fdatasync(int file) { return sync_or_fail(SYS_fdatasync, file); }
extern "C" int fsync(int file) { return sync_or_fail(SYS_fsync, file); }
extern "C" ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  return transfer_some(SYS_pwrite64, file, bytes, size, offset);
}
extern "C" ssize_t pread(int file, void* bytes, size_t size, off_t offset) {
  return transfer_some(SYS_pread64, file, bytes, size, offset);
}

namespace wirehall::store {
namespace {

const std::string kId = "upload-1";
constexpr std::uint64_t kMax = 10 * 1024 * 1024;

class FileStoreTest : public testing::Test {
 protected:
  FileStoreTest() {
    std::string pattern = testing::TempDir() + "wirehall-files-XXXXXX";
    root = ::mkdtemp(pattern.data());
    directory = root + "/deep/files";
    reopen();
  }
  ~FileStoreTest() override {
    sync_to_fail = -1;
    transfer_bytes_max = 0;
    store.reset();
    std::filesystem::remove_all(root);
  }
  void reopen() {
    store.reset();
    Result<std::unique_ptr<FileStore>> opened = FileStore::open(directory);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    store = std::move(*opened);
  }
  void put(std::string_view id, std::uint64_t offset, std::string_view bytes) {
    const auto appended = store->append(id, offset, bytes, kMax);
    ASSERT_TRUE(appended.ok()) << appended.error().text();
    EXPECT_TRUE(appended->written);
    EXPECT_EQ(appended->size, offset + bytes.size());
  }
  std::string path(std::string_view id) const { return directory + "/" + std::string(id); }
  std::string content(std::string_view id) const {
    std::ifstream file(path(id), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      found.insert(entry.path().filename().string());
    return found;
  }
  std::string root, directory;
  std::unique_ptr<FileStore> store;
};

template <class T>
ErrorCode code(const Result<T>& result) {
  return result.ok() ? ErrorCode::kOk : result.error().code();
}

TEST_F(FileStoreTest, PiecesBecomeAFile) {
  EXPECT_EQ(*store->size(kId), 0u);
  put(kId, 0, "hello ");
  put(kId, 6, "");
  put(kId, 6, std::string("wor\0ld", 6));
  EXPECT_EQ(*store->size(kId), 12u);
  EXPECT_EQ(*store->read(kId, 0, 100), std::string("hello wor\0ld", 12));
  EXPECT_EQ(*store->read(kId, 4, 3), "o w");
  EXPECT_EQ(*store->read(kId, 4, 0), "");
  EXPECT_EQ(*store->read(kId, 12, 5), "");
  EXPECT_EQ(*store->read(kId, ~std::uint64_t{0}, 5), "");
  EXPECT_EQ(*store->read(kId, 11, SIZE_MAX), "d");
  reopen();
  EXPECT_EQ(*store->size(kId), 12u);
  put(kId, 12, "!");
  EXPECT_EQ(content(kId), std::string("hello wor\0ld!", 13));
}

TEST_F(FileStoreTest, ADiskMayTakeAndGiveLittleAtATime) {
  transfer_bytes_max = 7;
  put(kId, 0, "abcdbcdecdefdefgefghfghighijhi");
  put(kId, 30, "jkijkljklmklmnlmnomnopnopq");
  EXPECT_EQ(*store->read(kId, 0, 100), "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
  EXPECT_EQ(*store->sha256(kId), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_F(FileStoreTest, OnlyTheOwnerMayRead) {
  const mode_t before = ::umask(0);
  std::filesystem::remove_all(root + "/deep");
  reopen();
  put(kId, 0, "x");
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat(path(kId).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  for (const std::string& made : {directory, root + "/deep"}) {
    ASSERT_EQ(::stat(made.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u) << made;
  }
}

TEST_F(FileStoreTest, AWrongOffsetTellsTheRightOneAndWritesNothing) {
  const auto early = store->append(kId, 5, "abc", kMax);
  ASSERT_TRUE(early.ok());
  EXPECT_FALSE(early->written);
  EXPECT_EQ(early->size, 0u);
  EXPECT_EQ(names(), std::set<std::string>{}) << "no file for a piece that is no beginning";
  put(kId, 0, "abc");
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{4}, ~std::uint64_t{0}}) {
    const auto wrong = store->append(kId, offset, "xyz", kMax);
    ASSERT_TRUE(wrong.ok());
    EXPECT_FALSE(wrong->written);
    EXPECT_EQ(wrong->size, 3u);
  }
  EXPECT_EQ(content(kId), "abc");
}

TEST_F(FileStoreTest, MoreThanTheMaximumIsRefusedWhole) {
  EXPECT_EQ(code(store->append(kId, 0, "12345", 4)), ErrorCode::kTooLarge);
  EXPECT_EQ(names(), std::set<std::string>{});
  ASSERT_TRUE(store->append(kId, 0, "123", 4).ok());
  EXPECT_EQ(code(store->append(kId, 3, "45", 4)), ErrorCode::kTooLarge);
  EXPECT_EQ(content(kId), "123");
  EXPECT_TRUE(store->append(kId, 3, "4", 4)->written);
  EXPECT_EQ(code(store->append(kId, 4, "5", 4)), ErrorCode::kTooLarge);
  EXPECT_TRUE(store->append(kId, 4, "", 4)->written);
  EXPECT_EQ(code(store->append(kId, 4, "", 3)), ErrorCode::kTooLarge) << "the maximum was lowered";
}

TEST_F(FileStoreTest, AnEmptyFileIsAFile) {
  put(kId, 0, "");
  EXPECT_EQ(*store->list(), std::vector<std::string>{kId});
  EXPECT_EQ(*store->sha256(kId), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(FileStoreTest, HashesInPieces) {
  put(kId, 0, "abc");
  EXPECT_EQ(*store->sha256(kId), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  put("million-a", 0, std::string(1'000'000, 'a'));
  EXPECT_EQ(*store->sha256("million-a"), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(code(store->sha256("not-there")), ErrorCode::kNotFound);
  EXPECT_EQ(code(store->read("not-there", 0, 1)), ErrorCode::kNotFound);
}

TEST_F(FileStoreTest, OnlyIdsAreNames) {
  const std::string longest(64, 'a');
  put(longest, 0, "x");
  put("-_09azAZ", 0, "x");
  for (const std::string& id :
       {std::string(), std::string("."), std::string(".."), std::string("../../etc"), std::string("1234567"),
        std::string(65, 'a'), std::string("/etc/passwd"), std::string("aaaaaaa/"), std::string("aaaa/aaaa"),
        std::string("aaaaaaaa\0", 9), std::string("aaaa\0aaaa", 9), std::string("aaaaaaa."),
        std::string("aaaaaaa "), std::string("aaaaaaa\n"),
        std::string("a\xc3\xa4"
                    "aaaaaa"),
        std::string("........"), std::string("aaaa%2faa")}) {
    EXPECT_EQ(code(store->size(id)), ErrorCode::kInvalidFormat) << id;
    EXPECT_EQ(code(store->append(id, 0, "x", kMax)), ErrorCode::kInvalidFormat) << id;
    EXPECT_EQ(code(store->sha256(id)), ErrorCode::kInvalidFormat) << id;
    EXPECT_EQ(code(store->read(id, 0, 1)), ErrorCode::kInvalidFormat) << id;
    EXPECT_EQ(code(store->remove(id)), ErrorCode::kInvalidFormat) << id;
  }
  EXPECT_EQ(names(), (std::set<std::string>{"-_09azAZ", longest}));
}

TEST_F(FileStoreTest, WhatIsNoRegularFileIsNeitherReadNorWritten) {
  const std::string outside = root + "/outside";
  std::ofstream(outside) << "secret";
  ASSERT_EQ(::symlink(outside.c_str(), path("link-to-a-file").c_str()), 0);
  ASSERT_EQ(::symlink((root + "/new").c_str(), path("link-to-nothing").c_str()), 0);
  ASSERT_EQ(::symlink(root.c_str(), path("link-to-a-directory").c_str()), 0);
  ASSERT_EQ(::symlink("link-loop", path("link-loop").c_str()), 0);
  ASSERT_EQ(::mkfifo(path("a-pipe-here").c_str(), 0600), 0);
  ASSERT_EQ(::mkdir(path("a-directory").c_str(), 0700), 0);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path("a-socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  for (const char* id : {"link-to-a-file", "link-to-nothing", "link-to-a-directory", "link-loop",
                         "a-pipe-here", "a-directory", "a-socket"}) {
    EXPECT_EQ(code(store->size(id)), ErrorCode::kIo) << id;
    EXPECT_EQ(code(store->append(id, 0, "x", kMax)), ErrorCode::kIo) << id;
    EXPECT_EQ(code(store->append(id, 6, "x", kMax)), ErrorCode::kIo) << id;
    EXPECT_EQ(code(store->sha256(id)), ErrorCode::kIo) << id;
    EXPECT_EQ(code(store->read(id, 0, 100)), ErrorCode::kIo) << id;
  }
  EXPECT_EQ(*store->list(), std::vector<std::string>{});
  EXPECT_TRUE(store->remove("link-to-a-file").ok()) << "the link goes";
  EXPECT_EQ(code(store->remove("a-directory")), ErrorCode::kIo);
  std::ifstream file(outside);
  std::string text;
  file >> text;
  EXPECT_EQ(text, "secret");
  EXPECT_FALSE(std::filesystem::exists(root + "/new"));
  ::close(listener);
}

TEST_F(FileStoreTest, RemovingIsIdempotentAndListingSeesIdsOnly) {
  for (const char* id : {"first-file", "second-file", "third-file"}) put(id, 0, id);
  std::ofstream(path("short")) << "x";
  std::ofstream(path("some.other-file")) << "x";
  EXPECT_TRUE(store->remove("second-file").ok());
  EXPECT_TRUE(store->remove("second-file").ok());
  EXPECT_TRUE(store->remove("never-there").ok());
  for (int i = 0; i < 2; ++i) {
    const auto ids = store->list();
    ASSERT_TRUE(ids.ok());
    EXPECT_EQ(std::set<std::string>(ids->begin(), ids->end()),
              (std::set<std::string>{"first-file", "third-file"}));
  }
  put("second-file", 0, "again");
  EXPECT_EQ(*store->size("second-file"), 5u);
  EXPECT_GT(*store->free_bytes(), 0u);
}

TEST_F(FileStoreTest, AFullDiskTakesNothingAndKeepsWhatWasThere) {
  put(kId, 0, std::string(100, 'a'));
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{150, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto refused = store->append(kId, 100, std::string(100, 'b'), kMax);
  const auto refused_new = store->append("another-upload", 0, std::string(200, 'c'), kMax);
  const auto fits = store->append(kId, 100, std::string(50, 'd'), kMax);
  const auto full = store->append(kId, 150, "e", kMax);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, before);
  EXPECT_EQ(code(refused), ErrorCode::kUnavailable);
  EXPECT_EQ(code(refused_new), ErrorCode::kUnavailable);
  ASSERT_TRUE(fits.ok()) << fits.error().text();
  EXPECT_EQ(fits->size, 150u);
  EXPECT_EQ(code(full), ErrorCode::kUnavailable);
  EXPECT_EQ(content(kId), std::string(100, 'a') + std::string(50, 'd'));
  EXPECT_EQ(names(), std::set<std::string>{kId}) << "a file that could not be begun is gone";
  put(kId, 150, "f");
}

TEST_F(FileStoreTest, WhateverSyncFailsThePieceIsTakenBack) {
  put(kId, 0, "kept");
  for (const bool is_new : {false, true}) {
    const std::string id = is_new ? "new-upload" : kId;
    const std::uint64_t offset = is_new ? 0 : 4;
    int failed = 0;
    for (;; ++failed) {
      ASSERT_LT(failed, 10);
      sync_to_fail = failed;
      const auto appended = store->append(id, offset, "more", kMax);
      sync_to_fail = -1;
      if (appended.ok()) break;
      EXPECT_EQ(appended.error().code(), ErrorCode::kUnavailable);
      EXPECT_EQ(*store->size(id), offset);
      EXPECT_EQ(names().contains(id), !is_new);
    }
    EXPECT_EQ(failed, is_new ? 2 : 1) << "the file, and the directory when it is new";
    EXPECT_EQ(*store->size(id), offset + 4);
  }
}

TEST_F(FileStoreTest, ASizeIsToldWhenItIsOnTheDisk) {
  std::ofstream(path(kId)) << "left by a process that was killed";
  sync_to_fail = 0;
  EXPECT_EQ(code(store->size(kId)), ErrorCode::kUnavailable);
  sync_to_fail = -1;
  EXPECT_EQ(*store->size(kId), 33u);
  put(kId, 33, "!");
  store.reset();
  syncs = 0;
  reopen();
  EXPECT_EQ(syncs, 1) << "the names";
  sync_to_fail = 0;
  EXPECT_EQ(code(FileStore::open(directory)), ErrorCode::kUnavailable);
}

TEST_F(FileStoreTest, OfPiecesForOnePlaceExactlyOneIsTaken) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 40;
  constexpr std::size_t kPiece = 1000;
  transfer_bytes_max = 100;
  std::atomic<int> arrived{0};
  std::vector<std::atomic<int>> winners(kRounds);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < kRounds; ++round) {
        ++arrived;
        while (arrived < (round + 1) * kThreads) std::this_thread::yield();
        const std::uint64_t offset = static_cast<std::uint64_t>(round) * kPiece;
        const auto appended =
            store->append(kId, offset, std::string(kPiece, static_cast<char>('a' + t)), kMax);
        ASSERT_TRUE(appended.ok());
        EXPECT_EQ(appended->size, offset + kPiece) << "whoever lost is told the size after it";
        if (appended->written) ++winners[static_cast<std::size_t>(round)];
        EXPECT_TRUE(
            store->append("own-file-" + std::to_string(t), offset, std::string(kPiece, 'x'), kMax)->written);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& count : winners) EXPECT_EQ(count, 1);
  const std::string text = content(kId);
  ASSERT_EQ(text.size(), kRounds * kPiece);
  for (std::size_t i = 0; i < text.size(); ++i)
    ASSERT_EQ(text[i], text[i - i % kPiece]) << "pieces do not mix";
}

TEST_F(FileStoreTest, ADirectoryThatCannotBeIsAnErrorThatNamesIt) {
  std::ofstream(root + "/a-file") << "x";
  for (const std::string& name : {root + "/a-file", root + "/a-file/below", std::string("/proc/no/such")}) {
    const auto opened = FileStore::open(name);
    ASSERT_EQ(code(opened), ErrorCode::kIo);
    EXPECT_NE(opened.error().detail().find(name.substr(0, 5)), std::string::npos);
  }
  EXPECT_EQ(code(FileStore::open("")), ErrorCode::kConfig);
  ASSERT_EQ(::symlink(directory.c_str(), (root + "/elsewhere").c_str()), 0);
  EXPECT_TRUE(FileStore::open(root + "/elsewhere").ok()) << "the operator may put it on another disk";
  EXPECT_TRUE(FileStore::open(directory + "/").ok());
}

}  // namespace
}  // namespace wirehall::store
