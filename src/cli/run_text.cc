#include "cli/run_text.h"

#include <algorithm>

#include "base/text.h"

namespace weir::cli {

using project::RunState;
using project::State;

std::string_view short_id(std::string_view run_id) {
  return run_id.substr(std::min(run_id.size(), run_id.rfind('-') + 1));
}

Colour colour_of(State state) {
  if (state == State::kCompleted) return Colour::kGreen;
  return state == State::kFailed ? Colour::kRed : Colour::kYellow;
}

std::string_view mark_of(State state) {
  switch (state) {
    case State::kCompleted:
      return "✓";
    case State::kFailed:
      return "✗";
    case State::kRunning:
      return "▸";
    case State::kPending:
    case State::kSkipped:
    case State::kCancelled:
      return "–";
  }
  return "?";
}

std::vector<std::string> doubts_of(const RunState& run) {
  std::vector<std::string> lines;
  for (const auto& event : run.forbidden) {
    auto& line = lines.emplace_back("INCONSISTENT: event " + std::to_string(event.run_seq) + ", " +
                                    event.event_type);
    if (!event.node_id.empty()) line += " of node " + event.node_id;
    line.append(", changed nothing: ").append(event.why);
    line = text::printable(line);
  }
  const auto more = run.forbidden_count - static_cast<std::int64_t>(run.forbidden.size());
  if (more > 0) lines.push_back("INCONSISTENT: " + std::to_string(more) + " more of these");
  if (run.is_stale()) lines.push_back("STALE: " + run.sequence.missing());
  if (const auto gaps = run.gaps(system_clock().now()); !gaps.empty()) {
    lines.push_back("GAP: missing for more than a minute: " + project::Sequence::numbers(gaps));
  }
  return lines;
}

std::vector<std::string> waits_of(const RunState& run) {
  std::vector<std::string> lines;
  if (run.is_finished()) return lines;
  const auto since = [](const std::optional<Timestamp>& time) {
    return time ? ", since " + to_string(*time) : "";
  };
  for (const auto& approval : run.approvals) {
    if (!approval.is_open()) continue;
    auto& line = lines.emplace_back("waits for an approval of node " + approval.node_id +
                                    since(approval.requested_at));
    if (!approval.message.empty()) line += ": " + approval.message;
  }
  for (const auto& signal : run.signals) {
    if (!signal.is_open()) continue;
    auto& line = lines.emplace_back("signal " + signal.signal_type);
    if (!signal.node_id.empty()) line += " of node " + signal.node_id;
    line += " is " + std::string(to_string(signal.decision)) + since(signal.requested_at);
    if (!signal.actor_id.empty()) line += " by " + signal.actor_id;
  }
  for (const auto& node : run.nodes) {
    if (node.retry == project::Retry::kNone) continue;
    lines.push_back("node " + node.node_id + " waits for attempt " +
                    std::to_string(node.next_attempt));
  }
  for (auto& line : lines) line = text::printable(line);
  return lines;
}

}  // namespace weir::cli
