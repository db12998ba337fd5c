#include "record/paperkit_logging.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "record/json_lines_sink.h"
#include "record/paperkit_fields.h"

namespace weir::record {
namespace {

using event::Type;

/// The types of these families of the catalogue.
EventFilter of_families(std::initializer_list<std::string_view> families) {
  EventFilter filter;
  for (const auto& type : event::types()) {
    if (std::ranges::find(families, type.family) == families.end()) continue;
    filter.include.types.emplace_back(type.name);
  }
  return filter;
}

/// These types too.
EventFilter with(std::initializer_list<Type> types, EventFilter filter) {
  for (const auto type : types) filter.include.types.emplace_back(event::info(type).name);
  return filter;
}

Result<std::filesystem::path> output_path(const LoggingConfig& config, const LoggerConfig& logger) {
  if (logger.output.is_absolute()) return logger.output;
  auto output = logger.output.empty() ? std::filesystem::path(logger.name + ".log") : logger.output;
  if (std::ranges::find(output, "..") != output.end()) {
    return fail(ErrorCode::kInvalidInput, "output '" + output.string() +
                                              "' must not leave the folder of the logs through "
                                              "'..'; give an absolute path");
  }
  auto folder = config.output_dir.lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // it ended in '/'
  output = output.lexically_normal();
  const bool is_repeated = output.has_parent_path() && *output.begin() == folder.filename();
  return (is_repeated ? folder.parent_path() : folder) / output;
}

Result<JsonLinesOptions> sink_options(const LoggingConfig& config, const LoggerConfig& logger) {
  if (logger.name.empty()) return fail(ErrorCode::kInvalidInput, "a logger needs a name");
  if (config.retention_days < 1 || config.retention_days > kMaxRetentionDays) {
    return fail(ErrorCode::kInvalidInput,
                "retention days: " + std::to_string(config.retention_days) +
                    " is not within 1 and " + std::to_string(kMaxRetentionDays));
  }
  if (logger.include_fields.size() > kMaxIncludeFields) {
    return fail(ErrorCode::kInvalidInput,
                "more than " + std::to_string(kMaxIncludeFields) + " fields to include");
  }
  JsonLinesOptions options;
  WEIR_TRY(options.path, output_path(config, logger));
  options.max_file_bytes = config.max_file_size;
  options.retention.max_files = config.max_files;
  options.retention.max_age = std::chrono::days(config.retention_days);
  options.retention.compression = config.compression;
  for (const auto& name : logger.include_fields) {
    options.fields.push_back({name, paperkit_value(name)});
  }
  return options;
}

}  // namespace

std::vector<LoggerConfig> paperkit_loggers() {
  return {
      {.name = "agent",
       .output = "logs/agent.log",
       .include_fields = {"timestamp", "runId", "agentId", "action", "duration", "status",
                          "inputSummary", "outputSummary"}},
      {.name = "workflow",
       .output = "logs/workflow.log",
       .include_fields = {"timestamp", "workflowId", "workflowName", "step", "status", "duration"}},
      {.name = "tool",
       .output = "logs/tool.log",
       .include_fields = {"timestamp", "toolId", "executionTime", "exitCode", "filesModified"}},
      {.name = "error",
       .level = event::Level::kError,
       .output = "logs/error.log",
       .include_fields = {"timestamp", "source", "errorType", "message", "stackTrace", "context"}},
      {.name = "audit",
       .output = "logs/audit.log",
       .include_fields = {"timestamp", "userId", "action", "resource", "result"}},
  };
}

EventFilter paperkit_filter(std::string_view logger) {
  if (logger == "agent") return of_families({"agent"});
  if (logger == "workflow") return of_families({"run", "node"});
  if (logger == "tool") {
    return with({Type::kNodeCompleted, Type::kNodeFailed}, of_families({"tool"}));
  }
  if (logger == "error") return {};
  if (logger == "audit") {
    return with({Type::kAudit, Type::kArtifactReviewed, Type::kApprovalDecided},
                of_families({"signal"}));
  }
  return {.include = {.loggers = {std::string(logger)}}};
}

Result<std::unique_ptr<CompositeSink>> make_paperkit_sink(const LoggingConfig& config,
                                                          const Clock& clock, FileSystem& files) {
  if (config.format != "json") {
    return fail(ErrorCode::kInvalidInput,
                "logging: format '" + config.format + "' is not known; it is 'json'");
  }
  auto all = std::make_unique<CompositeSink>();
  for (const auto& logger : config.loggers) {
    const auto add = [&]() -> Result<void> {
      WEIR_TRY(auto options, sink_options(config, logger));
      options.clock = &clock;
      options.files = &files;
      WEIR_TRY(std::shared_ptr<EventSink> sink, JsonLinesSink::open(std::move(options)));
      auto filter = logger.filter.value_or(paperkit_filter(logger.name));
      filter.min_level = std::max(filter.min_level, logger.level.value_or(config.level));
      return all->add(logger.name, std::move(sink), std::move(filter));
    };
    if (auto added = add(); !added) {
      return std::unexpected(std::move(added).error().within("logger '" + logger.name + "'"));
    }
  }
  return all;
}

}  // namespace weir::record
