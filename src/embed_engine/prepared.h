#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "embed_engine/engine_state.h"
#include "engine/sub_pipelines.h"
#include "pipeline/file.h"
#include "pipeline/registry.h"

namespace weir::embed {

/// A pipeline and those that its nodes run, which stay as they are while it runs.
struct Prepared {
  pipeline::File file;
  std::filesystem::path path{};  ///< absolute; empty: there is no file
  std::vector<Problem> problems{};
  std::shared_ptr<const pipeline::Registry> registry{};  ///< null: none is needed
};

/// Of the engine's folders. Errors: kNotFound; those of Registry::load.
[[nodiscard]] Result<Prepared> prepare_by_id(const EngineState& state, std::string_view id);
/// Of a text. Errors: those of Registry::load.
[[nodiscard]] Result<Prepared> prepare_text(const EngineState& state, std::string_view text);
/// What a run was of, to be run here. Errors: kInvalidInput for what is wrong with it; those of
/// Registry::load.
[[nodiscard]] Result<Prepared> prepare_recorded(const EngineState& state,
                                                engine::SubPipeline pipeline);

/// Adds a problem for each secret that the engine has not.
void add_missing_secrets(const EngineState& state, Prepared& prepared);
[[nodiscard]] std::optional<std::string> secret_of(const EngineState& state,
                                                   const std::string& name);
/// Both outlive it.
[[nodiscard]] engine::SubPipelines sub_pipelines_of(const EngineState& state,
                                                    const Prepared& prepared);
/// What is wrong with it, a line each.
[[nodiscard]] std::string text_of(const Prepared& prepared);

}  // namespace weir::embed
