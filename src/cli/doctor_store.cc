#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "cli/doctor.h"
#include "log/cursor.h"
#include "log/follower.h"
#include "log/manifest.h"
#include "log/run_lock.h"
#include "log/seal_chain.h"
#include "log/segment.h"
#include "report/status_board.h"
#include "store/compaction.h"
#include "store/history.h"
#include "store/query.h"

namespace weir::cli {
namespace {

/// Of segments that are read to the end. More is weir verify's.
constexpr std::uint64_t kMostRead = 512 * kMiB;
/// A reader of the log that is further behind is asked about.
constexpr std::uint64_t kMostBehind = 256 * kMiB;

Finding damage(std::string name, std::string what) {
  return {std::move(name), Verdict::kFail, std::move(what),
          "weir verify says all; restore what is damaged from a backup", true};
}

std::string place_text(const store::BadPlace& place) {
  auto text = place.file.filename().string();
  if (place.offset > 0) text += " at byte " + std::to_string(place.offset);
  return text + ": " + place.reason;
}

/// Whether some process writes it now.
bool is_written(const log::StoreDirectory& store, const log::SegmentName& name) {
  const auto file = File::open_to_read(store.segment(name), store.files());
  return file && !file->try_lock(LockKind::kShared).value_or(true);
}

class StoreExamination {
 public:
  StoreExamination(const log::StoreDirectory& store, std::vector<Finding>& findings)
      : store_(store), findings_(findings) {}

  void examine() {
    const auto manifest = log::read_manifest(store_);
    if (!manifest) return findings_.push_back(damage("store", manifest.error().message));
    const auto names = store_.segment_names();
    if (!names) return findings_.push_back(damage("store", names.error().message));
    for (const auto& name : *names) {
      if (!manifest->has_replaced(name)) segments_.push_back(name);
    }
    if (!manifest->damage().empty()) findings_.push_back(damage("manifest", manifest->damage()));
    findings_.push_back({"store", Verdict::kOk,
                         "format " + std::to_string(log::kFormatVersion) + ", " +
                             text::count(manifest->parts().size(), "part") + ", " +
                             text::count(segments_.size(), "segment")});
    examine_parts(*manifest);
    examine_segments();
    examine_seals();
    examine_quarantine();
    examine_compaction();
    examine_cursors();
    examine_times();
    examine_runs();
  }

 private:
  void examine_parts(const log::Manifest& manifest) {
    std::vector<store::BadPlace> bad;
    const auto whole =
        store::whole_parts(store_, manifest, [](const log::Part&) { return true; }, bad);
    if (!bad.empty()) return report_bad("parts", bad);
    if (!whole.empty())
      findings_.push_back(
          {"parts", Verdict::kOk, text::count(whole.size(), "file") + " as long as written"});
  }

  void examine_segments() {
    std::vector<store::BadPlace> bad;
    std::uint64_t read = 0;
    std::size_t count = 0;
    for (const auto& name : segments_) {
      std::error_code error;
      const auto size = std::filesystem::file_size(store_.segment(name), error);
      if (error || read + size > kMostRead) break;
      read += size;
      ++count;
      read_segment(name, bad);
    }
    if (!bad.empty()) return report_bad("segments", bad);
    auto what = text::count(count, "segment") + " read";
    if (count < segments_.size())
      what += ", " + std::to_string(segments_.size() - count) + " left to weir verify";
    findings_.push_back({"segments", Verdict::kOk, std::move(what)});
  }

  void read_segment(const log::SegmentName& name, std::vector<store::BadPlace>& bad) const {
    const auto path = store_.segment(name);
    auto reader = log::SegmentReader::open(path, store_.files());
    if (!reader) {
      // It may have been compacted and removed since.
      if (reader.error().code != ErrorCode::kNotFound)
        bad.push_back({path, 0, reader.error().message});
      return;
    }
    while (true) {
      const auto commit = reader->next_commit();
      if (!commit) bad.push_back({path, reader->offset(), commit.error().message});
      if (!commit || !*commit) break;
    }
    for (const auto& place : reader->damage()) bad.push_back({path, place.offset, place.reason});
    // A writer may be in the middle of a commit.
    if (is_written(store_, name)) return;
    for (const auto& place : reader->suspects()) bad.push_back({path, place.offset, place.reason});
  }

  void report_bad(const std::string& name, const std::vector<store::BadPlace>& bad) {
    auto what = place_text(bad.front());
    if (bad.size() > 1) what += ", and " + std::to_string(bad.size() - 1) + " more";
    findings_.push_back(damage(name, std::move(what)));
  }

  void examine_seals() {
    const auto chain = log::SealChain::read(store_);
    if (!chain) return findings_.push_back(damage("seals", chain.error().message));
    if (!chain->damage().empty()) {
      return findings_.push_back(damage(
          "seals", "the chain is broken in " + text::count(chain->damage().size(), "place")));
    }
    std::size_t open = 0;
    for (const auto& name : segments_) {
      if (!chain->seals().contains(name) && !is_written(store_, name)) ++open;
    }
    findings_.push_back(
        {"seals", open == 0 ? Verdict::kOk : Verdict::kWarn,
         text::count(chain->seals().size(), "seal") +
             (open == 0
                  ? ""
                  : ", " + text::count(open, "segment") + " without one and without a writer"),
         open == 0 ? "" : "left by a crash; the next command that records seals them"});
  }

  void examine_quarantine() {
    const auto names = list_directory(store_.quarantine(), store_.files());
    if (!names || names->empty()) return;
    findings_.push_back({"quarantine", Verdict::kWarn, text::count(names->size(), "file"),
                         "bytes that looked like events and were not as written: look at " +
                             store_.quarantine().string() + ", then remove them"});
  }

  void examine_compaction() {
    const auto due = store::is_compaction_due(store_);
    if (!due) return;
    findings_.push_back({"compaction", *due ? Verdict::kWarn : Verdict::kOk,
                         *due ? "due" : "not due",
                         *due ? "weir compact, or the next weir run does it" : ""});
  }

  void examine_cursors() {
    const auto names = log::cursor_names(store_);
    if (!names || names->empty()) return;
    std::vector<std::string> late;
    for (const auto& name : *names) {
      const auto cursor = log::read_cursor(store_, name);
      const auto behind =
          cursor ? log::remainder(store_, cursor->cursor) : std::unexpected(cursor.error());
      if (behind && behind->bytes > kMostBehind)
        late.push_back(name + " (" + std::to_string(behind->bytes / kMiB) + " MiB)");
    }
    findings_.push_back(
        {"readers", late.empty() ? Verdict::kOk : Verdict::kWarn,
         late.empty() ? text::count(names->size(), "cursor") + ", none far behind"
                      : "far behind: " + text::join(late),
         late.empty()
             ? ""
             : "segments are kept for them up to a day, and small parts are not merged; who is not "
               "there any more is forgotten with its file: rm " +
                   (store_.root() / "cursors" / "NAME.json").string()});
  }

  void examine_times() {
    const auto newest = [this] -> Result<std::optional<Timestamp>> {
      // Of a damaged part the log's own check tells.
      WEIR_TRY(const auto views, store::open_views(store_, std::make_shared<store::BadPlaces>()));
      WEIR_TRY(auto connection, views.database.connect());
      WEIR_TRY(auto rows, connection.query("SELECT epoch_us(max(timestamp)) FROM events"));
      const auto* row = rows.next();
      const auto* value = row == nullptr ? nullptr : row->front().integer();
      if (value == nullptr) return std::optional<Timestamp>();
      return Timestamp(std::chrono::microseconds(*value));
    }();
    const auto time = newest.value_or(std::nullopt);
    if (!time) return;
    const auto ahead = *time - system_clock().now();
    const bool is_future = ahead > std::chrono::minutes(1);
    findings_.push_back(
        {"times", is_future ? Verdict::kWarn : Verdict::kOk,
         "the newest event is of " + to_string(*time).substr(0, 19) + "Z",
         is_future ? "that is in the future: set this clock, or a producer's" : ""});
  }

  void examine_runs() {
    auto board = report::StatusBoard::read(store_);
    if (!board) return findings_.push_back({"runs", Verdict::kFail, board.error().message});
    const auto status = board->status();
    if (!status) return findings_.push_back({"runs", Verdict::kFail, status.error().message});
    const auto going = status->going();
    const auto lost = status->runs.size() - going + status->older_lost;
    findings_.push_back(
        {"runs", lost == 0 ? Verdict::kOk : Verdict::kWarn,
         std::to_string(going) + " going on" +
             (lost == 0 ? "" : ", " + std::to_string(lost) + " lost their process"),
         lost == 0 ? "" : "weir status says which; weir resume RUN goes on with one"});
  }

  const log::StoreDirectory& store_;
  std::vector<Finding>& findings_;
  std::vector<log::SegmentName> segments_;
};

}  // namespace

void examine_store(const log::StoreDirectory& store, std::vector<Finding>& findings) {
  StoreExamination(store, findings).examine();
}

}  // namespace weir::cli
