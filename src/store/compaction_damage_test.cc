#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "base/file.h"
#include "store/compaction_testing.h"

// What is damaged, gone or somebody else's: it is named, the rest answers, and it stays.
namespace weir::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

using CompactionDamageTest = CompactionTest;

TEST_F(CompactionDamageTest, FindsAPartThatWasChanged) {
  write({line_of(first_, 1)});
  compact(kRemoveAtOnce);
  auto bytes = *read_file(part(0), kMaxFile);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  ASSERT_TRUE(write_file_durably(part(0), bytes));
  const auto found = verify(store_)->seals.problems;
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found.front(), HasSubstr("00000001.parquet"));
}

TEST_F(CompactionDamageTest, AnswersWithoutAPartThatIsGoneAndSaysSo) {
  write({line_of(first_, 1, R"(,"tenant_id":"a","message":"a")")});
  write({line_of(second_, 1, R"(,"tenant_id":"b","message":"b")")});
  compact(kRemoveAtOnce);
  std::filesystem::remove(part(0));
  EXPECT_EQ(query("SELECT message FROM events"), R"([["b"]])");
  ASSERT_THAT(bad_->all(), SizeIs(1));
  EXPECT_EQ(bad_->all().front().reason, "not there any more");
  const auto read = read_all(store_, [](const event::EventView&) -> Result<void> { return {}; });
  EXPECT_EQ(read->events, 1U);
  EXPECT_THAT(read->bad, SizeIs(1));
  EXPECT_THAT(problems(), testing::Contains(HasSubstr("not there any more")));
}

TEST_F(CompactionDamageTest, AnswersWithoutAPartThatIsNoParquetAndSaysSo) {
  write({line_of(first_, 1, R"(,"tenant_id":"a","message":"a")")});
  write({line_of(second_, 1, R"(,"tenant_id":"b","message":"b")")});
  compact(kRemoveAtOnce);
  ASSERT_TRUE(write_file_durably(part(0), std::string(parts()[0].bytes, 'x')));
  EXPECT_EQ(query("SELECT message FROM events"), R"([["b"]])");
  EXPECT_THAT(bad_->all(), SizeIs(1));
  const auto read = read_all(store_, [](const event::EventView&) -> Result<void> { return {}; });
  EXPECT_EQ(read->events, 1U);
  EXPECT_THAT(read->bad, SizeIs(1));
}

TEST_F(CompactionDamageTest, ReadsTheCopyOfAManifestThatIsDamagedOrGoneAndPutsItBack) {
  write({line_of(first_, 1)});
  compact(kRemoveAtOnce);
  write({line_of(second_, 1)});
  compact(kRemoveAtOnce);
  const auto whole = *read_file(store_.manifest(), kMaxFile);
  auto changed = whole;
  changed[changed.find("\"events\":1") + 9] = '2';
  for (const auto& damaged : {changed, std::string()}) {
    if (damaged.empty()) {
      std::filesystem::remove(store_.manifest());
    } else {
      ASSERT_TRUE(write_file_durably(store_.manifest(), damaged));
    }
    const auto why = damaged.empty() ? "not there, number 2 was sealed" : "is not a manifest";
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr(why), HasSubstr("manifest.copy.json"))));
    EXPECT_EQ(query("SELECT count(*) FROM events"), "[[2]]");
    ASSERT_THAT(bad_->all(), SizeIs(1));
    EXPECT_THAT(bad_->all()[0].reason, HasSubstr(why));
    bad_ = std::make_shared<BadPlaces>();
    EXPECT_THAT(compact().manifest_damage, HasSubstr(why));
    EXPECT_EQ(*read_file(store_.manifest(), kMaxFile), whole);
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_THAT(compact().manifest_damage, IsEmpty());
  }
  const auto is_aside = [](const auto& entry) {
    return entry.path().filename().string().starts_with("manifest.json.damaged-");
  };
  EXPECT_EQ(std::ranges::count_if(std::filesystem::directory_iterator(store_.root()), is_aside), 1)
      << "what people may want to look at is kept";
}

TEST_F(CompactionDamageTest, FindsAManifestThatWasChangedOrPutBack) {
  write({line_of(first_, 1)});
  compact(kRemoveAtOnce);
  const auto first = *read_file(store_.manifest(), kMaxFile);
  const auto first_copy = *read_file(store_.manifest_copy(), kMaxFile);
  write({line_of(second_, 1)});
  compact(kRemoveAtOnce);
  EXPECT_THAT(problems(), IsEmpty());
  const auto second = parts().back().file;
  ASSERT_TRUE(write_file_durably(store_.manifest(), first));
  ASSERT_TRUE(write_file_durably(store_.manifest_copy(), first_copy));
  EXPECT_THAT(problems(), testing::Contains(HasSubstr("is number 1, number 2 was sealed")));
  EXPECT_EQ(store::compact(store_).error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(std::filesystem::exists(store_.parts() / second)) << "it is nobody's leftover";
  auto changed = first;
  changed[changed.find("\"events\":1") + 9] = '2';
  ASSERT_TRUE(write_file_durably(store_.manifest(), changed));
  EXPECT_THAT(problems(), testing::Contains(HasSubstr("is not a manifest")));
  EXPECT_THAT(query("SELECT 1 FROM events"), HasSubstr("is not a manifest"));
  EXPECT_EQ(store::compact(store_).error().code, ErrorCode::kCorrupt);
  std::filesystem::remove(store_.manifest());
  EXPECT_THAT(problems(), testing::Contains(HasSubstr("not there, number 2 was sealed")));
  EXPECT_THAT(query("SELECT 1 FROM events"), HasSubstr("not there, number 2 was sealed"));
  EXPECT_EQ(store::compact(store_).error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(std::filesystem::exists(store_.parts() / second));
}

TEST_F(CompactionDamageTest, SealsAManifestThatACrashHasLeftWithoutItsSeal) {
  write({line_of(first_, 1)});
  const auto seals = *read_file(store_.seals(), kMaxFile);
  compact();
  ASSERT_TRUE(write_file_durably(store_.seals(), seals));
  EXPECT_THAT(problems(), IsEmpty());
  compact();
  EXPECT_NE(*read_file(store_.seals(), kMaxFile), seals);
  EXPECT_THAT(problems(), IsEmpty());
}

/// Files of this process have at most so many bytes while it lives: what DuckDB writes fails.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, signal_);
  }

 private:
  rlimit before_{};
  void (*signal_)(int) = ::signal(SIGXFSZ, SIG_IGN);
};

TEST_F(CompactionDamageTest, BlamesNoPartWhenTheMergedOneCannotBeWritten) {
  auto later = kRemoveAtOnce, now = kRemoveAtOnce;
  later.merge.fewest = 100;
  now.merge.fewest = 2;
  for (int seq = 1; seq <= 3; ++seq) {
    write({line_of(first_, seq)});
    compact(later);
  }
  {
    const SmallFiles small(100);
    const auto done = store::compact(store_, now);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kIo) << done.error().message;
  }
  EXPECT_FALSE(std::filesystem::exists(store_.root() / "cache" / "compaction"));
  EXPECT_EQ(query("SELECT count(*) FROM events"), "[[3]]");
  const auto done = compact(now);
  EXPECT_EQ(done.merged_parts, 3U);
  EXPECT_THAT(done.left_parts, IsEmpty());
}

TEST_F(CompactionDamageTest, RemovesWhatACrashHasLeftAndNothingElse) {
  write({line_of(first_, 1)});
  compact();
  const auto folder = part(0).parent_path();
  for (const auto* name : {"00000002.parquet", "00000003.parquet", "00000001.parquet.new-7",
                           "mine.parquet", "00000002.parquet.bak"}) {
    ASSERT_TRUE(write_file_durably(folder / name, "x"));
  }
  // As whoever made the third was stopped before the manifest named it; the second is somebody's.
  const auto announced = sha256("x").text() + ' ' +
                         (folder / "00000003.parquet").lexically_relative(store_.parts()).string();
  ASSERT_TRUE(write_file_durably(store_.root() / "parts.new", announced + "\nnonsense\n"));
  EXPECT_THAT(verify(store_)->foreign,
              UnorderedElementsAre(folder / "mine.parquet", folder / "00000002.parquet.bak"));
  compact();
  EXPECT_THAT(*list_directory(folder), ElementsAre("00000001.parquet", "00000002.parquet",
                                                   "00000002.parquet.bak", "mine.parquet"));
  EXPECT_FALSE(std::filesystem::exists(store_.root() / "parts.new"));
  EXPECT_EQ(query("SELECT count(*) FROM events"), "[[1]]");
  EXPECT_THAT(verify(store_)->foreign,
              UnorderedElementsAre(folder / "00000002.parquet", folder / "mine.parquet",
                                   folder / "00000002.parquet.bak"));
}

TEST_F(CompactionDamageTest, NamesWhatIsNobodysWhereverItStands) {
  write({line_of(first_, 1)});
  compact();
  const auto date = part(0).parent_path().parent_path();
  const std::vector<std::filesystem::path> strange = {store_.parts() / "root.parquet",
                                                      store_.parts() / "other", date / "z.parquet",
                                                      store_.log() / "notes.txt"};
  ASSERT_TRUE(std::filesystem::create_directories(store_.parts() / "other/x"));
  for (const auto& file : strange) {
    if (file.filename() == "other") continue;
    ASSERT_TRUE(write_file_durably(file, "x"));
  }
  EXPECT_THAT(verify(store_)->foreign, testing::UnorderedElementsAreArray(strange));
  compact();
  for (const auto& file : strange) EXPECT_TRUE(std::filesystem::exists(file)) << file;
  EXPECT_EQ(query("SELECT count(*) FROM events"), "[[1]]");
}

TEST_F(CompactionDamageTest, WritesOverNobodysFile) {
  write({line_of(first_, 1)});
  compact();
  const auto folder = part(0).parent_path();
  ASSERT_TRUE(write_file_durably(folder / "00000002.parquet", "x"));
  write({line_of(first_, 2)});
  compact();
  EXPECT_EQ(query("SELECT count(*) FROM events"), "[[2]]");
  const auto foreign = verify(store_)->foreign;
  ASSERT_THAT(foreign, SizeIs(1));
  EXPECT_THAT(foreign[0].filename().string(), StartsWith("00000002.parquet.foreign-"));
  EXPECT_EQ(*read_file(foreign[0], 10), "x");
}

}  // namespace
}  // namespace weir::store
