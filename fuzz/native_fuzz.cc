// Native events: whatever comes in, each line that comes out is an event of the catalogue on a line
// of its own, and a body says the same however it is cut into requests.

#include "event/decoder.h"
#include "event/observed.h"
#include "ingest/body_records.h"
#include "ingest/native.h"

namespace weir::ingest {
namespace {

const event::Redactor& redactor() {
  static const auto made = *event::Redactor::make({});
  return made;
}

void check_lines(const EventLines& lines) {
  static event::Decoder decoder;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto line = lines.line(i);
    WEIR_CHECK(line.ends_with("}\n"));
    line.remove_suffix(1);
    WEIR_CHECK(line.find('\n') == std::string_view::npos);
    const auto event = decoder.decode(line);
    WEIR_CHECK(event);
    WEIR_CHECK((*event)->run_seq() == kLeastNumber);
    WEIR_CHECK((*event)->text(event::Field::kPipelineType) == event::kObserved);
    WEIR_CHECK((*event)->text(event::Field::kTenantId) == "acme");
    WEIR_CHECK((*event)->has(event::Field::kEventId) ||
               (*event)->has(event::Field::kIdempotencyKey));
  }
}

void check(std::string_view body) {
  LineMaker maker(redactor(), "acme", "r");
  const auto rejections = take_events(body, maker);
  const auto lines = *maker.take();
  check_lines(lines);
  WEIR_CHECK(rejections || lines.size() == 0);
  std::uint64_t records = 0, lines_apart = 0;
  BodyRecords all(body);
  while (const auto record = all.next()) {
    ++records;
    LineMaker alone(redactor(), "acme", "r");
    // In a list, an item may itself be a list or hold line breaks.
    const auto taken = take_events("[" + std::string(record->text) + "]", alone);
    lines_apart += alone.size();
    if (!record->text.empty()) WEIR_CHECK(taken);
  }
  if (!rejections) return;
  WEIR_CHECK(lines.size() + rejections->count == records + (all.problem().empty() ? 0 : 1));
  if (all.is_list()) WEIR_CHECK(lines_apart == lines.size());
}

}  // namespace
}  // namespace weir::ingest

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::ingest::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
