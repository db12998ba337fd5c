#include "ingest/native.h"

#include "ingest/body_records.h"
#include "ingest/native_event.h"

namespace weir::ingest {

Result<Rejections> take_events(std::string_view body, LineMaker& lines) {
  Rejections rejections;
  BodyRecords records(body);
  NativeEventReader reader(lines);
  bool is_empty = !records.is_list();
  while (const auto record = records.next()) {
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
