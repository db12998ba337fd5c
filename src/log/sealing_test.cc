#include "log/sealing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log_writer.h"
#include "log/verify.h"

namespace weir::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 20;

/// A store with segments of two commits each, all of one writer.
class SealedStore {
 public:
  explicit SealedStore(int segments) {
    LogWriter writer(store_, system_clock(), {.segment_bytes = 1});
    for (int i = 0; i < segments; ++i) {
      auto lines = "{\"event\":" + std::to_string(i) + "}\n";
      EXPECT_TRUE(writer.commit(lines, 1));
    }
    writer.close();
    const auto salvaged = seal_finished(store_);
    EXPECT_TRUE(salvaged && salvaged->empty());
  }

  [[nodiscard]] const StoreDirectory& operator*() const { return store_; }
  [[nodiscard]] std::filesystem::path segment(std::size_t index) const {
    return store_.segment((*store_.segment_names())[index]);
  }
  [[nodiscard]] std::vector<std::string> problems(const std::optional<Sha256>& anchor = {}) const {
    return verify_seals(store_, anchor)->problems;
  }

 private:
  StoreDirectory store_ =
      *StoreDirectory::create(testing::TempDir() + "weir-" + std::to_string(random_bits()));
};

void flip(const std::filesystem::path& path, std::size_t at) {
  auto bytes = *read_file(path, kMaxFile);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  ASSERT_TRUE(write_file_durably(path, bytes));
}

TEST(Sealing, SealsEveryFinishedSegmentOnce) {
  const SealedStore store(3);
  EXPECT_THAT(store.problems(), IsEmpty());
  EXPECT_EQ(verify_seals(*store)->seals, 3U);
  const auto seals = *read_file((*store).seals(), kMaxFile);
  ASSERT_TRUE(seal_finished(*store));
  EXPECT_EQ(*read_file((*store).seals(), kMaxFile), seals);
}

TEST(Sealing, LeavesASegmentThatIsBeingWritten) {
  const SealedStore store(1);
  LogWriter writer(*store, system_clock());
  std::string lines = "{}\n";
  ASSERT_TRUE(writer.commit(lines, 1));
  ASSERT_TRUE(seal_finished(*store));
  EXPECT_EQ(verify_seals(*store)->seals, 1U);
  writer.close();
  ASSERT_TRUE(seal_finished(*store));
  EXPECT_EQ(verify_seals(*store)->seals, 2U);
}

TEST(Sealing, DropsATornTailAndSaysHowMuch) {
  const SealedStore store(1);
  const auto path = (*store).segment({std::string(24, 'f'), 1});
  ASSERT_TRUE(write_file_durably(path, "{\"torn\":"));
  const auto salvaged = seal_finished(*store);
  ASSERT_EQ(salvaged->size(), 1U);
  EXPECT_EQ(salvaged->front().size, 8U);
  EXPECT_FALSE(salvaged->front().quarantined);
  EXPECT_EQ(*read_file(path, kMaxFile), "");
  EXPECT_EQ(verify_seals(*store)->dropped_bytes, 8U);
}

TEST(Sealing, QuarantinesWhatMayHaveBeenAnEvent) {
  const SealedStore store(1);
  auto bytes = *read_file(store.segment(0), kMaxFile);
  bytes[3] = 'x';
  const SegmentName name{std::string(24, 'f'), 1};
  ASSERT_TRUE(write_file_durably((*store).segment(name), bytes));
  const auto salvaged = seal_finished(*store);
  ASSERT_EQ(salvaged->size(), 1U);
  EXPECT_TRUE(salvaged->front().quarantined);
  EXPECT_EQ(*read_file((*store).quarantine() / (name.file_name() + ".0"), kMaxFile), bytes);
}

TEST(VerifySeals, FindsAFlippedBitAnywhereInASealedSegmentAndNamesIt) {
  const SealedStore store(2);
  const auto path = store.segment(0);
  const auto size = read_file(path, kMaxFile)->size();
  for (std::size_t at = 0; at < size; ++at) {
    SCOPED_TRACE(at);
    flip(path, at);
    EXPECT_THAT(store.problems(), ElementsAre(HasSubstr(path.string())));
    flip(path, at);
  }
  EXPECT_THAT(store.problems(), IsEmpty());
}

TEST(VerifySeals, FindsAFlippedBitAnywhereInTheChainButItsLastLine) {
  const SealedStore store(3);
  const auto path = (*store).seals();
  const auto seals = *read_file(path, kMaxFile);
  const auto last_line = seals.rfind('\n', seals.size() - 2) + 1;
  // Without the newline before it the last line is no line either.
  for (std::size_t at = 0; at + 1 < last_line; ++at) {
    SCOPED_TRACE(at);
    flip(path, at);
    EXPECT_THAT(store.problems(), testing::Contains(HasSubstr(path.string())));
    flip(path, at);
  }
}

TEST(VerifySeals, HoldsTheChainToAnAnchor) {
  const SealedStore store(3);
  const auto anchor = verify_seals(*store)->anchor;
  EXPECT_THAT(store.problems(anchor), IsEmpty());
  const auto path = (*store).seals();
  const auto seals = *read_file(path, kMaxFile);
  ASSERT_TRUE(write_file_durably(path, seals.substr(0, seals.rfind('\n', seals.size() - 2) + 1)));
  EXPECT_THAT(store.problems(), IsEmpty());  // a cut end shows only to who knows what it was
  EXPECT_THAT(store.problems(anchor), ElementsAre(HasSubstr(anchor->text())));
}

TEST(VerifySeals, FindsARemovedSegment) {
  const SealedStore store(3);
  const auto path = store.segment(1);
  std::filesystem::remove(path);
  EXPECT_THAT(store.problems(), ElementsAre(HasSubstr(path.string())));
}

TEST(VerifySeals, FindsASegmentThatWasRemovedBeforeItWasSealed) {
  const SealedStore store(3);
  const auto path = store.segment(1);
  std::filesystem::remove(path);
  std::filesystem::remove((*store).seals());
  EXPECT_THAT(store.problems(), ElementsAre(HasSubstr(path.string())));
}

TEST(VerifySeals, FindsSegmentsThatChangedPlaces) {
  const SealedStore store(2);
  const auto first = store.segment(0), second = store.segment(1);
  std::filesystem::rename(first, first.string() + ".away");
  std::filesystem::rename(second, first);
  std::filesystem::rename(first.string() + ".away", second);
  EXPECT_EQ(store.problems().size(), 2U);
}

TEST(VerifySeals, FindsReorderedSeals) {
  const SealedStore store(3);
  const auto path = (*store).seals();
  const auto seals = *read_file(path, kMaxFile);
  const auto first = seals.find('\n') + 1, second = seals.find('\n', first) + 1;
  ASSERT_TRUE(write_file_durably(
      path, seals.substr(first, second - first) + seals.substr(0, first) + seals.substr(second)));
  EXPECT_THAT(store.problems(), testing::Not(IsEmpty()));
}

// A crash can cut the chain at any byte: what is left is good, and the next who seals mends it.
TEST(SealChain, IsMendedWhereverItIsCut) {
  const SealedStore store(2);
  const auto path = (*store).seals();
  const auto seals = *read_file(path, kMaxFile);
  for (std::size_t cut = 0; cut <= seals.size(); ++cut) {
    SCOPED_TRACE(cut);
    ASSERT_TRUE(write_file_durably(path, seals.substr(0, cut)));
    EXPECT_THAT(store.problems(), IsEmpty());
    ASSERT_TRUE(seal_finished(*store));
    EXPECT_EQ(*read_file(path, kMaxFile), seals);
  }
}

}  // namespace
}  // namespace weir::log
