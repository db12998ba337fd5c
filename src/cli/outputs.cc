#include "cli/outputs.h"

#include "cli/console.h"
#include "cli/terminal.h"
#include "record/callback_sink.h"
#include "record/console_sink.h"
#include "record/json_lines_sink.h"
#include "record/log_document.h"
#include "record/null_sink.h"
#include "record/paperkit_logging.h"

namespace weir::cli {
namespace {

record::Projection projection_of(const config::Sink& sink) {
  constexpr std::string_view kAttributes = "attributes.";
  record::Projection projection;
  for (const auto& name : sink.fields) {
    std::string_view word = name;
    if (word.starts_with(kAttributes)) word.remove_prefix(kAttributes.size());
    projection.push_back({name, record::value_named(word)});
  }
  return projection;
}

/// Lines of JSON on standard error.
std::shared_ptr<record::EventSink> json_console(const config::Sink& sink) {
  return std::make_shared<record::CallbackSink>(
      [print = print_to_console(), fields = projection_of(sink),
       is_document = sink.format == config::LineFormat::kDocument](const record::Published& event) {
        std::string line;
        if (is_document) {
          json::append(line, json::Value(record::to_log_document(event.event)));
        } else if (fields.empty()) {
          line = event.line;
        } else {
          record::append_projected(line, fields, event.event);
        }
        return print(line += '\n');
      });
}

std::shared_ptr<record::EventSink> console(const config::Sink& sink) {
  if (sink.format.value_or(config::LineFormat::kText) != config::LineFormat::kText) {
    return json_console(sink);
  }
  using record::ConsoleSink;
  const auto colour =
      is_coloured(stderr) ? ConsoleSink::Colour::kAlways : ConsoleSink::Colour::kNever;
  return std::make_shared<ConsoleSink>(
      print_to_console(), ConsoleSink::Options{.min_level = sink.level, .colour = colour});
}

record::Compression compression_of(config::Compression compression) {
  return compression == config::Compression::kGzip ? record::Compression::kGzip
                                                   : record::Compression::kNone;
}

record::FileRetention retention_of(const config::Sink& sink) {
  return {.max_files = static_cast<std::size_t>(sink.rotation.max_files),
          .max_age = std::chrono::ceil<std::chrono::days>(sink.rotation.retention),
          .compression = compression_of(sink.compress)};
}

}  // namespace

std::string name_of(const config::Sink& sink) {
  switch (sink.type) {
    case config::SinkType::kNull:
      return "null";
    case config::SinkType::kConsole:
      return "console";
    case config::SinkType::kJsonl:
      break;
  }
  return "jsonl " + sink.path.string();
}

record::EventFilter filter_of(const config::Sink& sink) {
  return {.include = {.topics = sink.include, .types = {}, .loggers = {}},
          .exclude = {.topics = sink.exclude, .types = {}, .loggers = {}},
          .min_level = sink.level};
}

Result<std::shared_ptr<record::EventSink>> make_sink(const config::Sink& sink) {
  switch (sink.type) {
    case config::SinkType::kNull:
      return std::make_shared<record::NullSink>();
    case config::SinkType::kConsole:
      return console(sink);
    case config::SinkType::kJsonl:
      break;
  }
  return record::JsonLinesSink::open({.path = sink.path,
                                      .max_file_bytes = sink.rotation.max_size_bytes,
                                      .retention = retention_of(sink),
                                      .format = sink.format == config::LineFormat::kDocument
                                                    ? record::LineFormat::kDocument
                                                    : record::LineFormat::kEvent,
                                      .fields = projection_of(sink)});
}

Result<std::shared_ptr<record::EventSink>> make_log_files(const config::LogFiles& files) {
  record::LoggingConfig logging{
      .level = files.level,
      .output_dir = files.output_dir,
      .retention_days =
          static_cast<int>(std::chrono::ceil<std::chrono::days>(files.rotation.retention).count()),
      .max_file_size = files.rotation.max_size_bytes,
      .max_files = static_cast<std::size_t>(files.rotation.max_files),
      .compression = compression_of(files.compress),
      .loggers = {}};
  for (const auto& [name, file] : files.loggers) {
    logging.loggers.push_back({.name = name,
                               .level = file.level,
                               .output = file.output,
                               .include_fields = file.include_fields});
  }
  return record::make_paperkit_sink(logging);
}

}  // namespace weir::cli
