#include "server/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "record/recorded_events.h"
#include "server/gate.h"

namespace weir::server {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Timestamp kNow{hours(500'000)};
constexpr auto kWrite = static_cast<Scopes>(Scope::kWrite);

class KeysTest : public ::testing::Test {
 protected:
  std::string text_of_file() {
    return *read_file(store_.root() / "keys.json", 1 << 20, store_.files());
  }
  const log::StoreDirectory store_ = record::testing_support::fresh_store();
  Keys keys_{store_};
};

TEST_F(KeysTest, OpenWhatTheyAreFor) {
  const auto made = keys_.create({.name = "ci", .tenant_id = "acme", .scopes = kWrite}, kNow);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->text, StartsWith("weir_" + made->key.id + "_"));
  KeyRing ring(store_);
  const auto found = ring.find(made->text, kNow);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->tenant_id, "acme");
  EXPECT_TRUE((*found)->allows(Scope::kWrite));
  EXPECT_FALSE((*found)->allows(Scope::kRead));
  EXPECT_FALSE(*ring.find(made->text + "x", kNow));
  EXPECT_FALSE(*ring.find(made->text.substr(0, made->text.size() - 1), kNow));
  EXPECT_FALSE(*ring.find("", kNow));
}

TEST_F(KeysTest, AreKeptWithoutTheirSecret) {
  const auto made = keys_.create({.name = "ci", .scopes = kWrite}, kNow);
  EXPECT_THAT(text_of_file(), Not(HasSubstr(made->text.substr(14))));
  struct stat status{};
  ASSERT_EQ(::stat((store_.root() / "keys.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077U, 0U);
}

TEST_F(KeysTest, AreGoodUntilTheyAreRevokedOrExpired) {
  KeyRing ring(store_);
  EXPECT_FALSE(*ring.has_any());
  const auto first =
      keys_.create({.name = "a", .scopes = kWrite, .expires_at = kNow + hours(1)}, kNow);
  const auto second = keys_.create({.name = "b", .scopes = kWrite}, kNow);
  EXPECT_TRUE(*ring.has_any());
  EXPECT_TRUE(*ring.find(first->text, kNow));
  EXPECT_FALSE(*ring.find(first->text, kNow + hours(1)));
  EXPECT_TRUE(*ring.is_good(second->key.id, kNow));
  EXPECT_FALSE(*ring.is_good(first->key.id, kNow + hours(1)));
  EXPECT_EQ(keys_.revoke("b", kNow)->id, second->key.id);
  EXPECT_FALSE(*ring.find(second->text, kNow)) << "the file is read again";
  EXPECT_FALSE(*ring.is_good(second->key.id, kNow));
  EXPECT_TRUE(*ring.has_any()) << "they let nobody in, and the server stays closed";
  EXPECT_EQ(keys_.revoke("b", kNow).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(keys_.revoke(second->key.id, kNow).error().code, ErrorCode::kConflict);
}

TEST_F(KeysTest, ThatAreGoneLetNobodyIn) {
  ASSERT_TRUE(keys_.create({.name = "ci", .scopes = kWrite}, kNow));
  KeyRing ring(store_);
  EXPECT_TRUE(*ring.has_any());
  ASSERT_TRUE(std::filesystem::remove(store_.keys()));
  EXPECT_EQ(ring.has_any().error().code, ErrorCode::kCorrupt);
  ASSERT_TRUE(keys_.create({.name = "new", .scopes = kWrite}, kNow));
  EXPECT_TRUE(*ring.has_any());
}

TEST_F(KeysTest, OfOneNameAreRevokedById) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(keys_.create({.name = "a", .scopes = kWrite}, kNow));
  EXPECT_EQ(keys_.revoke("a", kNow).error().code, ErrorCode::kConflict);
}

TEST_F(KeysTest, ThatCannotBeReadOpenNothing) {
  const auto made = keys_.create({.name = "ci", .scopes = kWrite}, kNow);
  ASSERT_TRUE(write_file_durably(store_.root() / "keys.json", "{\"keys\":[{}]}", store_.files()));
  KeyRing ring(store_);
  EXPECT_EQ(ring.find(made->text, kNow).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(ring.has_any().error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(keys_.create({.name = "b", .scopes = kWrite}, kNow).error().code, ErrorCode::kCorrupt);
}

TEST(Scopes, AreReadAsTheyAreWritten) {
  EXPECT_EQ(scopes_text(*parse_scopes("write,read")), "read,write");
  EXPECT_FALSE(parse_scopes("write,"));
  EXPECT_FALSE(parse_scopes(""));
}

TEST(RateLimiter, LetsASecondsRequestsComeAtOnce) {
  RateLimiter rates;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(rates.delay("k", 10, milliseconds(0)));
  EXPECT_EQ(rates.delay("k", 10, milliseconds(0)), milliseconds(100));
  EXPECT_FALSE(rates.delay("other", 10, milliseconds(0)));
  EXPECT_FALSE(rates.delay("k", 10, milliseconds(100)));
  EXPECT_TRUE(rates.delay("k", 10, milliseconds(100)));
  EXPECT_FALSE(rates.delay("free", 0, milliseconds(0)));
}

}  // namespace
}  // namespace weir::server
