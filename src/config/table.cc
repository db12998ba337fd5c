#include "config/table.h"

#include "config/collection.h"

namespace weir::config {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// As record::Loggers has them.
bool is_logger_name(std::string_view name) {
  const auto allowed = [](char c) {
    return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
  };
  return !name.empty() && name.front() != '.' && name.back() != '.' && !name.contains("..") &&
         std::all_of(name.begin(), name.end(), allowed);
}

Shape<Recording> record_shape() {
  return object<Recording>(
      "how runs are recorded",
      {key<Recording>(
           "durability", &Recording::durability,
           choice<Durability>({{"memory", Durability::kMemory},
                               {"batch", Durability::kBatch},
                               {"commit", Durability::kCommit}}),
           "when an event is safe: `memory` at the next commit, with no promise; `batch` within a "
           "commit interval, and at exit and abort; `commit` before the pipeline goes on",
           {.variable = "WEIR_DURABILITY"}),
       key<Recording>(
           "commit_interval", &Recording::commit_interval, duration(milliseconds(1), seconds(10)),
           "how long an event may wait for its commit", {.variable = "WEIR_COMMIT_INTERVAL"}),
       key<Recording>(
           "on_log_failure", &Recording::on_log_failure,
           choice<OnLogFailure>(
               {{"stop", OnLogFailure::kStop}, {"continue", OnLogFailure::kContinue}}),
           "what a run does when it cannot be recorded any more, where its pipeline does not say",
           {.variable = "WEIR_ON_LOG_FAILURE"}),
       key<Recording>("patience", &Recording::patience, duration(milliseconds(1), hours(1)),
                      "how long sinks, hooks and standard error are waited for when a command "
                      "ends, before they are left behind",
                      {.variable = "WEIR_PATIENCE"})});
}

Shape<Segments> log_shape() {
  constexpr auto kSmallest = std::uint64_t{1} << 20;
  // Whoever compacts has a whole one in memory.
  constexpr auto kLargest = std::uint64_t{256} << 20;
  return object<Segments>(
      "the event log's files",
      {key<Segments>("segment_size", &Segments::size_bytes, size(kSmallest, kLargest),
                     "a segment of this size is finished, and can be sealed",
                     {.variable = "WEIR_SEGMENT_SIZE"}),
       key<Segments>("segment_age", &Segments::age, duration(seconds(1), days(1)),
                     "and one of this age", {.variable = "WEIR_SEGMENT_AGE"})});
}

Shape<ByName<LoggerSettings>> loggers_shape() {
  return map("settings of loggers",
             object<LoggerSettings>(
                 "a logger",
                 {key<LoggerSettings>("level", &LoggerSettings::level, optional(level_shape()),
                                      "from which level on it records; `pipeline_dag` at `debug`: "
                                      "also what goes into tools and comes out, masked "
                                      "(`node_io`)",
                                      {.fallback = "as the logger above, at last `info`"}),
                  key<LoggerSettings>("sampling", &LoggerSettings::sampling, optional(fraction()),
                                      "which part of its events below `error` is recorded",
                                      {.fallback = "as the logger above, at last `1`"})}),
             {.what = "a logger's name: letters, digits, '_' and '-' between single dots",
              .pattern = "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$",
              .accepts = is_logger_name});
}

Shape<SecretSource> secret_shape() {
  const auto check = [](const SecretSource& source, const json::Value& value, Problems& problems) {
    if (source.env.empty() == source.file.empty()) {
      problems.add(value.position, "a secret is 'env' or 'file', and not both");
    }
  };
  json::Object env, file;
  env.set("required", json::Array{"env"});
  file.set("required", json::Array{"file"});
  json::Object rules;
  rules.set("oneOf", json::Array{std::move(env), std::move(file)});
  return object<SecretSource>(
      "a secret",
      {key<SecretSource>("env", &SecretSource::env, variable_shape(),
                         "the environment variable that holds it"),
       key<SecretSource>("file", &SecretSource::file, path("a file"),
                         "the file that holds it; a line end at its end is none of it")},
      {.check = check, .rules = std::move(rules)});
}

Shape<Signals> signals_shape() {
  const auto role = choice<SignalRole>({{"operator", SignalRole::kOperator},
                                        {"engineer", SignalRole::kEngineer},
                                        {"admin", SignalRole::kAdmin},
                                        {"system", SignalRole::kSystem}});
  return object<Signals>(
      "who may ask",
      {key<Signals>("roles", &Signals::roles,
                    map("roles", role,
                        {.what = "a user's name",
                         .pattern = "^[^\\s]+$",
                         .accepts =
                             [](std::string_view name) {
                               return !name.empty() && !name.contains(' ') && !name.contains('\t');
                             }}),
                    "by user: `operator` may pause, resume, cancel, approve and deny; `engineer` "
                    "also retry-step, retry-run and skip-step; `admin` all but escalate-alert, "
                    "which is for `system` alone; as long as nobody has another role than `admin`, "
                    "everybody may ask everything"),
       key<Signals>("default_role", &Signals::default_role, role, "of everybody else")});
}

auto secrets_shape() {
  return map("secrets", secret_shape(),
             {.what = "a secret's name: letters, digits, '_' and '-'",
              .pattern = "^[A-Za-z0-9_-]+$",
              .accepts = [](std::string_view name) {
                const auto allowed = [](char c) {
                  return is_letter_or_digit(c) || c == '_' || c == '-';
                };
                return !name.empty() && std::all_of(name.begin(), name.end(), allowed);
              }});
}

Key<Config> loggers_key() {
  return key<Config>(
      "loggers", &Config::loggers, loggers_shape(),
      "Levels and sampling of loggers. Names go by dots: what is not set at `agent.drafter` "
      "is as at `agent`, and then as at `weir`, which is above all. The lines that "
      "a node's command prints, and those of a command that `exec` runs, are `info` of "
      "`stderr` and `stdout`. What a run does is always recorded. Sampling keeps all of a "
      "trace or "
      "nothing: of some runs every line, of the others none.",
      {.variable = "WEIR_LOG_LEVEL", .variable_path = "weir.level"});
}

}  // namespace

Shape<event::Level> level_shape() {
  using enum event::Level;
  return choice<event::Level>({{"debug", kDebug},
                               {"info", kInfo},
                               {"warning", kWarning},
                               {"error", kError},
                               {"fatal", kFatal}},
                              {{"warn", kWarning},
                               {"critical", kFatal},
                               {"DEBUG", kDebug},
                               {"INFO", kInfo},
                               {"WARNING", kWarning},
                               {"ERROR", kError},
                               {"FATAL", kFatal}});
}

Shape<std::vector<event::TopicPattern>> topics_shape() {
  const auto topic = converted<event::TopicPattern, std::string>(
      text("a topic such as pipeline.failed, stage.*.failed or stage.#",
           {.max_bytes = event::kMaxPatternBytes}),
      [](const std::string& text) -> std::optional<event::TopicPattern> {
        auto pattern = event::TopicPattern::parse(text);
        if (!pattern) return {};
        return *std::move(pattern);
      },
      [](const event::TopicPattern& pattern) { return pattern.text(); });
  constexpr std::size_t kMaxTopics = 64;
  return list("topics", topic, {.max_items = kMaxTopics});
}

Shape<std::string> variable_shape() {
  const auto names = variable_names();
  return text(names.what,
              {.max_bytes = names.max_bytes,
               .secrecy = Secrecy::kSecret,  // who takes it for the value writes a secret there
               .pattern = names.pattern,
               .accepts = names.accepts});
}

/// A name that can be a folder's, and a part of a URL.
Shape<std::string> tenant_shape() {
  return text("a tenant's name: letters, digits, '.', '_' and '-', at first a letter or a digit",
              {.max_bytes = 128,
               .pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$",
               .accepts = [](const std::string& name) {
                 const auto allowed = [](char c) {
                   return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
                 };
                 return is_letter_or_digit(name[0]) &&
                        std::all_of(name.begin(), name.end(), allowed);
               }});
}

const Shape<Config>& config_shape() {
  static const Shape<Config> shape = object<Config>(
      "the configuration",
      {key<Config>("record", &Config::record, record_shape(), "How runs are recorded."),
       key<Config>(
           "log", &Config::log, log_shape(),
           "The segments of the event log. A smaller or younger segment is sealed sooner, and "
           "there "
           "are more of them."),
       key<Config>(
           "retention", &Config::retention, optional(retention_shape()),
           "How long runs are kept: see [keeping the store](../keeping.md). Where it stands "
           "(`retention: {}` is enough), commands that record delete what is over its age, "
           "once a day; without it, only `weir gc` does, by these defaults. A run that is "
           "held, still running or not wholly compacted stays."),
       key<Config>(
           "redaction", &Config::redaction, redaction_shape(),
           "What is taken out of texts before they are written: see [redaction](redaction.md)."),
       loggers_key(),
       key<Config>(
           "sinks", &Config::sinks, sinks_shape(),
           "Where events go beside the event log. Each sink gets those that are committed, from "
           "its "
           "level on, with a topic that it includes and does not exclude."),
       key<Config>(
           "loggingConfig", &Config::log_files, optional(log_files_shape()),
           "Log files as PaperKit's `logging-config.yaml` has them, in its spelling: one for each "
           "of "
           "`agent`, `workflow`, `tool`, `error` and `audit`, or for those that are named."),
       key<Config>("hooks", &Config::hooks, hooks_shape(),
                   "What is called when something happens. `weir hooks` lists them."),
       key<Config>("server", &Config::server, server_shape(),
                   "Where `weir serve` listens, and what it lets clients have: see [the "
                   "server](server.md). Its options win."),
       key<Config>("export", &Config::exports, exports_shape(),
                   "Where `weir serve` sends the traces of runs that have ended, over OTLP: see "
                   "[exporting](../exporting.md)."),
       key<Config>("pipelines", &Config::pipelines,
                   list("folders", path("a folder"), {.max_items = 64}),
                   "The registry: folders of pipeline files, which `weir run ID` finds by their "
                   "ids, and `weir check` checks."),
       key<Config>(
           "secrets", &Config::secrets, secrets_shape(),
           "Where pipelines' `${secrets.NAME}` come from. One that is not named here is the "
           "environment variable of its name."),
       key<Config>("plugins", &Config::plugins, plugins_shape(),
                   "Where plugins are, and how far each is trusted: see [plugins](../plugins.md). "
                   "`weir plugins` lists them."),
       key<Config>("signals", &Config::signals, signals_shape(),
                   "Who may ask what of a run with `weir signal`, `weir approve` and `weir deny`. "
                   "Names are those of this machine's users, as whoever asks gives them: whoever "
                   "can write into the store can say that he is another."),
       key<Config>("tenant", &Config::tenant, tenant_shape(),
                   "Whose data the runs are that `weir run` and `weir exec` begin: `tenant_id` of "
                   "all their events. A run inside another one has its parent's, and `--tenant` "
                   "says it for one run.",
                   {.variable = "WEIR_TENANT"})});
  return shape;
}

}  // namespace weir::config
