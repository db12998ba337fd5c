#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>

#include "artifact/artifact_store.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/person.h"
#include "cli/pipeline_run.h"
#include "cli/run_list.h"
#include "cli/settings.h"
#include "cli/usage.h"
#include "engine/lost_run.h"
#include "engine/signal_types.h"
#include "event/run_end.h"
#include "log/follower.h"
#include "record/recorder.h"
#include "store/history.h"

namespace weir::cli {
namespace {

using engine::SignalDecision;
using engine::SignalRequest;
using event::Field;
using event::Type;
using std::chrono::milliseconds;

struct SignalOptions {
  NamedRun run;
  std::string type;
  std::string node;
  std::string reason;
  std::string id;
  std::vector<std::string> params;
  std::string output;
  std::string target;
  std::string level;
  std::string note;
  std::string payload;
  int wait_seconds = 10;
  bool json = false;
};

/// Often enough that nobody waits for it: the kernel tells of commits, but not of a lock that is
/// free.
constexpr milliseconds kLookInterval{100};

/// The parameters of the pipeline that the run began with: none of what is no pipeline's run, which
/// rejects what is set. Errors: those of the log and of the artifacts.
Result<pipeline::Params> params_of(const log::StoreDirectory& store, const ListedRun& listed) {
  WEIR_TRY(const auto run, engine::read_recorded_run(store, listed.state.run_id, listed.tenant_id));
  if (!engine::has_beginning(run)) return pipeline::Params();
  const artifact::ArtifactStore artifacts(store.artifacts());
  WEIR_TRY(auto beginning, engine::beginning_of(run, artifacts));
  return std::move(beginning.pipeline.file.definition.params);
}

/// JSON as it is, or of @FILE. Errors: kInvalidInput, those of reading.
Result<json::Value> parsed_json(std::string_view option, const std::string& given) {
  auto text = given;
  if (text.starts_with('@')) {
    WEIR_TRY(text, read_file(text.substr(1), engine::kMaxSignalPayload));
  }
  auto value = json::parse(text);
  if (!value) return std::unexpected(std::move(value).error().within(option));
  return *std::move(value);
}

Result<json::Object> payload_of(const SignalOptions& options, const pipeline::Params& known) {
  json::Object payload;
  if (!options.payload.empty()) {
    WEIR_TRY(const auto given, parsed_json("--payload", options.payload));
    if (given.object() == nullptr) {
      return fail(ErrorCode::kInvalidInput,
                  "--payload: a JSON object is expected, this is " + std::string(given.kind()));
    }
    payload.update(*given.object());  // of a key given twice, the last value
  }
  if (!options.params.empty()) {
    WEIR_TRY(auto params, given_params(known, options.params));
    payload.set("params", std::move(params));
  }
  if (!options.output.empty()) {
    WEIR_TRY(auto output, parsed_json("--output", options.output));
    payload.set("output", std::move(output));
  }
  if (!options.target.empty()) payload.set("target", options.target);
  if (!options.level.empty()) payload.set("level", options.level);
  if (!options.note.empty()) payload.set("note", options.note);
  return payload;
}

project::RunKey key_of(const SignalRequest& request) { return {request.run, request.tenant_id}; }

/// What became of the request, as far as the log tells.
class Verdict {
 public:
  explicit Verdict(const SignalRequest& request) : request_(request) {}

  void apply(const event::EventView& event) {
    if (project::RunKey::of(event) != key_of(request_)) return;
    if (event::ends_run(event.type())) has_ended_ = true;
    if (event.text(Field::kSignalId) != request_.signal_id) return;
    const auto type = event.text(Field::kSignalType);  // what follows from it says none
    if (!type.empty() &&
        (type != request_.type || event.text(Field::kNodeId) != request_.node_id)) {
      decision_ = SignalDecision::rejected(
          "SIGNAL_DUPLICATE", "the id '" + request_.signal_id + "' is that of another request, " +
                                  text(event, Field::kSignalType));
      return;
    }
    if (event.type() == Type::kSignalAccepted) {
      decision_ = SignalDecision::accepted();
    } else if (event.type() == Type::kSignalRejected) {
      decision_ =
          SignalDecision::rejected(text(event, Field::kErrorCode), text(event, Field::kReason));
    } else if (event.type() == Type::kSignalDeferred && !decision_) {
      decision_ =
          SignalDecision::deferred(text(event, Field::kErrorCode), text(event, Field::kReason));
    }
  }
  [[nodiscard]] const std::optional<SignalDecision>& decision() const { return decision_; }
  [[nodiscard]] bool has_ended() const { return has_ended_; }

 private:
  static std::string text(const event::EventView& event, Field field) {
    return std::string(event.text(field));
  }
  const SignalRequest& request_;
  std::optional<SignalDecision> decision_;
  bool has_ended_ = false;
};

void read(std::string_view lines, event::Decoder& decoder, Verdict& verdict) {
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    if (const auto event = decoder.decode(lines.substr(0, end))) verdict.apply(**event);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
}

/// What the log tells of the run and of a request with this id.
Result<Verdict> read_verdict(const log::StoreDirectory& store, const SignalRequest& request) {
  Verdict verdict(request);
  const auto read = store::read_run(store, key_of(request), [&](const event::EventView& event) {
    verdict.apply(event);
    return Result<void>();
  });
  if (!read) return std::unexpected(read.error());
  return verdict;
}

/// For a run that nobody has: it has ended, or its process was lost.
Result<SignalDecision> decide_for(const log::StoreDirectory& store, const SignalRequest& request,
                                  record::Recorder& recorder) {
  WEIR_TRY(const auto verdict, read_verdict(store, request));
  if (const auto& before = verdict.decision()) return *before;
  WEIR_TRY(const auto run, engine::read_recorded_run(store, request.run, request.tenant_id));
  auto decision =
      verdict.has_ended() ? SignalDecision::rejected("RUN_TERMINAL", "the run has ended")
      : engine::has_beginning(run)
          ? SignalDecision::deferred("RUN_HAS_NO_OWNER",
                                     "no process has the run: weir resume takes it up")
          : SignalDecision::rejected("RUN_HAS_NO_OWNER",
                                     "its process was lost, and no other can take it up");
  WEIR_TRY(engine::record_decision(request, decision, recorder));
  return decision;
}

/// Nothing: there was no answer in time.
Result<std::optional<SignalDecision>> wait_for_answer(log::Follower& follower,
                                                      const SignalRequest& request,
                                                      const log::StoreDirectory& store,
                                                      record::Recorder& recorder, int seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  event::Decoder decoder;
  Verdict verdict(request);
  while (std::chrono::steady_clock::now() < deadline) {
    const bool is_owned = log::RunLock::is_held(store, request.run);
    WEIR_TRY(const auto commit, follower.next(is_owned ? kLookInterval : milliseconds(0)));
    if (commit) read(commit->lines, decoder, verdict);
    if (verdict.decision()) return verdict.decision();
    if (!commit && !is_owned) {
      WEIR_TRY(auto decision, decide_for(store, request, recorder));
      return decision;
    }
  }
  return std::nullopt;
}

int print(const SignalOptions& options, const SignalRequest& request,
          const std::optional<SignalDecision>& decision) {
  static constexpr std::string_view kWords[] = {"accepted", "deferred", "rejected"};
  const auto word = decision ? kWords[static_cast<std::size_t>(decision->kind)] : "unanswered";
  if (options.json) {
    json::Object object;
    object.set("run_id", request.run.text());
    object.set("signal_id", request.signal_id);
    object.set("signal_type", request.type);
    object.set("decision", word);
    object.set("code",
               decision && !decision->code.empty() ? json::Value(decision->code) : json::Value());
    object.set("reason", decision && !decision->reason.empty() ? json::Value(decision->reason)
                                                               : json::Value());
    std::printf("%s\n", json::to_pretty_text(object).c_str());
  } else {
    const auto why = decision ? decision->reason
                              : "no answer within " + std::to_string(options.wait_seconds) +
                                    " s; weir show says what becomes of it";
    std::printf("%s %s%s\n", request.type.c_str(), std::string(word).c_str(),
                why.empty() ? "" : (": " + text::printable(why)).c_str());
  }
  return decision && decision->kind != SignalDecision::Kind::kRejected ? kDone : kFailed;
}

int ask(SignalRequest request, const SignalOptions& options, const Invocation& invocation,
        const log::StoreDirectory& store) {
  const auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  auto recorder_settings = recorder_options(*settings);
  if (!recorder_settings) return complain(recorder_settings.error());
  record::Recorder recorder(store, *std::move(recorder_settings));
  const artifact::ArtifactStore artifacts(store.artifacts());
  const auto others = [own = recorder.own_writers()](std::string_view writer) {
    return !own(writer);
  };
  auto end = log::end_of_log(store, others);
  if (!end) return complain(end.error());
  auto follower = log::Follower::open(store, *std::move(end), [](const log::FollowProblem&) {},
                                      {.wants = others});
  if (!follower) return complain(follower.error());
  if (const auto asked = engine::record_request(request, recorder, artifacts); !asked) {
    return complain(asked.error());
  }
  const auto answer = wait_for_answer(*follower, request, store, recorder, options.wait_seconds);
  if (!answer) return complain(answer.error());
  return print(options, request, *answer);
}

/// What can be said without the run. Types that are not Weir's own are the run's: its process knows
/// them, or rejects them.
std::optional<std::string> fault_in(const SignalRequest& request) {
  const engine::SignalTypes types;
  if (types.find(request.type) == nullptr) {
    if (engine::is_signal_name(request.type)) return {};
    return "'" + request.type + "' is no signal: a name of a-z, 0-9, '-' and '.' is expected";
  }
  const auto form = types.check(request);
  if (form.kind == SignalDecision::Kind::kRejected) return form.reason;
  return {};
}

int signal(const SignalOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto run = find_run(*store, options.run);
  if (!run) return complain_of_name(run.error());
  if (run->state.pipeline_type == "external") {
    return complain({ErrorCode::kConflict, "run " + run->state.run_id.text() +
                                               " was recorded from elsewhere: ask there"});
  }
  const auto params = options.params.empty() ? pipeline::Params() : params_of(*store, *run);
  if (!params) return complain(params.error());
  auto payload = payload_of(options, *params);
  if (!payload) {
    complain(payload.error());
    return kWrongUsage;
  }
  SignalRequest request{
      .run = run->state.run_id,
      .tenant_id = run->tenant_id,
      .signal_id = options.id.empty() ? RunId::make(system_clock().now()).text() : options.id,
      .type = engine::canonical_signal_type(options.type),
      .node_id = options.node,
      .actor_id = person(),
      .reason = options.reason,
      .payload = *std::move(payload)};
  if (!options.id.empty()) {
    const auto before = read_verdict(*store, request);
    if (!before) return complain(before.error());
    if (before->decision()) return print(options, request, before->decision());
  }
  if (const auto wrong = fault_in(request)) {
    std::fprintf(stderr, "weir: %s\n", text::printable(*wrong).c_str());
    return kWrongUsage;
  }
  return ask(std::move(request), options, invocation, *store);
}

void add_common(CLI::App& command, SignalOptions& options) {
  command.add_option("--reason", options.reason, "Why, for the record");
  command.add_option(
      "--id", options.id,
      "The request's id: the same one given twice is one request (default: a new one)");
  expect_number(command.add_option("--wait", options.wait_seconds,
                                   "How many seconds to wait for the answer (default: 10)"),
                0, 86'400);
  command.add_flag("--json", options.json, "Print JSON");
}

void add_answer(CLI::App& app, Invocation& invocation, const std::string& type,
                const std::string& about) {
  auto options = std::make_shared<SignalOptions>();
  options->type = type;
  auto* command = app.add_subcommand(type, about);
  add_named_run(*command, options->run);
  command->add_option("node", options->node, "The node that waits")->required();
  add_common(*command, *options);
  command->footer("Example: weir " + type + " last publish --reason \"seen and discussed\"");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return signal(*options, invocation); };
  });
}

}  // namespace

void add_signal(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<SignalOptions>();
  auto* command = app.add_subcommand("signal", "Ask something of a run that goes on");
  add_named_run(*command, options->run);
  command
      ->add_option("type", options->type,
                   "What: " + text::join(engine::SignalTypes().names()) +
                       ", or a type that the run's program has added")
      ->required();
  command->add_option("node", options->node, "Which node it is about");
  command->add_option("--set", options->params, "update-params: NAME=VALUE, once for each")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--output", options->output,
                      "inject-override: the node's output, as JSON or @FILE");
  command->add_option("--target", options->target,
                      "update-target: the tool that is called, as plugin.tool");
  command->add_option("--level", options->level, "escalate-alert: INFO, WARNING, CRITICAL or P1");
  command->add_option("--payload", options->payload,
                      "What a type of the run's own takes, a JSON object or @FILE");
  command->add_option("--note", options->note, "escalate-alert: what is said");
  add_common(*command, *options);
  command->footer("Example: weir signal last retry-step fetch --reason \"the disk is back\"");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return signal(*options, invocation); };
  });
}

void add_approve(CLI::App& app, Invocation& invocation) {
  add_answer(app, invocation, "approve", "Let a node run that waits for a person");
}

void add_deny(CLI::App& app, Invocation& invocation) {
  add_answer(app, invocation, "deny", "Do not let a node run that waits for a person: it fails");
}

}  // namespace weir::cli
