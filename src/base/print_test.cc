#include "base/print.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "base/descriptor.h"

namespace weir {
namespace {

using std::chrono::milliseconds;

struct Pipe {
  Pipe() {
    std::signal(SIGPIPE, SIG_IGN);
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
  }
  Descriptor read, write;
};

// More than a pipe holds.
const std::string kLong(300'000, 'x');

TEST(Print, WaitsForAReaderWithoutEnd) {
  const Pipe pipe;
  std::string got;
  std::thread reader([&] {
    std::this_thread::sleep_for(milliseconds(20));
    char buffer[4096];
    while (got.size() < kLong.size()) {
      const auto count = ::read(pipe.read.number(), buffer, sizeof buffer);
      if (count <= 0) break;
      got.append(buffer, static_cast<std::size_t>(count));
    }
  });
  EXPECT_TRUE(print(pipe.write.number(), kLong));
  reader.join();
  EXPECT_EQ(got, kLong);
}

TEST(Print, GivesUpWhenNobodyReadsInTime) {
  const Pipe pipe;
  const auto printed = print(pipe.write.number(), kLong, milliseconds(20));
  EXPECT_EQ(printed.error(), (Error{ErrorCode::kExhausted, "print: nobody reads"}));
  EXPECT_FALSE(print(pipe.write.number(), "x", milliseconds(0)));
  EXPECT_FALSE(has_lost_reader(pipe.write.number()));
}

TEST(Print, SaysThatTheReaderIsGone) {
  Pipe pipe;
  EXPECT_TRUE(print(pipe.write.number(), "x", milliseconds(0)));
  EXPECT_FALSE(has_lost_reader(pipe.write.number()));
  pipe.read.close();
  EXPECT_EQ(print(pipe.write.number(), "x").error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(has_lost_reader(pipe.write.number()));
}

TEST(Print, SaysThatThereIsNoSpace) {
  const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(print(full.number(), "x").error().code, ErrorCode::kExhausted);
}

}  // namespace
}  // namespace weir
