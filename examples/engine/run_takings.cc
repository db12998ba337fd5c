// run_takings STORE PIPELINES: runs the pipeline `takings` of a folder with tools that are
// functions of this program.
//
//   load ──► total
//
// Afterwards `weir --store STORE show last` and its other commands know all about it.

#include <weir/engine.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>

namespace {

weir::ToolResult load(weir::ToolCall& call) {
  call.log(weir::Level::kInfo, "orders of one day");
  // Payloads are JSON: read and write them with the library of your choice.
  weir::ToolOutput output;
  output.payload = R"({"orders": [21.5, 36.15, 12]})";
  output.rows = 3;
  return output;
}

/// Fails the first time, so that it is tried again.
weir::ToolResult total(weir::ToolCall& call) {
  static std::atomic<int> calls{0};
  if (calls++ == 0) return weir::ToolFailure{"TillClosed", "the till is closed", true};
  call.emit("till.opened", R"({"by": "run_takings"})").ignore();
  return weir::ToolOutput{R"({"total": 69.65})", {}};
}

/// Stands around every call of a tool.
class Counted final : public weir::Interceptor {
 public:
  std::string_view name() const override { return "counted"; }
  std::optional<weir::ToolResult> before(const weir::CallPlace&, weir::ToolCall&) override {
    ++calls;
    return {};
  }
  void after(const weir::CallPlace& place, weir::ToolCall& call,
             weir::ToolResult& result) override {
    if (auto* failure = std::get_if<weir::ToolFailure>(&result)) {
      failure->message +=
          " (attempt " + std::to_string(place.attempt) + " of " + std::string(call.node_id()) + ")";
    }
  }

  std::atomic<int> calls{0};
};

int complain(const weir::Status& status) {
  std::fprintf(stderr, "run_takings: %s\n", status.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: run_takings STORE PIPELINES\n");
    return 2;
  }
  weir::EngineOptions options;
  options.pipelines = {argv[2]};
  auto engine = weir::Engine::open(argv[1], options);
  if (!engine) return complain(engine.status());

  const auto counted = std::make_shared<Counted>();
  for (const auto& status :
       {engine->add_tool({"shop", "orders"}, load), engine->add_tool({"shop", "total"}, total),
        engine->add_interceptor(counted)}) {
    if (!status) return complain(status);
  }

  const auto run = engine->run_pipeline("takings", R"({"day": "2026-11-29"})");
  if (!run) return complain(run.status());
  if (!run->is_completed()) {
    std::fprintf(stderr, "%s: %s\n", run->error_type.c_str(), run->error_message.c_str());
    return 1;
  }
  std::printf("%s\n%d calls, run %s\n", run->result.c_str(), counted->calls.load(),
              run->run_id.c_str());
  return 0;
}
