#include "store/unnamed_artifacts.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "artifact/artifact_store.h"
#include "log/segment.h"
#include "store/dead_runs.h"
#include "store/part_reader.h"

namespace weir::store {
namespace {

constexpr std::chrono::hours kMayBeNamedSoon{24};
/// As engine has it for outputs: more is not JSON that names others.
constexpr std::uint64_t kMaxOutput = std::uint64_t{16} << 20;

/// What an event may name an artifact in: fields for it, and text in which hashes may stand.
constexpr std::string_view kHashes =
    "SELECT DISTINCT unnest(list_concat("
    "[part.definition_sha256, part.input_sha256, part.output_sha256, part.artifact_sha256], "
    "regexp_extract_all(concat_ws(' ', part.output, part.attributes, part.params, part.message, "
    "part.reason), '[0-9a-f]{64}'))) AS hash FROM ";
constexpr std::string_view kOutputs =
    "SELECT DISTINCT unnest([part.definition_sha256, part.input_sha256, part.output_sha256]) AS "
    "hash "
    "FROM ";

/// Calls `take` for each hash in a text.
template <class Take>
void each_hash(std::string_view text, const Take& take) {
  constexpr std::size_t kDigits = 64;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    digits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? digits + 1 : 0;
    if (digits >= kDigits) take(std::string(text.substr(i + 1 - kDigits, kDigits)));
  }
}

class Unnamed {
 public:
  Unnamed(const PartFolder& folder, Connection& connection)
      : folder_(folder),
        store_(folder.store()),
        connection_(connection),
        artifacts_(store_.artifacts()) {}

  Result<RemovedArtifacts> remove(Timestamp now) {
    WEIR_TRY(find_candidates());
    if (!candidates_.empty()) WEIR_TRY(keep_what_parts_name());
    if (!candidates_.empty()) WEIR_TRY(keep_what_segments_name());
    RemovedArtifacts removed;
    for (const auto& text : candidates_) {
      const auto hash = Sha256::parse(text);
      if (!hash) continue;
      WEIR_TRY(const auto bytes, artifacts_.remove_older(*hash, now - kMayBeNamedSoon));
      if (!bytes) continue;
      ++removed.count;
      removed.bytes += *bytes;
    }
    return removed;
  }

 private:
  template <class Take>
  Result<void> each_row(const std::string& sql, const Take& take) {
    WEIR_TRY(auto rows, connection_.query(sql));
    while (const auto* row = rows.next()) {
      if (const auto* text = row->front().string()) take(*text);
    }
    return {};
  }

  Result<void> find_candidates() {
    for (const auto& part : folder_.manifest().parts()) {
      WEIR_TRY(const auto file, folder_.to_look_at(part));
      files_.push_back(file);
      if (part.dead.empty()) continue;
      const auto living = living_sql(file, part.dead);
      living_ = both_sql(living_, living);
      WEIR_TRY(
          each_row(std::string(kHashes) + parts_sql({file}, "NOT (" + living + ")") + " AS part",
                   [&](const std::string& text) { candidates_.insert(text); }));
    }
    std::error_code ignored;
    std::erase_if(candidates_, [&](const std::string& text) {
      const auto hash = Sha256::parse(text);
      return !hash || !std::filesystem::exists(artifacts_.path_of(*hash), ignored);
    });
    return {};
  }

  Result<void> keep_what_parts_name() {
    const auto from = parts_sql(files_, living_) + " AS part";
    WEIR_TRY(each_row(std::string(kHashes) + from, [&](const std::string& text) { keep(text); }));
    std::vector<std::string> outputs;
    WEIR_TRY(each_row(std::string(kOutputs) + from,
                      [&](const std::string& text) { outputs.push_back(text); }));
    for (const auto& output : outputs) keep_what_it_names(output);
    return {};
  }

  Result<void> keep_what_segments_name() {
    WEIR_TRY(const auto names, store_.segment_names());
    for (const auto& name : names) {
      if (folder_.manifest().has_replaced(name)) continue;
      WEIR_TRY(auto reader, log::SegmentReader::open(store_.segment(name), store_.files()));
      while (true) {
        WEIR_TRY(const auto commit, reader.next_commit());
        if (!commit) break;
        each_hash(commit->lines, [&](const std::string& hash) {
          keep(hash);
          keep_what_it_names(hash);
        });
      }
    }
    return {};
  }

  void keep(const std::string& hash) {
    // What was to go and stays may name others.
    if (candidates_.erase(hash) > 0) keep_what_it_names(hash);
  }

  void keep_what_it_names(const std::string& text) {
    if (candidates_.empty() || !looked_at_.insert(text).second) return;
    const auto hash = Sha256::parse(text);
    const auto content = hash ? read_file(artifacts_.path_of(*hash), kMaxOutput)
                              : Result<std::string>(fail(ErrorCode::kNotFound, ""));
    if (content) each_hash(*content, [&](const std::string& named) { keep(named); });
  }

  const PartFolder& folder_;
  const log::StoreDirectory& store_;
  Connection& connection_;
  artifact::ArtifactStore artifacts_;
  std::vector<std::filesystem::path> files_;
  std::string living_;  // a condition
  std::set<std::string> candidates_;
  std::set<std::string> looked_at_;
};

}  // namespace

Result<RemovedArtifacts> remove_unnamed_artifacts(const PartFolder& folder, Connection& connection,
                                                  Timestamp now) {
  return Unnamed(folder, connection).remove(now);
}

}  // namespace weir::store
