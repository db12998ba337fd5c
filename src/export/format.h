#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/decoder.h"
#include "project/span_folds.h"

/// What `weir export` writes. A format is one file: a class that writes it, which formats.cc names.
namespace weir::exporting {

/// Takes the next bytes. An error ends the export.
using WriteBytes = std::function<Result<void>(std::string_view bytes)>;

/// Writes events in a format, as they come: in the order of each run, those of many runs mixed.
///
/// Memory   That of what is open, whatever the number of events.
class FormatWriter {
 public:
  FormatWriter() = default;
  FormatWriter(const FormatWriter&) = delete;
  FormatWriter& operator=(const FormatWriter&) = delete;
  virtual ~FormatWriter() = default;

  /// `line` is the event as the log has it, masked. Errors: those of WriteBytes.
  [[nodiscard]] virtual Result<void> add(const event::EventView& event, std::string_view line) = 0;
  /// No more events come.
  [[nodiscard]] virtual Result<void> end() { return {}; }
};

struct Format {
  std::string_view name;
  std::string_view doc;
  std::unique_ptr<FormatWriter> (*make)(WriteBytes write);
};
[[nodiscard]] std::span<const Format> formats();
/// Null: there is none of this name.
[[nodiscard]] const Format* find_format(std::string_view name);

/// One that writes spans.
class SpanFormatWriter : public FormatWriter {
 public:
  [[nodiscard]] Result<void> add(const event::EventView& event, std::string_view line) final;
  [[nodiscard]] Result<void> end() final;

 protected:
  [[nodiscard]] virtual Result<void> put(project::Span&& span) = 0;
  [[nodiscard]] virtual Result<void> end_spans() { return {}; }

 private:
  project::SpanFolds folds_;
};

[[nodiscard]] std::unique_ptr<FormatWriter> make_jsonl(WriteBytes write);
[[nodiscard]] std::unique_ptr<FormatWriter> make_otlp_json(WriteBytes write);
[[nodiscard]] std::unique_ptr<FormatWriter> make_otlp_protobuf(WriteBytes write);
[[nodiscard]] std::unique_ptr<FormatWriter> make_chrome_trace(WriteBytes write);
[[nodiscard]] std::unique_ptr<FormatWriter> make_openlineage(WriteBytes write);
[[nodiscard]] std::unique_ptr<FormatWriter> make_elasticsearch(WriteBytes write);

}  // namespace weir::exporting
