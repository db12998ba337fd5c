#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/time.h"
#include "record/event_sink.h"
#include "record/projection.h"
#include "record/rotated_files.h"

namespace weir::record {

/// What a line is: the event as in the log or its chosen fields, or the document that
/// to_log_document makes of it.
enum class LineFormat : std::uint8_t { kEvent, kDocument };

struct JsonLinesOptions {
  std::filesystem::path path;  ///< of the file being written; its folder is made
  /// A file that a line would make larger is rotated; one line alone may be larger.
  std::uint64_t max_file_bytes = 10'000'000;
  FileRetention retention;
  LineFormat format = LineFormat::kEvent;
  /// What a line has; empty: the event as in the log. Only with kEvent.
  Projection fields{};
  const Clock* clock = &system_clock();
  FileSystem* files = &local_files();
};

/// Events as lines of a file, which is rotated.
///
/// Format     docs/formats/json-lines-sink.md
/// Durability When `emit` returns, the kernel has the line: it survives the process, not power loss
///            (the event log does). Rotation and compression lose nothing in either case.
/// Failure    A line is in the file whole or not at all. After an error, of a full disk for
///            example, the sink goes on with the next event. What fails while files are rotated,
///            compressed or deleted keeps no event away: it is tried again and said by `flush`.
/// Ownership  One sink writes a file: `NAME.lock` beside it is locked. Deletes files only that its
///            own rotation named. A file that somebody moved away is begun anew.
/// Time       The event that rotates waits while the old file is compressed, some 30 ms a megabyte:
///            who cannot wait puts a BufferedSink before this one.
class JsonLinesSink final : public EventSink {
 public:
  /// Ends a half-written line that a crash has left. Errors: kInvalidInput for options that make no
  /// sense; kConflict when another sink or process writes the file; kIo, kExhausted (no space).
  [[nodiscard]] static Result<std::unique_ptr<JsonLinesSink>> open(JsonLinesOptions options);

  /// Errors: kIo, kExhausted (no space); kInvalidInput for a line with a newline in it.
  [[nodiscard]] Result<void> emit(const Published& event) override;
  [[nodiscard]] Result<void> flush() override;

 private:
  JsonLinesSink(JsonLinesOptions options, File lock);
  [[nodiscard]] Result<void> open_file();
  [[nodiscard]] Result<void> append_line();
  [[nodiscard]] Result<void> set_aside();
  void keep_rotated();

  const JsonLinesOptions options_;
  const RotatedFiles rotated_;
  File lock_;
  std::optional<File> file_;  // nothing after a failure
  Timestamp kept_at_{};       // when `keep_rotated` was last called
  Result<void> rotation_;     // the last one
  Result<void> upkeep_;       // of compression, deletion
  std::string line_;
};

}  // namespace weir::record
