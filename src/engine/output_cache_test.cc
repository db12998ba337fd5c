#include "engine/output_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "base/troubled_files.h"

namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr CachedNode kNode{.tenant_id = "", .pipeline_id = "p", .node_id = "n"};

class OutputCacheTest : public testing::Test {
 protected:
  OutputCache open() { return *OutputCache::open(folder_, files_); }

  static CacheEntry entry(const std::string& key) {
    return {.key = key,
            .created_at = Timestamp(std::chrono::seconds(1'700'000'000)),
            .run_id = "019b8a2f-7c00-7000-8000-000000000001",
            .output = sha256(key),
            .parts = {.tool = "a.t",
                      .version = "1",
                      .folder = "/x",
                      .with = {{"query", "1f"}},
                      .input = {{"day", "2a"}},
                      .files = {{"data.csv", "3b"}}}};
  }

  /// Of the only node that has one.
  [[nodiscard]] std::filesystem::path file() const {
    for (const auto& found : std::filesystem::recursive_directory_iterator(folder_)) {
      if (found.is_regular_file() && found.path().filename() != "key") return found.path();
    }
    return {};
  }

  static void write(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::trunc) << bytes;
  }

  TroubledFiles files_;
  const std::filesystem::path folder_ =
      testing::TempDir() + "cache-" + std::to_string(random_bits());
};

TEST_F(OutputCacheTest, GivesBackWhatWasAddedTheNewestFirst) {
  ASSERT_TRUE(open().add(kNode, entry("a")));
  ASSERT_TRUE(open().add(kNode, entry("b")));
  EXPECT_THAT(*open().entries(kNode), ElementsAre(entry("b"), entry("a")));
  ASSERT_TRUE(open().add(kNode, entry("a")));
  EXPECT_THAT(*open().entries(kNode), ElementsAre(entry("a"), entry("b")));
  for (const auto& other : {CachedNode{"t", "p", "n"}, {"", "q", "n"}, {"", "p", "m"}}) {
    EXPECT_THAT(*open().entries(other), IsEmpty());
  }
}

TEST_F(OutputCacheTest, TakesNoFileThatIsNotAsItWasWritten) {
  const auto cache = open();
  ASSERT_TRUE(cache.add(kNode, entry("a")));
  const auto whole = *read_file(file(), OutputCache::kMaxFileBytes);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    SCOPED_TRACE(at);
    write(file(), whole.substr(0, at));
    EXPECT_FALSE(cache.entries(kNode));
    auto flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    write(file(), flipped);
    EXPECT_FALSE(cache.entries(kNode));
  }
  ASSERT_TRUE(cache.add(kNode, entry("b")));
  EXPECT_THAT(*cache.entries(kNode), ElementsAre(entry("b"))) << "what was garbled is replaced";
}

TEST_F(OutputCacheTest, TakesNoFileOfAnotherKey) {
  ASSERT_TRUE(open().add(kNode, entry("a")));
  const auto path = file();
  write(folder_ / "key", "garbage");
  const auto cache = open();
  EXPECT_THAT(*cache.entries(kNode), IsEmpty());
  ASSERT_TRUE(cache.add(kNode, entry("b")));
  std::filesystem::remove(path);
  std::filesystem::rename(file(), path);
  write(folder_ / "key", std::string(64, '0') + "\n");
  EXPECT_THAT(*open().entries(kNode), IsEmpty());
}

TEST_F(OutputCacheTest, KeepsItsKeyFromOthers) {
  const auto cache = open();
  const auto mode = std::filesystem::status(folder_ / "key").permissions();
  EXPECT_EQ(mode & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(cache.hash().of("x"), open().hash().of("x"));
  EXPECT_NE(cache.hash().of("x"), sha256("x").text());
}

TEST_F(OutputCacheTest, IsBounded) {
  const auto cache = open();
  for (std::size_t i = 0; i < 2 * OutputCache::kMaxEntries; ++i) {
    ASSERT_TRUE(cache.add(kNode, entry(std::to_string(i))));
  }
  EXPECT_EQ(cache.entries(kNode)->size(), OutputCache::kMaxEntries);
  EXPECT_EQ(cache.entries(kNode)->front().key, "31");

  auto large = entry("large");
  for (int i = 0; i < 1000; ++i) {
    large.parts.input[std::string(150, 'x') + std::to_string(i)] = std::string(32, '0');
    large.parts.with[std::string(1000, 'x') + std::to_string(i)] = "1";
  }
  for (int i = 0; i < 20; ++i) {
    large.key = std::to_string(i);
    ASSERT_TRUE(cache.add(kNode, large));
  }
  EXPECT_LE(std::filesystem::file_size(file()), OutputCache::kMaxFileBytes);
  EXPECT_EQ(cache.entries(kNode)->front().key, "19");
  EXPECT_EQ(cache.entries(kNode)->front().parts.input.size(), 200U);
  EXPECT_EQ(cache.entries(kNode)->front().parts.with.size(), 1U);
}

TEST_F(OutputCacheTest, MakesRoomInAFullFolderByRemovingTheOldest) {
  const auto cache = open();
  ASSERT_TRUE(cache.add(kNode, entry("a")));
  const auto folder = file().parent_path();
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  for (std::size_t i = 0; i < OutputCache::kMaxFilesInFolder; ++i) {
    const auto path = folder / ("old" + std::to_string(i));
    write(path, "");
    std::filesystem::last_write_time(path, old);
  }
  std::string id;  // of another node in this folder
  for (int i = 0; folder != file().parent_path() || id.empty(); ++i) {
    id = "n" + std::to_string(i);
    ASSERT_TRUE(cache.add({.tenant_id = "", .pipeline_id = "p", .node_id = id}, entry("b")));
    const auto files = std::distance(std::filesystem::directory_iterator(folder), {});
    if (files < static_cast<std::ptrdiff_t>(OutputCache::kMaxFilesInFolder)) break;
    ASSERT_LT(i, 10'000);
  }
  EXPECT_THAT(*cache.entries(kNode), ElementsAre(entry("a"))) << "not the newest";
}

TEST_F(OutputCacheTest, SaysWhatTheDiskRefusesAndKeepsWhatItHad) {
  const auto cache = open();
  ASSERT_TRUE(cache.add(kNode, entry("a")));
  files_.full = true;
  EXPECT_FALSE(cache.add(kNode, entry("b")));
  EXPECT_THAT(*cache.entries(kNode), ElementsAre(entry("a")));
  EXPECT_FALSE(OutputCache::open(folder_ / "other", files_));
  files_.full = false;
  EXPECT_TRUE(cache.add(kNode, entry("b")));
}

TEST_F(OutputCacheTest, IsAlwaysWholeWhileManyAddToIt) {
  const auto cache = open();
  ASSERT_TRUE(cache.add(kNode, entry("first")));
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      const auto own = open();
      for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(own.add(kNode, entry(std::to_string(writer) + "/" + std::to_string(i))));
        EXPECT_TRUE(own.entries(kNode));
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_FALSE(cache.entries(kNode)->empty());
}

TEST(KeyParts, SayWhatIsDifferent) {
  const KeyParts before{.tool = "a.t",
                        .version = "1",
                        .folder = "/x",
                        .with = {{"query", "1"}, {"limit", "1"}},
                        .input = {{"day", "1"}, {"shop", "1"}},
                        .files = {{"data.csv", "1"}}};
  EXPECT_EQ(difference(before, before), "");
  auto now = before;
  now.version = "2";
  EXPECT_EQ(difference(before, now), "tool changed: a.t has version 2, before 1");
  now.tool = "b.t";
  EXPECT_EQ(difference(before, now), "tool changed: b.t, before a.t");
  now = before;
  now.with["query"] = "2";
  now.input = {{"day", "2"}, {"new\n", "1"}};
  EXPECT_EQ(difference(before, now),
            "settings changed: query; input changed: day, new , shop (gone)");
  now = before;
  now.files["data.csv"] = "2";
  now.folder = "/y";
  EXPECT_EQ(difference(before, now), "folder changed: before /x; files changed: data.csv");
  now = before;
  for (int i = 0; i < 20; ++i) now.input["k" + std::to_string(10 + i)] = "1";
  EXPECT_THAT(difference(before, now),
              HasSubstr("k10, k11, k12, k13, k14, k15, k16, k17 and 12 more"));
}

TEST(KeyParts, HaveAnotherKeyWhereAnythingIsDifferent) {
  const CacheHash hash("secret");
  const KeyParts parts{.tool = "a.t", .version = "1", .folder = "/x", .with = {{"k", "1"}}};
  std::set<std::string> keys{key_of(parts, hash), key_of(parts, CacheHash("other"))};
  auto other = parts;
  other.tool = "a.u";
  keys.insert(key_of(other, hash));
  other = parts, other.version = "2";
  keys.insert(key_of(other, hash));
  other = parts, other.folder = "/y";
  keys.insert(key_of(other, hash));
  other = parts, other.with["k"] = "2";
  keys.insert(key_of(other, hash));
  other = parts, std::swap(other.with, other.input);
  keys.insert(key_of(other, hash));
  other = parts, std::swap(other.with, other.files);
  keys.insert(key_of(other, hash));
  EXPECT_EQ(keys.size(), 8U);
}

}  // namespace
}  // namespace weir::engine
