#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "artifact/artifact_store.h"
#include "embed/state.h"
#include "engine/engine.h"
#include "engine/interceptor.h"
#include "engine/local_adapter.h"
#include "engine/run_loggers.h"
#include "engine/signal_feed.h"
#include "engine/signal_types.h"
#include "plugins/plugins.h"
#include "weir/engine.h"

namespace weir::embed {

/// What stands behind an Engine of weir/engine.h.
struct EngineState {
  EngineState(log::StoreDirectory store, EngineOptions its_options,
              std::shared_ptr<const event::Redactor> redactor)
      : options(std::move(its_options)),
        artifacts(store.artifacts()),
        recorder(std::move(store), {.redactor = std::move(redactor)}),
        adapter(recorder, {.speaks = engine::LocalAdapter::Speaks::kAfterInterval}),
        engine(recorder, artifacts, tools, recorder.redactor()) {
    plugins::add_all(tools, artifacts);
  }

  const EngineOptions options;
  const artifact::ArtifactStore artifacts;
  tool::Registry tools;
  std::vector<std::shared_ptr<engine::Interceptor>> interceptors;
  std::unique_ptr<engine::RunLogger> run_logger;
  std::unique_ptr<engine::ProviderCallLogger> provider_call_logger;
  engine::SignalPolicy policy;
  record::Recorder recorder;
  engine::LocalAdapter adapter;
  std::unique_ptr<engine::SignalFeed> signals;
  engine::Engine engine;
};

}  // namespace weir::embed
