#include "base/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>

#include "base/file.h"
#include "base/troubled_files.h"

namespace weir {
namespace {

using testing::ElementsAre;

class Compression : public testing::Test {
 protected:
  Compression() : folder_(testing::TempDir() + "compression-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~Compression() override { std::filesystem::remove_all(folder_); }

  /// `text` as gzip_file writes it.
  std::string gzipped(std::string_view text) {
    std::filesystem::remove(folder_ / "in");
    EXPECT_TRUE(write_file_durably(folder_ / "in", text));
    const auto made = gzip_file(folder_ / "in", folder_ / "out.gz");
    EXPECT_TRUE(made) << made.error().message;
    return read_file(folder_ / "out.gz", 100'000'000).value_or("");
  }

  std::filesystem::path folder_;
};

/// Letters that do not compress to nothing.
std::string noise(std::size_t size) {
  std::minstd_rand random(7);
  std::string text(size, '\0');
  for (auto& c : text) c = static_cast<char>('a' + random() % 26);
  return text;
}

TEST_F(Compression, GivesBackWhatWasCompressed) {
  for (const auto& text : {std::string(), std::string("a"), std::string(1'000'000, 'x'),
                           noise(65'536), noise(1'000'003)}) {
    SCOPED_TRACE(text.size());
    EXPECT_EQ(gunzip(gzipped(text), text.size()).value_or("nothing"), text);
  }
}

TEST_F(Compression, WritesWhatOtherProgramsRead) {
  gzipped("one line\n");
  const auto command = "gzip -dc '" + (folder_ / "out.gz").string() + "'";
  const std::unique_ptr<std::FILE, decltype([](std::FILE* file) { ::pclose(file); })> program(
      ::popen(command.c_str(), "r"));
  char line[64] = {};
  ASSERT_NE(std::fgets(line, sizeof line, program.get()), nullptr);
  EXPECT_STREQ(line, "one line\n");
}

TEST_F(Compression, ReadsFilesThatStandOneAfterTheOther) {
  EXPECT_EQ(gunzip(gzipped("one ") + gzipped("") + gzipped("two"), 100).value_or(""), "one two");
}

// A few bytes of gzip can be gigabytes of zeros.
TEST_F(Compression, StopsAtTheLimit) {
  const auto bytes = gzipped(std::string(10'000'000, '\0'));
  ASSERT_LT(bytes.size(), 20'000U);
  const auto text = gunzip(bytes, 9'999'999);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(text.error().message, "gzip: more than the limit of 9999999 bytes");
  EXPECT_TRUE(gunzip(bytes, 10'000'000));
}

TEST_F(Compression, FindsACutWhereverItIs) {
  const auto bytes = gzipped(noise(500));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    const auto text = gunzip(std::string_view(bytes).substr(0, size), 1000);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, ErrorCode::kCorrupt);
  }
}

TEST_F(Compression, FindsChangedBytesOfTheContent) {
  const auto bytes = gzipped(noise(500));
  constexpr std::size_t kHeader = 10;
  for (std::size_t at = kHeader; at < bytes.size(); ++at) {
    SCOPED_TRACE(at);
    auto changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_FALSE(gunzip(changed, 100'000));
  }
  EXPECT_FALSE(gunzip("no gzip at all", 100'000));
}

TEST_F(Compression, LeavesNothingHalfMadeOnAFullDisk) {
  TroubledFiles files;
  ASSERT_TRUE(write_file_durably(folder_ / "in", "text"));
  for (const bool full_from_the_start : {true, false}) {
    SCOPED_TRACE(full_from_the_start);
    files.full = full_from_the_start;
    files.full_at_write = !full_from_the_start;
    const auto made = gzip_file(folder_ / "in", folder_ / "out.gz", files);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kExhausted);
    EXPECT_THAT(list_directory(folder_).value(), ElementsAre("in"));
  }
}

TEST_F(Compression, OfATextIsThatOfItsFile) {
  for (const auto& text : {std::string(), std::string("text"), noise(65'536), noise(200'001)}) {
    const auto packed = gzip(text);
    ASSERT_TRUE(packed);
    EXPECT_EQ(*packed, gzipped(text));
    EXPECT_EQ(gunzip(*packed, text.size()).value_or("no"), text);
  }
}

// A crash has left the beginning of a file.
TEST_F(Compression, BeginsAnewWhereACrashLeftABeginning) {
  ASSERT_TRUE(write_file_durably(folder_ / "out.gz.new", std::string(100'000, 'x')));
  EXPECT_EQ(gunzip(gzipped("text"), 10).value_or(""), "text");
  EXPECT_THAT(list_directory(folder_).value(), ElementsAre("in", "out.gz"));
}

}  // namespace
}  // namespace weir
