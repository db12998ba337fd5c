#include "record/field_redaction.h"

#include <utility>

#include "record/line.h"

namespace weir::record {

using event::Field;
using event::TextKind;

FieldRedactor::FieldRedactor(const event::Redactor& redactor) : redactor_(redactor) {
  const auto treat = [&](std::initializer_list<Field> fields, Treatment treatment) {
    for (const auto field : fields) treatments_[static_cast<std::size_t>(field)] = treatment;
  };
  treat({Field::kMessage, Field::kReason, Field::kErrorMessage, Field::kStackTrace},
        Treatment::kMessage);
  treat({Field::kErrorType, Field::kErrorCode, Field::kErrorSource, Field::kArtifactPath,
         Field::kSource, Field::kPipelineName},
        Treatment::kField);
  treat({Field::kParams}, Treatment::kInput);
  treat({Field::kOutput}, Treatment::kOutput);
  treat({Field::kAttributes}, Treatment::kByType);
  for (const auto& field : event::fields()) {
    if (field.type == event::FieldType::kString && redactor.names_secret(field.name)) {
      treat({field.field}, Treatment::kNamed);
    }
  }
}

bool FieldRedactor::redact_field(event::Type type, const EncodedField& field) {
  const auto treatment = treatments_[static_cast<std::size_t>(field.field)];
  if (treatment == Treatment::kNone) return false;
  const bool is_text = field.kind == EncodedKind::kString || field.kind == EncodedKind::kObject;
  const bool is_empty = field.kind == EncodedKind::kObject && field.bytes == "{}";
  return is_text && !is_empty && redact_text(type, field, treatment);
}

namespace {

TextKind kind_of_attributes(event::Type type) {
  if (type == event::Type::kLog) return TextKind::kMessage;
  return type == event::Type::kNodeIo ? TextKind::kNodeInput : TextKind::kField;
}

}  // namespace

std::string FieldRedactor::redact_part(event::Type type, std::string_view object,
                                       event::RedactionCounts& counts) const {
  std::string masked;
  const bool is_masked = redactor_.redact_json(object, kind_of_attributes(type), masked, counts);
  return is_masked ? masked : std::string(object);
}

bool FieldRedactor::redact_text(event::Type type, const EncodedField& field, Treatment treatment) {
  auto kind = TextKind::kField;
  switch (treatment) {
    case Treatment::kNone:
      return false;
    case Treatment::kNamed:
      return redactor_.redact_value(event::info(field.field).name, field.bytes, kind, masked_,
                                    counts_);
    case Treatment::kField:
      break;
    case Treatment::kMessage:
      kind = TextKind::kMessage;
      break;
    case Treatment::kInput:
      kind = TextKind::kNodeInput;
      break;
    case Treatment::kOutput:
      kind = TextKind::kNodeOutput;
      break;
    case Treatment::kByType:
      kind = kind_of_attributes(type);
      break;
  }
  return field.kind == EncodedKind::kObject
             ? redactor_.redact_json(field.bytes, kind, masked_, counts_)
             : redactor_.redact_text(field.bytes, kind, masked_, counts_);
}

std::string FieldRedactor::counts_member() const {
  std::string member;
  for (std::size_t i = 0; i < redactor_.rules().size(); ++i) {
    const auto count = counts_.of(static_cast<event::RedactionRuleIndex>(i));
    if (count == 0) continue;
    member.append(member.empty() ? "\"redacted\":{\"" : ",\"");
    member.append(redactor_.rules()[i].name).append("\":").append(std::to_string(count));
  }
  return member += '}';
}

/// Most fields hold an id, a number or a name: of them only the header is looked at.
std::optional<std::string_view> FieldRedactor::redact(event::Type type, std::string_view fields) {
  if (counts_before_) {
    out_.clear();
    return redact_rest(type, fields);
  }
  for (auto rest = fields; !rest.empty();) {
    auto from = rest;
    if (treatments_[static_cast<std::size_t>(take_field(rest).field)] == Treatment::kNone) continue;
    const auto* const place = from.data();
    auto field = take_field(from);
    if (!redact_field(type, field)) continue;
    out_.assign(fields.data(), place);
    field.bytes = masked_;
    put(field);
    return redact_rest(type, rest);
  }
  return {};
}

void FieldRedactor::put(const EncodedField& field) {
  if (field.field == Field::kAttributes) {
    attributes_ = field.bytes;
  } else {
    append_encoded(out_, field);
  }
}

std::string_view FieldRedactor::redact_rest(event::Type type, std::string_view rest) {
  while (!rest.empty()) {
    auto field = take_field(rest);
    if (redact_field(type, field)) field.bytes = masked_;
    put(field);
  }
  total_ += counts_.total();
  const auto text = with_member(counts_member(), std::exchange(attributes_, {}));
  counts_.clear();
  counts_before_ = false;
  append_encoded(out_, {.field = Field::kAttributes, .kind = EncodedKind::kObject, .bytes = text});
  return out_;
}

}  // namespace weir::record
