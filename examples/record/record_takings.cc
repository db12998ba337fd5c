// record_takings STORE: a pipeline of two steps, written in C++, that Weir watches.
//
//   load ──► total
//
// Afterwards `weir --store STORE show last` and its other commands know all about it.

#include <weir/weir.h>

#include <cstdio>
#include <string>
#include <vector>

namespace field = weir::field;

namespace {

struct Order {
  std::string shop;
  double amount;
};

std::vector<Order> load(weir::Run& run) {
  // A step of the pipeline. What it does not end itself counts as failed.
  weir::Node node = run.start_node({"load", "takings", "load"});
  const weir::Logger log = run.logger("takings.load");

  std::vector<Order> orders;
  {
    // A span is a piece of work with a duration. Log lines inside it are inside it in the log too.
    weir::Span span = run.span("read orders", {{"source", "memory"}});
    orders = {{"Lyon", 21.5}, {"Lyon", 36.15}, {"Graz", 12.0}, {"Graz", -1.0}};
    log.info("{} orders of {} shops", orders.size(), 2);
    span.set_attribute("orders", orders.size());
  }

  // A line with fields of the catalogue (columns in SQL) and one of our own (in `attributes`).
  log.warning("an order is below zero", {{field::kNodeId, "load"}, {"shop", "Graz"}});

  node.completed({"orders"}, {{field::kRows, orders.size()}});
  return orders;
}

double total(weir::Run& run, const std::vector<Order>& orders) {
  weir::Node node = run.start_node({"total", "takings", "sum", 1, {"load"}});

  double sum = 0;
  for (const Order& order : orders) sum += order.amount;

  // Any event type of the catalogue. What it must have is in weir/event_types.h.
  run.emit(weir::EventType::kCheckpointCreated, {{field::kNodeId, "total"}, {"sum", sum}});
  node.completed({"sum"});
  return sum;
}

int complain(const char* what, const weir::Status& status) {
  std::fprintf(stderr, "%s: %s\n", what, status.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  auto recorder = weir::Recorder::open(argc > 1 ? argv[1] : ".weir");
  if (!recorder) return complain("no store", recorder.status());

  weir::RunOptions options;
  options.pipeline_id = "takings";
  options.component = "record_takings";
  options.fields = {{field::kTenantId, "acme"}, {field::kEnvironmentId, "example"}};
  options.parent = weir::TraceContext::from_environment();  // who started us may have a trace
  auto run = recorder->begin(options);
  if (!run) return complain("no run", run.status());

  run->pipeline_started({{"load"}, {"total"}, 2});
  const double sum = total(*run, load(*run));
  run->pipeline_completed({"total"});

  // Everything is on disk when this returns, or it says what is not.
  if (const weir::Status status = run->end(); !status) return complain("not recorded", status);
  std::printf("%.2f, recorded as run %s\n", sum, run->id().c_str());
  return 0;
}
