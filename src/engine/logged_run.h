#pragma once

#include "engine/engine.h"
#include "engine/execution.h"
#include "engine/run_loggers.h"
#include "engine/run_place.h"
#include "record/recorder.h"

namespace weir::engine {

/// Tells the request's RunLogger of its run, if it has one. All that it is given outlives it.
class LoggedRun {
 public:
  LoggedRun(const RunRequest& request, record::Run& run, const RunPlace& place)
      : request_(request), run_(run), place_(place) {}

  void started();
  void ended(Execution& execution, double duration_ms);

 private:
  template <class Tell>
  void tell(Tell tell);

  const RunRequest& request_;
  record::Run& run_;
  const RunPlace& place_;
};

}  // namespace weir::engine
