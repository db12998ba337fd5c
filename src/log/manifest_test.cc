#include "log/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "log/seal_chain.h"
#include "log/verify.h"

namespace weir::log {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kMaxSeals = std::uint64_t{8} << 20;

class ManifestTest : public testing::Test {
 protected:
  /// A batch with a part for each of so many tenants.
  static Manifest with_tenants(const Manifest& before, std::size_t count) {
    std::vector<Part> parts;
    const auto run = RunId::make(system_clock().now());
    for (std::size_t i = 0; i < count; ++i) {
      const auto tenant = "t" + std::to_string(i);
      parts.push_back({.file = part_file("2026-11-28", tenant, before.number() + 1),
                       .date = "2026-11-28",
                       .tenant = tenant,
                       .events = 1,
                       .bytes = 1,
                       .sha256 = sha256(tenant),
                       .first_run = run,
                       .last_run = run});
    }
    return before.with({.at = system_clock().now()}, std::move(parts));
  }

  SealChain chain() { return *SealChain::read(store_); }

  const StoreDirectory store_ =
      *StoreDirectory::create(testing::TempDir() + "store-" + std::to_string(random_bits()));
};

TEST_F(ManifestTest, IsSealedInSeveralLinesWhereOneWouldNotHoldItsParts) {
  const auto many = with_tenants(Manifest(), 20'000);
  ASSERT_TRUE(write_manifest(store_, many));
  EXPECT_THAT(chain().anchors(), SizeIs(5));  // of at most 4096 parts each
  EXPECT_EQ(chain().parts().size(), 20'000U);
  EXPECT_EQ(chain().manifest()->number, 1U);
  EXPECT_FALSE(chain().tail());

  ASSERT_TRUE(write_manifest(store_, many.with_parts({}, system_clock().now())));
  EXPECT_THAT(chain().anchors(), SizeIs(10));
  EXPECT_THAT(chain().parts(), IsEmpty());
  EXPECT_THAT(chain().damage(), IsEmpty());
  EXPECT_FALSE(chain().tail());
  EXPECT_THAT(verify_seals(store_, {})->problems, IsEmpty());
}

TEST_F(ManifestTest, GetsTheLinesThatSomebodyWhoWasStoppedHasNotWritten) {
  const auto many = with_tenants(Manifest(), 2 * kMaxPartChanges + 1);
  ASSERT_TRUE(write_manifest(store_, many));
  const auto whole = *read_file(store_.seals(), kMaxSeals);
  const auto first_line = whole.find('\n') + 1;
  for (const auto size : {std::size_t{0}, first_line, whole.find('\n', first_line) + 1}) {
    ASSERT_TRUE(write_file_durably(store_.seals(), whole.substr(0, size)));
    ASSERT_TRUE(finish_manifest(store_, many));
    EXPECT_EQ(*read_file(store_.seals(), kMaxSeals), whole);
  }
}

TEST_F(ManifestTest, GetsNoLineForWhatWasChangedSince) {
  ASSERT_TRUE(write_manifest(store_, with_tenants(Manifest(), 2)));
  const auto sealed = *read_file(store_.seals(), kMaxSeals);
  ASSERT_TRUE(finish_manifest(store_, with_tenants(Manifest(), 3)));
  EXPECT_EQ(*read_file(store_.seals(), kMaxSeals), sealed);
}

}  // namespace
}  // namespace weir::log
