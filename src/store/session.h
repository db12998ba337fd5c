#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "log/manifest.h"
#include "log/store_directory.h"
#include "store/event_table.h"
#include "store/part_check.h"
#include "store/query.h"

namespace weir::store {

struct SessionOptions {
  std::optional<std::string> tenant{};  ///< whose events alone; none: everybody's
  std::uint64_t memory_bytes = std::uint64_t{768} << 20;
  /// On the disk, for what does not fit into memory.
  std::uint64_t spill_bytes = std::uint64_t{8} << 30;
  std::optional<int> threads{};  ///< none: as many as the machine has
  /// What questions read with getvariable('NAME').
  std::vector<std::pair<std::string, std::string>> variables{};
  /// The one file that `write_parquet` can write.
  std::optional<std::filesystem::path> output{};
};

/// Whether a question failed since what it asks for is not to be had by questions, whatever they
/// say: a statement that does something, a file, a function.
[[nodiscard]] bool was_refused(const Error& error);

/// The rows of a question, as they are made.
class Answer {
 public:
  [[nodiscard]] const std::vector<std::string>& columns() const { return impl_->rows->columns(); }
  /// As Rows::next. Errors: as Session::ask.
  [[nodiscard]] Result<const std::vector<json::Value>*> next();

 private:
  friend class Session;
  struct Impl {
    Impl(Connection the_connection, const std::stop_token& stop)
        : connection(std::move(the_connection)), on_stop(stop, Interrupt{this}) {}
    struct Interrupt {
      Impl* impl;
      void operator()() const { impl->connection.interrupt(); }
    };
    Connection connection;
    std::stop_callback<Interrupt> on_stop;
    std::unique_ptr<Rows> rows{};
  };
  explicit Answer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::unique_ptr<Impl> impl_;
};

/// Answers questions of somebody who is not trusted with more than what he may read: see
/// Connection::ask and Database::lock. Every question sees what was committed when it was asked.
///
/// Threads  One at a time; a stop token from any.
/// Failure  What is damaged is left out and told: `recover` after an error, then ask again.
class Session {
 public:
  /// What cannot be read is added to `bad`. Errors: those of open_views.
  [[nodiscard]] static Result<Session> open(const log::StoreDirectory& store,
                                            SessionOptions options, std::shared_ptr<BadPlaces> bad,
                                            const std::stop_token& stop = {});

  /// Errors: kInvalidInput (no question, a wrong one, or one about DuckDB's settings and files,
  /// which tell where the store is), kExhausted (the memory, and what may be spilled), kCancelled
  /// (`stop`); those of `open`.
  [[nodiscard]] Result<Answer> ask(const std::string& sql, const std::stop_token& stop = {});

  /// Writes the rows of a query to SessionOptions::output, as Parquet, and gives their number; at
  /// most one over `max_rows`. Errors: as `ask`, and for types that Parquet has not; then the file
  /// holds anything.
  [[nodiscard]] Result<std::uint64_t> write_parquet(const std::string& query,
                                                    std::optional<std::uint64_t> max_rows,
                                                    const std::stop_token& stop = {});

  /// Whether a question that failed so can be asked again: the store has changed meanwhile, or was
  /// found to be damaged. Errors: kCancelled, those of `open`.
  [[nodiscard]] Result<bool> recover(const Error& error, const std::stop_token& stop = {});

  /// What a question may be made of: tables, columns, functions and DuckDB's words, in lower case,
  /// sorted. Errors: as `ask`.
  [[nodiscard]] Result<std::vector<std::string>> words();

 private:
  Session(log::StoreDirectory store, SessionOptions options, std::shared_ptr<BadPlaces> bad)
      : store_(std::move(store)), options_(std::move(options)), bad_(std::move(bad)) {}

  /// As `ask`, of ourselves.
  [[nodiscard]] Result<Answer> ask_freely(const std::string& sql, const std::stop_token& stop = {});
  [[nodiscard]] Result<void> refresh(const std::stop_token& stop);
  [[nodiscard]] Result<void> reopen(const std::stop_token& stop);
  /// Looks at parts that somebody has written to since.
  [[nodiscard]] Result<void> look_at_changed(const std::stop_token& stop);
  [[nodiscard]] Result<void> look_for_damage(const std::vector<log::Part>& parts,
                                             const std::stop_token& stop);
  [[nodiscard]] ViewOptions view_options() const;
  [[nodiscard]] Result<std::unique_ptr<Answer::Impl>> begin(const std::string& sql,
                                                            const std::stop_token& stop);
  [[nodiscard]] bool names_a_part(const Error& error) const;

  log::StoreDirectory store_;
  SessionOptions options_;
  std::shared_ptr<BadPlaces> bad_;
  PartCheck check_;
  /// Files of rollups are checked and opened for the first question about them.
  EventTableOptions::Rollups rollups_ = EventTableOptions::Rollups::kSummedUp;
  std::unique_ptr<Views> views_;  // gone after an error that may have broken it
  std::vector<std::filesystem::file_time_type> written_;  // when its files were, as it was opened
};

}  // namespace weir::store
