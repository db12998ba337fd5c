#include "store/batch.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <tuple>

#include "base/file.h"
#include "log/segment.h"
#include "store/line_head.h"

namespace weir::store {
namespace {

using event::Field;

constexpr std::uint64_t kMaxPartBytes = std::uint64_t{4} << 30;
/// Places that are compared one by one; the others are found in a tree.
constexpr std::ptrdiff_t kPlacesLookedAt = 8;

/// What a foreign event is known by; may be empty.
std::string_view key_of(const event::EventView& event) {
  const auto id = event.text(Field::kEventId);
  return id.empty() ? event.text(Field::kIdempotencyKey) : id;
}

std::string date_of(const event::EventView& event) {
  return to_string(event.timestamp()).substr(0, kDateSize);
}

/// Nothing for what is no date: no event is of it.
std::optional<std::chrono::sys_days> day_of(const std::string& date) {
  const auto midnight = parse_rfc3339(date + "T00:00:00Z");
  if (!midnight) return {};
  return std::chrono::floor<std::chrono::days>(*midnight);
}

FieldSet fields_of(const event::EventView& event) {
  FieldSet fields;
  for (std::size_t i = 0; i < event::kFieldCount; ++i) {
    fields.set(i, event.has(static_cast<Field>(i)));
  }
  return fields;
}

bool is_before(const Row& a, const Row& b) {
  return std::tie(a.run, a.run_seq) < std::tie(b.run, b.run_seq);
}

/// Of foreign events with the same key the first stays.
std::uint64_t drop_duplicates(std::vector<Row>& rows) {
  std::set<std::string> keys;
  event::Decoder decoder;
  return std::erase_if(rows, [&](const Row& row) {
    if (!row.has_key) return false;
    const auto event = decoder.decode(row.line);
    return event && !keys.insert(row.run.text() + std::string(key_of(**event))).second;
  });
}

}  // namespace

Result<Loaded> SegmentLoader::load(const log::SegmentName& name) {
  std::string memory;
  if (!free_.empty()) {
    memory = std::move(free_.back());
    free_.pop_back();
  }
  WEIR_TRY(auto reader,
           log::SegmentReader::open_whole(store_.segment(name), store_.files(), std::move(memory)));
  Loaded loaded{.sha256 = reader.sha256()};
  places_.clear();
  while (true) {
    WEIR_TRY(const auto commit, reader.next_commit());
    if (!commit) break;
    for (std::string_view rest = commit->lines; !rest.empty();) {
      const auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      add(line, loaded);
    }
  }
  if (!reader.damage().empty()) loaded.damage = reader.damage().front().reason;
  if (!reader.suspects().empty()) loaded.damage = reader.suspects().front().reason;
  loaded.bytes = reader.take_bytes();
  return loaded;
}

std::uint32_t SegmentLoader::place_in(std::vector<LoadedPlace>& places, std::string_view date,
                                      const std::optional<std::string_view>& tenant) {
  const auto is_it = [&](const LoadedPlace& loaded) {
    const auto& place = loaded.place;
    return place.date == date && place.tenant.has_value() == tenant.has_value() &&
           (!tenant || *place.tenant == *tenant);
  };
  // Most often there are few, and the last one is the likeliest.
  const auto looked_at = std::min<std::ptrdiff_t>(std::ssize(places), kPlacesLookedAt);
  const auto found = std::find_if(places.rbegin(), places.rbegin() + looked_at, is_it);
  if (found != places.rbegin() + looked_at) {
    return static_cast<std::uint32_t>(places.rend() - found - 1);
  }
  Place place{.date = std::string(date), .tenant = {}};
  if (tenant) place.tenant = *tenant;
  const auto index = static_cast<std::uint32_t>(places.size());
  const auto [known, is_new] = places_.try_emplace(place, index);
  if (is_new) places.push_back({.place = std::move(place), .fields = {}});
  return known->second;
}

void SegmentLoader::add(std::string_view line, Loaded& loaded) {
  const auto add = [&](Row row, std::string_view date, const auto& tenant, const FieldSet& fields) {
    row.place = place_in(loaded.places, date, tenant);
    loaded.places[row.place].fields |= fields;
    loaded.rows.push_back(row);
  };
  const auto head = read_line_head(line, shape_);
  if (head && head->is_whole) {
    add({.run = head->run, .run_seq = head->run_seq, .line = line}, head->date, head->tenant,
        head->fields);
    return;
  }
  const auto decoded = decoder_.decode(line);
  if (!decoded) {
    loaded.damage = decoded.error().message;
    // What comes later in its run must stay too.
    if (head)
      add({.run = head->run, .run_seq = head->run_seq, .line = line}, head->date, head->tenant, {});
    return;
  }
  const auto& event = **decoded;
  std::optional<std::string_view> tenant;
  if (event.has(Field::kTenantId)) tenant = event.text(Field::kTenantId);
  const bool is_foreign = event.text(Field::kPipelineType) == "external";
  add({.run = event.run_id(),
       .run_seq = event.run_seq(),
       .line = line,
       .has_key = is_foreign && !key_of(event).empty()},
      date_of(event), tenant, fields_of(event));
}

void Batch::add(const log::SegmentName& name, Loaded loaded) {
  auto& [first, last] =
      entry_.segments.try_emplace(name.writer, name.number, name.number).first->second;
  last = name.number;
  bytes_ += loaded.bytes.size();
  std::vector<std::vector<Row>*> places;
  places.reserve(loaded.places.size());
  for (const auto& [place, fields] : loaded.places) {
    auto& part = parts_[place];
    part.fields |= fields;
    places.push_back(&part.rows);
  }
  for (const auto& row : loaded.rows) places[row.place]->push_back(row);
  segments_.push_back({name, std::move(loaded.bytes)});
}

std::size_t Batch::places_with(const Loaded& loaded) const {
  return parts_.size() +
         static_cast<std::size_t>(std::ranges::count_if(
             loaded.places, [&](const auto& of) { return !parts_.contains(of.place); }));
}

std::vector<std::string> Batch::take_bytes() {
  std::vector<std::string> all;
  all.reserve(segments_.size());
  for (auto& segment : segments_) all.push_back(std::move(segment.bytes));
  return all;
}

const log::SegmentName& Batch::segment_of(std::string_view line) const {
  const std::less_equal<> before;
  const auto holds = [&](const Source& segment) {
    const auto* begin = segment.bytes.data();
    return before(begin, line.data()) && before(line.data(), begin + segment.bytes.size());
  };
  return std::find_if(segments_.begin(), segments_.end(), holds)->name;
}

Result<MadeParts> Batch::make_parts(PartWriter& writer, std::uint64_t number,
                                    const std::filesystem::path& folder) {
  const auto scratch = folder / (std::to_string(number) + ".parquet");
  MadeParts made;
  for (auto& [of, part] : parts_) {
    const Place& place = of;
    const auto day = day_of(place.date);
    auto& rows = part.rows;
    std::sort(rows.begin(), rows.end(), is_before);
    made.duplicates += drop_duplicates(rows);
    auto written = writer.write(
        scratch, part.fields, rows.size(), [&rows](std::size_t i) { return rows[i].line; },
        [&rows, &place, day](std::size_t i, const event::EventView& event) {
          return event.run_id() == rows[i].run && event.run_seq() == rows[i].run_seq &&
                 std::chrono::floor<std::chrono::days>(event.timestamp()) == day &&
                 event.has(Field::kTenantId) == place.tenant.has_value() &&
                 event.text(Field::kTenantId) == place.tenant.value_or("");
        });
    if (!written) {
      if (const auto line = writer.bad_line()) {
        return MadeParts{
            .bad = BadLine{segment_of(rows[*line].line), std::move(written).error().message}};
      }
      return std::unexpected(std::move(written).error().within("compaction"));
    }
    WEIR_TRY(auto bytes, read_file(scratch, kMaxPartBytes));
    std::error_code ignored;
    std::filesystem::remove(scratch, ignored);
    made.parts.push_back({.part = {.file = log::part_file(place.date, place.tenant, number),
                                   .date = place.date,
                                   .tenant = place.tenant,
                                   .batch = number,
                                   .events = rows.size(),
                                   .bytes = bytes.size(),
                                   .sha256 = sha256(bytes),
                                   .first_run = rows.front().run,
                                   .last_run = rows.back().run},
                          .bytes = std::move(bytes)});
  }
  return made;
}

}  // namespace weir::store
