// The W3C headers and the carriers of a context: what is read is written and read back the same,
// and what is written keeps the limits of the standards. The input is lines "name: value": headers,
// and each value also as a text of every kind.

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "record/context_carrier.h"
#include "record/w3c.h"

namespace weir::record {
namespace {

void check_traceparent(std::string_view text) {
  const auto parent = Traceparent::parse(text);
  if (!parent) return;
  const auto written = parent->text();
  WEIR_CHECK(written.size() == 55 && written.starts_with("00-"));
  WEIR_CHECK(text.contains(written.substr(3, 49)));  // both ids as they were
  WEIR_CHECK(Traceparent::parse(written) == parent);
}

void check_tracestate(std::string_view text) {
  auto state = Tracestate::parse(text);
  if (!state) return;
  const auto written = state->text();
  WEIR_CHECK(Tracestate::parse(written) == state);
  WEIR_CHECK(written.size() <= text.size());  // only white space and older members went
  WEIR_CHECK(state->members().size() <= Tracestate::kMaxMembers);
  std::set<std::string_view> keys;
  for (const auto& member : state->members()) {
    WEIR_CHECK(keys.insert(member.key).second);
    auto again = *state;
    WEIR_CHECK(again.set(member.key, member.value));
    WEIR_CHECK(again.members()[0] == member);
    WEIR_CHECK(again.members().size() == state->members().size());
  }
  const auto limit = written.size() / 2;
  state->cut_to(limit);
  WEIR_CHECK(state->text().size() <= limit);
  WEIR_CHECK(Tracestate::parse(state->text()) == state);
}

void check_baggage(std::string_view text) {
  const auto baggage = Baggage::parse(text);
  const auto written = baggage.text();
  WEIR_CHECK(written.size() <= Baggage::kMaxTextBytes);
  WEIR_CHECK(baggage.members().size() <= Baggage::kMaxMembers);
  WEIR_CHECK(Baggage::parse(written) == baggage);
  Baggage unique;
  for (const auto& member : baggage.members()) WEIR_CHECK(unique.set(member));
  WEIR_CHECK(Baggage::parse(unique.text()) == unique);
  WEIR_CHECK(percent_decoded(percent_encoded(percent_decoded(text))) == percent_decoded(text));
}

/// Without what is made anew each time: the ids of a trace that does not continue one.
TraceContext comparable(TraceContext context, bool continued) {
  if (continued) return context;
  context.trace_id = {};
  context.span_id = {};
  return context;
}

void check_carriers(const std::vector<Header>& headers) {
  const auto received = from_headers(headers);
  WEIR_CHECK(received.has_trace());
  const bool continued = received.span_id.value != 0;
  WEIR_CHECK(continued || received.tracestate.empty());
  const auto sent = to_headers(received);
  for (const auto& [name, value] : sent) {
    for (const char c : value) WEIR_CHECK(c != '\r' && c != '\n' && c != '\0');
  }
  const auto again = from_headers(sent);
  const auto& whole = received.tracestate;
  if (whole.text().size() <= kMaxSentTracestateBytes) {
    auto expected = comparable(received, continued);
    if (!continued) expected.flags = again.flags;
    WEIR_CHECK(comparable(again, continued) == expected);
  }

  Variables variables = to_environment({});
  for (const auto& [name, value] : headers) {
    const auto found = variables.find(std::string(name));
    if (found != variables.end()) found->second = value;
  }
  const auto inherited = from_environment(variables);
  const bool parent = inherited.span_id.value != 0;
  const auto child = from_environment(to_environment(inherited));
  if (inherited.tracestate.text().size() <= kMaxSentTracestateBytes) {
    WEIR_CHECK(comparable(child, parent) == comparable(inherited, parent));
  }
}

void check(std::string_view text) {
  std::vector<Header> headers;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto colon = line.find(": ");
    const auto value = colon == std::string_view::npos ? line : line.substr(colon + 2);
    headers.push_back({line.substr(0, line.size() - value.size()), value});
    if (colon != std::string_view::npos) headers.back().name.remove_suffix(2);
    check_traceparent(value);
    check_tracestate(value);
    check_baggage(value);
  }
  check_carriers(headers);
}

}  // namespace
}  // namespace weir::record

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::record::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
