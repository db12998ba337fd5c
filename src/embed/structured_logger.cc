#include "weir/structured_logger.h"

#include <span>
#include <utility>

#include "embed/log_queries.h"
#include "embed/state.h"
#include "embed/values.h"
#include "record/context_attributes.h"
#include "record/log_record.h"
#include "record/structured_logger.h"

namespace weir {

struct StructuredLogger::State {
  State(std::shared_ptr<embed::RunState> its_run, StructuredLoggerOptions options)
      : run(std::move(its_run)),
        logger(*run->run, record::segments_of(run->run->store()),
               {.name = std::move(options.name),
                .user = std::move(options.user),
                .defaults = run->fields}) {}

  /// `say` speaks to the logger, if the run takes events still.
  template <class Say>
  bool say(std::string_view what, const Say& say) {
    if (!run->takes(what)) return false;
    say(logger);
    return true;
  }

  /// With the ids of the contexts around, if any have no field.
  [[nodiscard]] json::Object metadata(Fields said, event::Type type = event::Type::kCustom) const {
    auto object = embed::to_object(said);
    record::add_missing(object, run->attributes_around(type));
    return object;
  }

  const std::shared_ptr<embed::RunState> run;
  record::StructuredLogger logger;
};

namespace embed {
namespace {

LogRead to_public(const record::LogRead& read) {
  return {.segments = read.segments,
          .events = read.events,
          .bytes = read.bytes,
          .skipped_events = read.skipped_events,
          .damaged_bytes = read.damaged_bytes};
}

std::span<const std::string> to_span(Strings strings) { return {strings.data(), strings.size()}; }

}  // namespace

Result<record::LogQuery> to_internal(const LogQuery& query) {
  record::LogQuery made{.event_type = query.event_type,
                        .node_name = query.node_name,
                        .level = {},
                        .run_id = {},
                        .limit = query.limit,
                        .order = static_cast<record::LogQuery::Order>(query.order)};
  if (query.level) made.level = static_cast<event::Level>(*query.level);
  if (query.run_id.empty()) return made;
  made.run_id = RunId::parse(query.run_id);
  if (made.run_id) return made;
  return fail(ErrorCode::kInvalidInput, "run_id is no UUID: '" + query.run_id + "'");
}

LogEntries to_public(record::LogEntries entries) {
  LogEntries made{.entries = {}, .is_cut = entries.is_cut, .read = to_public(entries.read)};
  made.entries.reserve(entries.entries.size());
  for (auto& entry : entries.entries) {
    made.entries.push_back({entry.timestamp, std::move(entry.line)});
  }
  return made;
}

LogSummary to_public(record::LogSummary summary) {
  LogSummary made;
  made.log_file = std::move(summary.log_file);
  made.file_size_mb = summary.file_size_mb;
  made.total = summary.total;
  made.by_level.insert(summary.by_level.begin(), summary.by_level.end());
  made.by_event_type.insert(summary.by_event_type.begin(), summary.by_event_type.end());
  for (auto& error : summary.errors) {
    made.errors.push_back({error.timestamp, std::move(error.node_name), std::move(error.error)});
  }
  made.read = to_public(summary.read);
  return made;
}

}  // namespace embed

using embed::to_span;
using embed::to_status;

StatusOr<std::string> to_log_record(std::string_view line) {
  event::Decoder decoder;
  const auto event = decoder.decode(line);
  if (!event) return to_status(event.error());
  return json::to_text(json::Value(record::to_log_record(**event)));
}

StructuredLogger::StructuredLogger(const Run& run, StructuredLoggerOptions options) noexcept
    : state_(std::make_unique<State>(embed::Access::state_of(run), std::move(options))) {}
StructuredLogger::StructuredLogger(StructuredLogger&& other) noexcept = default;
StructuredLogger& StructuredLogger::operator=(StructuredLogger&& other) noexcept = default;
StructuredLogger::~StructuredLogger() = default;

bool StructuredLogger::log_node_start(std::string_view node_name, const NodeStart& start) noexcept {
  return state_->say("log_node_start", [&](auto& logger) {
    logger.log_node_start(node_name, {.layer = start.layer,
                                      .engine = start.engine,
                                      .predecessors = to_span(start.predecessors),
                                      .attempt = start.attempt,
                                      .metadata = state_->metadata(start.metadata)});
  });
}

bool StructuredLogger::log_node_complete(std::string_view node_name,
                                         const NodeComplete& complete) noexcept {
  return state_->say("log_node_complete", [&](auto& logger) {
    logger.log_node_complete(node_name, {.duration_ms = complete.duration_ms,
                                         .rows = complete.rows,
                                         .cache_hit = complete.cache_hit,
                                         .output_keys = to_span(complete.output_keys),
                                         .metadata = state_->metadata(complete.metadata)});
  });
}

bool StructuredLogger::log_node_failed(std::string_view node_name,
                                       const NodeFailure& failure) noexcept {
  return state_->say("log_node_failed", [&](auto& logger) {
    logger.log_node_failed(node_name, {.error = failure.error,
                                       .duration_ms = failure.duration_ms,
                                       .layer = failure.layer,
                                       .metadata = state_->metadata(failure.metadata)});
  });
}

bool StructuredLogger::log_error(std::string_view component, std::string_view error,
                                 std::string_view layer, Fields metadata) noexcept {
  return state_->say("log_error", [&](auto& logger) {
    logger.log_error(component, error, layer, state_->metadata(metadata));
  });
}

bool StructuredLogger::log_cache_hit(std::string_view node_name, std::string_view cache_key,
                                     Fields metadata) noexcept {
  return state_->say("log_cache_hit", [&](auto& logger) {
    logger.log_cache_hit(node_name, cache_key, state_->metadata(metadata));
  });
}

bool StructuredLogger::log_cache_miss(std::string_view node_name, std::string_view cache_key,
                                      std::string_view reason, Fields metadata) noexcept {
  return state_->say("log_cache_miss", [&](auto& logger) {
    logger.log_cache_miss(node_name, cache_key, reason, state_->metadata(metadata));
  });
}

bool StructuredLogger::log_pipeline_start(std::string_view pipeline_name,
                                          const PipelineStart& start) noexcept {
  return state_->say("log_pipeline_start", [&](auto& logger) {
    logger.log_pipeline_start(pipeline_name, {.entry_nodes = to_span(start.entry_nodes),
                                              .output_nodes = to_span(start.output_nodes),
                                              .node_count = start.node_count,
                                              .metadata = state_->metadata(
                                                  start.metadata, event::Type::kPipelineStarted)});
  });
}

bool StructuredLogger::log_pipeline_complete(std::string_view pipeline_name,
                                             const PipelineComplete& complete) noexcept {
  return state_->say("log_pipeline_complete", [&](auto& logger) {
    logger.log_pipeline_complete(pipeline_name, {.duration_ms = complete.duration_ms,
                                                 .success_count = complete.success_count,
                                                 .failed_count = complete.failed_count,
                                                 .metadata = state_->metadata(complete.metadata)});
  });
}

bool StructuredLogger::log_checkpoint_created(std::string_view checkpoint_id,
                                              std::int64_t nodes_completed,
                                              Fields metadata) noexcept {
  return state_->say("log_checkpoint_created", [&](auto& logger) {
    logger.log_checkpoint_created(checkpoint_id, nodes_completed, state_->metadata(metadata));
  });
}

bool StructuredLogger::log(Level level, std::string_view message, Fields metadata) noexcept {
  return state_->say("log", [&](auto& logger) {
    logger.log(static_cast<event::Level>(level), message, state_->metadata(metadata));
  });
}

StatusOr<LogEntries> StructuredLogger::query_logs(const LogQuery& query) noexcept {
  const auto asked = embed::to_internal(query);
  if (!asked) return to_status(asked.error());
  auto entries = state_->logger.query_logs(*asked);
  if (!entries) return to_status(entries.error());
  return embed::to_public(*std::move(entries));
}

StatusOr<LogSummary> StructuredLogger::get_summary() noexcept {
  auto summary = state_->logger.get_summary();
  if (!summary) return to_status(summary.error());
  return embed::to_public(*std::move(summary));
}

}  // namespace weir
