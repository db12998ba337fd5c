#include "ingest/openlineage.h"

#include <string>
#include <utility>

#include "base/hash.h"
#include "base/json_text.h"
#include "event/field_list.h"
#include "ingest/body_records.h"
#include "ingest/lineage_event.h"
#include "ingest/rejections.h"

namespace weir::ingest {

using event::Field;
using event::Type;

namespace {

constexpr std::string_view kLineageSource = "openlineage";

RunId run_of(std::string_view id) {
  const auto uuid = RunId::parse(id);
  return uuid ? *uuid : foreign_run_id(kLineageSource, id);
}

/// Names are told apart by their namespaces.
std::string pipeline_of(const LineageName& name) { return name.space + "." + name.name; }

std::string trace_id_of(const RunId& run) { return to_hex(run.bytes.data(), run.bytes.size()); }

/// Theirs have no spans: a run's, or that of a run within its parent, made of their ids.
std::string span_id_of(const RunId& run, const RunId* within = nullptr) {
  auto text = "openlineage span\n" + run.text();
  if (within != nullptr) text.append("\n").append(within->text());
  return to_hex(sha256(text).bytes.data(), SpanId::kTextSize / 2);
}

Type run_type_of(LineageEvent::State state) {
  switch (state) {
    case LineageEvent::State::kStart:
      return Type::kPipelineStarted;
    case LineageEvent::State::kComplete:
      return Type::kPipelineCompleted;
    case LineageEvent::State::kFail:
      return Type::kPipelineFailed;
    case LineageEvent::State::kAbort:
      return Type::kPipelineCancelled;
    case LineageEvent::State::kRunning:
    case LineageEvent::State::kOther:
      break;
  }
  return Type::kCustom;
}

/// kCustom: its node is where it was.
Type node_type_of(LineageEvent::State state) {
  switch (state) {
    case LineageEvent::State::kStart:
      return Type::kNodeStarted;
    case LineageEvent::State::kComplete:
      return Type::kNodeCompleted;
    case LineageEvent::State::kFail:
      return Type::kNodeFailed;
    case LineageEvent::State::kAbort:
      return Type::kNodeCancelled;
    case LineageEvent::State::kRunning:
    case LineageEvent::State::kOther:
      break;
  }
  return Type::kCustom;
}

std::string_view custom_name_of(const LineageEvent& event) {
  switch (event.kind) {
    case LineageEvent::Kind::kJob:
      return "openlineage.job";
    case LineageEvent::Kind::kDataset:
      return "openlineage.dataset";
    case LineageEvent::Kind::kRun:
      break;
  }
  return event.state == LineageEvent::State::kRunning ? "openlineage.running" : "openlineage.other";
}

event::Level usual_level_of(Type type) {
  return type == Type::kCustom ? event::Level::kInfo : info(type).level;
}

/// LineageFields, in the order of the catalogue; what is empty is left out.
class LineageFields {
 public:
  void put(Field field, std::string_view text) {
    if (!text.empty()) list_.push_back({field, text});
  }
  void put(Field field, std::optional<std::int64_t> number) {
    if (number) list_.push_back({field, *number});
  }
  void put_attributes(std::string_view json) {
    list_.push_back({Field::kAttributes, event::ObjectText(json)});
  }
  [[nodiscard]] std::span<const event::FieldValue> list() const { return list_; }

 private:
  event::FieldList list_;
};

void put_error(const LineageEvent& event, LineageFields& fields) {
  if (event.state != LineageEvent::State::kFail) return;
  fields.put(Field::kErrorType, event.error_language.empty()
                                    ? "OpenLineageError"
                                    : std::string_view(event.error_language));
  fields.put(Field::kErrorMessage, event.error_message.empty()
                                       ? "it failed, and did not say why"
                                       : std::string_view(event.error_message));
  fields.put(Field::kStackTrace, event.stack_trace);
}

void put_amounts(const LineageEvent& event, LineageFields& fields) {
  fields.put(Field::kReadBytes, event.read_bytes);
  fields.put(Field::kWrittenBytes, event.written_bytes);
  fields.put(Field::kRows, event.rows);
}

void put_reason(const LineageEvent& event, LineageFields& fields) {
  if (event.state == LineageEvent::State::kAbort) fields.put(Field::kReason, "it was aborted");
}

/// Job and dataset events are of no run: they are put together by day.
std::string run_name_of(const LineageEvent& event) {
  if (event.kind == LineageEvent::Kind::kRun) return event.run_id;
  constexpr std::size_t kDate = 10;
  const bool is_job = event.kind == LineageEvent::Kind::kJob;
  return std::string(is_job ? "job " : "dataset ") + pipeline_of(event.name) + " " +
         to_string(event.time).substr(0, kDate);
}

class LineageWriter {
 public:
  explicit LineageWriter(LineMaker& lines) : lines_(lines) {}

  [[nodiscard]] Result<void> take(std::string_view text) {
    WEIR_TRY(const auto event, reader_.read(text));
    attributes_ = event.has_offset ? "{" : R"({"event_time_without_offset":true,)";
    const auto begin = (attributes_ += R"("openlineage":)").size();
    json::append_compact(attributes_, text);
    key_ = sha256(std::string_view(attributes_).substr(begin)).text();
    attributes_ += '}';
    run_name_ = run_name_of(event);
    run_ = run_of(run_name_);
    if (!lines_.takes(run_)) return fail(ErrorCode::kInvalidInput, not_ours_to_tell(run_));
    add_event(event);
    if (event.parent && node_type_of(event.state) != Type::kCustom) add_node(event, *event.parent);
    return {};
  }

 private:
  void add_event(const LineageEvent& event) {
    const bool is_run = event.kind == LineageEvent::Kind::kRun;
    const auto type = is_run ? run_type_of(event.state) : Type::kCustom;
    const auto parent = event.parent ? run_of(event.parent->run_id).text() : std::string();
    const auto trace_id = is_run && run_ != RunId{} ? trace_id_of(run_) : std::string();
    const auto span_id = trace_id.empty() ? std::string() : span_id_of(run_);
    LineageFields fields;
    if (type == Type::kCustom) fields.put(Field::kEventType, custom_name_of(event));
    fields.put(Field::kProjectId, event.name.space);
    fields.put(Field::kAdapter, event.integration);
    fields.put(Field::kParentRunId, parent);
    fields.put(Field::kTraceId, trace_id);
    fields.put(Field::kSpanId, span_id);
    put_error(event, fields);
    put_amounts(event, fields);
    fields.put(Field::kPipelineName, event.name.name);
    put_reason(event, fields);
    fields.put(Field::kIdempotencyKey, key_);
    fields.put(Field::kSource, kLineageSource);
    fields.put(Field::kSourceRunId, run_name_);
    fields.put_attributes(attributes_);
    add(event, type, run_, event.name, key_, fields);
  }

  /// The run is a node of its parent's run: a task of an Airflow DAG, a model of dbt.
  void add_node(const LineageEvent& event, const LineageEvent::Parent& parent) {
    const auto type = node_type_of(event.state);
    const auto parent_run = run_of(parent.run_id);
    // One of Weir's own says itself what its nodes do.
    if (!parent.job || !lines_.takes(parent_run)) return;
    const auto& job = *parent.job;
    const bool has_trace = parent_run != RunId{};
    const auto trace_id = has_trace ? trace_id_of(parent_run) : std::string();
    const auto span_id = has_trace ? span_id_of(run_, &parent_run) : std::string();
    const auto parent_span_id = has_trace ? span_id_of(parent_run) : std::string();
    const auto key = key_ + ".node";
    const auto child = run_.text();
    LineageFields fields;
    fields.put(Field::kProjectId, job.space);
    fields.put(Field::kAdapter, event.integration);
    fields.put(Field::kTraceId, trace_id);
    fields.put(Field::kSpanId, span_id);
    fields.put(Field::kParentSpanId, parent_span_id);
    fields.put(Field::kNodeId, event.name.name);
    fields.put(Field::kPluginId, event.integration);
    fields.put(Field::kToolId, event.job_type);
    put_error(event, fields);
    put_amounts(event, fields);
    fields.put(Field::kPipelineName, job.name);
    put_reason(event, fields);
    fields.put(Field::kTargetRunId, child);
    fields.put(Field::kIdempotencyKey, key);
    fields.put(Field::kSource, kLineageSource);
    fields.put(Field::kSourceRunId, parent.run_id);
    add(event, type, parent_run, job, key, fields);
  }

  void add(const LineageEvent& event, Type type, const RunId& run, const LineageName& job,
           std::string_view key, const LineageFields& fields) {
    const auto pipeline_id = pipeline_of(job);
    // Whether there was room is seen where the next event is asked for.
    static_cast<void>(lines_.add({.timestamp = event.time,
                                  .type = type,
                                  .level = usual_level_of(type),
                                  .pipeline_id = pipeline_id,
                                  .pipeline_version = "",
                                  .run_id = run,
                                  .key = key,
                                  .fields = fields.list()}));
  }

  LineMaker& lines_;
  LineageReader reader_;
  // Of the event at hand:
  std::string attributes_, key_, run_name_;
  RunId run_;
};

}  // namespace

Result<Rejections> take_lineage(std::string_view body, LineMaker& lines) {
  const auto begin = body.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) {
    return fail(ErrorCode::kInvalidInput,
                "the body is empty: send an event of OpenLineage, or a list of them");
  }
  Rejections rejections;
  LineageWriter writer(lines);
  const auto take = [&](std::size_t index, std::string_view text) {
    ++rejections.records;
    if (auto taken = writer.take(text); !taken) rejections.add(index, taken.error().message);
  };
  if (body[begin] != '[') {
    rejections.is_list = false;
    take(0, body);
    return rejections;
  }
  BodyRecords records(body);
  while (!lines.is_full()) {
    const auto record = records.next();
    if (!record) break;
    take(record->index, record->text);
  }
  if (!records.problem().empty()) {
    rejections.add(records.next_index(), std::string(records.problem()));
  }
  return rejections;
}

}  // namespace weir::ingest
