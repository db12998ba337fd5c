#include "store/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "artifact/artifact_store.h"
#include "base/file.h"
#include "log/log_writer.h"
#include "log/manifest.h"
#include "log/sealing.h"
#include "store/compaction.h"
#include "store/history.h"
#include "store/verify.h"

namespace weir::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kMaxRead = std::uint64_t{1} << 24;

class BackupTest : public testing::Test {
 protected:
  std::string line_of(const RunId& run, int seq, const std::string& rest = "") {
    return R"({"timestamp":"2026-11-28T23:59:59.000001Z","event_type":"log","level":"INFO",)"
           R"("pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1","run_id":")" +
           run.text() + R"(","run_seq":)" + std::to_string(seq) + rest + R"(,"message":"m"})";
  }
  static void commit(log::LogWriter& writer, const std::string& line) {
    auto text = line + "\n";
    ASSERT_TRUE(writer.commit(text, 1));
  }
  void write(const std::string& line) {
    log::LogWriter writer(store_, system_clock(), {});
    commit(writer, line);
    writer.close();
    ASSERT_TRUE(log::seal_finished(store_));
  }
  BackupReport back_up() {
    auto done = store::back_up(store_, backup_);
    EXPECT_TRUE(done) << done.error().message;
    return done ? *std::move(done) : BackupReport();
  }
  Result<BackupReport> restore() {
    return store::restore(backup_, local_files(), restored_, local_files());
  }
  /// Of the restored store.
  std::vector<std::string> problems() {
    const auto store = log::StoreDirectory::open(restored_);
    EXPECT_TRUE(store);
    return verify(*store)->problems;
  }
  std::uint64_t events(const std::filesystem::path& root) {
    return read_all(*log::StoreDirectory::open(root),
                    [](const event::EventView&) -> Result<void> { return {}; })
        ->events;
  }
  std::vector<std::string> beside() {
    std::vector<std::string> names;
    const auto all = *list_directory(testing::TempDir());
    for (const auto& name : all) {
      if (name.starts_with(id_)) names.push_back(name.substr(id_.size()));
    }
    return names;
  }

  const std::string id_ = "backup-" + std::to_string(random_bits());
  const std::filesystem::path root_ = testing::TempDir() + id_ + "-store";
  const std::filesystem::path backup_ = testing::TempDir() + id_ + "-copy";
  const std::filesystem::path restored_ = testing::TempDir() + id_ + "-restored";
  const log::StoreDirectory store_ = *log::StoreDirectory::create(root_);
  const RunId first_ = RunId::make(system_clock().now());
  const RunId second_ = RunId::make(system_clock().now());
  const RunId third_ = RunId::make(system_clock().now());
};

TEST_F(BackupTest, HasWhatWasCommittedWhileOthersWrite) {
  const auto hash = *artifact::ArtifactStore(store_.artifacts()).put("content");
  write(line_of(first_, 1, R"(,"output_sha256":")" + hash.text() + "\""));
  ASSERT_TRUE(store::compact(store_, {.keep = {}}));
  write(line_of(second_, 1));
  log::LogWriter living(store_, system_clock(), {});
  commit(living, line_of(third_, 1));
  ASSERT_TRUE(make_directories(root_ / "rollups"));
  ASSERT_TRUE(write_file_durably(root_ / "rollups" / "r", "rolled up"));

  const auto done = back_up();
  EXPECT_THAT(done.list.left, IsEmpty());
  commit(living, line_of(third_, 2));
  ASSERT_TRUE(restore());
  EXPECT_EQ(events(restored_), 3U);
  EXPECT_EQ(events(backup_), 3U);
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(*read_file(restored_ / "rollups" / "r", kMaxRead), "rolled up");
  EXPECT_THAT(beside(), ElementsAre("-copy", "-restored", "-store"));
  // The restored store is one like others.
  const auto restored = *log::StoreDirectory::create(restored_);
  ASSERT_TRUE(log::seal_finished(restored));
  ASSERT_TRUE(store::compact(restored, {.keep = {}}));
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(events(restored_), 3U);
}

TEST_F(BackupTest, TakesThePlaceOfAnEarlierOneAndItsFiles) {
  write(line_of(first_, 1));
  ASSERT_TRUE(store::compact(store_, {.keep = {}}));
  const auto part = "events/" + log::read_manifest(store_)->parts()[0].file;
  back_up();
  write(line_of(second_, 1));
  back_up();
  EXPECT_EQ(events(backup_), 2U);
  EXPECT_EQ(std::filesystem::hard_link_count(backup_ / part), 2U);
  EXPECT_THAT(beside(), ElementsAre("-copy", "-store"));
}

TEST_F(BackupTest, LeavesWhatIsDamagedAndNamesIt) {
  write(line_of(first_, 1));
  ASSERT_TRUE(store::compact(store_, {.keep = {}}));
  write(line_of(second_, 1));
  const auto part = store_.parts() / log::read_manifest(store_)->parts()[0].file;
  ASSERT_TRUE(write_file_durably(part, "not any more"));
  const auto done = back_up();
  ASSERT_THAT(done.list.left, SizeIs(1));
  EXPECT_THAT(done.list.left[0].path, HasSubstr("00000001.parquet"));
  EXPECT_THAT(done.list.left[0].reason, HasSubstr("is not what was written"));
  const auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_THAT(restored->list.left, SizeIs(1));
  EXPECT_EQ(events(restored_), 1U);
}

TEST_F(BackupTest, GoesNowhereIntoTheStore) {
  write(line_of(RunId::make({}), 1));
  for (const auto& folder : {store_.root(), store_.root() / "sub", store_.root() / "log/../x/"}) {
    const auto done = store::back_up(store_, folder);
    ASSERT_FALSE(done) << folder;
    EXPECT_THAT(done.error().message, HasSubstr("inside of the store"));
  }
}

TEST_F(BackupTest, GoesNowhereWhereSomethingElseIs) {
  ASSERT_TRUE(make_directories(backup_));
  ASSERT_TRUE(write_file_durably(backup_ / "mine", "x"));
  EXPECT_EQ(store::back_up(store_, backup_).error().code, ErrorCode::kConflict);
  EXPECT_THAT(*list_directory(backup_), ElementsAre("mine"));
  EXPECT_EQ(restore().error().code, ErrorCode::kNotFound);
  std::filesystem::remove(backup_ / "mine");
  back_up();
  EXPECT_EQ(store::restore(backup_, local_files(), root_, local_files()).error().code,
            ErrorCode::kConflict);
}

TEST_F(BackupTest, IsNotRestoredWhenAnyByteOfItHasChanged) {
  write(line_of(first_, 1));
  back_up();
  const auto list = *BackupList::read(backup_, local_files());
  for (const auto& file : list.files) {
    const auto path = backup_ / file.path;
    const auto bytes = *read_file(path, kMaxRead);
    auto changed = bytes;
    changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
    ASSERT_TRUE(write_file_durably(path, changed));
    EXPECT_EQ(restore().error().code, ErrorCode::kCorrupt) << file.path;
    ASSERT_TRUE(write_file_durably(path, bytes));
  }
  auto text = *read_file(backup_ / kBackupList, kMaxRead);
  text[text.find("VERSION")] = 'v';
  ASSERT_TRUE(write_file_durably(backup_ / kBackupList, text));
  EXPECT_EQ(restore().error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(std::filesystem::exists(restored_));
}

TEST(BackupList, LeadsNobodyOutOfItsFolder) {
  for (const auto* path : {"../x", "/etc/passwd", "a/../../x", "", "a/", "backup.json", "./a"}) {
    BackupList list{.files = {{.path = path, .bytes = 1, .sha256 = {}}}};
    EXPECT_FALSE(BackupList::parse(list.text())) << path;
  }
  const BackupList good{.at = {}, .anchor = sha256("x"), .files = {{.path = "a/b..c"}}, .left = {}};
  EXPECT_EQ(*BackupList::parse(good.text()), good);
}

TEST_F(BackupTest, RestoresTheKeysAndTheCopyOfTheManifest) {
  write(line_of(RunId::make(system_clock().now()), 1));
  ASSERT_TRUE(store::compact(store_, {.keep = {}}));
  {
    const OwnersFiles theirs;
    ASSERT_TRUE(write_file_durably(store_.keys(), "{}\n"));
  }
  back_up();
  ASSERT_TRUE(restore());
  for (const auto& root : {backup_, restored_}) {
    EXPECT_EQ(*read_file(root / "keys.json", kMaxRead), "{}\n");
    EXPECT_EQ(std::filesystem::status(root / "keys.json").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  ASSERT_TRUE(std::filesystem::remove(restored_ / "manifest.json"));
  EXPECT_EQ(events(restored_), 1U);
}

}  // namespace
}  // namespace weir::store
