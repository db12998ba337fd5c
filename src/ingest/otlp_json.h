#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/json_pull.h"
#include "ingest/otlp_decoders.h"

/// What the JSON decoders of all three signals have in common (the JSON mapping of OTLP, lenient:
/// null is a value's default everywhere, numbers may be strings, enums names). A value of the wrong
/// type is a problem of its record; only what is no JSON is one of the whole request.
namespace weir::ingest::otlp {

/// Reads the values of a record's fields. What it returns of one that has none is the default.
class JsonFields {
 public:
  explicit JsonFields(std::string_view body) : reader(body) {}

  json::PullReader reader;

  /// `name` is the field's, for what is wrong with it.
  std::string_view text(std::string_view name, Problem& problem);
  std::uint64_t count(std::string_view name, Problem& problem);
  /// Of 32 bits; a larger one is the largest, a negative one 0.
  std::uint32_t count32(std::string_view name, Problem& problem);
  std::int32_t integer32(std::string_view name, Problem& problem);
  Nanoseconds time(std::string_view name, Problem& problem);
  double number(std::string_view name, Problem& problem);
  bool boolean(std::string_view name, Problem& problem);
  /// A number, or `prefix` and one of `names`, which are in the order of their numbers.
  std::uint32_t choice(std::string_view name, std::string_view prefix,
                       std::span<const std::string_view> names, Problem& problem);
  void id(Id& id, std::size_t digits, std::string_view name, Problem& problem);
  Scalar integer(std::string_view name, Problem& problem);

  /// An AnyValue: returned and put into `json`.
  Scalar any_value(JsonText& json, Problem& problem, int depth = 0);
  struct KeyValue {
    std::string_view key;
    Scalar value;
  };
  /// A KeyValue, also as a member of `json`.
  KeyValue key_value(JsonText& json, Problem& problem, int depth = 0);
  /// A list of KeyValues as members of `json`, and in `known` those that are.
  void attributes(JsonText& json, KnownValues& known, Problem& problem);
  /// The same of a record's own.
  void attributes(Attributes& attributes, Problem& problem);

  /// Gives `each` every key of an object, when its value is next. False: there is no object, which
  /// is a problem unless it is null.
  template <class Each>
  bool object(std::string_view name, Problem& problem, const Each& each) {
    if (!expect(json::Kind::kObject, name, problem)) return false;
    reader.begin_object();
    for (std::string_view key; reader.next_member(key);) each(key);
    return true;
  }
  /// Calls `each` before every item.
  template <class Each>
  void list(std::string_view name, Problem& problem, const Each& each) {
    if (!expect(json::Kind::kArray, name, problem)) return;
    reader.begin_array();
    while (reader.next_item()) each();
  }

  [[nodiscard]] std::optional<Malformed> malformed() const {
    if (!reader.failed()) return {};
    return Malformed{.what = reader.what(), .offset = reader.offset()};
  }

 private:
  /// Whether such a value comes next; another one is skipped, and a problem unless it is null.
  bool expect(json::Kind kind, std::string_view name, Problem& problem);
  /// A number, or a string that holds one: its text, empty of another value.
  std::string_view number_text(std::string_view name, Problem& problem);
  void nested(std::string_view kind, JsonText& json, Problem& problem, int depth);
  Scalar known_value(std::string_view kind, JsonText& json, Problem& problem, int depth);
};

/// What the lists of a signal are called.
struct ListNames {
  std::string_view of_resources, of_scopes, of_records;
};

/// Goes through a request: gives the mapper resources and scopes, and calls `each` where a record
/// is next.
class JsonRequest {
 public:
  JsonRequest(JsonFields& fields, Mapper& mapper, ListNames names)
      : fields_(fields), mapper_(mapper), names_(names) {}

  template <class Each>
  std::optional<Malformed> read(const Each& each) {
    read_body(each, 0);
    fields_.reader.end();
    return fields_.malformed();
  }

 private:
  template <class Each>
  void read_body(const Each& each, int depth) {
    auto& reader = fields_.reader;
    reader.begin_object();
    for (std::string_view key; reader.next_member(key);) {
      if (key == names_.of_resources) {
        each_item([&] { read_resource(each); });
      } else if (key == "result" && depth == 0 && reader.peek() == json::Kind::kObject) {
        read_body(each, 1);  // as Jaeger's answers have it
      } else {
        reader.skip();
      }
    }
  }

  template <class Each>
  void read_resource(const Each& each) {
    find_scopes();
    mapper_.begin_resource();
    const auto* const after = fields_.reader.position();
    const auto scopes = std::move(deferred_scopes_);
    for (const auto* const list : scopes) {
      fields_.reader.go_to(list);
      each_item([&] { read_scope(each); });
    }
    fields_.reader.go_to(after);
  }

  template <class Each>
  void read_scope(const Each& each) {
    find_records();
    mapper_.begin_scope();
    const auto* const after = fields_.reader.position();
    const auto records = std::move(deferred_records_);
    for (const auto* const list : records) {
      fields_.reader.go_to(list);
      each_item(each);
    }
    fields_.reader.go_to(after);
  }

  /// Of a list, which may be null.
  template <class Each>
  void each_item(const Each& each) {
    auto& reader = fields_.reader;
    if (reader.peek() == json::Kind::kNull) return reader.null();
    reader.begin_array();
    while (reader.next_item()) each();
  }

  /// Read the resource and the scope, wherever they stand, and find where the lists begin.
  void find_scopes();
  void find_records();

  JsonFields& fields_;
  Mapper& mapper_;
  const ListNames names_;
  std::vector<const char*> deferred_scopes_, deferred_records_;
};

}  // namespace weir::ingest::otlp
