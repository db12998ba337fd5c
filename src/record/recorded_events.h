#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/json.h"
#include "event/decoder.h"
#include "log/segment.h"
#include "log/store_directory.h"
#include "record/recorder.h"

/// For tests of what code says into a run: a run of a fresh store, and what arrived in its log.
namespace weir::record::testing_support {

/// The committed lines of the whole store.
[[nodiscard]] inline std::vector<std::string> committed_lines(const log::StoreDirectory& store) {
  std::vector<std::string> lines;
  const auto segments = store.segments();
  for (const auto& path : *segments) {
    auto reader = log::SegmentReader::open(path);
    while (const auto commit = *reader->next_commit()) {
      for (auto rest = commit->lines; !rest.empty();) {
        const auto end = rest.find('\n');
        lines.emplace_back(rest.substr(0, end));
        rest.remove_prefix(end + 1);
      }
    }
  }
  return lines;
}

[[nodiscard]] inline log::StoreDirectory fresh_store(FileSystem& files = local_files()) {
  const auto name = "store-" + std::to_string(random_bits());
  return *log::StoreDirectory::create(std::filesystem::temp_directory_path() / name, files);
}

[[nodiscard]] inline RunFields some_run() {
  return {.run_id = RunId::make(system_clock().now()),
          .pipeline_type = "dag",
          .pipeline_id = "p",
          .pipeline_version = "1",
          .trace_id = TraceId::make()};
}

inline void emit_message(Run& run, std::string_view message) {
  run.emit(event::Type::kLog, {{event::Field::kMessage, message}});
}

/// A run in a store of its own, and the events committed there.
class RecordedRun {
 public:
  explicit RecordedRun(const Clock& clock = system_clock())
      : store_(fresh_store()),
        recorder_(store_, {.clock = &clock}),
        run_(*recorder_.begin(fields_)) {}

  [[nodiscard]] Run& run() { return *run_; }
  [[nodiscard]] Recorder& recorder() { return recorder_; }
  [[nodiscard]] const log::StoreDirectory& store() const { return store_; }
  [[nodiscard]] TraceId trace_id() const { return fields_.trace_id; }

  /// All lines of the store, each of which the catalogue's decoder takes.
  [[nodiscard]] std::vector<std::string> lines() {
    WEIR_CHECK(run_->flush());
    auto lines = committed_lines(store_);
    event::Decoder decoder;
    for (const auto& line : lines) WEIR_CHECK(decoder.decode(line));
    return lines;
  }

  /// The same, parsed.
  [[nodiscard]] std::vector<json::Object> events() {
    std::vector<json::Object> events;
    for (const auto& line : lines()) events.push_back(*json::parse(line)->object());
    return events;
  }

 private:
  const RunFields fields_ = some_run();
  log::StoreDirectory store_;
  Recorder recorder_;
  std::unique_ptr<Run> run_;
};

/// A member as text: a string as it is, anything else as JSON; "-" where there is none.
inline std::string text_of(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  if (value == nullptr) return "-";
  return value->string() != nullptr ? *value->string() : json::to_text(*value);
}

/// Of the event's attributes.
inline std::string attribute_of(const json::Object& event, std::string_view key) {
  const auto* attributes = event.find("attributes");
  return attributes == nullptr ? "-" : text_of(*attributes->object(), key);
}

}  // namespace weir::record::testing_support
