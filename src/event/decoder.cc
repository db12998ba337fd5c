#include "event/decoder.h"

#include <algorithm>

#include "base/json_text.h"
#include "event/field_type.h"
#include "event/observed.h"

namespace weir::event {
namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::kInvalidInput, std::move(message));
}

std::string quoted(Field field) { return "'" + std::string(info(field).name) + "'"; }

}  // namespace

std::optional<std::int64_t> EventView::integer(Field field) const {
  const auto* member = find(field);
  if (member == nullptr || member->kind != json::Kind::kInteger) return {};
  return member->integer;
}

std::optional<double> EventView::number(Field field) const {
  const auto* member = find(field);
  if (member == nullptr) return {};
  return member->number;
}

std::optional<bool> EventView::boolean(Field field) const {
  const auto* member = find(field);
  if (member == nullptr) return {};
  return member->boolean;
}

std::vector<std::string> EventView::strings(Field field) const {
  std::vector<std::string> strings;
  if (const auto* member = find(field)) json::append_strings(member->text, strings);
  return strings;
}

Result<const EventView*> Decoder::decode(std::string_view line) {
  WEIR_TRY(view_.members_, reader_.read(line));
  WEIR_TRY(index_members());
  WEIR_TRY(check_base());
  WEIR_TRY(check_required());
  return &view_;
}

Result<void> Decoder::index_members() {
  view_.index_.fill(EventView::kAbsent);
  view_.size_ = 0;
  for (std::size_t i = 0; i < view_.members_.size(); ++i) {
    const auto& member = view_.members_[i];
    const auto field = find_field(member.key);
    if (!field) return invalid("unknown field '" + std::string(member.key) + "'");
    const auto type = info(*field).type;
    auto& index = view_.index_[EventView::slot(*field)];
    if (index != EventView::kAbsent) --view_.size_;  // of two the last counts
    if (member.kind == json::Kind::kNull) {
      if (*field != kNullable) return invalid("field " + quoted(*field) + " is null");
      index = EventView::kAbsent;
      continue;
    }
    if (!is_of(type, member)) {
      return invalid("field " + quoted(*field) + " is not " + std::string(to_words(type)));
    }
    index = static_cast<std::uint8_t>(i);
    ++view_.size_;
  }
  return {};
}

Result<void> Decoder::check_base() {
  const auto type = find_type(view_.text(Field::kEventType));
  if (!type) return invalid("field 'event_type' is missing or malformed");
  const auto timestamp = parse_rfc3339(view_.text(Field::kTimestamp));
  if (!timestamp) return invalid("field 'timestamp' is missing or not an RFC 3339 date-time");
  const auto run_id = RunId::parse(view_.text(Field::kRunId));
  if (!run_id) return invalid("field 'run_id' is missing or not a UUID");
  view_.type_ = *type;
  view_.timestamp_ = *timestamp;
  view_.run_id_ = *run_id;
  return {};
}

Result<void> Decoder::check_required() const {
  const auto required =
      view_.type_ == Type::kCustom ? std::span<const Field>() : info(view_.type_).required;
  const auto has = [&](Field field) { return view_.has(field); };
  if (std::ranges::all_of(kAlwaysRequired, has) && std::ranges::all_of(required, has)) return {};
  const auto is_null = [&](Field field) {
    return field == kNullable && std::ranges::any_of(view_.members_, [&](const auto& member) {
             return member.key == info(field).name;
           });
  };
  const bool is_observed = view_.text(Field::kPipelineType) == kObserved;
  for (const auto fields : {std::span<const Field>(kAlwaysRequired), required}) {
    for (const auto field : fields) {
      if (has(field) || is_null(field) || (is_observed && may_be_unknown(field))) continue;
      return invalid("field " + quoted(field) + " of " + std::string(view_.type_name()) +
                     " is missing");
    }
  }
  return {};
}

}  // namespace weir::event
