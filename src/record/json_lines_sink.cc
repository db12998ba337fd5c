#include "record/json_lines_sink.h"

#include <utility>

#include "record/log_document.h"

namespace weir::record {
namespace {

/// A file that is not rotated for long keeps the age of the others all the same.
constexpr auto kUpkeepInterval = std::chrono::hours(1);

Result<void> check(const JsonLinesOptions& options) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidInput,
                "sink '" + options.path.string() + "': " + std::string(why));
  };
  if (!options.path.has_filename()) return refuse("the path of a file is needed");
  if (options.format == LineFormat::kDocument && !options.fields.empty()) {
    return refuse("fields are chosen of events, a document has its own");
  }
  if (options.max_file_bytes == 0) return refuse("a file must be allowed to have a byte");
  if (options.retention.max_files == 0) return refuse("it must keep a file, the one being written");
  if (options.retention.max_age && options.retention.max_age->count() <= 0) {
    return refuse("files must be kept for a day at least");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<JsonLinesSink>> JsonLinesSink::open(JsonLinesOptions options) {
  WEIR_TRY(check(options));
  if (options.path.has_parent_path()) {
    WEIR_TRY(make_directories(options.path.parent_path(), *options.files));
  }
  auto lock_path = options.path;
  lock_path += ".lock";
  WEIR_TRY(auto lock, File::open_or_create(lock_path, *options.files));
  WEIR_TRY(const bool is_ours, lock.try_lock());
  if (!is_ours) {
    return fail(ErrorCode::kConflict,
                options.path.string() + ": another sink or process writes this file");
  }
  std::unique_ptr<JsonLinesSink> sink(new JsonLinesSink(std::move(options), std::move(lock)));
  WEIR_TRY(sink->open_file());
  sink->keep_rotated();
  return sink;
}

JsonLinesSink::JsonLinesSink(JsonLinesOptions options, File lock)
    : options_(std::move(options)),
      rotated_(options_.path, *options_.files),
      lock_(std::move(lock)) {}

Result<void> JsonLinesSink::open_file() {
  WEIR_TRY(auto file, File::open_to_append(options_.path, *options_.files));
  WEIR_TRY(const auto size, file.size());
  if (size > 0) {
    char last = 0;
    WEIR_TRY(file.read_at(size - 1, &last, 1));
    if (last != '\n') WEIR_TRY(file.write("\n"));
  }
  file_ = std::move(file);
  return {};
}

Result<void> JsonLinesSink::emit(const Published& event) {
  line_.clear();
  if (options_.format == LineFormat::kDocument) {
    json::append(line_, json::Value(to_log_document(event.event)));
  } else if (options_.fields.empty()) {
    line_ = event.line;
  } else {
    append_projected(line_, options_.fields, event.event);
  }
  if (line_.contains('\n')) {
    return fail(ErrorCode::kInvalidInput, options_.path.string() + ": a line with a newline in it");
  }
  line_ += '\n';
  // Somebody has moved or deleted the file.
  if (file_ && !options_.files->exists(options_.path.c_str())) file_.reset();
  if (!file_) WEIR_TRY(open_file());
  WEIR_TRY(append_line());
  const auto since = options_.clock->now() - kept_at_;
  if (since >= kUpkeepInterval || since < -kUpkeepInterval) keep_rotated();
  return {};
}

Result<void> JsonLinesSink::append_line() {
  WEIR_CHECK(file_.has_value());
  WEIR_TRY(auto size, file_->size());
  if (size > 0 && size + line_.size() > options_.max_file_bytes) {
    rotation_ = set_aside();
    if (rotation_) {
      WEIR_TRY(open_file());
      keep_rotated();
    }
    WEIR_TRY(size, file_->size());
  }
  auto written = file_->write(line_);
  if (written) return {};
  // Where the half-written line cannot be cut off, opening ends it.
  if (!file_->truncate(size)) file_.reset();
  return written;
}

/// Without a new name for it the file goes on.
Result<void> JsonLinesSink::set_aside() {
  WEIR_CHECK(file_.has_value());
  WEIR_TRY(const auto path, rotated_.next_path(options_.clock->now()));
  WEIR_TRY(file_->rename_to(path));
  file_.reset();
  return {};
}

void JsonLinesSink::keep_rotated() {
  kept_at_ = options_.clock->now();
  upkeep_ = rotated_.keep(options_.retention, kept_at_);
}

Result<void> JsonLinesSink::flush() {
  if (!upkeep_) keep_rotated();
  return rotation_ ? upkeep_ : rotation_;
}

}  // namespace weir::record
