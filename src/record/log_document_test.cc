#include "record/log_document.h"

#include <gtest/gtest.h>

#include "record/sink_testing.h"

namespace weir::record {
namespace {

std::string document_of(const TestEvent& event) {
  return json::to_text(json::Value(to_log_document(event.published().event)));
}

TEST(LogDocument, HasContextAndMetricsInObjectsOfTheirOwn) {
  const TestEvent event(
      "pipeline_started",
      R"("tenant_id":"acme","environment_id":"prod","adapter":"temporal","component":"engine",)"
      R"("request_id":"req-xyz","engine_attempt":2,"attempt":1,"entry_nodes":["a"],)"
      R"("output_nodes":["b"],"node_count":2,"message":"Run started",)"
      R"("attributes":{"source_ip":"192.168.1.100","planFetchDurationMs":125,"took_s":0.5})");
  EXPECT_EQ(document_of(event),
            R"({"timestamp":"2026-01-05T03:00:00.250000Z","level":"INFO","component":"engine",)"
            R"("eventType":"pipeline_started","message":"Run started",)"
            R"("runId":"019b8a2f-7c00-7000-8000-000000000001","runSeq":1,"planId":"flights",)"
            R"("planVersion":"1","tenantId":"acme","environmentId":"prod","adapter":"temporal",)"
            R"("context":{"pipelineType":"dag","requestId":"req-xyz","logicalAttemptId":1,)"
            R"("engineAttemptId":2,"entryNodes":["a"],"outputNodes":["b"],)"
            R"("source_ip":"192.168.1.100"},)"
            R"("metrics":{"nodeCount":2,"planFetchDurationMs":125,"took_s":0.5}})");
}

TEST(LogDocument, AlwaysSaysWhoSpeaksAndWhat) {
  const TestEvent line("log", R"("logger":"agent","message":"hello")");
  EXPECT_NE(document_of(line).find(R"("component":"agent","eventType":"log","message":"hello")"),
            std::string::npos)
      << document_of(line);
  const TestEvent failed("pipeline_node_failed",
                         R"("level":"ERROR","node_id":"n","plugin_id":"p","tool_id":"t",)"
                         R"("step_index":0,"duration_ms":1.5,"error_type":"E",)"
                         R"("error_message":"no luck")");
  EXPECT_NE(document_of(failed).find(R"("message":"no luck")"), std::string::npos);
  EXPECT_NE(document_of(failed).find(R"("stepId":"n")"), std::string::npos);
  EXPECT_NE(document_of(failed).find(R"("metrics":{"durationMs":1.5})"), std::string::npos);
  const TestEvent paused("pipeline_paused");
  EXPECT_NE(document_of(paused).find(R"("message":"pipeline_paused")"), std::string::npos);
}

}  // namespace
}  // namespace weir::record
