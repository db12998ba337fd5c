#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "event/decoder.h"
#include "ingest/otlp_request.h"
#include "ingest/otlp_twin_testing.h"

/// For tests of what becomes of OTLP requests.
namespace weir::ingest::otlp::testing_support {

/// 2026-02-02T02:40:00Z
inline const Timestamp kArrived{std::chrono::seconds(1'770'000'000)};

struct Taken {
  Rejections rejections;
  std::vector<std::string> lines;
  std::string error;  ///< of the whole request
};

inline constexpr auto kTraces = Signal::kTraces, kLogs = Signal::kLogs, kMetrics = Signal::kMetrics;

/// A resource.
inline constexpr std::string_view kShop =
    R"({"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]})";

[[nodiscard]] inline Result<Rejections> take_into(LineMaker& lines, Signal signal,
                                                  Encoding encoding, std::string_view body) {
  switch (signal) {
    case Signal::kTraces:
      return take_traces(body, encoding, kArrived, lines);
    case Signal::kLogs:
      return take_logs(body, encoding, kArrived, lines);
    case Signal::kMetrics:
      return take_metrics(body, encoding, kArrived, lines);
  }
  return {};
}

/// Every line is held to the catalogue.
[[nodiscard]] inline Taken take(Signal signal, Encoding encoding, std::string_view body) {
  static const auto redactor = *event::Redactor::make({});
  // In memory of its own, without a byte after it that could be read by mistake.
  const std::vector<char> exact(body.begin(), body.end());
  LineMaker maker(redactor, "", "0123");
  auto result = take_into(maker, signal, encoding, {exact.data(), exact.size()});
  Taken taken;
  if (result) {
    taken.rejections = *std::move(result);
  } else {
    taken.error = result.error().message;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidInput);
    EXPECT_EQ(maker.size(), 0U) << "of a malformed request nothing is added";
  }
  const auto lines = *maker.take();
  event::Decoder decoder;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto line = lines.line(i);
    if (line.ends_with('\n')) line.remove_suffix(1);
    const auto decoded = decoder.decode(line);
    EXPECT_TRUE(decoded) << decoded.error().message << "\n" << line;
    taken.lines.emplace_back(line);
  }
  if (taken.error.empty()) {
    EXPECT_EQ(taken.rejections.records, taken.lines.size() + taken.rejections.count);
  }
  return taken;
}

/// Takes a JSON request, and the same in protobuf: both must become the same.
[[nodiscard]] inline Taken take_both(Signal signal, std::string_view json_body) {
  auto taken = take(signal, Encoding::kJson, json_body);
  EXPECT_EQ(taken.error, "");
  const auto value = json::parse(json_body);
  EXPECT_TRUE(value) << value.error().message;
  if (!value) return taken;
  const auto twin = take(signal, Encoding::kProtobuf, protobuf_twin(signal, *value));
  EXPECT_EQ(twin.error, "");
  EXPECT_EQ(twin.lines, taken.lines);
  EXPECT_EQ(twin.rejections.records, taken.rejections.records);
  return taken;
}

/// What the line says at `path`, as JSON; empty: nothing.
[[nodiscard]] inline std::string at(std::string_view line,
                                    std::initializer_list<std::string_view> path) {
  const auto whole = json::parse(line);
  if (!whole) return "no JSON: " + whole.error().message;
  const json::Value* value = &*whole;
  for (const auto name : path) {
    const auto* object = value->object();
    value = object == nullptr ? nullptr : object->find(name);
    if (value == nullptr) return {};
  }
  return json::to_text(*value);
}

/// A request of one resource and one scope without names, with one record.
[[nodiscard]] inline std::string request_of(Signal signal, std::string_view record,
                                            std::string_view resource = "{}",
                                            std::string_view scope = "{}") {
  const bool traces = signal == Signal::kTraces, logs = signal == Signal::kLogs;
  std::string text = traces ? R"({"resourceSpans":[{"resource":)"
                     : logs ? R"({"resourceLogs":[{"resource":)"
                            : R"({"resourceMetrics":[{"resource":)";
  text.append(resource);
  text += traces ? R"(,"scopeSpans":[{"scope":)"
          : logs ? R"(,"scopeLogs":[{"scope":)"
                 : R"(,"scopeMetrics":[{"scope":)";
  text.append(scope);
  text += traces ? R"(,"spans":[)" : logs ? R"(,"logRecords":[)" : R"(,"metrics":[)";
  return text.append(record).append("]}]}]}");
}

/// An attribute whose value is a text, as JSON.
[[nodiscard]] inline std::string text_attribute(std::string_view key, std::string_view value) {
  return R"({"key":")" + std::string(key) + R"(","value":{"stringValue":")" + std::string(value) +
         R"("}})";
}
/// A record's member of that name.
[[nodiscard]] inline std::string attributes(std::string_view list) {
  return R"("attributes":[)" + std::string(list) + "]";
}

/// A span with these members besides its ids, name and times.
[[nodiscard]] inline std::string span_with(std::string_view members) {
  std::string text = R"({"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",)"
                     R"("name":"work","startTimeUnixNano":"1640000000000000000","endTimeUnixNano":)"
                     R"("1640000000100000000")";
  if (!members.empty()) text.append(",").append(members);
  return text += '}';
}

/// The line of one record that is taken.
[[nodiscard]] inline std::string line_of(Signal signal, std::string_view record,
                                         std::string_view resource = "{}",
                                         std::string_view scope = "{}") {
  const auto taken = take_both(signal, request_of(signal, record, resource, scope));
  for (const auto& one : taken.rejections.named) ADD_FAILURE() << one.reason;
  EXPECT_EQ(taken.lines.size(), 1U);
  return taken.lines.empty() ? std::string() : taken.lines.front();
}

}  // namespace weir::ingest::otlp::testing_support
