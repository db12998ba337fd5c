#include "bench/spdlog_logger.h"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>

namespace weir::bench {

class SpdlogLogger::Impl {
 public:
  // Its default queue and one thread, as its documentation has it. What blocks instead of dropping
  // is what can be compared.
  explicit Impl(const std::filesystem::path& file)
      : pool(std::make_shared<spdlog::details::thread_pool>(8192, 1)),
        logger(std::make_shared<spdlog::async_logger>(
            "six", std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string()), pool,
            spdlog::async_overflow_policy::block)) {
    logger->set_pattern(R"({"timestamp":"%Y-%m-%dT%H:%M:%S.%fZ","event_type":"log","level":"%l",)"
                        R"("pipeline_type":"dag","pipeline_id":"flights","pipeline_version":"1",)"
                        R"("run_id":"019b8a2f-7c00-7000-8000-000000000001",)"
                        R"("trace_id":"996ac0d084ed2787b426421e34ba9923",%v})",
                        spdlog::pattern_time_type::utc);
  }

  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

SpdlogLogger::SpdlogLogger(const std::filesystem::path& file)
    : impl_(std::make_unique<Impl>(file)) {}
SpdlogLogger::~SpdlogLogger() = default;

void SpdlogLogger::log_six(std::string_view span, std::int64_t step) {
  impl_->logger->info(
      R"("span_id":"{}","node_id":"{}","plugin_id":"{}","tool_id":"{}","step_index":{},"message":"{}")",
      span, "by_origin", "sql", "query", step, "grouped 3000000 rows by origin");
}

void SpdlogLogger::finish() { impl_.reset(); }

}  // namespace weir::bench
