#include <cstdio>
#include <set>
#include <unordered_map>

#include "export/format.h"

namespace weir::exporting {
namespace {

using project::Span;

/// Microseconds with the digits that nanoseconds have beyond them.
std::string microseconds_text(std::uint64_t nanoseconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%llu.%03llu",
                static_cast<unsigned long long>(nanoseconds / 1000),
                static_cast<unsigned long long>(nanoseconds % 1000));
  return text;
}

/// The trace event format: a run is a process, and what overlaps in it is on different threads.
/// Spans of other systems, whose order nobody knows while they come, have tracks of their own.
class ChromeTrace final : public SpanFormatWriter {
 public:
  explicit ChromeTrace(WriteBytes write) : write_(std::move(write)) {}

 private:
  struct Process {
    std::size_t number = 0;
    std::set<std::uint32_t> lanes{};
  };

  Result<void> put(Span&& given) override {
    const auto span = std::move(given);
    auto& process = process_of(span);
    if (span.lane == Span::kNoLane) return put_async(span, process);
    if (process.lanes.insert(span.lane).second) name_lane(process, span.lane);
    begin_event(span.is_open() ? "B" : "X", span, span.start_ns, process);
    text_ += ",\"tid\":" + std::to_string(span.lane + 1);
    if (!span.is_open()) text_ += ",\"dur\":" + microseconds_text(span.end_ns - span.start_ns);
    put_args(span);
    const auto track = R"(,"s":"t","tid":)" + std::to_string(span.lane + 1);
    for (const auto& event : span.events) put_moment("i", event, track, process);
    return flush();
  }

  Result<void> end_spans() override {
    if (is_first_) open();
    text_ += "\n]}\n";
    return flush();
  }

  Process& process_of(const Span& span) {
    const auto [at, is_new] =
        processes_.try_emplace(span.run_id, Process{.number = processes_.size() + 1});
    if (is_new) {
      begin_line();
      text_ += R"({"ph":"M","name":"process_name","pid":)" + std::to_string(at->second.number) +
               R"(,"args":{"name":)";
      json::append_string(text_, span.pipeline_id + " " + span.run_id.text());
      text_ += "}}";
    }
    return at->second;
  }

  void name_lane(const Process& process, std::uint32_t lane) {
    begin_line();
    text_ += R"({"ph":"M","name":"thread_name","pid":)" + std::to_string(process.number) +
             ",\"tid\":" + std::to_string(lane + 1) + R"(,"args":{"name":)";
    json::append_string(text_, lane == 0 ? "run" : "lane " + std::to_string(lane));
    text_ += "}}";
  }

  Result<void> put_async(const Span& span, const Process& process) {
    std::string id = R"(,"tid":0,"id":)";
    json::append_string(id, "0x" + span.context.span_id);
    begin_event("b", span, span.start_ns, process);
    text_ += id;
    put_args(span);
    for (const auto& event : span.events) put_moment("n", event, id, process);
    if (!span.is_open()) {
      begin_event("e", span, std::max(span.start_ns, span.end_ns), process);
      text_ += id + "}";
    }
    return flush();
  }

  void put_moment(std::string_view phase, const project::SpanEvent& event, const std::string& track,
                  const Process& process) {
    begin_line();
    text_.append(R"({"ph":")").append(phase).append(R"(","name":)");
    json::append_string(text_, event.name);
    text_ += R"(,"cat":"weir","ts":)" + microseconds_text(event.time_ns) +
             ",\"pid\":" + std::to_string(process.number) + track +
             ",\"args\":" + json::to_text(event.attributes) + "}";
  }

  void begin_event(const char* phase, const Span& span, std::uint64_t at_ns,
                   const Process& process) {
    begin_line();
    text_ += R"({"ph":")" + std::string(phase) + R"(","name":)";
    json::append_string(text_, span.name.empty() ? "span" : span.name);
    text_ += R"(,"cat":"weir","ts":)" + microseconds_text(at_ns) +
             ",\"pid\":" + std::to_string(process.number);
  }

  void put_args(const Span& span) {
    auto args = span.attributes;
    args.set("trace_id", span.context.trace_id);
    args.set("span_id", span.context.span_id);
    if (!span.parent_span_id.empty()) args.set("parent_span_id", span.parent_span_id);
    if (span.status == project::SpanStatus::kError) args.set("error", span.status_message);
    text_ += ",\"args\":" + json::to_text(args) + "}";
  }

  void open() {
    text_ += R"({"displayTimeUnit":"ms","traceEvents":[)";
    is_first_ = false;
  }
  void begin_line() {
    const bool begins = is_first_;
    if (begins) open();
    text_ += begins ? "\n" : ",\n";
  }
  Result<void> flush() {
    auto written = write_(text_);
    text_.clear();
    return written;
  }

  const WriteBytes write_;
  std::unordered_map<RunId, Process> processes_;
  std::string text_;
  bool is_first_ = true;
};

}  // namespace

std::unique_ptr<FormatWriter> make_chrome_trace(WriteBytes write) {
  return std::make_unique<ChromeTrace>(std::move(write));
}

}  // namespace weir::exporting
