#include "engine/pool_events.h"

#include "engine/local_adapter.h"

namespace weir::engine {

void record_pool(record::Run& run, const WorkerPool& pool) {
  json::Object attributes;
  attributes.set("domain", pool.domain);
  attributes.set("limit", pool.limit);
  attributes.set("busy", pool.busy);
  const auto text = json::to_text(attributes);
  const std::vector<event::FieldValue> fields = {
      {event::Field::kAdapter, kLocalAdapter},
      {event::Field::kAttributes, event::ObjectText{text}}};
  run.emit(event::Type::kWorkerPoolChanged, fields);
}

}  // namespace weir::engine
