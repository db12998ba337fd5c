#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "event/redaction.h"
#include "ingest/event_key.h"
#include "ingest/foreign_event.h"
#include "record/field_redaction.h"
#include "record/line.h"

namespace weir::ingest {

/// Events of one request as lines of the log that want only their numbers.
struct EventLines {
  /// Of one line. Ends where the next begins.
  struct Place {
    std::size_t begin = 0;
    std::size_t number = 0;  ///< where the text of run_seq begins
    EventKey key;
  };
  std::string text;
  std::vector<Place> places;

  [[nodiscard]] std::size_t size() const { return places.size(); }
  [[nodiscard]] std::string_view line(std::size_t i) const {
    const auto end = i + 1 < places.size() ? places[i + 1].begin : text.size();
    return std::string_view(text).substr(places[i].begin, end - places[i].begin);
  }
};

/// run_seq of an event of another system: microseconds since 1970, of so many digits until 2286.
/// Numbers of our own runs are far below.
inline constexpr std::size_t kNumberDigits = 16;
inline constexpr std::int64_t kLeastNumber = 1'000'000'000'000'000;

/// What a producer may say at most in the fields by which events, runs and pipelines are known:
/// they stand in every line, and are never cut by what is too long for one.
inline constexpr std::size_t kMaxIdBytes = 1024;

/// What a pipeline of others is called whose name is event::kOwnPipeline.
inline constexpr std::string_view kTheirWeir = "external.weir";

/// Makes the lines of a request's events: masks what must not be written, cuts what is too long,
/// gives an event without a key one, and one of a pipeline that is called as Weir's own runs are
/// another name (kTheirWeir).
///
/// Memory  The lines of a request are one commit: beyond log::kMaxCommitBytes there are none, and
///         `take` says so. Many events may share what is said once in a request, which may be short
///         and packed: what counts is what was written for each, also where that was cut.
/// Threads One.
class LineMaker {
 public:
  /// `tenant` may be empty. `request` and what `name_by_content` is given tell requests apart: of
  /// them the keys of events are made that have none.
  LineMaker(const event::Redactor& redactor, std::string_view tenant, std::string_view request);

  /// Makes room for lines of so many bytes; there may be more or less.
  void expect(std::size_t bytes) { lines_.text.reserve(lines_.text.size() + bytes); }
  /// What events of `type` may say of `members` (JSON) in the member `name` of their attributes.
  [[nodiscard]] SharedAttributes share(event::Type type, std::string_view name,
                                       std::string_view members) const;
  /// Tells requests apart by what they say, too, which outlives this.
  void name_by_content(std::string_view content) { content_ = content; }
  /// Of which runs nothing is taken: those whose owner alone says what happens in them.
  void refuse_runs(std::function<bool(const RunId&)> is_refused) {
    is_refused_ = std::move(is_refused);
  }
  /// Whether events of a run are taken. Asked once for the events of one run that follow each
  /// other.
  [[nodiscard]] bool takes(const RunId& run);
  /// What of the request was not the caller's to say, the first time; empty: nothing.
  [[nodiscard]] const std::string& denied() const { return denied_; }
  void deny(std::string why) {
    if (denied_.empty()) denied_ = std::move(why);
  }

  [[nodiscard]] std::string_view tenant() const { return tenant_; }
  /// Of a run that `takes` takes. False: there is no room for it, nor for what comes after it, and
  /// the rest of the request need not be read.
  [[nodiscard]] bool add(const ForeignEvent& event);
  [[nodiscard]] bool is_full() const { return is_full_; }
  /// How many were added.
  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  /// Takes back all but the first `size`.
  void cut_to(std::size_t size);
  /// Errors: kExhausted when there were more than fit, and then there are none.
  [[nodiscard]] Result<EventLines> take();

 private:
  void set_head(const ForeignEvent& event);
  [[nodiscard]] const std::string& request();
  void append(const record::Line& line, const SharedAttributes* shared);
  [[nodiscard]] std::string_view encode(std::span<const event::FieldValue> fields);

  record::FieldRedactor redactor_;
  record::LineRenderer renderer_{record::Repeats::kNone};
  const std::string tenant_;
  std::string request_;
  std::string_view content_;  // its hash is part of request_, once that is asked for; or empty
  std::function<bool(const RunId&)> is_refused_;
  std::optional<std::pair<RunId, bool>> last_asked_;
  std::string denied_;
  std::vector<record::RenderedField> constants_;
  // Of the last event: from after the level to the number, and what that says.
  std::string head_;
  RunId run_id_;
  std::string pipeline_type_, pipeline_id_, pipeline_version_;
  std::string encoded_;
  std::vector<event::FieldValue> fields_;
  std::string key_;
  EventLines lines_;
  std::size_t written_ = 0;  // bytes, those among them that were cut off
  bool is_full_ = false;
};

}  // namespace weir::ingest
