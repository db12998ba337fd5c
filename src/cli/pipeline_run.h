#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/command.h"
#include "config/config.h"
#include "config/load.h"
#include "pipeline/file.h"
#include "pipeline/registry.h"
#include "tool/tool.h"

/// What a run of a pipeline needs beside its file. A problem is a reason to refuse it.
namespace weir::cli {

struct FoundPipeline {
  pipeline::File file;
  std::filesystem::path path;
  std::shared_ptr<const pipeline::Registry> registry{};  ///< that it is from; null: none
};

/// The pipeline that is meant by a file's path or, of the registry, by an id: a word that is no
/// file's, has no '/' and none of the endings of pipeline files. Errors: of load_file; kNotFound,
/// with what there is.
[[nodiscard]] Result<FoundPipeline> find_pipeline(const std::string& named,
                                                  const config::Config& config,
                                                  const tool::Registry& tools);

/// The same by its id in the registry alone. Errors: kNotFound.
[[nodiscard]] Result<FoundPipeline> find_registered(const std::string& id,
                                                    const config::Config& config,
                                                    const tool::Registry& tools);

/// What `--set NAME=VALUE` gives, of a name that is no parameter a text. Errors: kInvalidInput for
/// a word without '='.
[[nodiscard]] Result<json::Object> given_params(const pipeline::Params& params,
                                                const std::vector<std::string>& settings);

struct Secrets {
  std::map<std::string, std::string> values;
  std::vector<Problem> problems;

  [[nodiscard]] std::optional<std::string> find(const std::string& name) const;
};

/// The secrets that pipelines name, from where the configuration says, else from the environment
/// variables of their names. No message shows a value.
[[nodiscard]] Secrets fetch_secrets(std::span<const pipeline::Definition* const> definitions,
                                    const config::Config& config,
                                    const config::Environment& environment);

}  // namespace weir::cli
