#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/text.h"
#include "cli/command.h"
#include "cli/named_run.h"
#include "cli/person.h"
#include "cli/settings.h"
#include "cli/table.h"
#include "record/context.h"
#include "record/recorder.h"
#include "report/figures.h"
#include "report/format.h"
#include "report/report_json.h"

namespace weir::cli {
namespace {

struct ReviewOptions {
  std::string artifact;
  std::string comment;
  std::optional<std::string> actor;
  std::optional<std::string> tenant;
  bool approve = false;
  bool reject = false;
  bool list = false;
  bool json = false;
};

using event::Field;
using Versions = std::vector<ArtifactVersion>;

constexpr std::size_t kMaxComment = 16 << 10;
constexpr std::size_t kShortHash = 12;
constexpr std::size_t kShortestPrefix = 4;

std::string name_of(const ArtifactVersion& version) {
  return version.path + " v" + std::to_string(version.version) + " (" +
         version.sha256.substr(0, kShortHash) + ") of " + version.pipeline_id;
}

std::unexpected<Error> ambiguous(const std::string& name, const Versions& candidates) {
  constexpr std::size_t kMost = 10;
  auto message = "'" + name + "' may be one of several: name it by its SHA-256";
  for (std::size_t i = 0; i < candidates.size() && i < kMost; ++i) {
    message += "\n  " + candidates[i].sha256 + "  " + text::printable(name_of(candidates[i]));
  }
  return fail(ErrorCode::kConflict, message);
}

/// Those that one name means are one if their contents are, for what is judged is a tenant's
/// content.
Result<ArtifactVersion> only_one(const std::string& name, Versions candidates) {
  std::set<std::string> contents, tenants;
  for (const auto& version : candidates) {
    contents.insert(version.sha256);
    tenants.insert(version.tenant_id);
  }
  if (tenants.size() > 1) return of_several("'" + name + "'", {tenants.begin(), tenants.end()});
  if (contents.size() > 1) return ambiguous(name, candidates);
  return std::move(candidates.front());
}

/// Finds the artifact that a person means.
class Finder {
 public:
  Finder(const report::Source& source, const std::optional<std::string>& tenant)
      : source_(source), tenant_(tenant) {}

  /// A path (its newest version), a path with its version, or the beginning of a SHA-256. Errors:
  /// kInvalidInput (none), kConflict (several).
  [[nodiscard]] Result<ArtifactVersion> find(const std::string& name) const {
    WEIR_TRY(auto versions, history({.path = name}));
    std::erase_if(versions, [](const auto& version) { return !version.is_newest; });
    if (versions.empty()) {
      WEIR_TRY(versions, numbered(name));
    }
    if (versions.empty() && is_hash_prefix(name)) {
      WEIR_TRY(versions, history({.sha256 = name}));
    }
    if (!versions.empty()) return only_one(name, std::move(versions));
    return fail(
        ErrorCode::kInvalidInput,
        "the store has no artifact '" + name +
            "': a path, a path with its version (report.txt.v2) or the beginning of a SHA-256 "
            "is expected; `weir artifacts` lists them");
  }

 private:
  /// Nothing: there is none.
  [[nodiscard]] Result<Versions> history(const ArtifactScope& scope) const {
    auto versions = report::artifact_history(source_, scope);
    if (!versions && versions.error().code == ErrorCode::kNotFound) return Versions();
    if (versions && tenant_) {
      std::erase_if(*versions,
                    [this](const auto& version) { return version.tenant_id != *tenant_; });
    }
    return versions;
  }

  /// "a.txt.v2" is version 2 of a.txt.
  [[nodiscard]] Result<Versions> numbered(const std::string& name) const {
    const auto dot = name.rfind(".v");
    if (dot == std::string::npos || dot == 0) return Versions();
    WEIR_TRY(auto versions, history({.path = name.substr(0, dot)}));
    std::erase_if(versions, [number = name.substr(dot + 2)](const auto& version) {
      return std::to_string(version.version) != number;
    });
    return versions;
  }

  static bool is_hash_prefix(const std::string& name) {
    return name.size() >= kShortestPrefix &&
           name.find_first_not_of("0123456789abcdef") == std::string::npos;
  }

  const report::Source& source_;
  const std::optional<std::string>& tenant_;
};

/// Records the decision in this process's own run, and waits for the commit.
Result<void> record_review(const ReviewOptions& options, const ArtifactVersion& version,
                           const std::string& actor, record::Recorder& recorder) {
  const std::string_view outcome = options.approve ? "approved" : "rejected";
  const std::string_view run = version.run_id, path = version.path, hash = version.sha256;
  std::vector<event::FieldValue> fields = {{Field::kOutcome, outcome},
                                           {Field::kTargetRunId, run},
                                           {Field::kArtifactPath, path},
                                           {Field::kArtifactSha256, hash},
                                           {Field::kActorId, std::string_view(actor)}};
  if (!options.comment.empty()) {
    fields.push_back({Field::kMessage, std::string_view(options.comment)});
  }
  auto& runs = recorder.process_runs();
  constexpr auto kType = event::Type::kArtifactReviewed;
  WEIR_TRY(runs.emit(record::Retention::kAudit, version.tenant_id, kType, event::info(kType).level,
                     fields));
  return runs.flush();
}

int review(const ReviewOptions& options, const Invocation& invocation,
           const report::Source& source) {
  const auto actor = options.actor.value_or(person());
  if (!record::is_id(actor)) {
    std::fprintf(stderr, "weir: --actor: 1 to 256 bytes without control characters are expected\n");
    return kWrongUsage;
  }
  if (options.comment.size() > kMaxComment) {
    std::fprintf(stderr, "weir: --comment: at most %zu bytes are expected\n", kMaxComment);
    return kWrongUsage;
  }
  const auto version = Finder(source, options.tenant).find(options.artifact);
  if (!version) return complain_of_name(version.error());
  const auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  auto recorder_settings = recorder_options(*settings);
  if (!recorder_settings) return complain(recorder_settings.error());
  record::Recorder recorder(source.store, *std::move(recorder_settings));
  const auto recorded = record_review(options, *version, actor, recorder);
  if (!recorded) return complain(recorded.error());
  const auto* word = options.approve ? "approved" : "rejected";
  if (options.json) {
    json::Object object;
    object.set("path", version->path);
    object.set("version", version->version);
    object.set("sha256", version->sha256);
    object.set("run_id", version->run_id);
    object.set("review", word);
    object.set("reviewed_by", actor);
    std::printf("%s\n", json::to_pretty_text(object).c_str());
  } else {
    std::printf("%s %s\n", text::printable(name_of(*version)).c_str(), word);
  }
  return kDone;
}

/// What waits for a person: the newest versions that nobody has judged.
int list_pending(const ReviewOptions& options, const report::Source& source) {
  auto versions = report::artifact_history(source, {});
  if (!versions) return complain(versions.error());
  std::erase_if(*versions, [](const auto& version) {
    return !version.is_newest || version.review != "pending";
  });
  if (options.json) {
    json::Array all;
    for (const auto& version : *versions) all.emplace_back(report::to_json(version));
    std::printf("%s\n", json::to_pretty_text(all).c_str());
    return kDone;
  }
  if (versions->empty()) {
    std::printf("Nothing waits for a review.\n");
    return kDone;
  }
  Table table({"ARTIFACT", "VERSION", "SHA-256", "SIZE", "WRITTEN (UTC)", "BY"});
  table.align(3, Table::Align::kRight);
  for (const auto& version : *versions) {
    const auto& maker = version.agent_id.empty() ? version.node_id : version.agent_id;
    table.add({version.path, "v" + std::to_string(version.version),
               version.sha256.substr(0, kShortHash),
               version.bytes < 0 ? "" : report::bytes_text(static_cast<double>(version.bytes)),
               to_string(version.written_at).substr(0, 19),
               maker.empty() ? version.pipeline_id : version.pipeline_id + "/" + maker});
  }
  table.print(stdout);
  return kDone;
}

int review_command(const ReviewOptions& options, const Invocation& invocation) {
  const auto refuse = [](const char* why) {
    std::fprintf(stderr,
                 "weir: %s\nExample: weir review report.txt --approve --comment \"well done\"\n",
                 why);
    return kWrongUsage;
  };
  if (options.list && (!options.artifact.empty() || options.approve || options.reject)) {
    return refuse("--list stands alone");
  }
  if (!options.list && options.artifact.empty())
    return refuse("an artifact is expected, or --list");
  if (!options.list && options.approve == options.reject) {
    return refuse("either --approve or --reject is expected");
  }
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const report::Source source{.store = *store, .bad = std::make_shared<store::BadPlaces>()};
  const int exit =
      options.list ? list_pending(options, source) : review(options, invocation, source);
  warn_of_damage(source.bad->all());
  return exit;
}

}  // namespace

void add_review(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ReviewOptions>();
  auto* command = app.add_subcommand("review", "Approve or reject what a node kept");
  command->add_option("artifact", options->artifact,
                      "Its path (the newest version), path.vN, or the beginning of its SHA-256");
  command->add_flag("--approve", options->approve, "It is good");
  command->add_flag("--reject", options->reject, "It is not");
  command->add_option("--comment", options->comment, "What there is to say");
  command->add_option("--actor", options->actor, "Who decides (default: who uses this terminal)");
  add_whose(*command, "artifacts", options->tenant);
  command->add_flag("--list", options->list, "Show what waits for a review");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example: weir review report.txt --approve --comment \"well done\"");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return review_command(*options, invocation); };
  });
}

}  // namespace weir::cli
