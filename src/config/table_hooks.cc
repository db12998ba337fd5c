#include <set>

#include "base/text.h"
#include "config/collection.h"
#include "config/table.h"

namespace weir::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr HookKindInfo kKinds[] = {
    {HookKind::kSummary, "summary", "prints how a run ended"},
    {HookKind::kMetricsExport, "metrics_export", "writes the metrics to files when a run ends"},
    {HookKind::kLogRotation, "log_rotation",
     "deletes the oldest files of a folder when a run ends"},
    {HookKind::kFailureAlert, "failure_alert", "prints a warning when nodes of a run failed"},
    {HookKind::kCacheStatistics, "cache_statistics", "prints hits and misses when a run ends"},
    {HookKind::kCommand, "command", "runs a program for every event"},
    {HookKind::kWebhook, "webhook", "posts every event to a URL"}};

Words<HookKind> kind_words() {
  Words<HookKind> words;
  for (const auto& info : kKinds) words.emplace_back(info.word, info.kind);
  return words;
}

std::string kind_docs() {
  std::string text;
  for (const auto& info : kKinds) {
    text.append(text.empty() ? "`" : "; `").append(info.word).append("` ").append(info.doc);
  }
  return text;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

bool is_url(const std::string& text) {
  return (text.starts_with("https://") || text.starts_with("http://")) && is_printable(text) &&
         !text.contains(' ');
}

void check_hook(const Hook& hook, const json::Value& value, Problems& problems) {
  const bool is_sent = hook.kind == HookKind::kWebhook;
  if ((hook.kind == HookKind::kCommand || is_sent) && hook.topics.empty()) {
    problems.add(value.position,
                 "a " + to_string(hook.kind) + " needs 'topics', such as [pipeline.failed]");
  }
  if (is_sent && hook.url.empty() == hook.url_env.empty()) {
    problems.add(value.position, "a webhook needs either 'url' or 'url_env'");
  }
  if (is_secret("", hook.url)) {
    problems.add(position_of(value, "url"),
                 "'url' holds a secret: put it into an environment variable, and the variable's "
                 "name into 'url_env'");
  }
  for (const auto& [name, header] : hook.headers) {
    if (!is_secret(name, header)) continue;
    problems.add(position_of(*value.object()->find("headers"), name),
                 "'" + name +
                     "' is a secret: put it into an environment variable, and the "
                     "variable's name into 'headers_env'");
  }
}

void check_hook_names(const std::vector<Hook>& hooks, const json::Value& value,
                      Problems& problems) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const auto& name = hooks[i].name.empty() ? to_string(hooks[i].kind) : hooks[i].name;
    if (seen.insert(name).second) continue;
    problems.add(position_of((*value.array())[i], "name"),
                 "there is a hook '" + name + "' already: give this one another 'name'");
  }
}

std::vector<Key<Hook>> common_keys() {
  const auto name =
      text("letters, digits, '_', '-' and '.'",
           {.max_bytes = 64, .pattern = "^[A-Za-z0-9_.-]+$", .accepts = [](const auto& text) {
              return text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"
                         "OPQRSTUVWXYZ0123456789_.-") == std::string::npos;
            }});
  return {
      key<Hook>("run", &Hook::kind, choice<HookKind>(kind_words()), kind_docs(),
                {.required = true}),
      key<Hook>("name", &Hook::name, name, "one of a kind", {.fallback = "the word of `run`"}),
      key<Hook>("enabled", &Hook::enabled, boolean(), "false: it is not called"),
      key<Hook>("topics", &Hook::topics, topics_shape(),
                "which events it gets; see [events](events.md)",
                {.fallback = "as its kind needs them; `command` and `webhook` must say"}),
      key<Hook>(
          "priority", &Hook::priority,
          optional(choice<HookPriority>({{"critical", HookPriority::kCritical},
                                         {"high", HookPriority::kHigh},
                                         {"medium", HookPriority::kMedium},
                                         {"low", HookPriority::kLow}})),
          "who is called first",
          {.fallback =
               "`medium`; `failure_alert` `high`, `log_rotation` and `metrics_export` `low`"}),
      key<Hook>("mode", &Hook::mode,
                optional(choice<HookMode>(
                    {{"sync", HookMode::kSynchronous}, {"async", HookMode::kAsynchronous}})),
                "`sync`: what it is told of waits for it",
                {.fallback = "`async` for `command`, `webhook` and `log_rotation`, else `sync`"}),
      key<Hook>("timeout", &Hook::timeout, optional(duration(milliseconds(1), hours(12))),
                "when it is given up",
                {.fallback = "`1s` for `sync`, `30s` for `async`, `10s` for `webhook`"}),
  };
}

std::vector<Key<Hook>> own_keys() {
  constexpr std::int64_t kMaxNumber = 1'000'000;
  constexpr std::size_t kMaxCommandWords = 256;
  constexpr std::size_t kMaxCommandWord = 4096;
  const KeyOptions rotation{.only_for = {"log_rotation"}};
  return {
      key<Hook>("threshold", &Hook::threshold, whole_number(1, kMaxNumber), "so many failed nodes",
                {.only_for = {"failure_alert"}}),
      key<Hook>("folder", &Hook::folder, path("a path"), "where the files are",
                {.required = true, .only_for = {"log_rotation", "metrics_export"}}),
      key<Hook>("pattern", &Hook::pattern,
                text("a file name without '/', * for any characters and ? for one",
                     {.accepts = [](const std::string& text) { return !text.contains('/'); }}),
                "which of them", rotation),
      key<Hook>("keep", &Hook::keep, whole_number(1, kMaxNumber), "so many of the newest are kept",
                rotation),
      key<Hook>("formats", &Hook::formats,
                list("formats: json, prometheus, parquet",
                     choice<MetricsFormat>({{"json", MetricsFormat::kJson},
                                            {"prometheus", MetricsFormat::kPrometheus},
                                            {"parquet", MetricsFormat::kParquet}}),
                     {.max_items = 3, .min_items = 1}),
                "what is written", {.only_for = {"metrics_export"}}),
      key<Hook>("command", &Hook::command,
                list("words", text("a word", {.max_bytes = kMaxCommandWord}),
                     {.max_items = kMaxCommandWords, .min_items = 1}),
                "a program and its arguments; gets the event on standard input, its topic in "
                "`WEIR_TOPIC`",
                {.required = true, .only_for = {"command"}}),
      key<Hook>("url", &Hook::url, url_shape(), "where the event is posted to",
                {.only_for = {"webhook"}}),
      key<Hook>("url_env", &Hook::url_env, variable_shape(), "or the variable that holds it",
                {.only_for = {"webhook"}}),
      key<Hook>("headers", &Hook::headers, map("texts", header_shape(), header_names()),
                "sent with it", {.only_for = {"webhook"}}),
      key<Hook>(
          "headers_env", &Hook::headers_env, map("variables", variable_shape(), header_names()),
          "headers that are secrets: the variables that hold them", {.only_for = {"webhook"}}),
  };
}

}  // namespace

std::span<const HookKindInfo> hook_kinds() { return kKinds; }

std::string to_string(HookKind kind) {
  const auto same = [&](const HookKindInfo& info) { return info.kind == kind; };
  return std::string(std::find_if(std::begin(kKinds), std::end(kKinds), same)->word);
}

bool is_secret(std::string_view name, std::string_view value) {
  static const auto redactor = event::Redactor::make({});
  WEIR_CHECK(redactor);
  std::string masked;
  event::RedactionCounts counts;
  return redactor->redact_value(name, value, event::TextKind::kField, masked, counts);
}

Shape<std::string> url_shape() {
  constexpr std::size_t kMaxUrl = 4096;
  return text("a URL that begins with https:// or http://", {.max_bytes = kMaxUrl,
                                                             .secrecy = Secrecy::kSecret,
                                                             .pattern = "^https?://",
                                                             .accepts = is_url});
}

Shape<std::string> header_shape() {
  constexpr std::size_t kMaxValue = 4096;
  return text("a text without control characters",
              {.max_bytes = kMaxValue, .secrecy = Secrecy::kSecret, .accepts = is_printable});
}

Shape<std::vector<Hook>> hooks_shape() {
  constexpr std::size_t kMaxHooks = 256;  // as record::kMaxHooks
  auto keys = common_keys();
  for (auto& one : own_keys()) keys.push_back(std::move(one));
  return list<Hook>("hooks", object<Hook>("a hook", keys, {.tag = "run", .check = check_hook}),
                    {.max_items = kMaxHooks}, check_hook_names);
}

}  // namespace weir::config
