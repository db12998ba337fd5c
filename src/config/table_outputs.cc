#include <set>

#include "base/text.h"
#include "config/collection.h"
#include "config/table.h"

namespace weir::config {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;

constexpr std::int64_t kMaxDays = 3650;
constexpr std::int64_t kMaxFiles = 10'000;
constexpr std::uint64_t kMinFileBytes = 1000;
constexpr std::uint64_t kMaxFileBytes = 1'000'000'000'000;

Shape<LineFormat> format() {
  return choice<LineFormat>({{"json", LineFormat::kJson},
                             {"text", LineFormat::kText},
                             {"document", LineFormat::kDocument}});
}

Shape<Compression> compression() {
  return choice<Compression>({{"none", Compression::kNone}, {"gzip", Compression::kGzip}});
}

void check_lines(const Sink& sink, const json::Value& value, Problems& problems) {
  if (sink.type == SinkType::kJsonl && sink.format == LineFormat::kText) {
    problems.add(position_of(value, "format"), "a file has lines of JSON: 'json' or 'document'");
  }
  if (sink.fields.empty()) return;
  const bool is_console = sink.type == SinkType::kConsole;
  const auto format = sink.format.value_or(is_console ? LineFormat::kText : LineFormat::kJson);
  if (format != LineFormat::kJson) {
    problems.add(position_of(value, "fields"), "'fields' is for lines of JSON: 'format: json'");
  }
  std::vector<std::string> known;
  for (const auto& field : event::fields()) known.emplace_back(field.name);
  for (std::size_t i = 0; i < sink.fields.size(); ++i) {
    const auto& name = sink.fields[i];
    if (event::find_field(name) || name.starts_with("attributes.")) continue;
    problems.add((*value.object()->find("fields")->array())[i].position,
                 "events have no field '" + name + "'" + text::did_you_mean(name, known) +
                     "; what is no field of its own is attributes.NAME");
  }
}

void check_paths(const std::vector<Sink>& sinks, const json::Value& value, Problems& problems) {
  std::set<std::filesystem::path> seen;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    const auto& path = sinks[i].path;
    if (path.empty() || seen.insert(path.lexically_normal()).second) continue;
    problems.add(position_of((*value.array())[i], "path"),
                 "another sink writes to '" + path.string() + "' already");
  }
}

Shape<Sink> sink_shape() {
  const auto of_rotation = [](auto member) {
    return [member](auto& sink) -> auto& { return sink.rotation.*member; };
  };
  constexpr std::size_t kMaxFields = 256;
  const KeyOptions of_files{.only_for = {"jsonl"}};
  return object<Sink>(
      "a sink",
      {key<Sink>("type", &Sink::type,
                 choice<SinkType>({{"null", SinkType::kNull},
                                   {"console", SinkType::kConsole},
                                   {"jsonl", SinkType::kJsonl}}),
                 "`console` is standard error, `jsonl` a file of JSON lines, `null` nowhere",
                 {.required = true}),
       key<Sink>("level", &Sink::level, level_shape(), "from which level on"),
       key<Sink>("include", &Sink::include, topics_shape(), "topics", {.fallback = "all"}),
       key<Sink>("exclude", &Sink::exclude, topics_shape(), "topics", {.fallback = "none"}),
       key<Sink>("fields", &Sink::fields,
                 list("fields", text("a field of events"), {.max_items = kMaxFields}),
                 "what of an event is written: [fields](events.md#fields), and `attributes.NAME`",
                 {.fallback = "all"}),
       key<Sink>("format", &Sink::format, optional(format()),
                 "how an event is printed: `text` for people, `json` as in the log, `document` as "
                 "dashboards and Elasticsearch expect it",
                 {.only_for = {"console", "jsonl"}, .fallback = "`text`; `json` in a file"}),
       key<Sink>("path", &Sink::path, path("a path"), "the file",
                 {.required = true, .only_for = {"jsonl"}}),
       key<Sink>("max_size", of_rotation(&Rotation::max_size_bytes),
                 size(kMinFileBytes, kMaxFileBytes),
                 "a file of this size is put aside, and a new one begun", of_files),
       key<Sink>("max_files", of_rotation(&Rotation::max_files), whole_number(1, kMaxFiles),
                 "so many are kept", of_files),
       key<Sink>("retention", of_rotation(&Rotation::retention), duration(days(1), days(kMaxDays)),
                 "for so long, in whole days", of_files),
       key<Sink>("compress", &Sink::compress, compression(), "what is done with those put aside",
                 of_files)},
      {.tag = "type", .check = check_lines});
}

// ---- PaperKit's loggingConfig ----

/// Of files that were put aside.
Shape<milliseconds> retention_days() {
  return converted<milliseconds, std::int64_t>(
      whole_number(1, kMaxDays),
      [](const std::int64_t& number) { return std::optional<milliseconds>(days(number)); },
      [](const milliseconds& duration) {
        return std::chrono::duration_cast<days>(duration).count();
      });
}

/// Its `defaults` are members of LogFiles too.
Shape<LogFiles> defaults_shape() {
  const auto of_rotation = [](auto member) {
    return [member](auto& files) -> auto& { return files.rotation.*member; };
  };
  return object<LogFiles>(
      "defaults",
      {key<LogFiles>("level", &LogFiles::level, level_shape(), "of loggers that have none"),
       key<LogFiles>("format", &LogFiles::format, choice<LineFormat>({{"json", LineFormat::kJson}}),
                     "of a line"),
       key<LogFiles>("outputDir", &LogFiles::output_dir, path("a path"), "the folder of the files"),
       key<LogFiles>("retentionDays", of_rotation(&Rotation::retention), retention_days(),
                     "how long a file that was put aside is kept"),
       key<LogFiles>("maxFileSize", of_rotation(&Rotation::max_size_bytes),
                     size(kMinFileBytes, kMaxFileBytes),
                     "a file of this size is put aside, and a new one begun"),
       key<LogFiles>("maxFiles", of_rotation(&Rotation::max_files), whole_number(1, kMaxFiles),
                     "so many are kept"),
       key<LogFiles>("compression", &LogFiles::compress, compression(),
                     "what is done with those put aside")});
}

Shape<LogFile> log_file_shape() {
  constexpr std::size_t kMaxFields = 256;
  return object<LogFile>(
      "a logger",
      {key<LogFile>("level", &LogFile::level, optional(level_shape()), "from which level on",
                    {.fallback = "that of `defaults`; `error` for `error`"}),
       key<LogFile>("output", &LogFile::output, path("a path"), "its file, in `outputDir`",
                    {.fallback = "`logs/NAME.log`"}),
       key<LogFile>("includeFields", &LogFile::include_fields,
                    list("PaperKit's fields", text("a field"), {.max_items = kMaxFields}),
                    "what of an event is written",
                    {.fallback = "PaperKit's, for its five; else all"})});
}

}  // namespace

Shape<std::vector<Sink>> sinks_shape() {
  constexpr std::size_t kMaxSinks = 32;
  return list<Sink>("sinks", sink_shape(), {.max_items = kMaxSinks}, check_paths);
}

Shape<LogFiles> log_files_shape() {
  const auto itself = [](auto& files) -> auto& { return files; };
  return object<LogFiles>(
      "PaperKit's log files",
      {key<LogFiles>("version", &LogFiles::version, text("a version in quotes"),
                     "PaperKit's, not used"),
       key<LogFiles>("defaults", itself, defaults_shape(), "what holds for all of them"),
       key<LogFiles>("loggers", &LogFiles::loggers,
                     map("log files", log_file_shape(),
                         {.what = "a logger's name: letters, digits, '_' and '-'",
                          .pattern = "^[A-Za-z0-9_-]+$",
                          .accepts =
                              [](std::string_view name) {
                                const auto allowed = [](char c) {
                                  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                         (c >= '0' && c <= '9') || c == '_' || c == '-';
                                };
                                return !name.empty() &&
                                       std::all_of(name.begin(), name.end(), allowed);
                              }},
                         standard_log_files()),
                     "the files", {.fallback = "PaperKit's five"})});
}

ByName<LogFile> standard_log_files() {
  return {
      {"agent",
       {.output = "logs/agent.log",
        .include_fields = {"timestamp", "runId", "agentId", "action", "duration", "status",
                           "inputSummary", "outputSummary"}}},
      {"workflow",
       {.output = "logs/workflow.log",
        .include_fields = {"timestamp", "workflowId", "workflowName", "step", "status",
                           "duration"}}},
      {"tool",
       {.output = "logs/tool.log",
        .include_fields = {"timestamp", "toolId", "executionTime", "exitCode", "filesModified"}}},
      {"error",
       {.level = event::Level::kError,
        .output = "logs/error.log",
        .include_fields = {"timestamp", "source", "errorType", "message", "stackTrace",
                           "context"}}},
      {"audit",
       {.output = "logs/audit.log",
        .include_fields = {"timestamp", "userId", "action", "resource", "result"}}},
  };
}

}  // namespace weir::config
