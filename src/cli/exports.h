#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "export/trace_exporter.h"
#include "log/store_directory.h"

namespace weir::cli {

/// How spans get to a receiver. Errors: kInvalidInput (an endpoint of another kind, a variable of a
/// header that is not set).
[[nodiscard]] Result<exporting::SendRequest> transport_of(const config::Export& target);

/// Sends to a receiver the traces of runs that end, and those that have ended since its cursor.
/// Trouble is said on standard error. Errors: those of transport_of and TraceExporter.
[[nodiscard]] Result<std::unique_ptr<exporting::TraceExporter>> start_export(
    const config::Export& target, const log::StoreDirectory& store);

/// Of all that are configured.
[[nodiscard]] Result<std::vector<std::unique_ptr<exporting::TraceExporter>>> start_exports(
    const config::Config& settings, const log::StoreDirectory& store);

}  // namespace weir::cli
