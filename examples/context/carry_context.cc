// carry_context STORE: a request with its ids, taken along into a worker thread, a coroutine and
// another service.

#include <weir/weir.h>

#include <coroutine>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <thread>

namespace {

int complain(const char* what, const weir::Status& status) {
  std::fprintf(stderr, "carry_context: %s: %s\n", what, status.message().c_str());
  return 1;
}

/// A coroutine that goes its own way.
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

/// A pool of one thread, which is waited for.
void in_a_thread(const std::function<void()>& work) { std::thread(work).join(); }

Task answer(weir::Run& run) {
  run.logger("answer").info("asked");
  co_await weir::resume_on(in_a_thread);  // what was current still is, in another thread
  run.logger("answer").info("answered");
}

/// What another service does with the headers of a request.
std::string correlation_there(const weir::Headers& headers) {
  const auto received = weir::TraceContext::from_headers(headers);
  const auto scope = received.activate();
  return weir::get_correlation_id();
}

}  // namespace

int main(int argc, char** argv) {
  auto recorder = weir::Recorder::open(argc > 1 ? argv[1] : ".weir");
  if (!recorder) return complain("no store", recorder.status());
  weir::RunOptions options;
  options.pipeline_id = "chat_fast";
  auto run = recorder->begin(options);
  if (!run) return complain("no run", run.status());

  weir::CorrelationIds ids;
  ids.request_id = "req-7";
  ids.user_id = "ann";
  ids.interaction_id = "chat-3";
  ids.workflow_name = "support";
  ids.extra = {{"customer_id", "c9"}};
  const auto context = weir::with_ids(weir::TraceContext::start(), ids);
  if (!context) return complain("no ids", context.status());
  {
    const auto scope = context->activate();
    weir::ensure_correlation_id();
    run->pipeline_started({{"answer"}, {"answer"}, 1});
    std::thread(weir::bind(weir::TraceContext::capture(), [&] {
      run->logger("worker").info("in a thread");
    })).join();
    answer(*run);
    run->pipeline_completed({"answer"});
    const auto headers = weir::TraceContext::capture().to_headers();
    std::printf("%s\n", correlation_there(headers) == weir::get_correlation_id()
                            ? "one correlation id in both services"
                            : "the correlation id is lost");
    for (const auto& [key, id] : weir::ids_of(weir::TraceContext::current()).to_dict()) {
      if (key != "trace_id" && key != "correlation_id") {
        std::printf("%s=%s\n", key.c_str(), id.c_str());
      }
    }
  }
  if (const auto status = run->end(); !status) return complain("not recorded", status);
  return 0;
}
