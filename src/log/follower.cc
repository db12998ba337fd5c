#include "log/follower.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace weir::log {
namespace {

/// How often a follower looks at the manifest: more often than segments go that were replaced.
constexpr std::chrono::minutes kManifestInterval{1};

/// One a writer, the newest; by writer.
std::vector<SegmentName> newest_of_each(std::vector<SegmentName> names) {
  std::vector<SegmentName> newest;
  for (auto& name : names) {
    if (!newest.empty() && newest.back().writer == name.writer) newest.pop_back();
    newest.push_back(std::move(name));
  }
  return newest;
}

bool is_wanted(const WriterFilter& wants, std::string_view writer) {
  return !wants || wants(writer);
}

/// After the last commit. Negative where a writer whose sync failed has cut off what was read
/// before.
std::int64_t torn_bytes_of(const SegmentReader& reader) {
  return static_cast<std::int64_t>(reader.torn_bytes());
}

/// Whether no writer has the segment any more. Asking takes its lock for a moment.
Result<bool> has_free_lock(const StoreDirectory& store, const SegmentName& name) {
  WEIR_TRY(const auto file, File::open_to_read(store.segment(name), store.files()));
  return file.try_lock(LockKind::kShared);
}

}  // namespace

Follower::Follower(StoreDirectory store, Cursor from, ProblemHandler on_problem,
                   FollowerOptions options, Descriptor wake)
    : store_(std::move(store)),
      cursor_(std::move(from)),
      on_problem_(std::move(on_problem)),
      options_(std::move(options)),
      wake_(std::move(wake)) {}

Result<Follower> Follower::open(StoreDirectory store, Cursor from, ProblemHandler on_problem,
                                FollowerOptions options) {
  Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.is_open()) return fail_errno("eventfd");
  Follower follower(std::move(store), std::move(from), std::move(on_problem), std::move(options),
                    std::move(wake));
  // Before the first look: what is made after it is heard of. Without a watch it looks now and
  // then.
  auto watch = follower.options_.watch(follower.store_.log());
  if (watch) follower.watch_.emplace(*std::move(watch));
  WEIR_TRY(follower.look_at_all());
  return follower;
}

void Follower::wake() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.number(), &one, sizeof one));
}

Result<std::optional<FollowedCommit>> Follower::next(std::chrono::milliseconds wait) {
  constexpr std::chrono::hours kLongest{24};
  const auto deadline =
      std::chrono::steady_clock::now() + std::min<std::chrono::milliseconds>(wait, kLongest);
  while (true) {
    WEIR_TRY(take_changes());
    while (!replaced_.empty() || !ready_.empty()) {
      if (!replaced_.empty()) {
        WEIR_TRY(auto commit, read_replaced());
        if (commit) return commit;
        continue;
      }
      const auto writer = std::move(ready_.front());
      ready_.pop_front();
      const auto found = live_.find(writer);
      if (found == live_.end()) continue;
      found->second.is_ready = false;
      WEIR_TRY(auto commit, read(writer, found->second));
      if (commit) return commit;
    }
    WEIR_TRY(const bool goes_on, await(deadline));
    if (!goes_on) return std::optional<FollowedCommit>();
  }
}

/// Until there may be something to read: false when there is nothing in time, or it was woken.
Result<bool> Follower::await(Time deadline) {
  auto now = std::chrono::steady_clock::now();
  if (now < deadline) {
    const auto until = std::max(std::min(deadline, next_look_), now);
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
    std::array<pollfd, 2> awaited = {
        {{wake_.number(), POLLIN, 0}, {watch_ ? watch_->descriptor() : -1, POLLIN, 0}}};
    ::poll(awaited.data(), awaited.size(), static_cast<int>(timeout));
    if (awaited[0].revents != 0) {
      std::uint64_t count = 0;
      static_cast<void>(!::read(wake_.number(), &count, sizeof count));
      return false;
    }
    now = std::chrono::steady_clock::now();
    if (awaited[1].revents != 0) return true;
  }
  if (now >= next_look_) {
    WEIR_TRY(look_at_all());
    if (!ready_.empty() || !replaced_.empty()) return true;
  }
  return now < deadline;
}

Result<void> Follower::take_changes() {
  if (!watch_) return {};
  const auto changes = watch_->take();
  if (watch_->descriptor() < 0) watch_.reset();
  if (changes.incomplete) return look_at_all();
  for (const auto& file_name : changes.names) {
    if (const auto name = SegmentName::parse(file_name)) note(*name);
  }
  return {};
}

Result<void> Follower::look_at_all() {
  // After a failure it is not tried at once again.
  const auto now = std::chrono::steady_clock::now();
  next_look_ = now + options_.look_interval;
  // Before the segments: see docs/formats/parts.md. If it cannot be read, who needs it says so.
  std::optional<Manifest> manifest;
  if (reads_parts() && now >= next_manifest_look_) {
    next_manifest_look_ = now + kManifestInterval;
    if (auto read = read_manifest(store_)) manifest = *std::move(read);
  }
  WEIR_TRY(auto names, store_.segment_names());
  if (manifest) find_replaced(*manifest, names);
  const auto newest = newest_of_each(std::move(names));
  for (const auto& name : newest) note(name);
  for (auto& [writer, live] : live_) {
    live.ask_for_lock = true;
    make_ready(writer, live);
  }
  forget_writers(newest, manifest ? &*manifest : nullptr);
  next_look_ = std::chrono::steady_clock::now() + options_.look_interval;
  return {};
}

/// There is, or was, a segment of this name, and perhaps more in it than before.
void Follower::note(const SegmentName& name) {
  if (name.number < cursor_.of(name.writer).segment) return;
  if (!is_wanted(options_.wants, name.writer)) return;
  auto& live = live_[name.writer];
  live.newest = std::max(live.newest, name.number);
  make_ready(name.writer, live);
}

void Follower::make_ready(const std::string& writer, Live& live) {
  if (live.is_ready) return;
  live.is_ready = true;
  ready_.push_back(writer);
}

/// The writer's turn: the next commit of its segment. Nothing when its turn is over.
Result<std::optional<FollowedCommit>> Follower::read(const std::string& writer, Live& live) {
  bool finished = false;
  bool read_again = false;
  while (true) {
    WEIR_TRY(auto* const reader, reader_of(writer, live));
    if (reader == nullptr) return std::optional<FollowedCommit>();
    auto& position = cursor_.positions[writer];
    // Known before the end is met: nothing can come between.
    finished = finished || live.newest > position.segment;
    live.used_at = ++reads_;
    const auto got = reader->next_commit();
    report_damage({writer, position.segment}, *reader, live);
    if (!got) {
      close(live);
      return std::unexpected(got.error());
    }
    if (const auto& commit = *got) {
      position.offset = reader->offset();
      live.is_ready = true;
      ready_.push_front(writer);
      return FollowedCommit{.segment = {writer, position.segment},
                            .begin = commit->offset,
                            .end = position.offset,
                            .lines = commit->lines,
                            .events = commit->events};
    }
    if (!finished) {
      if (!live.ask_for_lock) return std::optional<FollowedCommit>();
      live.ask_for_lock = false;
      WEIR_TRY(finished, is_finished({writer, position.segment}));
      if (!finished) return std::optional<FollowedCommit>();
    } else if (torn_bytes_of(*reader) > 0 && !read_again) {
      // They were read while they may have been written.
      read_again = true;
      reader->seek(reader->offset());
    } else {
      finish_segment(writer, *reader, live);
      return std::optional<FollowedCommit>();
    }
  }
}

/// Of the segment at the writer's position. Null when the writer has none any more, and live_ may
/// not have the writer either; or when parts come first.
Result<SegmentReader*> Follower::reader_of(const std::string& writer, Live& live) {
  if (live.reader) return &*live.reader;
  for (const bool again : {false, true}) {
    const auto position = cursor_.of(writer);
    auto opened = SegmentReader::open(store_.segment({writer, position.segment}), store_.files());
    if (opened) {
      cursor_.positions.insert_or_assign(writer, position);
      while (open_ >= std::max<std::size_t>(options_.max_open, 1)) close_one();
      ++open_;
      live.reported = 0;
      auto& reader = live.reader.emplace(*std::move(opened));
      reader.seek(position.offset);
      return &reader;
    }
    if (again || opened.error().code != ErrorCode::kNotFound) {
      return std::unexpected(std::move(opened).error());
    }
    WEIR_TRY(const bool is_there, pass_removed(writer, live));
    if (!is_there) break;
  }
  return nullptr;
}

/// The segment that should be read is not there. Goes on to the next one of the writer that is; if
/// parts come first, it is there no more than one that is gone.
Result<bool> Follower::pass_removed(const std::string& writer, Live& live) {
  std::optional<Manifest> manifest;
  if (reads_parts()) {
    WEIR_TRY(manifest, read_manifest(store_));
  }
  // Seen before this, so that all numbers below it are in this list unless they were removed.
  WEIR_TRY(const auto names, store_.segment_names());
  if (manifest) find_replaced(*manifest, names);
  if (!replaced_.empty()) return false;
  const auto position = manifest ? passed_in_parts(*manifest, writer) : cursor_.of(writer);
  cursor_.positions.insert_or_assign(writer, position);
  const auto next = std::ranges::lower_bound(names, SegmentName{writer, position.segment});
  const bool is_there = next != names.end() && next->writer == writer;
  const auto number = is_there ? next->number : live.newest + 1;
  if (number > position.segment) {
    const auto last = number - 1;
    on_problem_({.segment = {writer, position.segment},
                 .offset = position.offset,
                 .reason = last == position.segment
                               ? "was removed before it was read to its end"
                               : "it and those up to number " + std::to_string(last) +
                                     " were removed before they were read"});
    cursor_.positions.insert_or_assign(writer, Position{.segment = number});
  }
  if (is_there) {
    live.newest = std::max(live.newest, number);
  } else {
    live_.erase(writer);
  }
  return is_there;
}

Result<bool> Follower::is_finished(const SegmentName& name) {
  auto is_free = has_free_lock(store_, name);
  if (!is_free && is_free.error().code == ErrorCode::kNotFound) {
    // What is open can be read to its end all the same.
    const auto manifest = read_manifest(store_);
    if (!manifest || !manifest->has_replaced(name)) {
      on_problem_({.segment = name,
                   .offset = cursor_.of(name.writer).offset,
                   .reason = "was removed before it was finished"});
    }
    return true;
  }
  return is_free;
}

/// The reader has met the end of a segment that will not grow.
void Follower::finish_segment(const std::string& writer, const SegmentReader& reader, Live& live) {
  auto& position = cursor_.positions[writer];
  for (const auto& suspect : reader.suspects()) {
    on_problem_({.segment = {writer, position.segment},
                 .offset = suspect.offset,
                 .reason = suspect.reason + ", and nothing good follows"});
  }
  const auto torn = torn_bytes_of(reader);
  torn_bytes_ += static_cast<std::uint64_t>(std::max<std::int64_t>(torn, 0));
  if (torn < 0) {
    on_problem_(
        {.segment = {writer, position.segment},
         .offset = static_cast<std::uint64_t>(static_cast<std::int64_t>(position.offset) + torn),
         .reason = "ends before what was read of it: it was cut off since"});
  }
  close(live);
  position = {.segment = position.segment + 1};
  if (live.newest >= position.segment) {
    live.ask_for_lock = true;
    make_ready(writer, live);
  } else {
    live_.erase(writer);
  }
}

void Follower::report_damage(const SegmentName& name, const SegmentReader& reader, Live& live) {
  const auto& damage = reader.damage();
  for (; live.reported < damage.size(); ++live.reported) {
    on_problem_({.segment = name,
                 .offset = damage[live.reported].offset,
                 .reason = damage[live.reported].reason});
  }
}

void Follower::close(Live& live) {
  if (!live.reader) return;
  live.reader.reset();
  --open_;
}

/// The one that has waited longest. It goes on where it was when its segment has grown.
void Follower::close_one() {
  Live* longest = nullptr;
  for (auto& [writer, live] : live_) {
    if (live.reader && (longest == nullptr || live.used_at < longest->used_at)) longest = &live;
  }
  WEIR_CHECK(longest != nullptr);
  if (longest != nullptr) close(*longest);
}

Result<Cursor> end_of_log(const StoreDirectory& store, const WriterFilter& wants) {
  Cursor cursor;
  // First: see docs/formats/parts.md. Whoever cannot read it cannot read parts either.
  if (!wants) {
    const auto manifest = read_manifest(store);
    if (!manifest && manifest.error().code == ErrorCode::kIo) {
      return std::unexpected(manifest.error());
    }
    if (manifest) cursor.batches = manifest->number();
  }
  WEIR_TRY(auto names, store.segment_names());
  for (const auto& name : newest_of_each(std::move(names))) {
    if (!is_wanted(wants, name.writer)) continue;
    const auto finished = has_free_lock(store, name);
    if (!finished && finished.error().code == ErrorCode::kNotFound) continue;
    WEIR_TRY(finished);
    auto& position = cursor.positions[name.writer];
    position.segment = name.number + (*finished ? 1 : 0);
    if (*finished) continue;
    WEIR_TRY(auto reader, SegmentReader::open(store.segment(name), store.files()));
    while (true) {
      WEIR_TRY(const auto commit, reader.next_commit());
      if (!commit) break;
    }
    position.offset = reader.offset();
  }
  return cursor;
}

Result<Remainder> remainder(const StoreDirectory& store, const Cursor& cursor,
                            const WriterFilter& wants) {
  WEIR_TRY(const auto names, store.segment_names());
  Remainder rest;
  for (const auto& name : names) {
    const auto position = cursor.of(name.writer);
    if (name.number < position.segment || !is_wanted(wants, name.writer)) continue;
    auto opened = File::open_to_read(store.segment(name), store.files());
    if (!opened && opened.error().code == ErrorCode::kNotFound) continue;
    WEIR_TRY(const auto file, std::move(opened));
    WEIR_TRY(const auto size, file.size());
    const auto read = name.number == position.segment ? std::min(position.offset, size) : 0;
    rest.bytes += size - read;
    rest.end.positions.insert_or_assign(name.writer,
                                        Position{.segment = name.number, .offset = size});
  }
  return rest;
}

}  // namespace weir::log
