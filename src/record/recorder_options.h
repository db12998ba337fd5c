#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "base/time.h"
#include "event/catalogue.h"
#include "event/redaction.h"
#include "log/log_writer.h"

namespace weir::record {

struct RecorderOptions {
  /// How long an event may wait for its commit.
  std::chrono::milliseconds commit_interval{5};
  /// A commit begins when this much is waiting.
  std::size_t commit_bytes = std::size_t{1} << 20;
  /// Of each emitting thread. A full ring makes `emit` wait, and `try_emit` drop.
  std::size_t ring_bytes = std::size_t{1} << 20;
  /// How often a log that failed is tried again.
  std::chrono::milliseconds retry_interval{1000};
  log::LogWriterOptions log;
  /// What is masked before it is written; null: RedactionPolicy as it stands.
  std::shared_ptr<const event::Redactor> redactor;
  /// Called by `try_emit`, on its thread, for each event that it drops.
  std::function<void(event::Type)> on_drop;
  const Clock* clock = &system_clock();
};

}  // namespace weir::record
