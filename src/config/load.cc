#include "config/load.h"

#include <cstdlib>
#include <utility>

#include "base/file.h"
#include "base/yaml.h"
#include "config/table.h"

namespace weir::config {
namespace {

/// A shorter key can be tried out, a longer one makes HMAC no stronger.
constexpr std::size_t kMinPseudonymKey = 16;
constexpr std::size_t kMaxPseudonymKey = 1024;

/// Nothing but comments: not a document, for YAML.
bool says_nothing(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    const auto first = line.find_first_not_of(" \r");
    if (first != std::string_view::npos && line[first] != '#') return false;
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return true;
}

/// The value of a text, or null and a problem.
json::Value parse_yaml(std::string_view text, Problems& problems) {
  if (says_nothing(text)) return {};
  auto value = yaml::parse(text);
  if (value) return *std::move(value);
  const auto problem = located(value.error());
  problems.add(problem.position, problem.message);
  return {};
}

void read_into(Config& config, const json::Value& value, Problems& problems) {
  auto read = config_shape().read(value, &config, {"configuration", &problems});
  if (read) config = *std::move(read);
}

/// {a: {b: value}} of "a.b".
json::Value nested(std::string_view key, json::Value value) {
  const auto dot = key.find('.');
  if (dot != std::string_view::npos) value = nested(key.substr(dot + 1), std::move(value));
  json::Object object;
  object.set(key.substr(0, dot), std::move(value));
  return object;
}

void forget_positions(json::Value& value) { value.position = {}; }

/// A flag or a variable is a file of one value, which is written as it would be there.
void read_setting(const Flag& setting, Config& config, Problems& problems) {
  json::Value value = setting.value;
  if (const auto parsed = yaml::parse(setting.value)) {
    // Lists and objects have positions inside, which are no places in a file.
    if (parsed->array() == nullptr && parsed->object() == nullptr) value = *parsed;
  }
  forget_positions(value);
  problems.set_source(setting.name);
  read_into(config, nested(setting.key, std::move(value)), problems);
  problems.set_source("");
}

std::vector<Flag> variables(const Environment& environment) {
  std::vector<Flag> settings;
  for (const auto& row : config_shape().rows) {
    if (row.variable.empty()) continue;
    const auto value = environment(row.variable);
    if (!value || value->empty()) continue;
    const auto path = row.variable_path.empty() ? row.path : row.path + "." + row.variable_path;
    settings.push_back({.name = "$" + row.variable, .key = path, .value = *value});
  }
  return settings;
}

/// What the file only points to: secrets, and paths that begin in its folder.
class Settler {
 public:
  Settler(std::filesystem::path folder, const Environment& environment, Problems& problems)
      : folder_(std::move(folder)), environment_(environment), problems_(problems) {}

  void settle(Config& config, const json::Value& file) {
    if (const auto* section = find(file, "redaction")) settle(config.redaction, *section);
    for (auto& sink : config.sinks) settle(sink.path);
    for (auto& folder : config.plugins.folders) settle(folder);
    if (config.log_files) {
      if (config.log_files->loggers.empty()) config.log_files->loggers = standard_log_files();
      for (auto& [name, logger] : config.log_files->loggers) {
        if (logger.output.empty()) logger.output = "logs/" + name + ".log";
      }
      settle(config.log_files->output_dir);
    }
    for (auto& folder : config.pipelines) settle(folder);
    for (auto& [name, source] : config.secrets) settle(source.file);
    settle(config.server.tls_certificate);
    settle(config.server.tls_key);
    const auto* hooks = find(file, "hooks");
    for (std::size_t i = 0; i < config.hooks.size(); ++i) {
      settle(config.hooks[i], (*hooks->array())[i]);
    }
  }

 private:
  static const json::Value* find(const json::Value& object, std::string_view key) {
    return object.object() == nullptr ? nullptr : object.object()->find(key);
  }
  void problem(const json::Value& object, const std::string& key, const std::string& message) {
    problems_.add(position_of(object, key), "'" + key + "': " + message);
  }

  void settle(std::filesystem::path& path) const {
    if (!path.empty() && path.is_relative()) path = folder_ / path;
  }

  /// Of messages it is not a part: it could be the secret itself.
  std::string fetch(const std::string& variable, const json::Value& object,
                    const std::string& key) {
    const auto value = environment_(variable);
    if (value && !value->empty()) return *value;
    problem(object, key, "this environment variable is not set");
    return {};
  }

  void settle(Redaction& redaction, const json::Value& section) {
    settle(redaction.pseudonym_key_file);
    auto& secret = redaction.policy.pseudonym_key;
    std::string key = "pseudonym_key_env";
    if (!redaction.pseudonym_key_env.empty()) {
      secret = fetch(redaction.pseudonym_key_env, section, key);
      if (secret.empty()) return;
    } else if (!redaction.pseudonym_key_file.empty()) {
      key = "pseudonym_key_file";
      auto read = read_file(redaction.pseudonym_key_file, kMaxPseudonymKey + 1);
      if (!read) return problem(section, key, read.error().message);
      secret = *std::move(read);
      if (secret.ends_with('\n')) secret.pop_back();
    } else {
      return;
    }
    if (secret.size() < kMinPseudonymKey || secret.size() > kMaxPseudonymKey) {
      problem(section, key, "a key of pseudonyms has 16 to 1024 bytes");
    }
  }

  void settle(Hook& hook, const json::Value& value) {
    if (hook.name.empty()) hook.name = to_string(hook.kind);
    settle(hook.folder);
    if (!hook.enabled) return;
    if (!hook.url_env.empty()) hook.url = fetch(hook.url_env, value, "url_env");
    for (const auto& [header, variable] : hook.headers_env) {
      hook.headers[header] = fetch(variable, *find(value, "headers_env"), header);
    }
  }

  const std::filesystem::path folder_;
  const Environment& environment_;
  Problems& problems_;
};

Result<std::string> read_text(const Sources& sources) {
  auto text = read_file(sources.file, kMaxFileBytes);
  std::error_code error;
  // Also where a folder on the way is none.
  const bool is_missing =
      std::filesystem::status(sources.file, error).type() == std::filesystem::file_type::not_found;
  if (!text && is_missing && sources.if_missing == IfMissing::kDefaults) return "";
  return text;
}

}  // namespace

File parse(std::string_view text) {
  File file;
  Problems problems;
  read_into(file.config, parse_yaml(text, problems), problems);
  file.problems = problems.take();
  return file;
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return {};
    return value;
  };
}

Result<File> load(const Sources& sources) {
  WEIR_TRY(const auto text, read_text(sources));
  File file;
  Problems problems;
  const auto value = parse_yaml(text, problems);
  read_into(file.config, value, problems);
  for (const auto& one : variables(sources.environment)) read_setting(one, file.config, problems);
  for (const auto& flag : sources.flags) read_setting(flag, file.config, problems);
  if (problems.size() == 0) {
    Settler(sources.file.parent_path(), sources.environment, problems).settle(file.config, value);
  }
  file.problems = problems.take();
  return file;
}

}  // namespace weir::config
