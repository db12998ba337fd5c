#pragma once

/// Weir for programs of your own: what they do becomes runs in a store, which `weir show`, `weir
/// sql` and the others read while they record. docs/embedding.md is the way in.
///
///   auto recorder = weir::Recorder::open(".weir");
///   if (!recorder) …                                    // recorder.status() says why
///   auto run = recorder->begin({"nightly"});
///   run->pipeline_started({{"load"}, {"load"}, 1});
///   …
///   weir::Status status = run->end();                   // everything is on disk
///
/// No function throws; when there is no memory left, the process ends.

#include "weir/coroutine.h"
#include "weir/correlation.h"
#include "weir/event_bus.h"
#include "weir/event_types.h"
#include "weir/field.h"
#include "weir/fields.h"
#include "weir/hooks.h"
#include "weir/log_query.h"
#include "weir/logger.h"
#include "weir/recorder.h"
#include "weir/redaction.h"
#include "weir/run.h"
#include "weir/sink.h"
#include "weir/sinks.h"
#include "weir/status.h"
#include "weir/structured_logger.h"
#include "weir/trace.h"
#include "weir/wide_events.h"
