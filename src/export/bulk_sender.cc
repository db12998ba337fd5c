#include "export/bulk_sender.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "export/http_post.h"

namespace weir::exporting {
namespace {

/// Of a request: as Elasticsearch's own guide has it, some megabytes at a time.
constexpr std::size_t kBulkBytes = std::size_t{5} << 20;
constexpr std::size_t kBulkDocuments = 2000;

bool is_not_now(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

std::string body_of(const std::vector<std::string>& documents) {
  std::string body;
  for (const auto& document : documents) body += document;
  return body;
}

std::string text_member(const json::Object& object, std::string_view name) {
  const auto* value = object.find(name);
  return value == nullptr || value->string() == nullptr ? std::string() : *value->string();
}

/// {"create": {"status": 201, …}}
std::optional<BulkItem> item_of(const json::Value& value) {
  if (value.object() == nullptr || value.object()->size() != 1) return {};
  const auto* action = value.object()->begin()->value.object();
  const auto* status = action == nullptr ? nullptr : action->find("status");
  if (status == nullptr || status->integer() == nullptr) return {};
  BulkItem item{.status = static_cast<int>(*status->integer())};
  if (const auto* error = action->find("error"); error != nullptr) {
    item.why = error->object() == nullptr ? json::to_text(*error)
                                          : text_member(*error->object(), "type") + ": " +
                                                text_member(*error->object(), "reason");
    item.why = text::printable(utf8::cut(item.why, kMaxQuotedBytes));
  }
  return item;
}

}  // namespace

Result<std::vector<BulkItem>> parse_bulk_answer(std::string_view text, std::size_t items) {
  const auto wrong = [](const std::string& why) {
    return fail(ErrorCode::kCorrupt, "this is no answer of _bulk: " + why);
  };
  const auto answer = json::parse(text);
  if (!answer) return wrong(answer.error().message);
  const auto* list = answer->object() == nullptr ? nullptr : answer->object()->find("items");
  if (list == nullptr || list->array() == nullptr) return wrong("it has no 'items'");
  if (list->array()->size() != items) {
    return wrong("it is of " + text::count(list->array()->size(), "item") + ", and not of " +
                 std::to_string(items));
  }
  std::vector<BulkItem> all;
  for (const auto& value : *list->array()) {
    auto item = item_of(value);
    if (!item) return wrong("an item has no status");
    all.push_back(*std::move(item));
  }
  return all;
}

BulkWriter::BulkWriter(BulkTarget target, SpanSender::Options options, std::stop_token stop)
    : target_(std::move(target)),
      options_(std::move(options)),
      stop_(std::move(stop)),
      format_(make_elasticsearch([this](std::string_view document) {
        documents_.emplace_back(document);
        bytes_ += document.size();
        return Result<void>();
      })) {}

Result<std::unique_ptr<BulkWriter>> BulkWriter::make(BulkTarget target, SpanSender::Options options,
                                                     std::stop_token stop) {
  WEIR_TRY(target.endpoint, endpoint_of(target.endpoint, "/_bulk"));
  target.headers.emplace_back("Content-Type", "application/x-ndjson");
  return std::unique_ptr<BulkWriter>(
      new BulkWriter(std::move(target), std::move(options), std::move(stop)));
}

Result<void> BulkWriter::add(const event::EventView& event, std::string_view line) {
  WEIR_TRY(format_->add(event, line));
  if (bytes_ < kBulkBytes && documents_.size() < kBulkDocuments) return {};
  return send();
}

Result<void> BulkWriter::end() { return send(); }

/// Until each document was taken or refused.
Result<void> BulkWriter::send() {
  auto documents = std::exchange(documents_, {});
  bytes_ = 0;
  for (int tries = 0; !documents.empty(); ++tries) {
    Reception reception;
    WEIR_TRY(documents, send_once(std::move(documents), reception));
    if (documents.empty()) break;
    if (!reception.why.empty() && !std::exchange(has_told_, true) && options_.on_problem) {
      options_.on_problem(reception.why + "; what is not taken yet waits");
    }
    if (!wait_or_stop(wait_before(options_, reception.retry_after, tries), stop_)) {
      return fail(ErrorCode::kCancelled, "asked to stop while nobody took documents");
    }
    ++statistics_.retries;
  }
  return {};
}

/// What is left to be sent. Errors: kCancelled.
Result<std::vector<std::string>> BulkWriter::send_once(std::vector<std::string> documents,
                                                       Reception& reception) {
  const HttpPostOptions post{.timeout = target_.timeout, .authorities = target_.authorities};
  const auto answer =
      http_exchange(post, target_.endpoint, body_of(documents), target_.headers, stop_);
  if (!answer) {
    if (answer.error().code != ErrorCode::kUnavailable) return std::unexpected(answer.error());
    reception.why = answer.error().message;
    return documents;
  }
  const auto status = static_cast<int>(answer->status);
  if (is_not_now(status)) {
    reception = {.kind = Reception::Kind::kNotNow,
                 .why = "status " + std::to_string(status),
                 .retry_after = answer->retry_after};
    return documents;
  }
  if (status == 413 && documents.size() > 1) {
    const auto middle = documents.begin() + static_cast<std::ptrdiff_t>(documents.size() / 2);
    std::vector<std::string> second(std::make_move_iterator(middle),
                                    std::make_move_iterator(documents.end()));
    documents.erase(middle, documents.end());
    WEIR_TRY(auto left, send_once(std::move(documents), reception));
    WEIR_TRY(auto more, send_once(std::move(second), reception));
    left.insert(left.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
    return left;
  }
  if (!answer->is_success()) {
    refuse(documents.size(), "status " + std::to_string(status) + ": " + answer->text);
    return std::vector<std::string>();
  }
  const auto items = parse_bulk_answer(answer->text, documents.size());
  if (!items) {
    refuse(documents.size(), items.error().message);
    return std::vector<std::string>();
  }
  auto left = sort_out(std::move(documents), *items);
  if (!left.empty()) reception.why = text::count(left.size(), "document") + " came too fast";
  return left;
}

std::vector<std::string> BulkWriter::sort_out(std::vector<std::string> documents,
                                              const std::vector<BulkItem>& items) {
  std::vector<std::string> left;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto status = items[i].status;
    if (status >= 200 && status < 300) {
      ++statistics_.created;
    } else if (status == 409) {
      ++statistics_.there;
    } else if (is_not_now(status)) {
      left.push_back(std::move(documents[i]));
    } else {
      refuse(1, "status " + std::to_string(status) + ": " + items[i].why);
    }
  }
  if (left.empty()) has_told_ = false;
  return left;
}

void BulkWriter::refuse(std::size_t documents, const std::string& why) {
  constexpr std::uint64_t kMostTold = 20;
  if (statistics_.refused < kMostTold && options_.on_problem) {
    options_.on_problem(text::count(documents, "document") + " will not be sent: " + why);
  }
  statistics_.refused += documents;
}

}  // namespace weir::exporting
