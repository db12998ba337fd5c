#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "base/copy.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/ring.h"
#include "base/text.h"
#include "base/ticks.h"
#include "base/time.h"
#include "base/utf8.h"

namespace weir {
namespace {

TEST(Time, WritesAndReadsRfc3339) {
  const auto time = parse_rfc3339("2024-02-29T23:59:59.123456Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(to_string(*time), "2024-02-29T23:59:59.123456Z");
  EXPECT_EQ(parse_rfc3339("2024-03-01T01:29:59.123456999+01:30"), time);
  EXPECT_EQ(to_string(*parse_rfc3339("1969-12-31T23:59:59Z")), "1969-12-31T23:59:59.000000Z");
}

TEST(Time, RefusesWhatIsNotADateTime) {
  for (const char* text :
       {"", "2024-02-30T00:00:00Z", "2024-02-01", "2024-02-01T24:00:00Z", "2024-02-01T00:00:00",
        "2024-02-01T00:00:00.Z", "2024-02-01T00:00:00Zx"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Id, RunIdsAreVersion7AndSortByTime) {
  const auto first = RunId::make(Timestamp(std::chrono::seconds(1'700'000'000)));
  const auto second = RunId::make(Timestamp(std::chrono::seconds(1'700'000'001)));
  EXPECT_LT(first.text(), second.text());
  EXPECT_THAT(first.text(),
              testing::MatchesRegex("018bcfe5-6800-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(RunId::parse(first.text()), first);
  EXPECT_FALSE(RunId::parse("018bcfe5-6800-7000-8000-00000000000g"));
}

TEST(Id, TraceAndSpanIdsAreWhatTheirTextsSay) {
  const auto trace = TraceId::make();
  EXPECT_EQ(TraceId::parse(trace.text()), trace);
  EXPECT_NE(TraceId::make(), trace);
  EXPECT_EQ(TraceId::parse("0af7651916cd43dd8448eb211c80319c")->bytes[15], 0x9c);

  const auto span = SpanId::make();
  const auto text = span.text();
  EXPECT_EQ(SpanId::parse({text.data(), text.size()}), span);
  EXPECT_NE(SpanId::make(), span);
  EXPECT_EQ(SpanId::parse("b7ad6b7169203331")->value, 0xb7ad6b7169203331U);
}

TEST(Id, TraceAndSpanIdsAreLowerCaseHexAndNotAllZero) {
  const std::string trace = "0af7651916cd43dd8448eb211c80319c", span = "b7ad6b7169203331";
  for (const auto& bad : {std::string(), trace.substr(1), trace + "0", "A" + trace.substr(1),
                          "g" + trace.substr(1), " " + trace.substr(1), std::string(32, '0')}) {
    EXPECT_FALSE(TraceId::parse(bad)) << bad;
  }
  for (const auto& bad : {std::string(), span.substr(1), span + "0", "B" + span.substr(1),
                          "g" + span.substr(1), "+" + span.substr(1), std::string(16, '0')}) {
    EXPECT_FALSE(SpanId::parse(bad)) << bad;
  }
}

TEST(Hash, KnowsThePublishedVectors) {
  EXPECT_EQ(sha256("abc").text(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256::parse(sha256("abc").text()), sha256("abc"));
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c("56789", crc32c("1234")), 0xe3069283U);
}

/// As the polynomial says, bit by bit.
std::uint32_t slow_crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

TEST(Crc32c, IsTheSameOfPartsOfAnySize) {
  std::string bytes(20'000, '\0');
  std::uint32_t random = 1;
  for (auto& byte : bytes)
    byte = static_cast<char>((random = random * 1664525U + 1013904223U) >> 24);
  for (const auto size :
       std::to_array<std::size_t>({0, 1, 7, 8, 2047, 6143, 6144, 6145, 6151, 12'287, 12'288})) {
    const auto head = std::string_view(bytes).substr(0, size);
    EXPECT_EQ(crc32c(head), slow_crc32c(head)) << size;
    EXPECT_EQ(crc32c(std::string_view(bytes).substr(size), crc32c(head)), slow_crc32c(bytes))
        << size;
  }
}

// RFC 4231, test cases 1, 2 and 6.
TEST(Hmac, KnowsThePublishedVectors) {
  EXPECT_EQ(hmac_sha256(std::string(20, '\x0b'), "Hi There").text(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?").text(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_sha256(std::string(131, '\xaa'),
                        "Test Using Larger Than Block-Size Key - Hash Key First")
                .text(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Utf8, FindsTheFirstInvalidByte) {
  EXPECT_EQ(utf8::first_invalid("aé€😀"), std::nullopt);
  EXPECT_EQ(utf8::first_invalid("aé\xc3("), 3U);
  EXPECT_EQ(utf8::first_invalid("\xed\xa0\x80"), 0U);  // a surrogate
  EXPECT_EQ(utf8::first_invalid("\xc0\xaf"), 0U);      // overlong
  EXPECT_EQ(utf8::cut("aé", 2), "a");
}

TEST(Printable, IsOneLineThatATerminalOnlyShows) {
  EXPECT_EQ(text::printable("two\r\nlines\tof \u00e9t\u00e9 \u2713"),
            "two  lines of \u00e9t\u00e9 \u2713");
  EXPECT_EQ(text::printable("\x1b[2J\x7f"), R"(\x1b[2J\x7f)");
  EXPECT_EQ(text::printable("\u009b\u00a0"), "\\x9b\u00a0");  // C1 can be a terminal's, too
  EXPECT_EQ(text::printable(std::string_view("\0", 1)), R"(\x00)");
  EXPECT_EQ(text::printable("\xff\xc3"), "\ufffd\ufffd");
}

TEST(Text, SuggestsOnlyWhatIsNear) {
  const std::vector<std::string> words = {"plugin_id", "tool_id", "needs"};
  EXPECT_EQ(text::did_you_mean("plugn_id", words), ", did you mean 'plugin_id'?");
  EXPECT_EQ(text::did_you_mean("command", words), "");
  EXPECT_EQ(text::did_you_mean("nedes", words), ", did you mean 'needs'?");
  EXPECT_EQ(text::did_you_mean("ndees", words), ", did you mean 'needs'?");
  EXPECT_EQ(text::did_you_mean("sdeen", words), "");
}

TEST(Text, SaysDurationsInUnitsPeopleRead) {
  EXPECT_EQ(text::duration(0.0123), "12 µs");
  EXPECT_EQ(text::duration(1.234), "1.23 ms");
  EXPECT_EQ(text::duration(59'949), "59.9 s");
  EXPECT_EQ(text::duration(59'960), "1 min 0 s");
  EXPECT_EQ(text::duration(7'500'000), "2 h 5 min");
  EXPECT_EQ(text::duration(3.6e280), "1e+274 h");
}

TEST(Text, Base64FollowsRfc4648) {
  EXPECT_EQ(text::base64(""), "");
  EXPECT_EQ(text::base64("f"), "Zg==");
  EXPECT_EQ(text::base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(text::base64("foobar"), "Zm9vYmFy");
}

TEST(File, NamesThePathInItsErrors) {
  const auto missing = File::open_to_read("/no/such/file");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, testing::HasSubstr("/no/such/file"));
}

TEST(File, ReadsUpToItsLimitOnly) {
  const auto path = testing::TempDir() + "limit-" + std::to_string(random_bits());
  ASSERT_TRUE(write_file_durably(path, std::string(100'000, 'x')));
  EXPECT_EQ(read_file(path, 100'000)->size(), 100'000U);
  EXPECT_EQ(read_file(path, 99'999).error().code, ErrorCode::kExhausted);
}

TEST(CopyShort, CopiesWhatIsThereAndNothingElse) {
  std::string from;
  for (int i = 0; i < 100; ++i) from += static_cast<char>('!' + i % 90);
  for (std::size_t size = 0; size <= from.size(); ++size) {
    std::string to(size + 2, '#');
    EXPECT_EQ(copy_short(to.data() + 1, from.data(), size), to.data() + 1 + size);
    EXPECT_EQ(to, "#" + from.substr(0, size) + "#");
  }
}

/// Time as the test wants it, while the ticks are the machine's.
class SteppingClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return system_clock().now() + step; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return system_clock().monotonic();
  }
  std::chrono::seconds step{0};
};

TEST(TickConverter, SaysTheTimeOfTheClock) {
  if (!has_ticks()) GTEST_SKIP() << "no ticks on this machine";
  SteppingClock clock;
  TickConverter converter(clock);
  constexpr auto kError = std::chrono::milliseconds(2);  // of a machine that stops now and then
  for (int round = 0; round < 20; ++round) {
    if (round == 10) clock.step = std::chrono::hours(24);
    const auto before = clock.now();
    const auto ticks = read_ticks();
    const auto after = clock.now();
    while (clock.now() < after + std::chrono::milliseconds(2)) {
    }
    converter.sync();
    const auto time = converter.at(ticks);
    EXPECT_GE(time, before - kError);
    EXPECT_LE(time, after + kError);
  }
}

TEST(Ring, TakesLessThanWasReserved) {
  Ring ring(256);
  for (int round = 0; round < 50; ++round) {
    auto* room = ring.reserve(100);
    ASSERT_NE(room, nullptr);
    std::memset(room, round, 9);
    ring.publish(9);
    const auto record = ring.next();
    ASSERT_EQ(record.size(), 9U);
    EXPECT_EQ(record.back(), static_cast<std::byte>(round));
    ring.release();
  }
}

TEST(Ring, GivesBackWhatWasPutInAcrossTheEnd) {
  Ring ring(256);
  for (std::size_t round = 0; round < 100; ++round) {
    const std::size_t size = 1 + round % ring.max_record();
    auto* room = ring.reserve(size);
    ASSERT_NE(room, nullptr);
    std::memset(room, static_cast<int>(round), size);
    ring.publish(size);
    const auto record = ring.next();
    ASSERT_EQ(record.size(), size);
    EXPECT_EQ(record.back(), static_cast<std::byte>(round));
    EXPECT_EQ(ring.next().data(), nullptr);
    ring.release();
  }
}

TEST(Ring, IsFullUntilTheConsumerReleases) {
  Ring ring(64);
  ASSERT_NE(ring.reserve(48), nullptr);
  ring.publish(48);
  EXPECT_EQ(ring.reserve(8), nullptr);
  ASSERT_EQ(ring.next().size(), 48U);
  EXPECT_EQ(ring.reserve(8), nullptr);
  ring.release();
  EXPECT_NE(ring.reserve(8), nullptr);
}

TEST(ThreadsRing, CarriesEveryRecordInOrderBetweenTwoThreads) {
  constexpr std::uint64_t kRecords = 200'000;
  Ring ring(4096);
  std::jthread producer([&] {
    for (std::uint64_t i = 0; i < kRecords;) {
      const std::size_t size = 8 + i % 120;
      auto* room = ring.reserve(size);
      if (room == nullptr) {
        std::this_thread::yield();
        continue;
      }
      std::memcpy(room, &i, sizeof i);
      ring.publish(size);
      ++i;
    }
  });
  for (std::uint64_t expected = 0; expected < kRecords;) {
    const auto record = ring.next();
    if (record.data() == nullptr) {
      ring.release();
      std::this_thread::yield();
      continue;
    }
    std::uint64_t value = 0;
    std::memcpy(&value, record.data(), sizeof value);
    ASSERT_EQ(value, expected);
    ASSERT_EQ(record.size(), 8 + expected % 120);
    ++expected;
    if (expected % 7 == 0) ring.release();
  }
}

}  // namespace
}  // namespace weir
