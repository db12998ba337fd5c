#include "cli/styled_line.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

TEST(StyledLine, IsCutWhereItsWidthEnds) {
  StyledLine line({.width = 10, .coloured = false});
  line.add("12345").add(Colour::kRed, "67890AB").add("more");
  EXPECT_EQ(line.used(), 10U);
  EXPECT_EQ(std::move(line).text(), "123456789…");
}

TEST(StyledLine, CountsCharactersAndNotColours) {
  StyledLine line({.width = 6, .coloured = true});
  line.add(Colour::kGreen, "✓").add(" ").to_column(4).add("äö");
  EXPECT_EQ(std::move(line).text(), "\x1b[32m✓\x1b[0m   äö");
}

TEST(StyledLine, ShowsControlCharacters) {
  StyledLine line({.width = 0, .coloured = false});
  line.add("a\x1b[2Jb\nc  ");
  EXPECT_EQ(std::move(line).text(), "a\\x1b[2Jb c");
}

TEST(StyledLine, LeavesASpaceBeforeAColumnThatIsPassed) {
  StyledLine line({.width = 0, .coloured = false});
  line.to_column(0).add("long name").to_column(4).add("x");
  EXPECT_EQ(std::move(line).text(), "long name x");
}

}  // namespace
}  // namespace weir::cli
