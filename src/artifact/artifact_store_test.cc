#include "artifact/artifact_store.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"

namespace weir::artifact {
namespace {

ArtifactStore fresh_store() {
  return ArtifactStore(testing::TempDir() + "artifacts-" + std::to_string(random_bits()));
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

TEST(ArtifactStore, NoticesChangedAndMissingContent) {
  const auto store = fresh_store();
  const auto hash = *store.put("content");
  ASSERT_TRUE(write_file_durably(store.path_of(hash), "changed"));
  EXPECT_EQ(store.get(hash, 100).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(store.get(sha256("other"), 100).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace weir::artifact
