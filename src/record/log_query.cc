#include "record/log_query.h"

#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "event/decoder.h"
#include "log/segment.h"
#include "record/log_record.h"

namespace weir::record {
namespace {

using event::EventView;
using event::Field;
using Order = LogQuery::Order;

/// Of an error in a summary: it is to be looked at, and the whole is in the log.
constexpr std::size_t kMaxErrorBytes = 4096;

void read_commit(std::string_view lines, event::Decoder& decoder, LogRead& read,
                 const EventVisitor& visit) {
  read.bytes += lines.size();
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    const auto line = lines.substr(0, end);
    lines.remove_prefix(line.size() + 1);
    ++read.events;
    const auto event = decoder.decode(line);
    if (event) {
      visit(**event, line);
    } else {
      ++read.skipped_events;
    }
  }
}

Result<LogRead> read_segments(const log::StoreDirectory& store, const EventVisitor& visit) {
  LogRead read;
  WEIR_TRY(const auto paths, store.segments());
  event::Decoder decoder;
  for (const auto& path : paths) {
    auto reader = log::SegmentReader::open(path, store.files());
    // Compacted since it was listed.
    if (!reader && reader.error().code == ErrorCode::kNotFound) continue;
    if (!reader) return std::unexpected(std::move(reader).error());
    ++read.segments;
    while (true) {
      WEIR_TRY(const auto commit, reader->next_commit());
      if (!commit) break;
      read_commit(commit->lines, decoder, read, visit);
    }
    for (const auto& damage : reader->damage()) read.damaged_bytes += damage.size;
    for (const auto& suspect : reader->suspects()) read.damaged_bytes += suspect.size;
  }
  return read;
}

/// The first few of many lines, by time, within `limit` and kMaxQueryBytes.
class First {
 public:
  First(std::size_t limit, Order order) : limit_(limit), kept_(Before{order}) {}

  void offer(Timestamp timestamp, std::string_view line) {
    Entry entry{.timestamp = timestamp, .number = offered_++, .line = {}};
    const bool is_full = kept_.size() >= limit_;
    const auto before = kept_.key_comp();
    if (limit_ == 0 || (is_full && !before(entry, *kept_.rbegin()))) return;
    if (bound_ && !before(entry, *bound_)) return;
    if (is_full) drop_last();
    entry.line = line;
    bytes_ += line.size();
    kept_.insert(std::move(entry));
    while (bytes_ > kMaxQueryBytes) {
      bound_ = *kept_.rbegin();
      bound_->line.clear();
      drop_last();
    }
  }

  [[nodiscard]] bool is_cut() const { return bound_ && kept_.size() < limit_; }

  [[nodiscard]] std::vector<LogEntry> take() && {
    std::vector<LogEntry> entries;
    while (!kept_.empty()) {
      auto entry = std::move(kept_.extract(kept_.begin()).value());
      entries.push_back({entry.timestamp, std::move(entry.line)});
    }
    return entries;
  }

 private:
  struct Entry {
    Timestamp timestamp;
    std::uint64_t number;  // in the order of the log
    std::string line;
  };
  struct Before {
    Order order;
    bool operator()(const Entry& a, const Entry& b) const {
      const auto key_a = std::pair(a.timestamp, a.number), key_b = std::pair(b.timestamp, b.number);
      return order == Order::kOldestFirst ? key_a < key_b : key_b < key_a;
    }
  };

  void drop_last() {
    bytes_ -= kept_.rbegin()->line.size();
    kept_.erase(std::prev(kept_.end()));
  }

  std::size_t limit_;
  std::set<Entry, Before> kept_;
  std::size_t bytes_ = 0;
  std::uint64_t offered_ = 0;
  std::optional<Entry> bound_;  // nothing from here on: it was dropped for want of memory
};

void count(std::map<std::string, std::uint64_t, std::less<>>& counts, std::string_view name) {
  const auto found = counts.find(name);
  if (found != counts.end()) return static_cast<void>(++found->second);
  const bool is_full = counts.size() >= LogSummary::kMaxEventTypes;
  ++counts[is_full ? "(other)" : std::string(name)];
}

bool matches(const LogQuery& query, const EventView& event, std::string_view event_type) {
  return (query.event_type.empty() || event.type_name() == event_type) &&
         (query.node_name.empty() || node_name_of(event) == query.node_name) &&
         (!query.level || event.text(Field::kLevel) == event::to_string(*query.level)) &&
         (!query.run_id || event.run_id() == *query.run_id);
}

}  // namespace

EventSource segments_of(const log::StoreDirectory& store) {
  return [store](const EventVisitor& visit) { return read_segments(store, visit); };
}

Result<LogEntries> query_logs(const EventSource& events, const LogQuery& query) {
  if (query.limit > kMaxQueryLimit) {
    return fail(ErrorCode::kInvalidInput, "limit " + std::to_string(query.limit) + ": at most " +
                                              std::to_string(kMaxQueryLimit) +
                                              " events are answered");
  }
  const auto event_type = from_odibi_name(query.event_type);
  First first(query.limit, query.order);
  LogEntries result;
  WEIR_TRY(result.read, events([&](const EventView& event, std::string_view line) {
             if (matches(query, event, event_type)) first.offer(event.timestamp(), line);
           }));
  result.is_cut = first.is_cut();
  result.entries = std::move(first).take();
  return result;
}

Result<LogSummary> get_summary(const EventSource& events, const std::optional<RunId>& run_id) {
  LogSummary summary;
  First errors(LogSummary::kMaxErrors, Order::kOldestFirst);
  WEIR_TRY(summary.read, events([&](const EventView& event, std::string_view line) {
             if (run_id && event.run_id() != *run_id) return;
             const auto level = event.text(Field::kLevel);
             ++summary.total;
             count(summary.by_level, level);
             count(summary.by_event_type, event.type_name());
             if (level == "ERROR" || level == "FATAL") errors.offer(event.timestamp(), line);
           }));
  summary.file_size_mb = static_cast<double>(summary.read.bytes) / (1 << 20);
  event::Decoder decoder;
  for (const auto& [timestamp, line] : std::move(errors).take()) {
    WEIR_TRY(const auto* const event, decoder.decode(line));
    const auto error = event->text(Field::kErrorMessage);
    const auto text = error.empty() ? event->text(Field::kMessage) : error;
    summary.errors.push_back({.timestamp = timestamp,
                              .node_name = std::string(node_name_of(*event)),
                              .error = std::string(utf8::cut(text, kMaxErrorBytes))});
  }
  return summary;
}

}  // namespace weir::record
