#include "record/field_redaction.h"

#include "record/encoding.h"
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

bool FieldRedactor::redact_field(event::Type type, Field field, std::string_view bytes,
                                 bool is_json) {
  auto kind = TextKind::kField;
  switch (treatments_[static_cast<std::size_t>(field)]) {
    case Treatment::kNone:
      return false;
    case Treatment::kNamed:
      return redactor_.redact_value(event::info(field).name, bytes, kind, masked_, counts_);
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
      if (type == event::Type::kLog) kind = TextKind::kMessage;
      if (type == event::Type::kNodeIo) kind = TextKind::kNodeInput;
      break;
  }
  return is_json ? redactor_.redact_json(bytes, kind, masked_, counts_)
                 : redactor_.redact_text(bytes, kind, masked_, counts_);
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

std::optional<std::string_view> FieldRedactor::redact(event::Type type, std::string_view fields) {
  bool any = false;
  std::string attributes;
  for (auto rest = fields; !rest.empty();) {
    const auto* const place = rest.data();
    auto field = take_field(rest);
    const bool is_text = field.kind == EncodedKind::kString || field.kind == EncodedKind::kObject;
    const bool masked =
        is_text && redact_field(type, field.field, field.bytes, field.kind == EncodedKind::kObject);
    if (masked && !any) {
      any = true;
      out_.assign(fields.data(), place);
    }
    if (!any) continue;
    if (masked) field.bytes = masked_;
    if (field.field == Field::kAttributes) {
      attributes = field.bytes;
    } else {
      append_encoded(out_, field);
    }
  }
  if (!any) return {};
  total_ += counts_.total();
  const auto text = with_member(counts_member(), attributes);
  counts_.clear();
  append_encoded(out_, {.field = Field::kAttributes, .kind = EncodedKind::kObject, .bytes = text});
  return out_;
}

}  // namespace weir::record
