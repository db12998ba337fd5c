#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "log/store_directory.h"
#include "store/session.h"

namespace weir::server {

/// What somebody asks of the store in SQL.
struct Question {
  std::string sql;
  std::string tenant_id{};  ///< whose events alone; empty: everybody's
  std::vector<std::pair<std::string, std::string>> variables{};  ///< getvariable('NAME')
  std::uint64_t max_rows = 10'000;
  /// In memory, of all rows; one is given whatever its size.
  std::uint64_t max_bytes = std::uint64_t{64} << 20;
  std::chrono::milliseconds timeout{30'000};
};

/// An answer as JSON.
struct Table {
  std::vector<std::string> columns{};
  std::vector<std::vector<json::Value>> rows{};
  bool is_all = true;    ///< there are no more rows
  std::string reason{};  ///< which limit was met, if there are more
  /// What could not be read: the answer is without it.
  std::vector<std::string> left_out{};

  /// A row an object, its columns its members; nulls are left out.
  [[nodiscard]] json::Array objects() const;
};

/// Answers questions about the store, each tenant's in a database of its own that was opened for
/// the question before, as long as it fits (store::Session).
///
/// Threads  Any; as many questions at a time as there are threads that ask.
/// Memory   A share of `memory_bytes` for each question that may be under way.
class QuestionDesk {
 public:
  struct Options {
    int questions_at_a_time = 4;
    std::uint64_t memory_bytes = std::uint64_t{2} << 30;
  };
  QuestionDesk(log::StoreDirectory store, const Options& options)
      : store_(std::move(store)), options_(options) {}

  /// Errors: kInvalidInput (no question, a wrong one, or its limits were met), kCancelled (`stop`),
  /// those of store::Session.
  [[nodiscard]] Result<Table> ask(const Question& question, const std::stop_token& stop = {});

 private:
  struct Opened {
    std::unique_ptr<store::Session> session;
    std::shared_ptr<store::BadPlaces> bad;
    std::vector<std::pair<std::string, std::string>> variables;
  };
  [[nodiscard]] Result<Opened> open(const Question& question, const std::stop_token& stop);
  void put_back(const Question& question, Opened opened);

  /// Sessions that nobody uses, at most.
  static constexpr std::size_t kMaxIdle = 4;

  const log::StoreDirectory store_;
  const Options options_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, Opened>> idle_;  // by tenant, the last used last; of mutex_
};

}  // namespace weir::server
