// What a follower reads from parts, since the segments that they have replaced are gone.

#include <algorithm>
#include <set>
#include <span>

#include "log/follower.h"

namespace weir::log {
namespace {

using Segments = std::vector<SegmentName>;

/// The parts that hold a batch; of several batches, if they were merged.
std::span<const Part> parts_of(const Manifest& manifest, std::uint64_t batch) {
  const auto& parts = manifest.parts();
  const auto after = std::ranges::upper_bound(parts, batch, {}, &Part::batch);
  if (after == parts.begin() || std::prev(after)->last_batch < batch) return {};
  const auto first = std::ranges::lower_bound(parts, std::prev(after)->batch, {}, &Part::batch);
  return {first, after};
}

std::span<const Batch> batches_between(const Manifest& manifest, std::uint64_t first,
                                       std::uint64_t last) {
  const auto& batches = manifest.batches();
  return {std::ranges::lower_bound(batches, first, {}, &Batch::number),
          std::ranges::upper_bound(batches, last, {}, &Batch::number)};
}

}  // namespace

/// What was not read and is gone. `names` are the segments that there are, listed after the
/// manifest was read.
void Follower::find_replaced(const Manifest& manifest, const Segments& names) {
  if (!replaced_.empty()) return;  // when these were read it looks again
  bool has_passed_all = true;
  for (const auto& batch : manifest.batches()) {
    if (batch.number <= cursor_.batches) continue;
    if (has_passed(cursor_, batch)) {
      if (has_passed_all) cursor_.batches = batch.number;
      continue;
    }
    has_passed_all = false;
    if (!replaced_.empty() && batch.number <= replaced_.back().last) continue;
    const auto gone = first_gone(batch, names);
    if (!gone) continue;
    const auto parts = parts_of(manifest, batch.number);
    auto& replaced = replaced_.emplace_back(Replaced{
        .first = parts.empty() ? batch.number : parts.front().batch,
        .last = parts.empty() ? batch.number : parts.front().last_batch,
        .parts = {parts.begin(), parts.end()},
        .gone = *gone,
    });
    for (const auto& one : batches_between(manifest, replaced.first, replaced.last)) {
      for (const auto& [writer, range] : one.segments) {
        auto& end = replaced.end[writer];
        end = std::max(end, Position{.segment = range.second + 1});
        const auto position = cursor_.of(writer);
        const bool was_read = one.number <= cursor_.batches || position > Position{range.first, 0};
        if (was_read && !replaced.again) replaced.again = SegmentName{writer, position.segment};
      }
    }
  }
}

/// The first segment of a batch that was not read and is not there. One that is open can be read.
std::optional<SegmentName> Follower::first_gone(const Batch& batch, const Segments& names) const {
  for (const auto& [writer, range] : batch.segments) {
    const auto position = cursor_.of(writer);
    const auto live = live_.find(writer);
    const bool is_open = live != live_.end() && live->second.reader.has_value();
    for (auto number = std::max(range.first, position.segment); number <= range.second; ++number) {
      if (is_open && number == position.segment) continue;
      SegmentName name{writer, number};
      if (!std::ranges::binary_search(names, name)) return name;
    }
  }
  return {};
}

/// The next events of the first batches that were replaced. Nothing when there are none.
Result<std::optional<FollowedCommit>> Follower::read_replaced() {
  auto& replaced = replaced_.front();
  if (!replaced.lines) {
    auto opened = options_.open_parts(store_, replaced.parts);
    if (!opened) {
      replaced_.clear();  // it is tried again with the next look
      return std::unexpected(std::move(opened).error());
    }
    replaced.lines = *std::move(opened);
    if (replaced.again) {
      on_problem_({.segment = *replaced.again,
                   .offset = cursor_.of(replaced.again->writer).offset,
                   .reason = "was compacted and removed before it was read to its end: what has "
                             "replaced it is read from its beginning, some events come again"});
    }
    if (!read_ahead(replaced)) return std::optional<FollowedCommit>();
  }
  lines_.swap(replaced.ahead);
  if (!lines_.empty() && !read_ahead(replaced)) return std::optional<FollowedCommit>();
  if (replaced.ahead.empty()) {
    pass(replaced);
    replaced_.pop_front();
    if (replaced_.empty()) next_look_ = next_manifest_look_ = {};
  }
  if (lines_.empty()) return std::optional<FollowedCommit>();
  return FollowedCommit{
      .lines = lines_,
      .events = static_cast<std::uint64_t>(std::ranges::count(lines_, '\n')),
      .is_of_parts = true,
  };
}

/// False when the parts were replaced meanwhile: then there is nothing to read any more before the
/// next look.
bool Follower::read_ahead(Replaced& replaced) {
  replaced.ahead.clear();
  while (true) {
    const auto got = replaced.lines();
    if (got) {
      if (const auto& lines = *got) replaced.ahead = *lines;
      return true;
    }
    FollowProblem problem{.segment = replaced.gone,
                          .reason = "of what has replaced it: " + got.error().message};
    const auto manifest = read_manifest(store_);
    if (manifest && !std::ranges::equal(parts_of(*manifest, replaced.first), replaced.parts)) {
      problem.reason += "; it was rewritten and is read again";
      replaced_.clear();
      next_look_ = next_manifest_look_ = {};
      on_problem_(problem);
      return false;
    }
    on_problem_(problem);
  }
}

void Follower::pass(const Replaced& replaced) {
  for (const auto& [writer, end] : replaced.end) {
    if (cursor_.of(writer) >= end) continue;
    cursor_.positions.insert_or_assign(writer, end);
    const auto live = live_.find(writer);
    if (live == live_.end()) continue;
    close(live->second);
    live->second.ask_for_lock = true;
    if (live->second.newest < end.segment) {
      live_.erase(live);
    } else {
      make_ready(writer, live->second);
    }
  }
}

/// After what parts hold that was read: of writers that the cursor need not name any more.
Position Follower::passed_in_parts(const Manifest& manifest, std::string_view writer) const {
  Position position = cursor_.of(writer);
  for (const auto& batch : batches_between(manifest, 0, cursor_.batches)) {
    const auto range = batch.segments.find(writer);
    if (range == batch.segments.end()) continue;
    position = std::max(position, Position{.segment = range->second.second + 1});
  }
  return position;
}

/// Leaves writers out of whom there is nothing any more. `manifest` may be unknown.
void Follower::forget_writers(const Segments& newest, const Manifest* manifest) {
  std::set<std::string_view> unread;  // or not known to be read by the number of a batch
  if (reads_parts()) {
    if (manifest == nullptr) return;
    for (const auto& batch : manifest->batches()) {
      if (batch.number <= cursor_.batches) continue;
      for (const auto& [writer, range] : batch.segments) unread.insert(writer);
    }
  }
  std::erase_if(cursor_.positions, [&](const auto& entry) {
    const auto& [writer, position] = entry;
    if (live_.contains(writer) || unread.contains(writer) ||
        std::ranges::binary_search(newest, writer, {}, &SegmentName::writer)) {
      return false;
    }
    // A writer that was read to the end has its position in a segment that never came.
    if (position.offset > 0 && (!options_.wants || options_.wants(writer))) {
      on_problem_({.segment = {writer, position.segment},
                   .offset = position.offset,
                   .reason = "was removed before it was finished"});
    }
    return true;
  });
}

}  // namespace weir::log
