#pragma once

#include <memory>

#include "engine/run_loggers.h"
#include "weir/run_logger.h"

/// The program's loggers as those of the engine.
namespace weir::embed {

[[nodiscard]] std::unique_ptr<engine::RunLogger> adapt(std::shared_ptr<weir::RunLogger> logger);
[[nodiscard]] std::unique_ptr<engine::ProviderCallLogger> adapt(
    std::shared_ptr<weir::ProviderCallLogger> logger);

}  // namespace weir::embed
