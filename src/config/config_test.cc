#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/load.h"
#include "config/schema.h"
#include "config/units.h"

namespace weir::config {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> texts(const std::vector<Problem>& problems) {
  std::vector<std::string> result;
  for (const auto& problem : problems) result.push_back(to_string(problem, "weir.yaml"));
  return result;
}

std::vector<std::string> problems_of(std::string_view text) { return texts(parse(text).problems); }

Config config_of(std::string_view text) {
  auto file = parse(text);
  EXPECT_THAT(texts(file.problems), IsEmpty());
  return std::move(file.config);
}

class Folder {
 public:
  Folder() : path_(testing::TempDir() + "weir-config-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::filesystem::path write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Environment environment_of(const std::map<std::string, std::string>& variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return {};
    return found->second;
  };
}

TEST(Units, AreReadStrictly) {
  EXPECT_EQ(parse_duration("5ms"), milliseconds(5));
  EXPECT_EQ(parse_duration("10m"), std::chrono::minutes(10));
  EXPECT_EQ(parse_duration("30d"), std::chrono::days(30));
  EXPECT_EQ(parse_size("10MB"), 10'000'000U);
  EXPECT_EQ(parse_size("64MiB"), std::uint64_t{64} << 20);
  for (const auto* wrong : {"", "5", "ms", "5 ms", "5MS", "-5ms", "+5ms", "5.5s", "5ms ", "0x5s",
                            "99999999999999999999s", "9223372036854775807d"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
  for (const auto* wrong : {"10", "10mb", "10M", "10 MB", "1.5GB", "9223372036854775807GiB"}) {
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  }
}

TEST(Units, AreWrittenWithTheLargestThatLosesNothing) {
  EXPECT_EQ(to_text(milliseconds(90'000)), "90s");
  EXPECT_EQ(to_text(milliseconds(86'400'000)), "1d");
  EXPECT_EQ(to_text(milliseconds(0)), "0ms");
  EXPECT_EQ(size_to_text(1 << 20), "1MiB");
  EXPECT_EQ(size_to_text(10'000'000), "10MB");
  EXPECT_EQ(size_to_text(1'000'001), "1000001B");
}

TEST(Config, OfNothingIsTheDefaults) {
  for (const auto* text : {"", "# nothing\n\n  # more\n", "---\n", "record:\nhooks:\n", "{}"}) {
    EXPECT_EQ(to_json(config_of(text)), to_json(Config())) << text;
  }
}

TEST(Config, ReadsEverySection) {
  const auto config = config_of(R"(
record: {durability: commit, commit_interval: 20ms, on_log_failure: continue, patience: 2s}
log: {segment_size: 8MiB, segment_age: 1h}
redaction:
  enable: [ip_address, badge]
  keys: [{name: badge, key: badge_number, kind: personal}]
  patterns: [{name: employee, prefix: EMP-, alphabet: 0-9, min_length: 6, max_length: 6}]
loggers:
  agent.drafter: {level: debug, sampling: 0.5}
sinks:
  - type: null
  - {type: console, format: json, level: WARNING, include: [stage.#], fields: [message]}
  - {type: jsonl, path: all.jsonl, max_size: 1GB, retention: 7d, compress: gzip}
hooks:
  - {run: command, command: [notify, done], topics: [pipeline.failed], mode: sync, priority: high}
  - {run: log_rotation, folder: logs, keep: 3, enabled: false}
)");

  EXPECT_EQ(config.record.durability, Durability::kCommit);
  EXPECT_EQ(config.record.commit_interval, milliseconds(20));
  EXPECT_EQ(config.record.patience, milliseconds(2000));
  EXPECT_EQ(config.record.on_log_failure, OnLogFailure::kContinue);
  EXPECT_EQ(config.log.size_bytes, 8U << 20);
  EXPECT_EQ(config.redaction.policy.keys[0].kind, event::RedactionKind::kPersonal);
  EXPECT_EQ(config.redaction.policy.patterns[0].max_length, 6U);
  EXPECT_EQ(config.loggers.at("agent.drafter").level, event::Level::kDebug);
  EXPECT_EQ(config.loggers.at("agent.drafter").sampling, 0.5);
  EXPECT_EQ(config.sinks[0].type, SinkType::kNull);
  EXPECT_EQ(config.sinks[1].level, event::Level::kWarning);
  EXPECT_TRUE(config.sinks[1].include[0].matches("stage.a.failed"));
  EXPECT_EQ(config.sinks[2].rotation.retention, std::chrono::days(7));
  EXPECT_EQ(config.sinks[2].rotation.max_files, 10);
  EXPECT_EQ(config.hooks[0].mode, HookMode::kSynchronous);
  EXPECT_EQ(config.hooks[1].keep, 3);
  EXPECT_FALSE(config.hooks[1].enabled);
}

TEST(Config, ReadsPaperKitsLoggingConfigAsItStands) {
  const auto config = config_of(R"(
loggingConfig:
  version: "1.0.0"
  defaults:
    level: "warn"
    format: "json"
    outputDir: ".paper/logs"
    retentionDays: 7
    maxFileSize: "20MB"
    maxFiles: 3
    compression: none
  loggers:
    agent:
      level: "info"
      output: "logs/agent.log"
      includeFields:
        - timestamp
        - runId
    error: {}
)");

  ASSERT_TRUE(config.log_files);
  const auto& files = *config.log_files;
  EXPECT_EQ(files.level, event::Level::kWarning);
  EXPECT_EQ(files.rotation.retention, std::chrono::days(7));
  EXPECT_EQ(files.rotation.max_size_bytes, 20'000'000U);
  EXPECT_EQ(files.rotation.max_files, 3);
  EXPECT_EQ(files.compress, Compression::kNone);
  ASSERT_EQ(files.loggers.size(), 2U);
  EXPECT_THAT(files.loggers.at("agent").include_fields, ElementsAre("timestamp", "runId"));
  // What one of PaperKit's own does not say is as PaperKit has it.
  EXPECT_EQ(files.loggers.at("error").level, event::Level::kError);
  EXPECT_EQ(files.loggers.at("error").output, "logs/error.log");
  EXPECT_EQ(files.loggers.at("error").include_fields.size(), 6U);
}

TEST(Config, SaysEverythingThatIsWrongByPlace) {
  EXPECT_THAT(
      problems_of("record:\n"
                  "  durability: bach\n"
                  "  commit_interval: 5\n"
                  "logs: {}\n"
                  "sinks:\n"
                  "  - {type: jsonl}\n"
                  "  - {type: console, path: x, fields: [mesage]}\n"
                  "  - {type: jsonl, path: x, fields: [mesage]}\n"),
      ElementsAre(
          "weir.yaml:2:15: 'durability' is 'bach', memory, batch or commit is expected, did you "
          "mean 'batch'?",
          "weir.yaml:3:20: 'commit_interval' is 5, a duration from 1ms to 10s is expected",
          HasSubstr("weir.yaml:4:1: unknown key 'logs', did you mean 'log'?"),
          "weir.yaml:6:5: 'path' is missing: a path is expected",
          "weir.yaml:7:21: 'path' is not for 'type: console'",
          HasSubstr("weir.yaml:8:37: events have no field 'mesage', did you mean 'message'?")));
  EXPECT_THAT(problems_of("a: [\n"), ElementsAre(HasSubstr("weir.yaml:2:1: not YAML")));
  EXPECT_THAT(problems_of("7"), ElementsAre(HasSubstr("an object is expected")));
}

TEST(Config, HoldsEveryValueToItsLimits) {
  for (const auto* wrong :
       {"record: {commit_interval: 0ms}",
        "record: {commit_interval: 11s}",
        "log: {segment_size: 1kB}",
        "log: {segment_size: 257MiB}",
        "log: {segment_age: 2d}",
        "loggers: {a: {sampling: 1.01}}",
        "loggers: {a: {sampling: .nan}}",
        "loggers: {a..b: {}}",
        "loggers: {a: {}, a: {}}",
        "sinks: [{type: jsonl, path: a, max_files: 0}]",
        "sinks: [{type: jsonl, path: a}, {type: jsonl, path: ./a}]",
        "sinks: [{type: console, include: [a.#.b]}]",
        "sinks: [{type: console, fields: [message]}]",
        "sinks: [{type: jsonl, path: a, format: text}]",
        "sinks: [{type: jsonl, path: a, format: document, fields: [message]}]",
        "sinks: [{type: jsonl, path: a, retention: 12h}]",
        "loggingConfig: {defaults: {format: text}}",
        "hooks: [{run: metrics_export, folder: a, formats: [csv]}]",
        "redaction: {enable: [nothing]}",
        "redaction: {keys: [{name: A, key: abc}]}",
        "redaction: {keys: [{name: a, key: abc}, {name: a, key: abd}]}",
        "redaction: {pseudonym_key_env: A, pseudonym_key_file: b}",
        "hooks: [{run: summary}, {run: "
        "summary}]",
        "hooks: [{run: command, command: [], topics: [a]}]",
        "hooks: [{run: command, command: [a]}]",
        "hooks: [{run: webhook, topics: [a]}]",
        "hooks: [{run: webhook, url: 'ftp://a', topics: [a]}]",
        "hooks: [{run: webhook, url: 'http://a', url_env: A, topics: [a]}]",
        "hooks: [{run: log_rotation, folder: a, pattern: a/b}]",
        "hooks: [{run: summary, timeout: 13h}]",
        "hooks: [{run: failure_alert, threshold: 0}]",
        "export: [{endpoint: 'http://a'}]",
        "export: [{name: A, endpoint: 'http://a'}]",
        "export: [{name: '', endpoint: 'http://a'}]",
        "export: [{name: a, endpoint: 'a:4317'}]",
        "export: [{name: a, endpoint: 'http://a', sampling: 1.5}]",
        "export: [{name: a, endpoint: 'http://a'}, {name: a, endpoint: 'http://b'}]",
        "export: [{name: a, endpoint: 'http://a', headers: {Authorization: 'Bearer "
        "abcdefghijklmnop'}}]",
        "loggingConfig: {loggers: {../x: {}}}",
        "loggingConfig: {defaults: {retentionDays: 0}}"}) {
    EXPECT_EQ(problems_of(wrong).size(), 1U) << wrong;
  }
}

TEST(Config, AnExportSamplesATenthAndIsCompressedUnlessItSaysOtherwise) {
  const auto file = parse(
      "export: [{name: a, endpoint: 'http://a:4318'}, "
      "{name: b, endpoint: 'https://b:4317', protocol: grpc, gzip: false, sampling: 1, "
      "headers_env: {Authorization: TOKEN}}]");
  ASSERT_TRUE(file.problems.empty());
  const auto& exports = file.config.exports;
  ASSERT_EQ(exports.size(), 2U);
  EXPECT_EQ(exports[0].sampling, 0.1);
  EXPECT_TRUE(exports[0].gzip);
  EXPECT_EQ(exports[0].protocol, ExportProtocol::kHttp);
  EXPECT_EQ(exports[1].protocol, ExportProtocol::kGrpc);
  EXPECT_EQ(exports[1].sampling, 1);
  EXPECT_EQ(exports[1].headers_env.at("Authorization"), "TOKEN");
}

TEST(Config, NamesNoMoreProblemsThanAnybodyReads) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "unknown" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(problems_of(text).size(), 200U);
}

TEST(Config, ReadsBackWhatItWrites) {
  const auto config = config_of(R"(
record: {durability: memory}
redaction: {personal_in: [field], disable: [phone], pseudonym_key_env: KEY}
loggers: {weir: {level: error}}
sinks: [{type: jsonl, path: a, exclude: ['#']}]
loggingConfig: {loggers: {audit: {}}}
hooks: [{run: webhook, url: 'https://a.example/x', headers: {A: b}, topics: [a], timeout: 3s}]
)");
  EXPECT_EQ(to_json(config_of(json::to_text(to_json(config)))), to_json(config));
}

TEST(Config, TakesAFlagOverTheEnvironmentOverTheFileOverTheDefault) {
  const Folder folder;
  const auto path = folder.write(
      "weir.yaml", "record: {durability: memory, commit_interval: 1s, on_log_failure: continue}");
  const auto variables = environment_of({{"WEIR_DURABILITY", "batch"},
                                         {"WEIR_COMMIT_INTERVAL", "2s"},
                                         {"WEIR_SEGMENT_AGE", ""},
                                         {"WEIR_LOG_LEVEL", "debug"}});

  const auto file = load({.file = path,
                          .environment = variables,
                          .flags = {{"--durability", "record.durability", "commit"}}});

  ASSERT_TRUE(file);
  EXPECT_THAT(texts(file->problems), IsEmpty());
  EXPECT_EQ(file->config.record.durability, Durability::kCommit);
  EXPECT_EQ(file->config.record.commit_interval, std::chrono::seconds(2));
  EXPECT_EQ(file->config.record.on_log_failure, OnLogFailure::kContinue);
  EXPECT_EQ(file->config.log.age, Segments().age);
  EXPECT_EQ(file->config.loggers.at("weir").level, event::Level::kDebug);
}

TEST(Config, SaysWhichVariableOrFlagIsWrong) {
  const auto file = load({.file = "no-such-file",
                          .environment = environment_of({{"WEIR_SEGMENT_SIZE", "big"}}),
                          .flags = {{"--durability", "record.durability", "[commit]"}}});
  ASSERT_TRUE(file);
  EXPECT_THAT(texts(file->problems),
              ElementsAre("$WEIR_SEGMENT_SIZE: 'segment_size' is 'big', a size from 1MiB to 256MiB "
                          "is expected",
                          HasSubstr("--durability: 'durability' is '[commit]', memory")));
}

TEST(Config, IsTheDefaultsWithoutAFileUnlessItWasNamed) {
  const auto none = environment_of({});
  const auto file = load({.file = "no-such-file", .environment = none});
  ASSERT_TRUE(file);
  EXPECT_EQ(to_json(file->config), to_json(Config()));

  const auto named =
      load({.file = "no-such-file", .if_missing = IfMissing::kFail, .environment = none});
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().code, ErrorCode::kNotFound);
}

TEST(Config, RefusesAFileThatNobodyWroteByHand) {
  const Folder folder;
  const auto path = folder.write("weir.yaml", std::string(kMaxFileBytes + 1, '#'));
  const auto file = load({.file = path, .environment = environment_of({})});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kExhausted);
}

TEST(Config, BeginsRelativePathsInTheFilesFolder) {
  const Folder folder;
  const auto path = folder.write("weir.yaml",
                                 "sinks: [{type: jsonl, path: a.jsonl}]\n"
                                 "loggingConfig: {loggers: {mine: {}}}\n"
                                 "hooks: [{run: log_rotation, folder: /var/log}]\n");
  const auto file = load({.file = path, .environment = environment_of({})});
  ASSERT_TRUE(file && file->problems.empty());
  EXPECT_EQ(file->config.sinks[0].path, folder.path() / "a.jsonl");
  EXPECT_EQ(file->config.log_files->output_dir, folder.path() / ".paper/logs");
  EXPECT_EQ(file->config.log_files->loggers.at("mine").output, "logs/mine.log");
  EXPECT_EQ(file->config.hooks[0].folder, "/var/log");
  EXPECT_EQ(file->config.hooks[0].name, "log_rotation");
}

TEST(Config, HasPaperKitsFiveLogFilesWhenNoneIsNamed) {
  const Folder folder;
  const auto path = folder.write("weir.yaml", "loggingConfig: {defaults: {level: debug}}");
  const auto file = load({.file = path, .environment = environment_of({})});
  ASSERT_TRUE(file && file->problems.empty());
  std::vector<std::string> names;
  for (const auto& [name, logger] : file->config.log_files->loggers) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("agent", "audit", "error", "tool", "workflow"));
}

TEST(Secrets, ComeFromTheEnvironmentOrAFile) {
  const Folder folder;
  const auto key = folder.write("key", "0123456789abcdef\n");
  const auto variables =
      environment_of({{"KEY", "fedcba9876543210"}, {"URL", "https://a.example"}});
  const auto load_text = [&](std::string_view text) {
    return load({.file = folder.write("weir.yaml", text), .environment = variables});
  };

  auto file = load_text("redaction: {pseudonym_key_env: KEY}");
  ASSERT_TRUE(file && file->problems.empty());
  EXPECT_EQ(file->config.redaction.policy.pseudonym_key, "fedcba9876543210");
  EXPECT_THAT(json::to_text(to_json(file->config)), Not(HasSubstr("fedcba")));

  file = load_text("redaction: {pseudonym_key_file: key}");
  ASSERT_TRUE(file && file->problems.empty());
  EXPECT_EQ(file->config.redaction.policy.pseudonym_key, "0123456789abcdef");

  file = load_text("hooks: [{run: webhook, url_env: URL, headers_env: {X-Key: KEY}, topics: [a]}]");
  ASSERT_TRUE(file && file->problems.empty());
  EXPECT_EQ(file->config.hooks[0].url, "https://a.example");
  EXPECT_EQ(file->config.hooks[0].headers.at("X-Key"), "fedcba9876543210");
}

TEST(Secrets, StandInNoMessage) {
  const Folder folder;
  const auto variables = environment_of({{"KEY", "hunter2"}});
  for (const auto* text :
       {"redaction: {pseudonym_key: hunter2}", "redaction: {pseudonym_key_env: hunter2}",
        "redaction: {pseudonym_key_env: 'hunter2!'}", "redaction: {pseudonym_key_env: KEY}",
        "hooks: [{run: webhook, url: 'hunter2', topics: [a]}]",
        "hooks: [{run: webhook, url: 'https://u:hunter2@a.example', topics: [a]}]",
        "hooks: [{run: webhook, url: 'https://a', headers: {X-Api-Key: hunter2}, topics: [a]}]",
        "hooks: [{run: webhook, url: 'https://a', headers: {A: \"hunter2\\n\"}, topics: [a]}]",
        "hooks: [{run: webhook, url_env: hunter2, topics: [a]}]",
        "hooks: [{run: webhook, url: 'https://a', headers_env: {A: hunter2}, topics: [a]}]"}) {
    SCOPED_TRACE(text);
    const auto file = load({.file = folder.write("weir.yaml", text), .environment = variables});
    ASSERT_TRUE(file);
    EXPECT_EQ(file->problems.size(), 1U);
    for (const auto& problem : texts(file->problems))
      EXPECT_THAT(problem, Not(HasSubstr("hunter2")));
  }
}

TEST(ConfigSchema, HasEveryKeyOnThePage) {
  const auto page = reference_page();
  for (const auto* key : {"`durability`", "`keys[].name`", "`NAME.sampling`", "`compress`",
                          "`loggers.NAME.includeFields`", "`headers_env`", "WEIR_LOG_LEVEL"}) {
    EXPECT_THAT(page, HasSubstr(key));
  }
  // A section that is one value has no table.
  EXPECT_THAT(page, HasSubstr("checks.\n\nThe value is a list of folders.\n\n##"));
  EXPECT_THAT(page, Not(HasSubstr("|---|---|---|---|\n\n")));
  EXPECT_THAT(json::to_text(json_schema()), HasSubstr("\"additionalProperties\":false"));
}

}  // namespace
}  // namespace weir::config
