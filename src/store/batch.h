#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "event/decoder.h"
#include "log/manifest.h"
#include "log/store_directory.h"
#include "store/line_head.h"
#include "store/part_writer.h"

namespace weir::store {

/// What the events of one part have in common.
struct Place {
  std::string date;  ///< YYYY-MM-DD, UTC
  std::optional<std::string> tenant;
  auto operator<=>(const Place&) const = default;
};

/// An event in memory, and what it is sorted by.
struct Row {
  RunId run;
  std::int64_t run_seq = 0;
  std::string_view line;
  bool has_key = false;     ///< foreign, and known by what its producer called it
  std::uint32_t place = 0;  ///< which of Loaded::places
};

/// A place of which there are events, and which fields these have.
struct LoadedPlace {
  Place place;
  FieldSet fields;
};

/// A segment's committed events.
struct Loaded {
  Sha256 sha256{};      ///< of the whole file
  std::string bytes{};  ///< the same; rows point into it
  std::vector<LoadedPlace> places{};
  std::vector<Row> rows{};
  std::string damage{};  ///< why it must stay; empty: nothing is wrong
};

/// Reads segments for compaction.
///
/// Threads  One at a time.
class SegmentLoader {
 public:
  explicit SegmentLoader(const log::StoreDirectory& store) : store_(store) {}

  /// The events of a segment; of a damaged one, those that can be read. Of each it looks at what it
  /// is sorted by: whether a line is an event, and that one, who makes the part finds out. Errors:
  /// kNotFound, kIo.
  [[nodiscard]] Result<Loaded> load(const log::SegmentName& name);
  /// Takes the memory of bytes that nobody needs any more for the next segments: new memory costs
  /// as much as the checksum of what goes into it.
  void reuse(std::string bytes) { free_.push_back(std::move(bytes)); }

 private:
  void add(std::string_view line, Loaded& loaded);
  [[nodiscard]] std::uint32_t place_in(std::vector<LoadedPlace>& places, std::string_view date,
                                       const std::optional<std::string_view>& tenant);

  const log::StoreDirectory& store_;
  event::Decoder decoder_;
  LineShape shape_;
  std::vector<std::string> free_;
  std::map<Place, std::uint32_t> places_;  // of the segment that is loaded
};

/// A part, and what is in its file.
struct MadePart {
  log::Part part;
  std::string bytes;
};

/// A line that is not an event, or not the one it was taken for.
struct BadLine {
  log::SegmentName segment;
  std::string reason;
};

struct MadeParts {
  std::vector<MadePart> parts;
  std::uint64_t duplicates = 0;  ///< left out
  std::optional<BadLine> bad;    ///< then there are no parts
};

/// The events of segments that become parts together.
class Batch {
 public:
  void add(const log::SegmentName& name, Loaded loaded);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t segments() const { return segments_.size(); }
  /// How many parts it would become with what was loaded.
  [[nodiscard]] std::size_t places_with(const Loaded& loaded) const;
  /// What its events were read into; the batch is of no use without.
  [[nodiscard]] std::vector<std::string> take_bytes();
  /// Without number and time.
  [[nodiscard]] const log::Batch& entry() const { return entry_; }

  /// Makes its parts, with this number, in a file in `folder`; can be called once. Errors:
  /// kInvalidInput (what DuckDB says), kIo, kExhausted (no space).
  [[nodiscard]] Result<MadeParts> make_parts(PartWriter& writer, std::uint64_t number,
                                             const std::filesystem::path& folder);

 private:
  struct Source {
    log::SegmentName name;
    std::string bytes;
  };
  /// What becomes a part.
  struct Rows {
    std::vector<Row> rows;
    FieldSet fields;
  };

  [[nodiscard]] const log::SegmentName& segment_of(std::string_view line) const;

  log::Batch entry_;
  std::vector<Source> segments_;
  std::map<Place, Rows> parts_;
  std::uint64_t bytes_ = 0;
};

}  // namespace weir::store
