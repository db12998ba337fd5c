#include <algorithm>
#include <array>

#include "export/format.h"

namespace weir::exporting {
namespace {

constexpr auto kFormats = std::to_array<Format>({
    {"jsonl", "the events, a JSON object a line, as any log shipper reads them", make_jsonl},
    {"otlp", "spans for OpenTelemetry: OTLP in JSON, a request a line", make_otlp_json},
    {"otlp-protobuf", "spans for OpenTelemetry: OTLP in protobuf, one request", make_otlp_protobuf},
    {"chrome", "spans as a Chrome trace, which Perfetto and chrome://tracing show",
     make_chrome_trace},
    {"openlineage", "run events of OpenLineage 2-0-2, a JSON object a line", make_openlineage},
    {"elasticsearch", "documents for Elasticsearch and OpenSearch: the body of _bulk",
     make_elasticsearch},
});

}  // namespace

std::span<const Format> formats() { return kFormats; }

const Format* find_format(std::string_view name) {
  const auto* const found = std::ranges::find(kFormats, name, &Format::name);
  return found == kFormats.end() ? nullptr : found;
}

Result<void> SpanFormatWriter::add(const event::EventView& event, std::string_view line) {
  static_cast<void>(line);
  Result<void> done;
  folds_.apply(event, [&](project::Span&& span) {
    if (done) done = put(std::move(span));
  });
  return done;
}

Result<void> SpanFormatWriter::end() {
  Result<void> done;
  folds_.finish([&](project::Span&& span) {
    if (done) done = put(std::move(span));
  });
  WEIR_TRY(done);
  return end_spans();
}

}  // namespace weir::exporting
