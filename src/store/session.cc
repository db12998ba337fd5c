#include "store/session.h"

#include <algorithm>
#include <cctype>

#include "store/exact_query.h"
#include "store/sql_text.h"

namespace weir::store {
namespace {

constexpr std::string_view kForbidden =
    "query(…), json_execute_serialized_sql, enable_logging and U&\"…\" are not for questions";
constexpr std::string_view kPlaces =
    "settings, functions and files of DuckDB are not for questions";
constexpr std::string_view kOutOfMemory = "Out of Memory Error";

std::unexpected<Error> failed(Error error) {
  if (error.message.starts_with(kOutOfMemory)) error.code = ErrorCode::kExhausted;
  return std::unexpected(std::move(error));
}

/// Their views and macros have this in their names.
bool may_read_rollups(std::string_view sql) {
  constexpr std::string_view kName = "roll";
  return !std::ranges::search(sql, kName, {}, [](char c) { return std::tolower(c); }).empty();
}

std::vector<std::filesystem::file_time_type> times_of(
    const std::vector<std::filesystem::path>& files) {
  std::vector<std::filesystem::file_time_type> times;
  times.reserve(files.size());
  std::error_code ignored;
  for (const auto& file : files) times.push_back(std::filesystem::last_write_time(file, ignored));
  return times;
}

/// Whether a text names one of the functions and tables that tell where the store is, and where its
/// files: `weir_part_files` is for `events` alone.
bool asks_for_places(std::string_view sql) {
  constexpr std::string_view kNames[] = {"current_setting",  "duckdb_settings",
                                         "pg_settings",      "duckdb_temporary_files",
                                         "duckdb_functions", "weir_part_files"};
  while (!sql.empty()) {
    const auto token = next_token(sql);
    sql.remove_prefix(token.text.size());
    const bool is_name = token.kind == SqlToken::Kind::kWord || token.text.starts_with('"');
    if (!is_name) continue;
    std::string text(token.text);
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::ranges::any_of(kNames, [&](auto name) { return text.contains(name); })) return true;
  }
  return false;
}

std::unexpected<Error> cancelled() {
  return fail(ErrorCode::kCancelled, "the query was interrupted");
}

}  // namespace

bool was_refused(const Error& error) {
  return error.message.starts_with("Permission Error") || error.message == kForbidden ||
         error.message == kPlaces || error.message == kNoQuestion;
}

Result<const std::vector<json::Value>*> Answer::next() {
  const auto* row = impl_->rows->next();
  if (row != nullptr) return row;
  auto end = impl_->rows->end();
  if (end) return nullptr;
  return failed(std::move(end).error());
}

Result<Session> Session::open(const log::StoreDirectory& store, SessionOptions options,
                              std::shared_ptr<BadPlaces> bad, const std::stop_token& stop) {
  Session session(store, std::move(options), std::move(bad));
  WEIR_TRY(session.reopen(stop));
  return session;
}

ViewOptions Session::view_options() const {
  ViewOptions options{
      .events = {.tenant = options_.tenant, .left_out = check_.damaged(), .rollups = rollups_},
      .database = {.memory_bytes = options_.memory_bytes,
                   .threads = options_.threads,
                   .spill_bytes = options_.spill_bytes},
      .access = ViewOptions::Access::kLocked};
  if (options_.output) options.output = *options_.output;
  return options;
}

Result<void> Session::reopen(const std::stop_token& stop) {
  views_.reset();
  auto opened = open_views(store_, bad_, view_options());
  if (!opened && may_be_damage(opened.error())) {
    // A part whose end is damaged fails already when it is looked at.
    WEIR_TRY(const auto manifest, log::read_manifest(store_));
    WEIR_TRY(look_for_damage(manifest.parts(), stop));
    opened = open_views(store_, bad_, view_options());
  }
  if (!opened) return std::unexpected(std::move(opened).error());
  views_ = std::make_unique<Views>(*std::move(opened));
  written_ = times_of(views_->files);
  return {};
}

/// A part that is made later is not in the views, and segments that it replaced will go.
Result<void> Session::refresh(const std::stop_token& stop) {
  if (!views_) return reopen(stop);
  WEIR_TRY(const auto manifest, log::read_manifest(store_));
  return manifest == views_->manifest ? look_at_changed(stop) : reopen(stop);
}

Result<void> Session::look_at_changed(const std::stop_token& stop) {
  auto now = times_of(views_->files);
  if (now == written_) return {};
  std::vector<log::Part> changed;
  for (const auto& part : views_->manifest.parts()) {
    const auto found = std::ranges::find(views_->files, store_.parts() / part.file);
    if (found == views_->files.end()) continue;
    const auto i = static_cast<std::size_t>(found - views_->files.begin());
    if (now[i] == written_[i]) continue;
    check_.forget(part);
    changed.push_back(part);
  }
  WEIR_TRY(look_for_damage(changed, stop));
  return reopen(stop);
}

Result<void> Session::look_for_damage(const std::vector<log::Part>& parts,
                                      const std::stop_token& stop) {
  std::vector<log::Part> ours;
  std::ranges::copy_if(parts, std::back_inserter(ours), [&](const auto& part) {
    return !options_.tenant || part.tenant == options_.tenant;
  });
  check_.look(store_, ours, stop);
  for (auto& place : check_.places(store_)) bad_->add(std::move(place));
  return stop.stop_requested() ? cancelled() : Result<void>();
}

/// Of a file that is not there, DuckDB says that it may not look for it.
bool Session::names_a_part(const Error& error) const {
  return std::ranges::any_of(
      views_->files, [&](const auto& file) { return error.message.contains(file.string()); });
}

Result<bool> Session::recover(const Error& error, const std::stop_token& stop) {
  if (!views_ || !(may_be_damage(error) || names_a_part(error))) return false;
  const auto before = std::exchange(views_, {});
  WEIR_TRY(look_for_damage(before->manifest.parts(), stop));
  WEIR_TRY(reopen(stop));
  return views_->manifest != before->manifest || views_->files != before->files;
}

Result<std::unique_ptr<Answer::Impl>> Session::begin(const std::string& sql,
                                                     const std::stop_token& stop) {
  if (may_call_forbidden(sql)) {
    return fail(ErrorCode::kInvalidInput, std::string(kForbidden));
  }
  if (rollups_ != EventTableOptions::Rollups::kRead && may_read_rollups(sql)) {
    rollups_ = EventTableOptions::Rollups::kRead;
    views_.reset();
  }
  WEIR_TRY(refresh(stop));
  WEIR_TRY(auto connection, views_->database.connect());
  for (const auto& [name, value] : options_.variables) {
    WEIR_TRY(set_variable(connection, name, value));
  }
  return std::make_unique<Answer::Impl>(std::move(connection), stop);
}

Result<Answer> Session::ask(const std::string& sql, const std::stop_token& stop) {
  if (asks_for_places(sql)) return fail(ErrorCode::kInvalidInput, std::string(kPlaces));
  return ask_freely(sql, stop);
}

Result<Answer> Session::ask_freely(const std::string& sql, const std::stop_token& stop) {
  WEIR_TRY(auto answer, begin(sql, stop));
  auto rows = answer->connection.ask(sql);
  if (!rows) return failed(std::move(rows).error());
  answer->rows = std::make_unique<Rows>(*std::move(rows));
  return Answer(std::move(answer));
}

Result<std::uint64_t> Session::write_parquet(const std::string& query,
                                             std::optional<std::uint64_t> max_rows,
                                             const std::stop_token& stop) {
  WEIR_CHECK(options_.output.has_value());
  if (asks_for_places(query)) return fail(ErrorCode::kInvalidInput, std::string(kPlaces));
  WEIR_TRY(auto answer, begin(query, stop));
  auto exact = exact_query(query, answer->connection);
  if (!exact) return failed(std::move(exact).error());
  if (max_rows) {
    *exact = "FROM (" + *exact + ") LIMIT " + std::to_string(*max_rows + 1);
  }
  auto copied =
      answer->connection.query("COPY (" + *exact + ") TO " + sql_string(options_.output->string()) +
                               " (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)");
  if (!copied) return failed(std::move(copied).error());
  const auto* row = copied->next();
  return row == nullptr ? 0 : static_cast<std::uint64_t>(*row->front().integer());
}

Result<std::vector<std::string>> Session::words() {
  WEIR_TRY(auto answer, ask_freely(R"(
    SELECT DISTINCT lower(word) FROM (
      SELECT view_name AS word FROM duckdb_views() WHERE NOT internal
      UNION ALL SELECT column_name FROM duckdb_columns() WHERE NOT internal
      UNION ALL SELECT function_name FROM duckdb_functions()
      UNION ALL SELECT keyword_name FROM duckdb_keywords())
    WHERE regexp_full_match(word, '[a-zA-Z][a-zA-Z0-9_]*') ORDER BY ALL)"));
  std::vector<std::string> words;
  while (true) {
    WEIR_TRY(const auto* row, answer.next());
    if (row == nullptr) return words;
    words.push_back(*row->front().string());
  }
}

}  // namespace weir::store
