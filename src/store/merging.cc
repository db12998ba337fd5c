#include "store/merging.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "log/cursor.h"
#include "store/part_merger.h"

namespace weir::store {
namespace {

class Merging {
 public:
  Merging(PartFolder& folder, const MergeLimits& limits, Timestamp now)
      : folder_(folder), limits_(limits), now_(now) {}

  Result<MergeReport> run() {
    WEIR_TRY(cursors_, log::registered_cursors(folder_.store()));
    while (true) {
      const auto ranges = ranges_now();
      const auto groups = merges(ranges, limits_);
      if (groups.empty()) return std::move(report_);
      const auto [begin, end] = groups.front();
      WEIR_TRY(merge({ranges.begin() + static_cast<std::ptrdiff_t>(begin),
                      ranges.begin() + static_cast<std::ptrdiff_t>(end)}));
    }
  }

 private:
  [[nodiscard]] std::vector<MergeRange> ranges_now() const {
    std::vector<MergeRange> ranges;
    for (const auto& part : folder_.manifest().parts()) {
      if (ranges.empty() || ranges.back().first != part.batch) {
        ranges.push_back({.first = part.batch, .last = part.last_batch});
      }
      auto& range = ranges.back();
      range.bytes += part.bytes;
      range.parts.push_back(part);
      if (left_.contains(part.file)) range.may_merge = false;
    }
    for (const auto& batch : folder_.manifest().batches()) {
      if (!has_segments(batch) && !is_needed(batch)) continue;
      const auto range = std::ranges::find_if(ranges, [&](const MergeRange& one) {
        return one.first <= batch.number && batch.number <= one.last;
      });
      if (range != ranges.end()) range->may_merge = false;
    }
    return ranges;
  }

  [[nodiscard]] bool has_segments(const log::Batch& batch) const {
    const auto& store = folder_.store();
    return std::ranges::any_of(batch.segments, [&](const auto& entry) {
      const auto& [writer, range] = entry;
      // They go from the first on.
      const auto path = store.segment({.writer = writer, .number = range.second});
      return store.files().exists(path.c_str());
    });
  }

  /// Who is behind it reads its parts: of a larger one it would get more again.
  [[nodiscard]] bool is_needed(const log::Batch& batch) const {
    return !std::ranges::all_of(
        cursors_, [&](const log::Cursor& cursor) { return log::has_passed(cursor, batch); });
  }

  Result<void> merge(const std::vector<MergeRange>& ranges) {
    const auto number = folder_.manifest().number() + 1;
    WEIR_TRY(open_session());
    std::map<std::pair<std::string, std::optional<std::string>>, std::vector<log::Part>> places;
    for (const auto& range : ranges) {
      for (const auto& part : range.parts) places[{part.date, part.tenant}].push_back(part);
    }
    std::vector<log::Part> made;
    std::uint64_t from = 0, into = 0, duplicates = 0;
    for (auto& [place, parts] : places) {
      if (parts.size() == 1 && parts.front().dead.empty()) {
        made.push_back(std::move(parts.front()));  // it stays the file that it is
        continue;
      }
      WEIR_CHECK(connection_.has_value());  // opened before
      auto merged = merge_parts(folder_, *connection_, parts, number);
      if (!merged) return leave(parts, std::move(merged).error());
      from += parts.size();
      auto whole = *std::move(merged);
      duplicates += whole.duplicates;
      if (!whole.part) continue;
      made.push_back(*std::move(whole.part));
      ++into;
    }
    WEIR_TRY(replace(ranges, std::move(made)));
    report_.from += from;
    report_.into += into;
    report_.duplicates += duplicates;
    return {};
  }

  Result<void> replace(const std::vector<MergeRange>& ranges, std::vector<log::Part> made) {
    const auto first = ranges.front().first, last = ranges.back().last;
    for (auto& part : made) {
      part.batch = first;
      part.last_batch = last;
    }
    for (const auto& part : folder_.manifest().parts()) {
      if (part.last_batch < first || part.batch > last) made.push_back(part);
    }
    return folder_.replace(folder_.manifest().with_parts(std::move(made), now_));
  }

  /// What cannot be read stays, and the rest goes on without its ranges.
  Result<void> leave(const std::vector<log::Part>& parts, Error error) {
    if (error.code == ErrorCode::kIo || error.code == ErrorCode::kExhausted) {
      return std::unexpected(std::move(error));
    }
    const auto before = left_.size();
    for (const auto& part : parts) {
      const auto file = folder_.to_read(part);
      if (file) continue;
      left_.insert(part.file);
      report_.left.push_back({.file = part.file, .reason = file.error().message});
    }
    if (left_.size() > before) return {};
    // Each is what was written: it is what DuckDB says of them together.
    for (const auto& part : parts) left_.insert(part.file);
    report_.left.push_back({.file = parts.front().file, .reason = std::move(error.message)});
    return {};
  }

  Result<void> open_session() {
    if (connection_) return {};
    WEIR_TRY(database_, Database::open_in_memory());
    WEIR_TRY(connection_, open_scratch_session(*database_, folder_.scratch()));
    return {};
  }

  PartFolder& folder_;
  const MergeLimits& limits_;
  const Timestamp now_;
  std::optional<Database> database_;
  std::optional<Connection> connection_;
  std::vector<log::Cursor> cursors_;  // registered
  std::set<std::string> left_;        // files
  MergeReport report_;
};

/// How far the ranges from `begin` on go together.
std::size_t end_of_merge(const std::vector<MergeRange>& ranges, std::size_t begin,
                         const MergeLimits& limits) {
  std::uint64_t bytes = 0, largest = 0;
  std::size_t parts = 0, good_end = begin;
  for (auto end = begin; end < ranges.size(); ++end) {
    const auto& range = ranges[end];
    bytes += range.bytes;
    parts += range.parts.size();
    largest = std::max(largest, range.bytes);
    if (!range.may_merge || range.bytes >= limits.small_bytes || bytes > limits.most_bytes ||
        parts > log::kMaxPartChanges / 2) {
      break;
    }
    if (end + 1 - begin >= limits.fewest && largest <= bytes - largest) good_end = end + 1;
  }
  return good_end;
}

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> merges(const std::vector<MergeRange>& ranges,
                                                        const MergeLimits& limits) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  for (std::size_t begin = 0; begin < ranges.size();) {
    const auto end = end_of_merge(ranges, begin, limits);
    if (end > begin) found.emplace_back(begin, end);
    begin = std::max(end, begin + 1);
  }
  return found;
}

Result<MergeReport> merge_small_parts(PartFolder& folder, const MergeLimits& limits,
                                      Timestamp now) {
  return Merging(folder, limits, now).run();
}

}  // namespace weir::store
