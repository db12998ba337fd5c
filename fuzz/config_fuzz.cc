// The configuration: what is wrong is said with its place, and what is accepted reads back as it is
// written, and has what those who use it take for granted.

#include "base/yaml.h"
#include "config/load.h"
#include "config/schema.h"
#include "fuzz/positions.h"

namespace weir::config {
namespace {

void check_limits(const Config& config) {
  WEIR_CHECK(config.record.commit_interval.count() >= 1);
  WEIR_CHECK(config.log.size_bytes >= std::uint64_t{1} << 20);
  WEIR_CHECK(event::Redactor::make(config.redaction.policy));
  for (const auto& [name, logger] : config.loggers) {
    WEIR_CHECK(!logger.sampling || (*logger.sampling >= 0 && *logger.sampling <= 1));
  }
  for (const auto& sink : config.sinks) {
    WEIR_CHECK(sink.path.empty() == (sink.type != SinkType::kJsonl));
  }
  for (const auto& hook : config.hooks) {
    WEIR_CHECK(hook.command.empty() == (hook.kind != HookKind::kCommand));
    WEIR_CHECK(!hook.timeout || hook.timeout->count() >= 1);
  }
}

void check(std::string_view text) {
  const auto file = parse(text);
  const fuzz::Positions positions(text);
  for (const auto& problem : file.problems) {
    WEIR_CHECK(!problem.message.empty());
    WEIR_CHECK(positions.offset(problem.position));
  }
  if (!file.problems.empty()) return;
  check_limits(file.config);
  const auto written = json::to_text(to_json(file.config));
  const auto again = parse(written);
  WEIR_CHECK(again.problems.empty());
  WEIR_CHECK(json::to_text(to_json(again.config)) == written);
}

}  // namespace
}  // namespace weir::config

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::config::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
