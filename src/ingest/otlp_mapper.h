#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/id.h"
#include "base/time.h"
#include "ingest/event_lines.h"
#include "ingest/otlp_metric_model.h"
#include "ingest/otlp_model.h"
#include "ingest/rejections.h"

namespace weir::ingest::otlp {

/// An event's fields, in the order of the catalogue.
class FieldList {
 public:
  void clear() { size_ = 0; }
  /// Nothing when it is empty.
  void put(event::Field field, std::string_view text) {
    if (!text.empty()) put_always(field, text);
  }
  void put_always(event::Field field, std::string_view text) { fields_[size_++] = {field, text}; }
  template <class Number>
    requires std::is_arithmetic_v<Number>
  void put(event::Field field, Number number) {
    fields_[size_++] = {field, number};
  }
  template <class Number>
  void put(event::Field field, const std::optional<Number>& number) {
    if (number) put(field, *number);
  }
  void put(event::Field field, event::ObjectText object) { fields_[size_++] = {field, object}; }
  [[nodiscard]] std::span<const event::FieldValue> view() const { return {fields_.data(), size_}; }

 private:
  // The mapper puts no more than half of these.
  std::array<event::FieldValue, 64> fields_;
  std::size_t size_ = 0;
};

/// Makes events of the records of one request, whatever encoding it came in, as
/// docs/reference/mapping.md says.
///
///   auto& resource = mapper.clear_resource();   … filled
///   mapper.begin_resource();
///   auto& scope = mapper.clear_scope();         … filled
///   mapper.begin_scope();
///   mapper.add(span);                           for each record of that scope
class Mapper {
 public:
  /// `type` is that of all events that it makes.
  Mapper(event::Type type, Timestamp arrived, LineMaker& lines)
      : type_(type), arrived_(arrived), lines_(lines) {}

  /// What the next records are of, emptied. Their texts stay where they are until the next one.
  Resource& clear_resource();
  void begin_resource();
  Scope& clear_scope();
  void begin_scope();

  /// Each becomes an event, or is rejected. What they say in `attributes` is completed there.
  /// False: the request has more than can be taken, and what else is in it need not be read.
  [[nodiscard]] bool add(Span& span);
  [[nodiscard]] bool add(LogRecord& record);
  [[nodiscard]] bool add(const Metric& metric, const Point& point);

  [[nodiscard]] Rejections take_rejections() { return std::move(rejections_); }

 private:
  /// Counts a record; false: it is rejected for `problem`, or for one of its resource or scope.
  [[nodiscard]] bool begin_record(const Problem& problem);
  [[nodiscard]] bool reject(std::string reason);
  [[nodiscard]] bool is_good(const Span& span);
  /// What the scope and its resource say. Made for its first record: most of an empty scope's work.
  [[nodiscard]] const SharedAttributes& shared();

  /// The first that is not 0, or else when the request came.
  [[nodiscard]] Timestamp time_of(const Nanoseconds& first, const Nanoseconds& second) const;
  [[nodiscard]] RunId run_of_trace(std::string_view trace_id);
  /// Of records that are of no trace: one run for each resource and UTC day.
  [[nodiscard]] RunId run_of_day(Timestamp time);
  [[nodiscard]] std::string_view pipeline_of(const KnownValues& known) const;
  [[nodiscard]] std::string_view environment_of(const KnownValues& known) const;
  [[nodiscard]] std::string_view parent_run_of(std::string_view trace_state);
  [[nodiscard]] std::string_view event_id_of(const Span& span);

  void put_span(const Span& span);
  void put_node(const Span& span);
  void put_failure(const Span& span);
  void put_agent(const KnownValues& known, std::string_view other_operation);
  /// As a field, after `otlp` was put into it and the brace closed.
  void put_attributes(Span& span);
  void put_attributes(LogRecord& record);
  void put_attributes(const Metric& metric, const Point& point);
  /// The member `otlp`, the last one: what `put_own` puts into it and `aside`. What the scope and
  /// the resource say comes after it.
  template <class PutOwn>
  void put_otlp(JsonText& json, std::string_view aside, const PutOwn& put_own);

  const event::Type type_;
  const Timestamp arrived_;
  LineMaker& lines_;
  Rejections rejections_;
  Resource resource_;
  Scope scope_;
  // Rendered and masked once: what `attributes.otlp` says of the resource, and of it and the scope.
  JsonText of_resource_, of_scope_;
  std::optional<SharedAttributes> shared_;  // of the scope, once it was asked for
  std::string_view pipeline_id_, pipeline_version_, environment_;

  struct TraceRun {
    std::array<char, Id::kTrace> trace_id{};
    RunId run;
  };
  // By the end of the trace id: spans of several traces come mixed.
  std::array<TraceRun, 256> trace_runs_{};
  // Of the last record without a trace, which was of resource_.
  std::optional<std::chrono::sys_days> day_;
  RunId day_run_;

  FieldList fields_;
  std::array<char, 64> event_id_{};
  std::string parent_run_id_;
  JsonText attributes_;  // of a metric
};

template <class PutOwn>
void Mapper::put_otlp(JsonText& json, std::string_view aside, const PutOwn& put_own) {
  const auto before = json.size();
  json.member("otlp");
  json.open('{');
  const auto empty = json.size();
  put_own(json);
  if (!aside.empty()) {
    json.member("attributes");
    json.open('{');
    json.raw(aside);
    json.close('}');
  }
  if (json.size() == empty && shared().members.empty()) return json.cut_to(before);
  json.close('}');
}

}  // namespace weir::ingest::otlp
