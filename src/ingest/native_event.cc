#include "ingest/native_event.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/json_text.h"
#include "event/field_type.h"
#include "event/observed.h"
#include "ingest/native.h"
#include "ingest/rejections.h"
#include "log/segment.h"
#include "record/line.h"

namespace weir::ingest {

using event::Field;
using event::FieldType;
using event::Type;
using json::FlatMember;
using json::Kind;

namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::kInvalidInput, std::move(message));
}

std::string name_of(Field field) { return "field '" + std::string(info(field).name) + "'"; }

/// What ForeignEvent says itself, or the log.
constexpr auto kNoValues = [] {
  FieldSet fields;
  for (const auto field : event::kAlwaysRequired) fields.add(field);
  fields.add(Field::kTenantId);
  return fields;
}();

/// By type: what must be there beside the head, kCustom last.
const std::array<FieldSet, event::kTypeCount + 1>& required_fields() {
  static const auto table = [] {
    std::array<FieldSet, event::kTypeCount + 1> required;
    for (const auto& type : event::types()) {
      for (const auto field : type.required) {
        if (!event::may_be_unknown(field)) required[static_cast<std::size_t>(type.type)].add(field);
      }
    }
    return required;
  }();
  return table;
}

/// Other spellings of names of the catalogue.
std::string_view settled_type_name(std::string_view name) {
  if (name == "pipeline_canceled") return "pipeline_cancelled";
  if (name == "pipeline_node_canceled") return "pipeline_node_cancelled";
  return name;
}

std::optional<event::Level> level_of(std::string_view name) {
  using event::Level;
  for (const auto level :
       {Level::kInfo, Level::kDebug, Level::kWarning, Level::kError, Level::kFatal}) {
    if (name == to_string(level)) return level;
  }
  return {};
}

/// What a run is asked is not told from outside: the engine would do it.
bool is_signal(Type type) {
  return type >= Type::kSignalRequested && type <= Type::kSignalDeferred;
}

constexpr std::size_t kTraceDigits = 32;

enum HexDigit : unsigned char { kZero = 1, kLower = 2, kUpper = 4, kNoDigit = 8 };

constexpr auto kHexDigits = [] {
  std::array<unsigned char, 256> table{};
  table.fill(kNoDigit);
  table['0'] = kZero;
  for (std::size_t c = '1'; c <= '9'; ++c) table[c] = kLower;
  for (std::size_t c = 'a'; c <= 'f'; ++c) table[c] = kLower;
  for (std::size_t c = 'A'; c <= 'F'; ++c) table[c] = kUpper;
  return table;
}();

/// Whether an id is as it should be: lower case, and not all zero. Its size is known and all is
/// said in bytes, so that the compiler looks at sixteen of them at once.
template <std::size_t kSize>
bool is_good_id(std::string_view id) {
  using Byte = unsigned char;
  if (id.size() != kSize) return false;
  const auto* const bytes = reinterpret_cast<const Byte*>(id.data());
  Byte wrong = 0, set = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    const auto digit = static_cast<Byte>(bytes[i] - '0'),
               letter = static_cast<Byte>(bytes[i] - 'a');
    const Byte no_digit = digit > 9 ? 0xFF : 0, no_letter = letter > 5 ? 0xFF : 0;
    wrong = static_cast<Byte>(wrong | (no_digit & no_letter));
    set = static_cast<Byte>(set | digit);
  }
  return wrong == 0 && set != 0;
}

/// The sorts of digits that there are.
unsigned hex_digits_of(std::string_view text) {
  unsigned sorts = 0;
  for (const char c : text) sorts |= kHexDigits[static_cast<unsigned char>(c)];
  return sorts;
}

/// The member as JSON text.
void append_value(std::string& out, const FlatMember& member) {
  if (member.kind == Kind::kString) {
    json::append_string(out, member.text);
  } else if (member.kind == Kind::kNull) {
    out += "null";
  } else {
    json::append_compact(out, member.text);
  }
}

}  // namespace

Result<void> NativeEventReader::take(std::string_view text) {
  WEIR_TRY(sort_members(text));
  ForeignEvent event;
  WEIR_TRY(read_head(event));
  WEIR_TRY(read_other_runs(event));
  WEIR_TRY(read_trace_ids());
  WEIR_TRY(check_required(event.type));
  set_number();
  set_attributes();
  for (const auto field : {Field::kEventId, Field::kIdempotencyKey}) {
    if (this->text(field).size() > kMaxIdBytes) {
      return invalid(name_of(field) + " has more than " + std::to_string(kMaxIdBytes) + " bytes");
    }
    if (this->text(field).empty()) drop(field);
  }
  event.key = this->text(has(Field::kEventId) ? Field::kEventId : Field::kIdempotencyKey);
  event::FieldList fields;
  if (event.type == Type::kCustom) {
    fields.push_back({Field::kEventType, this->text(Field::kEventType)});
  }
  put_values(fields);
  event.fields = fields;
  if (!lines_.add(event)) return fail(ErrorCode::kExhausted, "there is no room for it");
  return {};
}

/// Members by their fields, and those that are none.
Result<void> NativeEventReader::sort_members(std::string_view text) {
  given_.clear();
  aside_.clear();
  if (text.size() > log::kMaxEventBytes) {
    return invalid("it has " + std::to_string(text.size()) + " bytes, an event at most " +
                   std::to_string(log::kMaxEventBytes));
  }
  const auto members = reader_.read(text);
  if (!members)
    return invalid("it is no JSON object of at most " +
                   std::to_string(json::FlatReader::kMaxMembers) +
                   " members: " + members.error().message);
  for (const auto& member : *members) {
    const auto place = static_cast<std::size_t>(&member - members->data());
    const auto field = field_of(member.key, place);
    if (!field) {
      WEIR_TRY(take_unknown(member));
      continue;
    }
    if (has(*field)) return invalid(name_of(*field) + " is there twice");
    if (member.kind == Kind::kNull && *field != event::kNullable) continue;
    const auto type = event::kFieldTypes[slot(*field)];
    if (member.kind != Kind::kNull && !is_of(type, member)) {
      return invalid(name_of(*field) + " is not " + std::string(to_words(type)));
    }
    members_[slot(*field)] = &member;
    given_.add(*field);
  }
  return {};
}

std::optional<Field> NativeEventReader::look_up(std::string_view key, std::size_t place) {
  const auto field = event::find_field(key);
  if (field) order_[place] = {.name = info(*field).name, .field = *field};
  return field;
}

Result<void> NativeEventReader::take_unknown(const FlatMember& member) {
  const bool is_nested = member.kind == Kind::kObject || member.kind == Kind::kArray;
  // The event, `attributes`, these, and what is in them.
  constexpr int kDeepest = json::kMaxDepth - 3;
  if (is_nested && json::depth_of(member.text) > kDeepest) {
    return invalid("member " + quoted(member.key) + " is nested more than " +
                   std::to_string(kDeepest) + " deep");
  }
  for (const auto* other : aside_) {
    if (other->key == member.key)
      return invalid("member " + quoted(member.key) + " is there twice");
  }
  keep_aside(member);
  return {};
}

Result<void> NativeEventReader::read_head(ForeignEvent& event) {
  const auto said = text(Field::kTimestamp);
  if (!has(Field::kTimestamp)) {
    return invalid("field 'timestamp' is missing: say when it happened, as 2026-01-31T23:59:59Z");
  }
  const auto timestamp = parse_rfc3339(said);
  if (!timestamp) {
    return invalid("field 'timestamp' is " + quoted(said) +
                   ": it must be RFC 3339 with an offset, as 2026-01-31T23:59:59Z");
  }
  event.timestamp = *timestamp;
  WEIR_TRY(read_type(event));
  WEIR_TRY(read_pipeline(event));
  return read_run(event);
}

Result<void> NativeEventReader::read_type(ForeignEvent& event) {
  if (!has(Field::kEventType)) return invalid("field 'event_type' is missing");
  const auto name = settled_type_name(text(Field::kEventType));
  const auto type = event::find_type(name);
  if (!type) {
    return invalid("field 'event_type' is " + quoted(name) +
                   ": it must be lower-case letters, digits, '_' and '.', a letter first, at most "
                   "128 of them");
  }
  if (*type == Type::kAudit) {
    return invalid(
        "field 'event_type' is 'audit', which is what Weir says of who asked it for what");
  }
  event.type = *type;
  if (!has(Field::kLevel)) {
    event.level = *type == Type::kCustom ? event::Level::kInfo : info(*type).level;
    return {};
  }
  const auto level = level_of(text(Field::kLevel));
  if (!level) {
    return invalid("field 'level' is " + quoted(text(Field::kLevel)) +
                   ": it must be DEBUG, INFO, WARNING, ERROR or FATAL");
  }
  event.level = *level;
  return {};
}

Result<void> NativeEventReader::read_pipeline(ForeignEvent& event) {
  event.pipeline_id = text(Field::kPipelineId);
  event.pipeline_version = text(Field::kPipelineVersion);
  if (event.pipeline_id.empty()) return invalid("field 'pipeline_id' is missing or empty");
  for (const auto field : {Field::kPipelineId, Field::kPipelineVersion}) {
    if (text(field).size() > kMaxIdBytes) {
      return invalid(name_of(field) + " has more than " + std::to_string(kMaxIdBytes) + " bytes");
    }
  }
  if (event.pipeline_id == event::kOwnPipeline) {
    return invalid("field 'pipeline_id' is 'weir', which is what Weir says about itself");
  }
  const auto tenant = text(Field::kTenantId);
  if (has(Field::kTenantId) && tenant != lines_.tenant()) {
    auto why =
        "field 'tenant_id' is " + quoted(tenant) + ": the key's tenant wins, leave the field out";
    lines_.deny(why);
    return invalid(std::move(why));
  }
  if (!has(Field::kPipelineType)) return {};
  const auto type = text(Field::kPipelineType);
  if (type != "dag" && type != "linear" && type != event::kObserved) {
    return invalid("field 'pipeline_type' is " + quoted(type) +
                   ": it must be dag, linear or external");
  }
  // We did not run it, whatever it is where it ran.
  if (type != event::kObserved) keep_aside(member(Field::kPipelineType));
  return {};
}

Result<void> NativeEventReader::read_run(ForeignEvent& event) {
  const auto name = text(Field::kRunId);
  if (name.empty()) {
    return invalid(
        "field 'run_id' is missing or empty: it must be a UUID, or any text that names the run");
  }
  if (name != run_text_) {
    const auto id = RunId::parse(name);
    if (!id && name.size() > kMaxRunNameBytes) {
      return invalid("field 'run_id' has more than " + std::to_string(kMaxRunNameBytes) +
                     " bytes, and is no UUID");
    }
    run_id_ = id ? *id : foreign_run_id("native", name);
    run_text_ = name;
    run_is_named_ = !id;
  }
  event.run_id = run_id_;
  if (!lines_.takes(run_id_)) return invalid(not_ours_to_tell(run_id_));
  if (!run_is_named_) return {};
  if (has(Field::kSourceRunId) && text(Field::kSourceRunId) != name) {
    keep_aside(member(Field::kSourceRunId));
  }
  set_text(Field::kSourceRunId, name);
  return {};
}

/// They are named as their own events name them.
Result<void> NativeEventReader::read_other_runs(const ForeignEvent& event) {
  for (const auto field : {Field::kParentRunId, Field::kPreviousRunId, Field::kTargetRunId}) {
    if (!has(field)) continue;
    const auto name = text(field);
    const auto id = RunId::parse(name);
    if (!id && (name.empty() || name.size() > kMaxRunNameBytes)) {
      return invalid(name_of(field) + " is empty, or no UUID and over " +
                     std::to_string(kMaxRunNameBytes) + " bytes");
    }
    const auto run = id ? *id : foreign_run_id("native", name);
    if (field == Field::kTargetRunId && run != event.run_id) {
      if (is_signal(event.type)) {
        return invalid(
            "field 'target_run_id' names another run: signals to a run are asked of the server, "
            "and not told to it");
      }
      // What is said of a run counts there: a review, a gap.
      if (!lines_.takes(run)) return invalid("field 'target_run_id': " + not_ours_to_tell(run));
    }
    if (!id) keep_aside(member(field));
    texts_[slot(field)] = run.text();
    set_text(field, texts_[slot(field)]);
  }
  return {};
}

/// Theirs are lower case and not all zero (W3C Trace Context).
Result<void> NativeEventReader::read_trace_ids() {
  for (const auto field : {Field::kTraceId, Field::kSpanId, Field::kParentSpanId}) {
    if (!has(field)) continue;
    const auto id = text(field);
    const std::size_t size = field == Field::kTraceId ? kTraceDigits : SpanId::kTextSize;
    if (size == kTraceDigits ? is_good_id<kTraceDigits>(id) : is_good_id<SpanId::kTextSize>(id)) {
      continue;
    }
    const auto digits = hex_digits_of(id);
    if (id.size() != size || (digits & kNoDigit) != 0 || digits == kZero) {
      return invalid(name_of(field) + " is " + quoted(id) + ": it must be " + std::to_string(size) +
                     " hex digits, not all of them 0");
    }
    if ((digits & kUpper) == 0) continue;
    auto& lower = texts_[slot(field)] = id;
    for (auto& c : lower) c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    set_text(field, lower);
  }
  return {};
}

Result<void> NativeEventReader::check_required(Type type) const {
  const auto missing = required_fields()[static_cast<std::size_t>(type)].without(given_);
  if (missing.empty()) return {};
  for (const auto field : info(type).required) {
    if (!missing.has(field)) continue;
    return invalid(name_of(field) + " of " + std::string(info(type).name) + " is missing");
  }
  return {};
}

/// The log numbers what it takes in; the producer's own number is another.
void NativeEventReader::set_number() {
  if (!has(Field::kRunSeq)) return;
  const auto& number = member(Field::kRunSeq);
  if (has(Field::kSourceSeq)) {
    if (member(Field::kSourceSeq).integer != number.integer) keep_aside(number);
    return;
  }
  members_[slot(Field::kSourceSeq)] = &number;
  given_.add(Field::kSourceSeq);
}

void NativeEventReader::set_text(Field field, std::string_view text) {
  auto& made = made_[slot(field)];
  made.kind = Kind::kString;
  made.text = text;
  members_[slot(field)] = &made;
  given_.add(field);
}

void NativeEventReader::keep_aside(const FlatMember& member) { aside_.push_back(&member); }

/// Members that have no field of their own stand before those of `attributes`. Where it has their
/// name too, they get another.
void NativeEventReader::set_attributes() {
  if (aside_.empty()) return;
  const auto given = text(Field::kAttributes);
  std::vector<std::string> taken;
  if (const auto object = json::parse(given); object && object->object() != nullptr) {
    for (const auto& member : *object->object()) taken.push_back(member.key);
  }
  std::string members;
  for (const auto* member : aside_) {
    std::string name(member->key);
    while (std::ranges::find(taken, name) != taken.end()) name.insert(0, "event.");
    if (!members.empty()) members += ',';
    json::append_string(members, name);
    members += ':';
    append_value(members, *member);
    taken.push_back(std::move(name));
  }
  attributes_ = record::with_member(members, given);
  auto& made = made_[slot(Field::kAttributes)];
  made.kind = Kind::kObject;
  made.text = attributes_;
  members_[slot(Field::kAttributes)] = &made;
  given_.add(Field::kAttributes);
}

void NativeEventReader::put_values(event::FieldList& fields) {
  given_.without(kNoValues).for_each([&](Field field) { put_value(field, fields); });
}

void NativeEventReader::put_value(Field field, event::FieldList& fields) {
  const auto& said = member(field);
  switch (said.kind) {
    case Kind::kNull:
      return fields.emplace_back(field, nullptr);
    case Kind::kBoolean:
      return fields.emplace_back(field, said.boolean);
    case Kind::kInteger:
      return fields.emplace_back(field, said.integer);
    case Kind::kNumber:
      return fields.emplace_back(field, said.number);
    case Kind::kString:
      return fields.emplace_back(field, said.text);
    case Kind::kArray: {
      auto& list = lists_[slot(field)];
      list.clear();
      json::append_strings(said.text, list);
      return fields.emplace_back(field, std::span<const std::string>(list));
    }
    case Kind::kObject:
      break;
  }
  auto text = said.text;
  if (text.contains('\n')) {
    auto& compact = texts_[slot(field)];
    compact.clear();
    json::append_compact(compact, text);
    text = compact;
  }
  fields.emplace_back(field, event::ObjectText(text));
}

}  // namespace weir::ingest
