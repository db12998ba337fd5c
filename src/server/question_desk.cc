#include "server/question_desk.h"

#include <algorithm>

#include "config/units.h"
#include "store/time_limit.h"

namespace weir::server {
namespace {

/// Of a value, with what it points to.
std::uint64_t memory_of(const json::Value& value) {
  std::uint64_t bytes = sizeof value;
  if (const auto* text = value.string()) bytes += text->size();
  if (const auto* array = value.array()) {
    for (const auto& element : *array) bytes += memory_of(element);
  }
  if (const auto* object = value.object()) {
    for (const auto& member : *object) {
      bytes += sizeof member - sizeof member.value + member.key.size() + memory_of(member.value);
    }
  }
  return bytes;
}

Result<Table> read_table(store::Session& session, const Question& question,
                         const std::stop_token& stop) {
  WEIR_TRY(auto answer, session.ask(question.sql, stop));
  Table table{.columns = answer.columns()};
  std::uint64_t bytes = 0;
  while (true) {
    WEIR_TRY(const auto* row, answer.next());
    if (row == nullptr) return table;
    for (const auto& value : *row) bytes += memory_of(value);
    if (table.rows.size() == question.max_rows) {
      table.reason = "there are more than " + std::to_string(question.max_rows) + " rows";
    } else if (bytes > question.max_bytes && !table.rows.empty()) {
      table.reason = "the rows take more than " + config::size_to_text(question.max_bytes);
    }
    if (!table.reason.empty()) {
      table.is_all = false;
      return table;
    }
    table.rows.push_back(*row);
  }
}

Result<Table> read_or_recover(store::Session& session, const Question& question,
                              const std::stop_token& stop) {
  auto table = read_table(session, question, stop);
  if (table) return table;
  WEIR_TRY(const bool is_worth_it, session.recover(table.error(), stop));
  return is_worth_it ? read_table(session, question, stop) : table;
}

}  // namespace

json::Array Table::objects() const {
  json::Array all;
  all.reserve(rows.size());
  for (const auto& row : rows) {
    json::Object object;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!row[i].is_null()) object.set(columns[i], row[i]);
    }
    all.emplace_back(std::move(object));
  }
  return all;
}

Result<QuestionDesk::Opened> QuestionDesk::open(const Question& question,
                                                const std::stop_token& stop) {
  if (question.variables.empty()) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find(idle_, question.tenant_id, &decltype(idle_)::value_type::first);
    if (found != idle_.end()) {
      auto opened = std::move(found->second);
      idle_.erase(found);
      return opened;
    }
  }
  store::SessionOptions options{
      .memory_bytes = options_.memory_bytes / static_cast<unsigned>(options_.questions_at_a_time),
      .variables = question.variables};
  if (!question.tenant_id.empty()) options.tenant = question.tenant_id;
  Opened opened{.session = nullptr, .bad = std::make_shared<store::BadPlaces>(), .variables = {}};
  WEIR_TRY(auto session, store::Session::open(store_, std::move(options), opened.bad, stop));
  opened.session = std::make_unique<store::Session>(std::move(session));
  return opened;
}

void QuestionDesk::put_back(const Question& question, Opened opened) {
  if (!question.variables.empty()) return;
  const std::lock_guard lock(mutex_);
  idle_.emplace_back(question.tenant_id, std::move(opened));
  if (idle_.size() > kMaxIdle) idle_.erase(idle_.begin());
}

Result<Table> QuestionDesk::ask(const Question& question, const std::stop_token& stop) {
  const store::TimeLimit limit(stop, question.timeout);
  WEIR_TRY(auto opened, open(question, limit.token()));
  auto table = read_or_recover(*opened.session, question, limit.token());
  if (!table) {
    auto error = std::move(table).error();
    if (limit.is_late() && error.code == ErrorCode::kCancelled) {
      return fail(ErrorCode::kInvalidInput, "the query took longer than " +
                                                config::to_text(question.timeout) +
                                                ", which is all that it may take here");
    }
    if (error.code == ErrorCode::kExhausted) {
      return fail(ErrorCode::kInvalidInput, "the query needs more memory than it may have here");
    }
    return std::unexpected(std::move(error));
  }
  for (const auto& place : opened.bad->all()) table->left_out.push_back(place.text());
  put_back(question, std::move(opened));
  return table;
}

}  // namespace weir::server
