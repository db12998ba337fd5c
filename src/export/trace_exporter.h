#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "export/span_sender.h"
#include "log/follower.h"
#include "log/store_directory.h"

namespace weir::exporting {

struct TraceExportOptions {
  std::string name = "otlp";  ///< of its cursor, which is `export-NAME`
  SendRequest send{};
  /// Which part of the traces without an error is sent, by the hash of their id: 0 to 1. Of those
  /// with an error all are.
  double sampling = 0.1;
  std::optional<std::string> tenant{};  ///< whose runs alone
  /// How long after its end a run is sent: what is undone then is in it.
  std::chrono::milliseconds settle{1'000};
  SpanSender::Options sending{};
  const Clock* clock = &system_clock();
};

struct TraceExportStatistics {
  std::uint64_t runs = 0;      ///< sent
  std::uint64_t left_out = 0;  ///< runs that were sampled out
  SenderStatistics spans{};
};

/// Sends the traces of runs that have ended to a receiver, as they end: a reader of the log with a
/// registered cursor, docs/formats/cursor.md.
///
///   log ──► thread: which runs ended ──► keep those that failed, some of the others
///                                        └► their spans ──► receiver ──► cursor moves on
///
/// Durable  The cursor passes a run when its spans were taken or refused. So after a crash some are
///          sent twice, with the same ids, and none is missing; a receiver that is down costs
///          nothing but delay.
/// Memory   One batch of spans, the ids of kMostRuns runs; whatever the receiver does.
/// Threads  All functions from any. One of its own, `weir-export`.
/// Shutdown The destructor ends a request that is out.
class TraceExporter {
 public:
  /// Runs that are looked at in one reading of the log.
  static constexpr std::size_t kMostRuns = 256;

  /// Errors: kInvalidInput (the name), kIo, kNotFound.
  [[nodiscard]] static Result<std::unique_ptr<TraceExporter>> start(log::StoreDirectory store,
                                                                    TraceExportOptions options);
  ~TraceExporter();
  TraceExporter(const TraceExporter&) = delete;
  TraceExporter& operator=(const TraceExporter&) = delete;

  [[nodiscard]] TraceExportStatistics statistics() const;

 private:
  class Impl;
  explicit TraceExporter(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

/// Whether a trace without an error is among the part that is sent: the same everywhere, whoever
/// asks.
[[nodiscard]] bool is_sampled(std::string_view trace_id, double part);

}  // namespace weir::exporting
