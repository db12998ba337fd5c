#include "ingest/native.h"

#include <algorithm>

#include "ingest/body_records.h"
#include "ingest/native_event.h"

namespace weir::ingest {
namespace {

/// What is made of a body, mostly: lines have more in them than was sent, and less space.
std::size_t expected_bytes(std::size_t body_size) {
  constexpr std::size_t kMost = std::size_t{32} << 20;
  return std::min(body_size + body_size / 4, kMost);
}

}  // namespace

Result<Rejections> take_events(std::string_view body, LineMaker& lines) {
  Rejections rejections;
  lines.expect(expected_bytes(body.size()));
  BodyRecords records(body);
  NativeEventReader reader(lines);
  bool is_empty = !records.is_list();
  while (!lines.is_full()) {
    const auto record = records.next();
    if (!record) break;
    is_empty = false;
    ++rejections.records;
    if (const auto taken = reader.take(record->text); !taken) {
      rejections.add(record->index, records.name_of(record->index) + ": " + taken.error().message);
    }
  }
  if (!records.problem().empty()) {
    rejections.add(records.next_index(), std::string(records.problem()));
  }
  if (is_empty) {
    return fail(ErrorCode::kInvalidInput,
                "the body is empty: send JSON lines, one event a line, or a list of events");
  }
  return rejections;
}

}  // namespace weir::ingest
