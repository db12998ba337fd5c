// run_hooks STORE FILE: a pipeline of one's own, said with the structured logger. Hooks hear of it
// while it runs, its lines go into FILE as documents, and at the end it is asked how it went.

#include <weir/weir.h>

#include <cstdio>
#include <memory>
#include <string>

namespace {

int complain(const char* what, const weir::Status& status) {
  std::fprintf(stderr, "run_hooks: %s: %s\n", what, status.message().c_str());
  return 1;
}

/// A hook of one's own: it is called on a thread of the bus, never twice at once.
weir::Status page_somebody(const weir::Event& event, const weir::StopToken&) {
  const std::string node(event.text(weir::field::kNodeId));
  const std::string error(event.text(weir::field::kErrorMessage));
  std::printf("page: node %s failed: %s\n", node.c_str(), error.c_str());
  return {};
}

weir::Status add_hooks(weir::EventBus& bus) {
  weir::Hook page;
  page.name = "page";
  page.topics = {"stage.*.failed"};
  page.call = page_somebody;
  page.priority = weir::HookPriority::kHigh;
  if (auto added = bus.add(page); !added) return added;
  auto alert = weir::failure_alert_hook([](std::string_view text) {
    std::printf("%s", std::string(text).c_str());
    return weir::Status();
  });
  return alert ? bus.add(*alert) : alert.status();
}

/// The lines of FILE, beside whoever else is the process's sink.
weir::Status add_file(const char* path) {
  weir::JsonLinesOptions options;
  options.path = path;
  options.format = weir::LineFormat::kDocument;
  auto file = weir::json_lines_sink(options);
  if (!file) return file.status();
  auto all = std::make_shared<weir::CompositeSink>();
  weir::EventFilter failures;
  failures.min_level = weir::Level::kError;
  if (auto added = all->add("file", *file, failures); !added) return added;
  return weir::set_event_sink(all);
}

void work(weir::Run& run, weir::StructuredLogger& logger) {
  logger.log_pipeline_start("energy", {{"read"}, {"write"}, 2});
  logger.log_node_start("read", "ingest", "pandas");
  logger.log_cache_miss("read", "d41d8cd98f00b204e9800998ecf8427e");
  weir::StructuredLogger::NodeComplete read;
  read.duration_ms = 125.5;
  read.rows = 1000;
  logger.log_node_complete("read", read);
  logger.log_node_start("write", "publish", "pandas");
  weir::StructuredLogger::NodeFailure failure;
  failure.error = "IOError: disk full";
  logger.log_node_failed("write", failure);

  // All that is known of a node in one event, with what only this program knows.
  weir::NodeWide wide;
  wide.node_id = "write";
  wide.status = "failed";
  wide.error_message = failure.error;
  weir::emit_node_wide(run, wide, {{"customer_id", "c9"}});

  weir::StructuredLogger::PipelineComplete end;
  end.duration_ms = 5000;
  end.success_count = 1;
  end.failed_count = 1;
  logger.log_pipeline_complete("energy", end);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: run_hooks STORE FILE\n");
    return 2;
  }
  if (const auto added = add_file(argv[2]); !added) return complain("no file", added);
  weir::EventBus bus;
  if (const auto added = add_hooks(bus); !added) return complain("no hook", added);
  {
    auto recorder = weir::Recorder::open(argv[1]);
    if (!recorder) return complain("no store", recorder.status());
    if (const auto added = recorder->add_sink(bus.sink()); !added) {
      return complain("no bus", added);
    }
    weir::RunOptions options;
    options.pipeline_id = "energy_fast";
    auto run = recorder->begin(options);
    if (!run) return complain("no run", run.status());
    weir::StructuredLogger logger(*run);
    work(*run, logger);

    const auto summary = logger.get_summary();
    if (!summary) return complain("no summary", summary.status());
    std::printf("%llu events, %zu of them errors\n",
                static_cast<unsigned long long>(summary->total), summary->errors.size());
    if (const auto status = run->end(); !status) return complain("not recorded", status);
  }  // the hooks and the file have everything now
  return 0;
}
