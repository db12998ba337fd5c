#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/export.h"
#include "config/server.h"
#include "event/catalogue.h"
#include "event/redaction.h"
#include "event/topic.h"

/// What `weir.yaml` says, as plain data. What each member means and may be is declared in table.cc,
/// of which docs/reference/configuration.md is made; the defaults are those here. Paths, once
/// loaded, are absolute or relative to the working directory.
namespace weir::config {

template <class T>
using ByName = std::map<std::string, T, std::less<>>;

enum class Durability : std::uint8_t { kMemory, kBatch, kCommit };
enum class OnLogFailure : std::uint8_t { kStop, kContinue };

struct Recording {
  Durability durability = Durability::kBatch;
  std::chrono::milliseconds commit_interval{5};
  OnLogFailure on_log_failure = OnLogFailure::kStop;
  std::chrono::milliseconds patience{10'000};
};

struct Segments {
  std::uint64_t size_bytes = std::uint64_t{64} << 20;
  std::chrono::milliseconds age{std::chrono::minutes(10)};
};

struct Redaction {
  event::RedactionPolicy policy;  ///< its pseudonym_key comes from one of the two below
  std::string pseudonym_key_env;
  std::filesystem::path pseudonym_key_file;
};

/// What is not set is as at the logger above.
struct LoggerSettings {
  std::optional<event::Level> level;
  std::optional<double> sampling;
};

enum class SinkType : std::uint8_t { kNull, kConsole, kJsonl };
enum class LineFormat : std::uint8_t { kJson, kText, kDocument };
enum class Compression : std::uint8_t { kNone, kGzip };

/// How long files that are begun anew at a size are kept.
struct Rotation {
  std::uint64_t max_size_bytes = 10'000'000;
  std::int64_t max_files = 10;
  std::chrono::milliseconds retention{std::chrono::days(30)};
};

struct Sink {
  SinkType type = SinkType::kNull;
  event::Level level = event::Level::kDebug;
  std::vector<event::TopicPattern> include;  ///< empty: everything
  std::vector<event::TopicPattern> exclude;  ///< wins over `include`
  std::vector<std::string> fields;           ///< empty: the whole event
  std::optional<LineFormat> format;          ///< else kText, and kJson of a file
  std::filesystem::path path;                ///< kJsonl, as the rest
  Rotation rotation;
  Compression compress = Compression::kNone;
};

/// A file of PaperKit's `loggingConfig`.
struct LogFile {
  std::optional<event::Level> level;        ///< else LogFiles::level
  std::filesystem::path output;             ///< in LogFiles::output_dir
  std::vector<std::string> include_fields;  ///< PaperKit's names; empty: the whole event
};

/// PaperKit's five: agent, workflow, tool, error, audit.
[[nodiscard]] ByName<LogFile> standard_log_files();

/// PaperKit's `loggingConfig`.
struct LogFiles {
  std::string version = "1.0.0";
  event::Level level = event::Level::kInfo;
  LineFormat format = LineFormat::kJson;  ///< there is no other
  std::filesystem::path output_dir = ".paper/logs";
  Rotation rotation;
  Compression compress = Compression::kGzip;
  ByName<LogFile> loggers;  ///< loaded with none given: standard_log_files()
};

enum class HookKind : std::uint8_t {
  kSummary,
  kMetricsExport,
  kLogRotation,
  kFailureAlert,
  kCacheStatistics,
  kCommand,
  kWebhook
};
struct HookKindInfo {
  HookKind kind;
  std::string_view word;  ///< in the file
  std::string_view doc;
};
[[nodiscard]] std::span<const HookKindInfo> hook_kinds();
[[nodiscard]] std::string to_string(HookKind kind);

enum class HookPriority : std::uint8_t { kCritical, kHigh, kMedium, kLow };
enum class HookMode : std::uint8_t { kSynchronous, kAsynchronous };
enum class MetricsFormat : std::uint8_t { kJson, kPrometheus, kParquet };

struct Hook {
  std::string name;  ///< of its own; the word of its kind where the file gives none
  HookKind kind = HookKind::kSummary;
  bool enabled = true;
  // Where they are empty, what the kind has.
  std::vector<event::TopicPattern> topics;
  std::optional<HookPriority> priority;
  std::optional<HookMode> mode;
  std::optional<std::chrono::milliseconds> timeout;

  std::int64_t threshold = 1;       ///< kFailureAlert
  std::filesystem::path folder;     ///< kLogRotation, kMetricsExport
  std::string pattern = "*.jsonl";  ///< kLogRotation
  std::int64_t keep = 10;           ///< kLogRotation
  std::vector<MetricsFormat> formats = {MetricsFormat::kJson, MetricsFormat::kPrometheus};
  std::vector<std::string> command;  ///< kCommand
  std::string url;                   ///< kWebhook, as the rest; a secret
  ByName<std::string> headers;       ///< secrets
  std::string url_env;               ///< the variable that `url` came from
  ByName<std::string> headers_env;
};

/// Where a secret of pipelines comes from: one of the two.
struct SecretSource {
  std::string env;
  std::filesystem::path file;
};

/// How far a plugin is trusted, the least first.
enum class Trust : std::uint8_t { kUntrusted, kPartner, kTrusted };
[[nodiscard]] std::string_view to_string(Trust trust);

struct Plugins {
  std::vector<std::filesystem::path> folders;
  ByName<Trust> trust;  ///< by the plugin's id: what the user agrees to
};

/// Who may ask what of a run: see engine::Role.
enum class SignalRole : std::uint8_t { kOperator, kEngineer, kAdmin, kSystem };

struct Signals {
  ByName<SignalRole> roles;  ///< by the name of the user
  SignalRole default_role = SignalRole::kAdmin;
};

/// What is not set is as for all.
struct RetentionLimits {
  std::optional<std::chrono::milliseconds> operations, audit, metrics;
  std::optional<std::uint64_t> max_bytes;
};

/// How long runs are kept.
struct Retention {
  std::chrono::milliseconds operations{std::chrono::days(30)};
  std::chrono::milliseconds audit{std::chrono::days(90)};
  std::chrono::milliseconds metrics{std::chrono::days(90)};
  std::optional<std::uint64_t> max_bytes;
  ByName<RetentionLimits> tenants;
  ByName<RetentionLimits> pipelines;  ///< win over the tenants
};

struct Config {
  Recording record;
  Segments log;
  std::optional<Retention> retention;  ///< nothing: nothing is deleted unless it is asked for
  Redaction redaction;
  ByName<LoggerSettings> loggers;
  std::vector<Sink> sinks;
  std::optional<LogFiles> log_files;
  std::vector<Hook> hooks;
  std::vector<std::filesystem::path> pipelines;  ///< folders of the registry
  ByName<SecretSource> secrets;
  Plugins plugins;
  Signals signals;
  Server server;
  std::vector<Export> exports;
  std::string tenant;  ///< of runs that are begun; empty: none
};

}  // namespace weir::config
