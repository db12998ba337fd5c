#include "log/folder_watch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>

#include "base/file.h"
#include "base/id.h"

namespace weir::log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A watch that hears what a test says.
class Told {
 public:
  Told() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    watch.emplace(Descriptor(ends[0]));
    end_ = Descriptor(ends[1]);
  }
  void tell(std::uint32_t mask, const std::string& name = {}) {
    const auto size = name.empty() ? 0 : (name.size() / 16 + 1) * 16;  // padded with zeros
    const inotify_event record{.wd = 1, .mask = mask, .len = static_cast<std::uint32_t>(size)};
    std::string bytes(reinterpret_cast<const char*>(&record), sizeof record);
    bytes += name;
    bytes.resize(sizeof record + size, '\0');
    EXPECT_EQ(::write(end_.number(), bytes.data(), bytes.size()), std::ssize(bytes));
  }
  void hang_up() { end_.close(); }

  std::optional<FolderWatch> watch;

 private:
  Descriptor end_;
};

TEST(FolderWatch, HearsOfWritingRenamingAndRemoving) {
  const std::filesystem::path folder = testing::TempDir() + "weir-" + std::to_string(random_bits());
  ASSERT_TRUE(make_directories(folder));
  auto watch = FolderWatch::on(folder);
  ASSERT_TRUE(watch) << watch.error().message;
  EXPECT_THAT(watch->take().names, IsEmpty());
  auto file = File::create(folder / "unnamed");
  ASSERT_TRUE(file->rename_to(folder / "named"));
  ASSERT_TRUE(file->write("bytes"));
  EXPECT_THAT(watch->take().names, ElementsAre("named"));
  std::filesystem::remove(folder / "named");
  const auto changes = watch->take();
  EXPECT_THAT(changes.names, ElementsAre("named"));
  EXPECT_FALSE(changes.incomplete);
}

TEST(FolderWatch, IsNotOnAFolderThatIsNotThere) {
  EXPECT_EQ(FolderWatch::on("/nowhere/at/all").error().code, ErrorCode::kNotFound);
}

TEST(FolderWatch, SaysThatTheFolderIsGoneAndHearsNoMore) {
  const std::filesystem::path folder = testing::TempDir() + "weir-" + std::to_string(random_bits());
  ASSERT_TRUE(make_directories(folder));
  auto watch = FolderWatch::on(folder);
  std::filesystem::remove(folder);
  EXPECT_TRUE(watch->take().incomplete);
  EXPECT_LT(watch->descriptor(), 0);
  EXPECT_FALSE(watch->take().incomplete);
}

TEST(FolderWatch, NamesWhatIsTold) {
  Told told;
  told.tell(IN_MODIFY, "one");
  told.tell(IN_MODIFY, "one");
  told.tell(IN_MOVED_TO, std::string(200, 'n'));
  EXPECT_THAT(told.watch->take().names, ElementsAre("one", std::string(200, 'n')));
  EXPECT_THAT(told.watch->take().names, IsEmpty());
}

TEST(FolderWatch, SaysThatTheKernelCouldNotTellEverything) {
  Told told;
  told.tell(IN_MODIFY, "one");
  told.tell(IN_Q_OVERFLOW);
  const auto changes = told.watch->take();
  EXPECT_THAT(changes.names, ElementsAre("one"));
  EXPECT_TRUE(changes.incomplete);
  EXPECT_GE(told.watch->descriptor(), 0);
}

TEST(FolderWatch, EndsWithItsDescriptor) {
  Told told;
  told.hang_up();
  EXPECT_TRUE(told.watch->take().incomplete);
  EXPECT_LT(told.watch->descriptor(), 0);
}

}  // namespace
}  // namespace weir::log
