#include "ingest/event_lines.h"

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"
#include "event/observed.h"
#include "ingest/rejections.h"
#include "log/segment.h"
#include "record/encoding.h"

namespace weir::ingest {

using event::Field;

namespace {

/// What comes from outside is never taken for what Weir says about itself.
std::string_view settled_pipeline(std::string_view id) {
  return id == event::kOwnPipeline ? kTheirWeir : utf8::cut(id, kMaxIdBytes);
}

/// The encoded fields with what is shared where it stands in the line.
std::string with_shared(std::string_view fields, const SharedAttributes* shared) {
  std::string whole, attributes;
  while (!fields.empty()) {
    auto field = record::take_field(fields);
    if (field.field == Field::kAttributes && shared != nullptr && field.bytes.ends_with("}}")) {
      attributes = field.bytes.substr(0, field.bytes.size() - 2);
      if (!attributes.ends_with('{')) attributes += ',';
      field.bytes = attributes.append(shared->members).append("}}");
    }
    record::append_encoded(whole, field);
  }
  return whole;
}

}  // namespace

LineMaker::LineMaker(const event::Redactor& redactor, std::string_view tenant,
                     std::string_view request)
    : redactor_(redactor), tenant_(tenant), request_(request) {
  if (!tenant_.empty()) {
    constants_.push_back(record::render({Field::kTenantId, std::string_view(tenant_)}));
  }
}

/// Mostly it is the same as of the event before.
void LineMaker::set_head(const ForeignEvent& event) {
  if (!head_.empty() && event.run_id == run_id_ && event.pipeline_id == pipeline_id_ &&
      event.pipeline_version == pipeline_version_ && event.pipeline_type == pipeline_type_) {
    return;
  }
  run_id_ = event.run_id;
  pipeline_type_ = event.pipeline_type;
  pipeline_id_ = event.pipeline_id;
  pipeline_version_ = event.pipeline_version;
  head_.clear();
  const auto put = [this](std::string_view name, std::string_view text) {
    head_.append(name);
    json::append_string(head_, text);
  };
  put(R"(,"pipeline_type":)", pipeline_type_);
  put(R"(,"pipeline_id":)", settled_pipeline(pipeline_id_));
  put(R"(,"pipeline_version":)", utf8::cut(pipeline_version_, kMaxIdBytes));
  put(R"(,"run_id":)", run_id_.text());
  head_.append(R"(,"run_seq":)");
}

bool LineMaker::takes(const RunId& run) {
  if (!is_refused_) return true;
  if (!last_asked_ || last_asked_->first != run) last_asked_ = {run, is_refused_(run)};
  if (last_asked_->second) deny(not_ours_to_tell(run));
  return !last_asked_->second;
}

/// Hashing a whole request takes as long as half of the rest, and most events have keys.
const std::string& LineMaker::request() {
  constexpr std::size_t kDigits = 32;
  if (!content_.empty()) {
    request_.append("\n").append(sha256(std::exchange(content_, {})).text());
    request_ = sha256(request_).text().substr(0, kDigits);
  }
  return request_;
}

SharedAttributes LineMaker::share(event::Type type, std::string_view name,
                                  std::string_view members) const {
  SharedAttributes shared;
  if (members.empty()) return shared;
  // In its place: a rule may be for a path.
  std::string begin = "{";
  json::append_string(begin, name);
  begin += ":{";
  const auto object = begin + std::string(members) + "}}";
  shared.members = redactor_.redact_part(type, object, shared.masked);
  // Unless all of it was masked, which is for a policy that hides this member whole.
  if (shared.members.starts_with(begin) && shared.members.ends_with("}}")) {
    shared.members = shared.members.substr(begin.size());
    shared.members.resize(shared.members.size() - 2);
  } else {
    shared.members.clear();
  }
  return shared;
}

/// A line ends with its attributes, and these with the object that the shared ones are put into.
void LineMaker::append(const record::Line& line, const SharedAttributes* shared) {
  auto& text = lines_.text;
  renderer_.append(text, line);
  static constexpr std::string_view kEnd = "}}}\n";
  if (shared == nullptr || shared->members.empty() || !text.ends_with(kEnd)) return;
  text.resize(text.size() - kEnd.size());
  if (text.back() != '{') text += ',';
  text.append(shared->members).append(kEnd);
}

/// Into memory that is kept, without asking first how much it takes.
std::string_view LineMaker::encode(std::span<const event::FieldValue> fields) {
  const auto try_to = [&] {
    auto* const begin = reinterpret_cast<std::byte*>(encoded_.data());
    const auto* const end = record::encode(fields, begin, begin + encoded_.size());
    return end != nullptr ? end - begin : -1;
  };
  auto size = try_to();
  if (size < 0) {
    encoded_.resize(2 * record::encoded_size(fields));
    size = try_to();
  }
  return std::string_view(encoded_).substr(0, static_cast<std::size_t>(size));
}

bool LineMaker::add(const ForeignEvent& event) {
  if (is_full_) return false;
  set_head(event);
  auto fields = event.fields;
  auto key = event.key;
  if (key.empty()) {
    key_ = request() + '.' + std::to_string(lines_.size());
    key = key_;
    fields_.assign(fields.begin(), fields.end());
    const auto after = std::ranges::find_if(
        fields_, [](const auto& field) { return field.field > Field::kIdempotencyKey; });
    fields_.insert(after, {Field::kIdempotencyKey, key});
    fields = fields_;
  }
  auto bytes = encode(fields);
  if (event.shared != nullptr && event.shared->masked.total() > 0) {
    redactor_.count_before(event.shared->masked);
  }
  if (const auto masked = redactor_.redact(event.type, bytes)) bytes = *masked;

  auto& text = lines_.text;
  const auto begin = text.size();
  record::Line line{.timestamp = event.timestamp,
                    .type = event.type,
                    .level = event.level,
                    .run = head_,
                    .seq = kLeastNumber,
                    .fields = bytes,
                    .constants = constants_};
  append(line, event.shared);
  written_ += text.size() - begin;
  if (written_ > log::kMaxCommitBytes) {
    is_full_ = true;
    lines_ = {};
    return false;
  }
  if (text.size() - begin > log::kMaxEventBytes) {
    const auto cut = record::cut_fields(with_shared(bytes, event.shared));
    line.fields = cut;
    text.resize(begin);
    renderer_.append(text, line);
  }
  lines_.places.push_back({.begin = begin,
                           .number = begin + renderer_.number_offset(),
                           .key = EventKey::of(tenant_, event.run_id, key)});
  return true;
}

Result<EventLines> LineMaker::take() {
  if (!is_full_) return std::exchange(lines_, {});
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  return fail(ErrorCode::kExhausted,
              "the events of one request may have " + std::to_string(log::kMaxCommitBytes / kMiB) +
                  " MiB as they are stored, each with what it shares with others (the resource and "
                  "the scope of OTLP), and these have more: send fewer at once");
}

void LineMaker::cut_to(std::size_t size) {
  if (size >= lines_.size()) return;
  lines_.text.resize(lines_.places[size].begin);
  lines_.places.resize(size);
}

}  // namespace weir::ingest
