#pragma once

#include "engine/ready_queue.h"
#include "record/recorder.h"

namespace weir::engine {

/// Records a `worker_pool_changed`: how many workers a domain has, and how many of them are busy.
void record_pool(record::Run& run, const WorkerPool& pool);

}  // namespace weir::engine
