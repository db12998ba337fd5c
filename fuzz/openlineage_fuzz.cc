// OpenLineage: whatever comes in, each line that comes out is an event of the catalogue on a line
// of its own, and an event has the same keys alone and in a list.

#include "event/decoder.h"
#include "event/observed.h"
#include "ingest/openlineage.h"

namespace weir::ingest {
namespace {

EventLines take(std::string_view body, bool* is_whole = nullptr) {
  static const auto redactor = *event::Redactor::make({});
  LineMaker maker(redactor, "acme", "r");
  const auto rejections = take_lineage(body, maker);
  WEIR_CHECK(rejections || maker.size() == 0);
  if (is_whole != nullptr) *is_whole = rejections && rejections->count == 0;
  return *maker.take();
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
    WEIR_CHECK((*event)->text(event::Field::kPipelineType) == event::kObserved);
    WEIR_CHECK((*event)->text(event::Field::kSource) == "openlineage");
    WEIR_CHECK(!(*event)->text(event::Field::kIdempotencyKey).empty());
  }
}

void check(std::string_view body) {
  bool is_whole = false;
  const auto lines = take(body, &is_whole);
  check_lines(lines);
  const auto begin = body.find_first_not_of(" \t\r\n");
  if (!is_whole || lines.size() == 0 || body[begin] == '[') return;
  const auto listed = take("[" + std::string(body) + " ]");
  WEIR_CHECK(listed.size() == lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    WEIR_CHECK(listed.places[i].key == lines.places[i].key);
  }
}

}  // namespace
}  // namespace weir::ingest

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::ingest::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
