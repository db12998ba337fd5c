#include "cli/sql_question.h"

#include <cstdio>
#include <functional>

#include "base/text.h"
#include "config/units.h"
#include "store/time_limit.h"

namespace weir::cli {
namespace {

/// In the words of the command line.
std::unexpected<Error> explained(Error error, const store::TimeLimit& watch,
                                 const SqlLimits& limits) {
  if (watch.is_late() && error.code == ErrorCode::kCancelled) {
    return fail(ErrorCode::kInvalidInput, "the query took longer than " +
                                              config::to_text(limits.timeout) +
                                              ": --timeout allows more, 0 as long as it takes");
  }
  if (error.code == ErrorCode::kExhausted) {
    return fail(ErrorCode::kInvalidInput,
                "the query needs more memory than it may have: --memory-limit allows more (" +
                    error.message.substr(0, error.message.find('\n')) + ")");
  }
  if (error.code != ErrorCode::kInvalidInput) return std::unexpected(std::move(error));
  return std::unexpected(std::move(error).within("the query"));
}

std::unexpected<Error> too_many_rows(std::uint64_t max_rows) {
  return fail(ErrorCode::kInvalidInput,
              "the answer has more than " + text::count(max_rows, "row") +
                  ": --max-rows allows more, 0 any number; LIMIT asks for less");
}

Result<void> ask_once(store::Session& session, const std::string& sql, AnswerWriter& writer,
                      SqlFormat format, const SqlLimits& limits, const std::stop_token& stop) {
  const bool is_table = format == SqlFormat::kTable;
  const auto max_rows = limits.max_rows.value_or(is_table ? SqlLimits::kTableRows : 0);
  WEIR_TRY(auto answer, session.ask(sql, stop));
  writer.begin(answer.columns());
  while (true) {
    WEIR_TRY(const auto* row, answer.next());
    if (row == nullptr) break;
    if (max_rows > 0 && writer.rows() == max_rows) {
      if (!is_table) return too_many_rows(max_rows);
      std::fprintf(stderr, "weir: the first %llu rows; --max-rows 0 prints all\n",
                   static_cast<unsigned long long>(max_rows));
      break;
    }
    writer.add(*row);
    if (std::ferror(stdout) != 0) break;
  }
  writer.end();
  return {};
}

/// Once more, if that can help and nobody has seen anything of it.
Result<void> ask_again(store::Session& session, const std::stop_token& stop,
                       const std::function<Result<void>()>& ask,
                       const std::function<bool()>& can_be_asked_again) {
  auto asked = ask();
  if (asked || !can_be_asked_again()) return asked;
  WEIR_TRY(const bool is_worth_it, session.recover(asked.error(), stop));
  return is_worth_it ? ask() : asked;
}

}  // namespace

Result<void> answer(store::Session& session, const std::string& sql, SqlFormat format,
                    const SqlLimits& limits, const std::stop_token& stop) {
  store::TimeLimit watch(stop, limits.timeout);
  AnswerWriter writer(format);
  auto asked = ask_again(
      session, watch.token(),
      [&] { return ask_once(session, sql, writer, format, limits, watch.token()); },
      [&] { return !writer.is_out(); });
  if (asked) return {};
  auto error = explained(std::move(asked).error(), watch, limits);
  if (writer.is_out()) error.error().message += "; what was printed is not all";
  return error;
}

Result<void> answer_to_parquet(store::Session& session, const std::string& sql,
                               const SqlLimits& limits, const std::stop_token& stop) {
  store::TimeLimit watch(stop, limits.timeout);
  const auto max_rows = limits.max_rows.value_or(0);
  const auto ask = [&]() -> Result<void> {
    WEIR_TRY(const auto rows,
             session.write_parquet(sql, max_rows > 0 ? std::optional(max_rows) : std::nullopt,
                                   watch.token()));
    if (max_rows > 0 && rows > max_rows) return too_many_rows(max_rows);
    return {};
  };
  auto asked = ask_again(session, watch.token(), ask, [] { return true; });
  if (asked) return {};
  return explained(std::move(asked).error(), watch, limits);
}

}  // namespace weir::cli
