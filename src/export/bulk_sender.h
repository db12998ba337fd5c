#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "export/format.h"
#include "export/span_sender.h"
#include "record/builtin_hooks.h"

namespace weir::exporting {

struct BulkTarget {
  std::string endpoint;  ///< a URL; one without a path gets /_bulk
  record::HttpHeaders headers{};
  std::chrono::milliseconds timeout{30'000};
  std::string authorities{};  ///< PEM; empty: the system's
};

struct BulkStatistics {
  std::uint64_t created = 0;
  std::uint64_t there = 0;    ///< were there before: sent once more
  std::uint64_t refused = 0;  ///< will never be taken
  std::uint64_t retries = 0;  ///< requests that were sent again
};

/// What `_bulk` answered of each item, in their order. Errors: kCorrupt (it is no such answer).
struct BulkItem {
  int status = 0;
  std::string why{};  ///< of an error: "TYPE: REASON"
};
[[nodiscard]] Result<std::vector<BulkItem>> parse_bulk_answer(std::string_view text,
                                                              std::size_t items);

/// Sends events to Elasticsearch or OpenSearch: documents that it has no time for (429, 503) are
/// sent again, those that are there already (409) are well, others that it does not take are told.
class BulkWriter final : public FormatWriter {
 public:
  /// Errors: kInvalidInput (an endpoint of another kind).
  [[nodiscard]] static Result<std::unique_ptr<BulkWriter>> make(BulkTarget target,
                                                                SpanSender::Options options,
                                                                std::stop_token stop);

  [[nodiscard]] Result<void> add(const event::EventView& event, std::string_view line) override;
  /// Errors: kCancelled when it was asked to stop before all were taken or refused.
  [[nodiscard]] Result<void> end() override;

  [[nodiscard]] const BulkStatistics& statistics() const { return statistics_; }

 private:
  BulkWriter(BulkTarget target, SpanSender::Options options, std::stop_token stop);
  [[nodiscard]] Result<void> send();
  [[nodiscard]] Result<std::vector<std::string>> send_once(std::vector<std::string> documents,
                                                           Reception& reception);
  [[nodiscard]] std::vector<std::string> sort_out(std::vector<std::string> documents,
                                                  const std::vector<BulkItem>& items);
  void refuse(std::size_t documents, const std::string& why);

  const BulkTarget target_;
  const SpanSender::Options options_;
  const std::stop_token stop_;
  std::unique_ptr<FormatWriter> format_;
  std::vector<std::string> documents_;  // each with its action
  std::size_t bytes_ = 0;
  BulkStatistics statistics_;
  bool has_told_ = false;
};

}  // namespace weir::exporting
