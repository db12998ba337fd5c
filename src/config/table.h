#pragma once

#include "config/config.h"
#include "config/object.h"

/// The table: every key of `weir.yaml`, what it may be and what it means. Internal to config.
namespace weir::config {

/// The whole file; made once.
[[nodiscard]] const Shape<Config>& config_shape();

// Its sections.
[[nodiscard]] Shape<Redaction> redaction_shape();
[[nodiscard]] Shape<Retention> retention_shape();
[[nodiscard]] Shape<std::vector<Sink>> sinks_shape();
[[nodiscard]] Shape<LogFiles> log_files_shape();
[[nodiscard]] Shape<std::vector<Hook>> hooks_shape();
[[nodiscard]] Shape<Plugins> plugins_shape();
[[nodiscard]] Shape<Server> server_shape();
[[nodiscard]] Shape<std::vector<Export>> exports_shape();

// What several sections have.
[[nodiscard]] Shape<event::Level> level_shape();
[[nodiscard]] Shape<std::vector<event::TopicPattern>> topics_shape();
[[nodiscard]] Shape<std::string> variable_shape();
[[nodiscard]] Shape<std::string> url_shape();
/// Of a header of HTTP.
[[nodiscard]] Shape<std::string> header_shape();
/// What nobody should read in a file: the default policy knows it when it sees it.
[[nodiscard]] bool is_secret(std::string_view name, std::string_view value);
[[nodiscard]] Shape<Trust> trust_shape();
/// Ids of plugins, tools and the like.
[[nodiscard]] Shape<std::string> id_shape();
[[nodiscard]] bool is_id(std::string_view text);

}  // namespace weir::config
