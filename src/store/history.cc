#include "store/history.h"

#include "log/segment.h"

namespace weir::store {
namespace {

class Reading {
 public:
  Reading(const EventHandler& handle, std::string run_id)
      : handle_(handle), run_id_(std::move(run_id)) {}

  Result<void> read_segment(const std::filesystem::path& path) {
    WEIR_TRY(auto reader, log::SegmentReader::open(path));
    ++report_.segments;
    while (true) {
      WEIR_TRY(const auto commit, reader.next_commit());
      if (!commit) break;
      ++report_.commits;
      WEIR_TRY(read_commit(path, *commit));
    }
    for (const auto& damage : reader.damage()) {
      report_.bad.push_back({path, damage.offset, damage.reason});
    }
    for (const auto& suspect : reader.suspects()) {
      report_.bad.push_back({path, suspect.offset, suspect.reason + ", and nothing good follows"});
    }
    report_.bytes += reader.offset();
    report_.torn_bytes += reader.torn_bytes();
    return {};
  }

  ReadReport&& report() && { return std::move(report_); }

 private:
  Result<void> read_commit(const std::filesystem::path& path, const log::Commit& commit) {
    auto offset = commit.offset;
    for (auto lines = commit.lines; !lines.empty();) {
      const auto end = lines.find('\n');
      WEIR_TRY(read_line(path, offset, lines.substr(0, end)));
      offset += end + 1;
      lines.remove_prefix(end + 1);
    }
    return {};
  }

  Result<void> read_line(const std::filesystem::path& path, std::uint64_t offset,
                         std::string_view line) {
    if (!run_id_.empty() && line.find(run_id_) == std::string_view::npos) return {};
    const auto event = decoder_.decode(line);
    if (!event) {
      report_.bad.push_back({path, offset, event.error().message});
      return {};
    }
    if (!run_id_.empty() && (*event)->text(event::Field::kRunId) != run_id_) return {};
    ++report_.events;
    return handle_(**event);
  }

  const EventHandler& handle_;
  const std::string run_id_;  // empty: all
  event::Decoder decoder_;
  ReadReport report_;
};

Result<ReadReport> read(const log::StoreDirectory& store, const EventHandler& handle,
                        std::string run_id) {
  Reading reading(handle, std::move(run_id));
  WEIR_TRY(const auto segments, store.segments());
  for (const auto& path : segments) WEIR_TRY(reading.read_segment(path));
  return std::move(reading).report();
}

}  // namespace

Result<ReadReport> read_all(const log::StoreDirectory& store, const EventHandler& handle) {
  return read(store, handle, "");
}

Result<ReadReport> read_run(const log::StoreDirectory& store, const RunId& run,
                            const EventHandler& handle) {
  return read(store, handle, run.text());
}

}  // namespace weir::store
