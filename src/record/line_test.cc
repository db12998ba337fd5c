#include "record/line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "record/encoding.h"

namespace weir::record {
namespace {

using event::Field;
using event::FieldValue;

/// Events of a few nodes, most of which go on where the one before was.
class SomeEvents {
 public:
  [[nodiscard]] std::string next() {
    static constexpr std::string_view kTexts[] = {"\"quoted\"", "twenty bytes, or more"};
    static constexpr Field kPlace[] = {Field::kSpanId, Field::kParentSpanId, Field::kNodeId,
                                       Field::kPluginId, Field::kToolId};
    if (one_in(3)) {
      place_.clear();
      for (const auto field : kPlace) {
        if (!one_in(4)) place_.push_back({field, kTexts[random_() % std::size(kTexts)]});
      }
    }
    auto fields = place_;
    if (one_in(2) && !fields.empty()) {
      fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(random_() % fields.size()));
    }
    const auto number = static_cast<std::int64_t>(random_() % 12);
    if (!one_in(4)) fields.push_back({Field::kStepIndex, number});
    if (one_in(2)) fields.push_back({Field::kMessage, kTexts[random_() % std::size(kTexts)]});
    if (one_in(4)) std::ranges::shuffle(fields, random_);
    return encode(fields);
  }
  [[nodiscard]] bool one_in(unsigned of) { return random_() % of == 0; }

 private:
  std::minstd_rand random_{1};
  std::vector<FieldValue> place_;
};

// What a renderer remembers of the lines before is not seen in the next one.
TEST(LineRenderer, WritesEachLineAsIfItWereItsFirst) {
  const std::vector<RenderedField> of_a_run = {render({Field::kTraceId, std::string_view("t")})};
  auto around = of_a_run;
  around.push_back(render({Field::kPluginId, std::string_view("everywhere")}));
  around.push_back(render({Field::kReason, std::string_view("always")}));
  SomeEvents events;
  LineRenderer remembers, of_others(Repeats::kNone);
  for (int i = 0; i < 5000; ++i) {
    const auto fields = events.next();
    const Line line{.timestamp = Timestamp(std::chrono::microseconds(i)),
                    .type = event::Type::kLog,
                    .level = event::Level::kInfo,
                    .run = ",\"run_seq\":",
                    .seq = i,
                    .fields = fields,
                    .constants = events.one_in(4) ? around : of_a_run};
    std::string remembered, of_another, anew;
    remembers.append(remembered, line);
    of_others.append(of_another, line);
    LineRenderer().append(anew, line);
    ASSERT_EQ(remembered, anew);
    ASSERT_EQ(of_another, anew);
    const auto number = anew.substr(remembers.number_offset());
    ASSERT_TRUE(number.starts_with(std::to_string(i) + (fields.empty() ? "" : ","))) << number;
  }
}

}  // namespace
}  // namespace weir::record
