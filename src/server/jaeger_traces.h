#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "project/span.h"

namespace weir::server {

/// How Jaeger's clients want their traces.
enum class JaegerVersion : std::uint8_t {
  kV1,  ///< Jaeger's own JSON
  kV3   ///< OTLP in JSON
};

/// A trace that is written as its spans come: of a span nothing but its text is kept.
class JaegerTrace {
 public:
  /// More are left out, but for one without a parent, and the trace says so: in v1 as a warning, in
  /// v3 as the attribute `weir.spans_left_out` of its last span.
  static constexpr std::size_t kMostSpans = 200'000;

  JaegerTrace(JaegerVersion version, Timestamp now) : version_(version), now_(now) {}

  void add(project::Span&& given);
  [[nodiscard]] std::size_t spans() const { return count_; }
  /// What it holds in memory, about.
  [[nodiscard]] std::size_t bytes() const { return text_.size() + process_bytes_ + waiting_bytes_; }
  /// A member of `data` (v1), or the items of `resourceSpans` (v3). `trace_id` is its own.
  [[nodiscard]] std::string take(std::string_view trace_id);

  bool matches = false;  ///< one of its spans is what is looked for

 private:
  void add_v1(const project::Span& span);
  void flush_v3();
  [[nodiscard]] std::size_t process_of(const project::Span& span);

  const JaegerVersion version_;
  const Timestamp now_;
  std::string text_;
  std::size_t count_ = 0;
  std::size_t left_out_ = 0;
  bool has_late_root_ = false;
  std::size_t process_bytes_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::unordered_map<std::string, std::size_t> processes_;  // numbers by their JSON
  std::vector<project::Span> waiting_;                      // v3: not written yet, the last always
};

}  // namespace weir::server
