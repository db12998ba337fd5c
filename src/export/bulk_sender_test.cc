#include "export/bulk_sender.h"

#include <gmock/gmock.h>

#include "export/http_server_testing.h"
#include "project/event_feed_testing.h"

namespace weir::exporting {
namespace {

using project::testing_support::EventFeed;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing_support::Client;
using testing_support::HttpServer;

std::string bulk_answer(const std::string& body, const std::string& status = "200 OK",
                        const std::string& more = "") {
  return "HTTP/1.1 " + status + "\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

/// As the documents of the Bulk API have them.
const std::string kCreated =
    R"({"create":{"_index":"i","_id":"1","_version":1,"result":"created","status":201}})";
const std::string kThere =
    R"({"create":{"_index":"i","_id":"1","status":409,"error":{"type":"version_conflict_engine_exception","reason":"document already exists"}}})";
const std::string kTooFast =
    R"({"create":{"_index":"i","_id":"1","status":429,"error":{"type":"es_rejected_execution_exception","reason":"rejected execution"}}})";
const std::string kWrong =
    R"({"create":{"_index":"i","_id":"1","status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse"}}})";

std::string items(const std::vector<std::string>& all) {
  std::string text = R"({"took":3,"errors":true,"items":[)";
  for (const auto& one : all) text += (text.ends_with('[') ? "" : ",") + one;
  return text + "]}";
}

/// Sends four events to a server that answers in turn, the last answer for ever.
struct Sent {
  BulkStatistics statistics;
  std::vector<std::string> requests, told;
};
Sent send_four(const std::vector<std::string>& answers) {
  Sent sent;
  std::atomic<std::size_t> next = 0;
  const HttpServer server([&](const Client& client, const std::string&) {
    static_cast<void>(client.send(answers[std::min(next++, answers.size() - 1)]));
  });
  const auto writer = BulkWriter::make(
      {.endpoint = server.url()},
      {.first_wait = std::chrono::milliseconds(1),
       .longest_wait = std::chrono::milliseconds(2),
       .on_problem = [&sent](const std::string& problem) { sent.told.push_back(problem); }},
      {});
  EXPECT_TRUE(writer);
  EventFeed feed([&](const event::EventView& event, std::string_view line) {
    EXPECT_TRUE((*writer)->add(event, line));
  });
  feed.start_run();
  feed.start_node("a");
  feed.complete_node("a", 1);
  feed.end_run("completed");
  EXPECT_TRUE((*writer)->end());
  sent.statistics = (*writer)->statistics();
  sent.requests = server.requests();
  return sent;
}

std::size_t lines_in(const std::string& request) {
  const auto body = request.substr(request.find("\r\n\r\n") + 4);
  return static_cast<std::size_t>(std::ranges::count(body, '\n'));
}

TEST(BulkWriter, CountsWhatIsThereAlreadyAndTellsWhatIsRefused) {
  const auto sent = send_four({bulk_answer(items({kCreated, kThere, kWrong, kCreated}))});
  EXPECT_EQ(sent.statistics.created, 2U);
  EXPECT_EQ(sent.statistics.there, 1U);
  EXPECT_EQ(sent.statistics.refused, 1U);
  ASSERT_THAT(sent.requests, SizeIs(1));
  EXPECT_THAT(sent.requests[0], HasSubstr("POST /_bulk HTTP/1.1"));
  EXPECT_THAT(sent.requests[0], HasSubstr("Content-Type: application/x-ndjson"));
  EXPECT_EQ(lines_in(sent.requests[0]), 8U);
  EXPECT_THAT(sent.told, ElementsAre(HasSubstr("mapper_parsing_exception: failed to parse")));
}

TEST(BulkWriter, SendsAgainOnlyWhatCameTooFast) {
  const auto sent =
      send_four({bulk_answer(items({kCreated, kTooFast, kTooFast, kCreated})),
                 bulk_answer(items({kTooFast, kCreated})), bulk_answer(items({kCreated}))});
  EXPECT_EQ(sent.statistics.created, 4U);
  ASSERT_THAT(sent.requests, SizeIs(3));
  EXPECT_EQ(lines_in(sent.requests[1]), 4U);
  EXPECT_EQ(lines_in(sent.requests[2]), 2U);
  EXPECT_THAT(sent.told, SizeIs(1));
}

TEST(BulkWriter, WaitsWhereAllIsTooMuchAndHalvesWhatIsTooLong) {
  const auto sent =
      send_four({bulk_answer("", "429 Too Many Requests"), bulk_answer("", "413 Content Too Large"),
                 bulk_answer(items({kCreated, kCreated}))});
  EXPECT_EQ(sent.statistics.created, 4U);
  EXPECT_THAT(sent.requests, SizeIs(4));
}

TEST(BulkWriter, RefusesWhatNobodyCanRead) {
  EXPECT_EQ(send_four({bulk_answer("{}")}).statistics.refused, 4U);
  EXPECT_EQ(send_four({bulk_answer(items({kCreated}))}).statistics.refused, 4U);
  EXPECT_EQ(send_four({bulk_answer("no", "401 Unauthorized")}).statistics.refused, 4U);
}

}  // namespace
}  // namespace weir::exporting
