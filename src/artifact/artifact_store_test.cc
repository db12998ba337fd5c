#include "artifact/artifact_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/file.h"
#include "base/id.h"

namespace weir::artifact {
namespace {

std::filesystem::path fresh_root() {
  return testing::TempDir() + "artifacts-" + std::to_string(random_bits());
}

ArtifactStore fresh_store() { return ArtifactStore(fresh_root()); }

std::vector<std::string> files_below(const std::filesystem::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder));
  }
  return files;
}

/// A process that dies in the middle of a `put`, as by kill -9.
void die_while_putting(const std::filesystem::path& root) {
  const auto child = ::fork();
  if (child == 0) {
    const rlimit tiny{.rlim_cur = 1000, .rlim_max = 1000};
    ::setrlimit(RLIMIT_FSIZE, &tiny);
    ::signal(SIGXFSZ, SIG_DFL);
    static_cast<void>(ArtifactStore(root).put(std::string(100'000, 'x')));
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST(ArtifactStore, GivesBackWhatWasPutUnderItsHash) {
  const auto store = fresh_store();
  const auto hash = store.put("content");
  ASSERT_TRUE(hash);
  EXPECT_EQ(*hash, sha256("content"));
  EXPECT_EQ(store.put("content"), *hash);
  EXPECT_EQ(store.get(*hash, 100), "content");
  EXPECT_EQ(store.get(*hash, 3).error().code, ErrorCode::kExhausted);
}

TEST(ArtifactStore, AdoptsAFileAndLeavesNothingBehind) {
  const auto store = fresh_store();
  const auto file = *store.temporary_path();
  ASSERT_TRUE(write_file_durably(file, "content"));
  const auto hash = store.adopt(file);
  ASSERT_TRUE(hash);
  EXPECT_EQ(store.get(*hash, 100), "content");
  EXPECT_FALSE(std::filesystem::exists(file));
}

// Whatever is not finished is in tmp, and the next writer removes it.
TEST(ArtifactStore, RemovesWhatADeadWriterLeft) {
  const auto root = fresh_root();
  die_while_putting(root);
  const auto left = files_below(root);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_TRUE(left[0].starts_with("tmp/")) << left[0];

  const ArtifactStore next(root);
  const auto hash = *next.put("content");
  EXPECT_EQ(files_below(root), std::vector{next.path_of(hash).lexically_relative(root).string()});
}

TEST(ArtifactStore, LeavesTheTemporariesOfLivingWritersAlone) {
  const auto root = fresh_root();
  const ArtifactStore first(root), second(root);
  const auto file = *first.temporary_path();
  ASSERT_TRUE(write_file_durably(file, "content"));
  ASSERT_TRUE(second.put("other"));
  EXPECT_EQ(first.adopt(file), sha256("content"));
}

TEST(ArtifactStore, TakesItsTemporariesWithIt) {
  const auto root = fresh_root();
  {
    const ArtifactStore store(root);
    ASSERT_TRUE(write_file_durably(*store.temporary_path(), "content"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(root / "tmp"));
}

TEST(ArtifactStore, ReportsATemporaryFolderThatCannotBeMade) {
  const auto root = fresh_root();
  ASSERT_TRUE(make_directories(root));
  ASSERT_TRUE(write_file_durably(root / "tmp", "a file"));
  EXPECT_EQ(ArtifactStore(root).put("content").error().code, ErrorCode::kIo);
}

TEST(ArtifactStore, NoticesChangedAndMissingContent) {
  const auto store = fresh_store();
  const auto hash = *store.put("content");
  ASSERT_TRUE(write_file_durably(store.path_of(hash), "changed"));
  EXPECT_EQ(store.get(hash, 100).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(store.get(sha256("other"), 100).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace weir::artifact
