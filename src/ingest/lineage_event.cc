#include "ingest/lineage_event.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/json_text.h"
#include "ingest/body_records.h"
#include "ingest/native.h"
#include "ingest/rejections.h"
#include "log/segment.h"

namespace weir::ingest {
namespace {

using json::FlatMember;
using json::Kind;
using Members = std::span<const FlatMember>;
using State = LineageEvent::State;

std::unexpected<Error> bad_lineage(std::string message) {
  return fail(ErrorCode::kInvalidInput, std::move(message));
}

/// Null where absent or null.
const FlatMember* find(Members members, std::string_view name) {
  const FlatMember* found = nullptr;
  for (const auto& member : members) {
    if (member.key == name) found = member.kind == Kind::kNull ? nullptr : &member;
  }
  return found;
}

const FlatMember* find_object(Members members, std::string_view name) {
  const auto* found = find(members, name);
  return found != nullptr && found->kind == Kind::kObject ? found : nullptr;
}

/// Empty where it is no string.
std::string_view find_text(Members members, std::string_view name) {
  const auto* found = find(members, name);
  return found != nullptr && found->kind == Kind::kString ? found->text : std::string_view();
}

std::optional<State> state_of(std::string_view event_type) {
  static constexpr std::pair<std::string_view, State> kStates[] = {
      {"START", State::kStart}, {"RUNNING", State::kRunning}, {"COMPLETE", State::kComplete},
      {"ABORT", State::kAbort}, {"FAIL", State::kFail},       {"OTHER", State::kOther}};
  std::string upper(event_type);
  for (auto& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  const auto* found = std::ranges::find(kStates, upper, &std::pair<std::string_view, State>::first);
  if (found == std::end(kStates)) return {};
  return found->second;
}

/// Amounts of several datasets are added up, to what a field can hold.
void add_amount(const FlatMember* amount, std::optional<std::int64_t>& sum) {
  if (amount == nullptr || amount->kind != Kind::kInteger || amount->integer < 0) return;
  const auto before = sum.value_or(0);
  sum = before + std::min(amount->integer, std::numeric_limits<std::int64_t>::max() - before);
}

Result<void> read_time(Members event, LineageEvent& out) {
  const auto* time = find(event, "eventTime");
  if (time == nullptr) return bad_lineage("eventTime is missing");
  const auto said = find_text(event, "eventTime");
  auto read = parse_rfc3339(said);
  if (!read) {
    // Older clients leave the offset out.
    read = parse_rfc3339(std::string(said) + "Z");
    out.has_offset = false;
  }
  if (!read) return bad_lineage("eventTime is no RFC 3339 date-time: " + quoted(said));
  out.time = *read;
  return {};
}

}  // namespace

Result<LineageEvent> LineageReader::read(std::string_view text) {
  if (text.size() > log::kMaxEventBytes) {
    return bad_lineage("it has " + std::to_string(text.size()) + " bytes, an event at most " +
                       std::to_string(log::kMaxEventBytes));
  }
  const auto event = readers_[0].read(text);
  if (!event) return bad_lineage("it is no JSON object: " + event.error().message);
  // It is kept in `attributes`, which stands in an event.
  constexpr int kDeepest = json::kMaxDepth - 3;
  if (json::depth_of(text) > kDeepest) {
    return bad_lineage("it is nested more than " + std::to_string(kDeepest) + " deep");
  }
  LineageEvent out;
  WEIR_TRY(read_envelope(*event, out));
  add_statistics(find(*event, "inputs"), "inputFacets", "inputStatistics", nullptr, out.read_bytes);
  add_statistics(find(*event, "outputs"), "outputFacets", "outputStatistics", &out.rows,
                 out.written_bytes);
  return out;
}

LineageReader::Members LineageReader::members_of(const FlatMember* object, std::size_t level) {
  if (object == nullptr || object->kind != Kind::kObject) return {};
  return readers_[level].read(object->text).value_or(Members());
}

Result<void> LineageReader::read_envelope(Members event, LineageEvent& out) {
  WEIR_TRY(read_time(event, out));
  const auto* run = find_object(event, "run");
  const auto* job = find_object(event, "job");
  const auto* dataset = find_object(event, "dataset");
  if (job == nullptr && dataset == nullptr) {
    return bad_lineage("it has neither a job nor a dataset: it is no event of OpenLineage");
  }
  out.kind = job == nullptr   ? LineageEvent::Kind::kDataset
             : run == nullptr ? LineageEvent::Kind::kJob
                              : LineageEvent::Kind::kRun;
  if (job == nullptr) {
    WEIR_TRY(out.name, read_name(*dataset, "dataset"));
    return {};
  }
  if (const auto* type = find(event, "eventType"); type != nullptr && run != nullptr) {
    const auto state = state_of(find_text(event, "eventType"));
    if (!state) {
      return bad_lineage("eventType is " + quoted(type->text) +
                         ": it must be START, RUNNING, COMPLETE, ABORT, FAIL or OTHER");
    }
    out.state = *state;
  }
  if (run != nullptr) WEIR_TRY(read_run(*run, out));
  WEIR_TRY(out.name, read_name(*job, "job"));
  read_job_type(find(members_of(job, 1), "facets"), out);
  return {};
}

Result<void> LineageReader::read_run(const FlatMember& run, LineageEvent& out) {
  const auto members = members_of(&run, 1);
  out.run_id = find_text(members, "runId");
  if (out.run_id.empty()) return bad_lineage("run.runId is missing or no string");
  if (out.run_id.size() > kMaxRunNameBytes) {
    return bad_lineage("run.runId has more than " + std::to_string(kMaxRunNameBytes) + " bytes");
  }
  read_run_facets(find(members, "facets"), out);
  return {};
}

Result<LineageName> LineageReader::read_name(const FlatMember& object, std::string_view called) {
  const auto members = members_of(&object, 1);
  LineageName name{.space = std::string(find_text(members, "namespace")),
                   .name = std::string(find_text(members, "name"))};
  for (const auto& [member, text] : {std::pair("namespace", &name.space), {"name", &name.name}}) {
    if (!text->empty() && text->size() < kMaxIdBytes / 2) continue;
    return bad_lineage(std::string(called) + "." + member + " is missing, no string, or " +
                       std::to_string(kMaxIdBytes / 2) + " bytes long");
  }
  return name;
}

void LineageReader::read_run_facets(const FlatMember* facets, LineageEvent& out) {
  const auto members = members_of(facets, 2);
  read_parent(members_of(find(members, "parent"), 3), out);
  const auto error = members_of(find(members, "errorMessage"), 3);
  out.error_message = find_text(error, "message");
  out.error_language = find_text(error, "programmingLanguage");
  out.stack_trace = find_text(error, "stackTrace");
}

void LineageReader::read_parent(Members parent, LineageEvent& out) {
  LineageEvent::Parent read{
      .run_id = std::string(find_text(members_of(find(parent, "run"), 4), "runId")), .job = {}};
  const bool is_named = !read.run_id.empty() && read.run_id.size() <= kMaxRunNameBytes;
  if (!is_named || read.run_id == out.run_id) return;
  const auto job = members_of(find(parent, "job"), 4);
  LineageName name{.space = std::string(find_text(job, "namespace")),
                   .name = std::string(find_text(job, "name"))};
  const bool is_whole = !name.space.empty() && !name.name.empty() &&
                        name.space.size() + name.name.size() < kMaxIdBytes;
  if (is_whole) read.job = std::move(name);
  out.parent = std::move(read);
}

void LineageReader::read_job_type(const FlatMember* facets, LineageEvent& out) {
  const auto type = members_of(find(members_of(facets, 2), "jobType"), 3);
  out.integration = find_text(type, "integration");
  out.job_type = find_text(type, "jobType");
}

void LineageReader::add_statistics(const FlatMember* datasets, std::string_view facets,
                                   std::string_view facet, std::optional<std::int64_t>* rows,
                                   std::optional<std::int64_t>& bytes) {
  if (datasets == nullptr || datasets->kind != Kind::kArray) return;
  BodyRecords all(datasets->text);
  while (const auto dataset = all.next()) {
    const auto members = readers_[1].read(dataset->text).value_or(Members());
    const auto statistics = members_of(find(members_of(find(members, facets), 2), facet), 3);
    if (rows != nullptr) add_amount(find(statistics, "rowCount"), *rows);
    add_amount(find(statistics, "size"), bytes);
  }
}

}  // namespace weir::ingest
