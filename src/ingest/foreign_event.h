#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/time.h"
#include "event/field_value.h"
#include "event/redaction.h"

namespace weir::ingest {

/// What many events of a request say in `attributes`, masked once for all of them: JSON members.
/// LineMaker makes it.
struct SharedAttributes {
  std::string members;
  event::RedactionCounts masked;
};

/// One event of another system as its decoder says it. Views, read before the call that takes them
/// returns.
struct ForeignEvent {
  Timestamp timestamp;
  event::Type type = event::Type::kCustom;
  event::Level level = event::Level::kInfo;
  std::string_view pipeline_type = "external";
  std::string_view pipeline_id;
  std::string_view pipeline_version;
  RunId run_id;
  /// What its producer calls it: of two events of a run with one key the second is dropped. Empty:
  /// its place in the request, which `fields` has no key for.
  std::string_view key;
  /// All others, in the order of the catalogue, the key among them; without run_seq and tenant_id.
  /// Of kCustom the name is the field event_type.
  std::span<const event::FieldValue> fields;
  /// Stands at the end of the last member of `attributes`, which `fields` has then and which is an
  /// object; null: nothing does.
  const SharedAttributes* shared = nullptr;
};

/// The run that another system calls by `id`, which is no UUID: the UUIDv8 (RFC 9562) of the
/// SHA-256 of `source`, a newline and `id`.
[[nodiscard]] RunId foreign_run_id(std::string_view source, std::string_view id);

}  // namespace weir::ingest
