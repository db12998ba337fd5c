#include "project/run_state_json.h"

#include <array>
#include <concepts>
#include <type_traits>

#include "base/json_canonical.h"

namespace weir::project {
namespace {

// One list of members for each struct, for both directions: `fields` is a Writer or a Reader.

template <class T, class Struct>
concept Is = std::same_as<std::remove_const_t<T>, Struct>;

template <class Fields, Is<Usage> T>
void describe(Fields& fields, T& usage) {
  fields("cpu_ms", usage.cpu_ms);
  fields("memory_bytes", usage.memory_bytes);
  fields("read_bytes", usage.read_bytes);
  fields("written_bytes", usage.written_bytes);
  fields("rows", usage.rows);
}

template <class Fields, Is<Attempt> T>
void describe(Fields& fields, T& attempt) {
  fields("number", attempt.number);
  fields("engine_attempt", attempt.engine_attempt);
  fields("state", attempt.state);
  fields("started_at", attempt.started_at);
  fields("ended_at", attempt.ended_at);
  fields("duration_ms", attempt.duration_ms);
  fields("outcome", attempt.outcome);
  fields("error_type", attempt.error_type);
  fields("error_message", attempt.error_message);
  describe(fields, attempt.usage);
}

template <class Fields, Is<NodeState> T>
void describe(Fields& fields, T& node) {
  fields("node_id", node.node_id);
  fields("plugin_id", node.plugin_id);
  fields("tool_id", node.tool_id);
  fields("step_index", node.step_index);
  fields("predecessor_node_ids", node.predecessors);
  fields("state", node.state);
  fields("attempts", node.attempts);
  fields("retry", node.retry);
  fields("next_attempt", node.next_attempt);
  fields("guard_retries", node.guard_retries);
  fields("cache_hit", node.cache_hit);
  fields("undo", node.undo);
  fields("reason", node.reason);
  fields("log_lines", node.log_lines);
  fields("last_log_lines", node.last_log_lines);
}

template <class Fields, Is<Signal> T>
void describe(Fields& fields, T& signal) {
  fields("signal_id", signal.signal_id);
  fields("signal_type", signal.signal_type);
  fields("node_id", signal.node_id);
  fields("actor_id", signal.actor_id);
  fields("decision", signal.decision);
  fields("requested_at", signal.requested_at);
  fields("decided_at", signal.decided_at);
  fields("reason", signal.reason);
}

template <class Fields, Is<Approval> T>
void describe(Fields& fields, T& approval) {
  fields("node_id", approval.node_id);
  fields("call_id", approval.call_id);
  fields("message", approval.message);
  fields("requested_at", approval.requested_at);
  fields("decided_at", approval.decided_at);
  fields("outcome", approval.outcome);
  fields("actor_id", approval.actor_id);
}

template <class Fields, Is<ChildRun> T>
void describe(Fields& fields, T& child) {
  fields("run_id", child.run_id);
  fields("node_id", child.node_id);
  fields("state", child.state);
}

template <class Fields, Is<Forbidden> T>
void describe(Fields& fields, T& forbidden) {
  fields("run_seq", forbidden.run_seq);
  fields("event_type", forbidden.event_type);
  fields("node_id", forbidden.node_id);
  fields("prior", forbidden.prior);
  fields("why", forbidden.why);
}

template <class Fields, Is<Sequence::Hole> T>
void describe(Fields& fields, T& hole) {
  fields("first", hole.first);
  fields("last", hole.last);
  fields("since", hole.since);
}

template <class Fields, Is<Sequence> T>
void describe(Fields& fields, T& sequence) {
  fields("next", sequence.next);
  fields("holes", sequence.holes);
  fields("holes_beyond", sequence.holes_beyond);
}

template <class Fields, Is<RunState> T>
void describe(Fields& fields, T& run) {
  fields("run_id", run.run_id);
  fields("pipeline_id", run.pipeline_id);
  fields("pipeline_version", run.pipeline_version);
  fields("pipeline_type", run.pipeline_type);
  fields("state", run.state);
  fields("paused", run.paused);
  fields("recovering", run.recovering);
  fields("engine_attempt", run.engine_attempt);
  fields("started_at", run.started_at);
  fields("last_event_at", run.last_event_at);
  fields("last_run_seq", run.last_run_seq);
  fields("duration_ms", run.duration_ms);
  fields("node_count", run.node_count);
  fields("events", run.events);
  fields("outcome", run.outcome);
  fields("failed_node_id", run.failed_node_id);
  fields("error_type", run.error_type);
  fields("error_message", run.error_message);
  fields("nodes", run.nodes);
  fields("signals", run.signals);
  fields("approvals", run.approvals);
  fields("children", run.children);
  fields("cache_hits", run.cache_hits);
  fields("cache_misses", run.cache_misses);
  fields("checkpoints", run.checkpoints);
  fields("forbidden", run.forbidden);
  fields("forbidden_count", run.forbidden_count);
  fields("sequence", run.sequence);
}

/// The enums that have words, and how many values each has.
template <class T>
constexpr std::size_t kValues = 0;
template <>
constexpr std::size_t kValues<State> = kStateCount;
template <>
constexpr std::size_t kValues<Retry> = 3;
template <>
constexpr std::size_t kValues<Undo> = 3;
template <>
constexpr std::size_t kValues<Decision> = 4;
template <class T>
concept Word = kValues<T> > 0;

class Writer {
 public:
  template <class T>
  void operator()(std::string_view name, const T& value) {
    if (value != T{}) object.append({std::string(name), text(value)});
  }
  json::Object object;

 private:
  template <class T>
  static json::Value text(const T& value) {
    if constexpr (std::constructible_from<json::Value, T>) {
      return value;
    } else if constexpr (Word<T>) {
      return to_string(value);
    } else if constexpr (std::same_as<T, RunId>) {
      return value.text();
    } else if constexpr (std::same_as<T, Timestamp>) {
      return weir::to_string(value);
    } else {
      Writer members;
      describe(members, value);
      return std::move(members.object);
    }
  }
  template <class T>
  static json::Value text(const std::optional<T>& value) {
    return value ? text(*value) : json::Value();
  }
  template <class T>
  static json::Value text(const std::vector<T>& values) {
    json::Array array;
    array.reserve(values.size());
    for (const auto& value : values) array.push_back(text(value));
    return array;
  }
};

/// Reads what a Writer has written; what is not there stays as it is.
class Reader {
 public:
  Reader(const json::Object& object, std::string where)
      : object_(object), where_(std::move(where)) {}

  template <class T>
  void operator()(std::string_view name, T& value) {
    const auto* found = object_.find(name);
    if (found == nullptr) return;
    ++read_;
    const auto where = where_.empty() ? std::string(name) : where_ + "." + std::string(name);
    if (!error_ && !read(*found, value, where)) refuse(where + ": it is not what belongs here");
  }

  /// What was wrong first; all members are known if nothing was.
  [[nodiscard]] Result<void> finish() {
    if (!error_ && read_ < object_.size())
      refuse((where_.empty() ? "" : where_ + ": ") + "it has an unknown member");
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  template <class T>
  bool read(const json::Value& json, T& value, const std::string& where) {
    if constexpr (std::same_as<T, RunId> || std::same_as<T, Timestamp>) {
      return json.string() != nullptr && assign(value, parse<T>(*json.string()));
    } else if constexpr (Word<T>) {
      for (std::size_t i = 0; json.string() != nullptr && i < kValues<T>; ++i) {
        if (to_string(static_cast<T>(i)) == *json.string())
          return assign(value, std::optional(static_cast<T>(i)));
      }
      return false;
    } else if constexpr (std::same_as<T, double>) {
      // A canonical text has 2 for 2.0.
      const auto* number = std::get_if<double>(&json.variant());
      return assign(value, number != nullptr           ? std::optional(*number)
                           : json.integer() != nullptr ? std::optional<double>(*json.integer())
                                                       : std::nullopt);
    } else if constexpr (std::constructible_from<json::Value, T>) {
      const auto* same = std::get_if<T>(&json.variant());
      return assign(value, same == nullptr ? std::nullopt : std::optional(*same));
    } else {
      return read_members(json, value, where);
    }
  }
  template <class T>
  bool read(const json::Value& json, std::optional<T>& value, const std::string& where) {
    return read(json, value.emplace(), where);
  }
  template <class T>
  bool read(const json::Value& json, std::vector<T>& values, const std::string& where) {
    if (json.array() == nullptr) return false;
    values.reserve(json.array()->size());
    for (const auto& item : *json.array()) {
      const auto place = where + "[" + std::to_string(values.size()) + "]";
      if (!read(item, values.emplace_back(), place)) return false;
    }
    return true;
  }
  template <class T>
  bool read_members(const json::Value& json, T& value, const std::string& where) {
    if (json.object() == nullptr) return false;
    Reader members(*json.object(), where);
    describe(members, value);
    if (const auto read = members.finish(); !read && !error_) error_ = read.error();
    return true;
  }

  template <class T>
  static std::optional<T> parse(const std::string& text) {
    if constexpr (std::same_as<T, RunId>) return RunId::parse(text);
    if constexpr (std::same_as<T, Timestamp>) return parse_rfc3339(text);
  }
  template <class T>
  static bool assign(T& value, std::optional<T> read) {
    if (!read) return false;
    value = *std::move(read);
    return true;
  }
  void refuse(std::string message) {
    error_ = Error{ErrorCode::kInvalidInput, "snapshot: " + std::move(message)};
  }

  const json::Object& object_;
  const std::string where_;
  std::size_t read_ = 0;
  std::optional<Error> error_;
};

/// The snapshot is one object: its version, then the run's members.
struct Versioned {
  std::int64_t version = 0;
  RunState run;
};

template <class Fields>
void describe(Fields& fields, Versioned& versioned) {
  fields("version", versioned.version);
  describe(fields, versioned.run);
}

}  // namespace

json::Object to_json(const RunState& run) {
  Writer fields;
  fields("version", kRunStateVersion);
  describe(fields, run);
  return std::move(fields.object);
}

void add_usage(json::Object& object, const Usage& usage) {
  Writer fields;
  describe(fields, usage);
  for (const auto& member : fields.object) object.append(member);
}

Result<RunState> run_state_from_json(const json::Value& snapshot) {
  if (snapshot.object() == nullptr)
    return fail(ErrorCode::kInvalidInput, "snapshot: it is not an object");
  if (const auto* version = snapshot.object()->find("version");
      version == nullptr || *version != json::Value(kRunStateVersion)) {
    return fail(ErrorCode::kInvalidInput,
                "snapshot: version " + std::to_string(kRunStateVersion) + " is expected");
  }
  Versioned versioned;
  Reader fields(*snapshot.object(), "");
  describe(fields, versioned);
  WEIR_TRY(fields.finish());
  if (!versioned.run.index())
    return fail(ErrorCode::kInvalidInput, "snapshot: what it lists cannot be true");
  return std::move(versioned.run);
}

Result<Sha256> hash_of(const RunState& run) {
  WEIR_TRY(const auto text, json::canonical_text(to_json(run)));
  return sha256(text);
}

}  // namespace weir::project
