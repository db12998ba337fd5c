#include "weir/engine.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "embed_engine/call_state.h"
#include "embed_engine/prepared.h"
#include "embed_engine/program_loggers.h"
#include "engine/circuit_breakers.h"
#include "engine/error_summary.h"
#include "engine/lost_run.h"
#include "engine/registry_events.h"
#include "pipeline/execution_modes.h"
#include "pipeline/params.h"

namespace weir {
namespace embed {
namespace {

Status invalid(std::string message) { return {StatusCode::kInvalidInput, std::move(message)}; }

Result<json::Object> object_of(std::string_view text, std::string_view what) {
  auto value = json::parse(text);
  if (!value) return std::unexpected(std::move(value).error().within(what));
  if (value->object() == nullptr) {
    return fail(ErrorCode::kInvalidInput, std::string(what) + " is a JSON object");
  }
  json::Object object;
  object.update(*value->object());  // of a key given twice, the last value
  return object;
}

PipelineResult to_result(const engine::RunReport& report) {
  PipelineResult result{.run_id = report.run_id.text(), .duration_ms = report.duration_ms};
  result.failed_node_id = report.failed_node_id;
  const auto code = engine::error_code_of(report.failure);
  if (code != engine::kUnknownError) result.error_code = code;
  result.error_type = report.failure.type;
  result.error_message = report.failure.message;
  switch (report.outcome) {
    case pipeline::RunOutcome::kCompleted:
      result.result = json::to_text(report.result);
      break;
    case pipeline::RunOutcome::kFailed:
      result.end = RunEnd::kFailed;
      break;
    case pipeline::RunOutcome::kCancelled:
      result.end = RunEnd::kCancelled;
      break;
  }
  return result;
}

StatusOr<PipelineResult> refuse(EngineState& state, const Prepared& prepared,
                                const RunRequestOptions& options) {
  const auto message = text_of(prepared);
  const auto refused = state.engine.record_refusal(prepared.file.definition, "ValidationError",
                                                   message, options.tenant_id);
  if (!refused) return to_status(refused.error());
  return PipelineResult{.run_id = refused->text(),
                        .end = RunEnd::kRefused,
                        .error_type = "ValidationError",
                        .error_message = message};
}

/// What a run is to be, beside its pipeline.
struct Course {
  json::Object payload;
  json::Object params;
  std::optional<RunId> run_id{};
  engine::OwnedRun* owned = nullptr;  ///< the run to go on with; null: a new one
  engine::Rerun rerun{};
  RunRequestOptions options{};
};

/// As often as somebody asks for it once more.
Result<engine::RunReport> run_until_done(EngineState& state, const Prepared& prepared,
                                         const Course& course) {
  const auto sub_pipelines = sub_pipelines_of(state, prepared);
  const auto folder = prepared.path.parent_path();
  std::vector<engine::Interceptor*> interceptors;
  interceptors.reserve(state.interceptors.size());
  for (const auto& one : state.interceptors) interceptors.push_back(one.get());
  const auto run = [&](const std::string& previous, engine::OwnedRun* owned) {
    return state.engine.run(
        {.definition = prepared.file.definition,
         .definition_text = prepared.file.text,
         .folder = folder.empty() ? "." : folder,
         .file = prepared.path.empty()
                     ? std::filesystem::path(pipeline::file_name_of(prepared.file.text))
                     : prepared.path,
         .payload = course.payload,
         .params = course.params,
         .secret = [&](const std::string& name) { return secret_of(state, name); },
         .run_id = previous.empty() ? course.run_id : std::nullopt,
         .owned = owned,
         .rerun = course.rerun,
         .previous_run_id = previous,
         .execution_mode = course.options.execution_mode,
         .tenant_id = course.options.tenant_id,
         .signals = state.signals.get(),
         .signal_policy = &state.policy,
         .jobs = std::max(course.options.jobs, 1),
         .interceptors = interceptors,
         .idempotency_key = course.options.idempotency_key,
         .run_logger = state.run_logger.get(),
         .provider_call_logger = state.provider_call_logger.get(),
         .adapter = &state.adapter,
         .stop = {},
         .on_update = {},
         .sub_pipelines = &sub_pipelines});
  };
  auto report = run({}, course.owned);
  while (report && report->wants_retry) report = run(report->run_id.text(), nullptr);
  return report;
}

StatusOr<PipelineResult> result_of(const Result<engine::RunReport>& report) {
  if (!report) return to_status(report.error());
  return to_result(*report);
}

StatusOr<PipelineResult> run(EngineState& state, Result<Prepared> prepared,
                             std::string_view payload_text, const RunRequestOptions& options) {
  if (!prepared) return to_status(prepared.error());
  auto payload = object_of(payload_text, "the payload");
  if (!payload) return to_status(payload.error());
  const auto given = object_of(options.params, "the parameters");
  if (!given) return to_status(given.error());
  const auto id = options.run_id.empty() ? RunId::make(state.recorder.clock().now())
                                         : RunId::parse(options.run_id);
  if (!id) return invalid("run_id must be a UUID, not '" + options.run_id + "'");

  const auto& definition = prepared->file.definition;
  auto params = pipeline::bind(definition.params, *given);
  if (prepared->problems.empty()) {
    add_missing_secrets(state, *prepared);
    const auto of_mode = pipeline::mode_problems(definition, options.execution_mode);
    auto& problems = prepared->problems;
    problems.insert(problems.end(), of_mode.begin(), of_mode.end());
    if (!params) problems.insert(problems.end(), params.error().begin(), params.error().end());
  }
  if (!prepared->problems.empty()) return refuse(state, *prepared, options);
  const auto* entry =
      prepared->registry == nullptr ? nullptr : prepared->registry->find(definition.id);
  if (entry != nullptr && !prepared->path.empty()) {
    // What cannot be recorded here fails the run itself, which says so.
    static_cast<void>(engine::record_fetched(*entry, *id, state.recorder, options.tenant_id));
    static_cast<void>(engine::record_registry(*prepared->registry, state.tools, state.recorder,
                                              state.artifacts, options.tenant_id));
  }
  return result_of(run_until_done(state, *prepared,
                                  {.payload = *std::move(payload),
                                   .params = *std::move(params),
                                   .run_id = id,
                                   .options = options}));
}

// ---- recorded runs
// -----------------------------------------------------------------------------------

Result<RunId> recorded_id(std::string_view text) {
  if (const auto id = RunId::parse(text)) return *id;
  return fail(ErrorCode::kInvalidInput, "'" + std::string(text) + "' is no run's id");
}

std::unexpected<Error> no_such_run(const RunId& id) {
  return fail(ErrorCode::kNotFound, "there is no run " + id.text());
}

Result<engine::RunReport> resume(EngineState& state, std::string_view run_id, int jobs,
                                 const std::optional<std::string>& tenant) {
  const auto& store = state.recorder.store();
  WEIR_TRY(const auto id, recorded_id(run_id));
  WEIR_TRY(auto lost, engine::take_lost_run(store, state.artifacts, id, tenant));
  auto& recorded = lost.owned.recorded;
  if (recorded.last_run_seq == 0) return no_such_run(id);
  if (!recorded.end.empty()) {
    return fail(ErrorCode::kConflict,
                "run " + id.text() + " has ended: only a run whose process was lost can go on");
  }
  WEIR_TRY(const auto repeated, engine::repeated_run(store, recorded));
  WEIR_TRY(const auto prepared, prepare_recorded(state, std::move(lost.pipeline)));
  Course course{
      .payload = std::move(lost.payload), .params = std::move(lost.params), .owned = &lost.owned};
  if (repeated) course.rerun = {.of = &*repeated, .from = recorded.rerun_from};
  course.options.jobs = jobs;
  // Of the run that follows if somebody asks for this one anew: its own it has.
  course.options.execution_mode = recorded.execution_mode;
  course.options.tenant_id = recorded.ids.tenant_id;
  return run_until_done(state, prepared, course);
}

Result<engine::RunReport> rerun(EngineState& state, std::string_view run_id,
                                const std::vector<std::string>& from, int jobs,
                                const std::optional<std::string>& tenant) {
  const auto& store = state.recorder.store();
  WEIR_TRY(const auto id, recorded_id(run_id));
  WEIR_TRY(const auto recorded, engine::read_recorded_run(store, id, tenant));
  if (recorded.engine_attempt == 0) return no_such_run(id);
  if (!from.empty() && recorded.end.empty() && log::RunLock::is_held(store, id)) {
    return fail(ErrorCode::kConflict,
                "run " + id.text() + " runs: its outputs are not all there yet");
  }
  WEIR_TRY(auto beginning, engine::beginning_of(recorded, state.artifacts));
  WEIR_TRY(engine::check_nodes(beginning.pipeline.file.definition, from));
  WEIR_TRY(const auto prepared, prepare_recorded(state, std::move(beginning.pipeline)));
  Course course{.payload = std::move(beginning.payload),
                .params = std::move(beginning.params),
                .rerun = {.of = &recorded, .from = from}};
  course.options.jobs = jobs;
  course.options.execution_mode = recorded.execution_mode;
  return run_until_done(state, prepared, course);
}

Result<std::shared_ptr<const event::Redactor>> redactor_of(const EngineOptions& options) {
  event::RedactionPolicy policy;
  for (const auto& [name, value] : options.secrets) {
    if (value.size() < event::Redactor::kMinLiteral) {
      return fail(ErrorCode::kInvalidInput,
                  "secret '" + name + "': a secret has at least six bytes");
    }
    policy.literals.push_back(value);
  }
  WEIR_TRY(auto redactor, event::Redactor::make(policy));
  return std::make_shared<const event::Redactor>(std::move(redactor));
}

engine::Role to_role(Role role) {
  switch (role) {
    case Role::kOperator:
      return engine::Role::kOperator;
    case Role::kEngineer:
      return engine::Role::kEngineer;
    case Role::kAdmin:
      return engine::Role::kAdmin;
    case Role::kSystem:
      break;
  }
  return engine::Role::kSystem;
}

std::vector<ChildRun> to_public(std::vector<engine::ActiveChild> children) {
  std::vector<ChildRun> runs;
  runs.reserve(children.size());
  for (auto& child : children) {
    runs.push_back({.run_id = child.run_id.text(),
                    .node_id = std::move(child.node_id),
                    .pipeline_id = std::move(child.pipeline_id)});
  }
  return runs;
}

engine::SignalType to_signal_type(SignalKind kind) {
  engine::SignalType type{.name = std::move(kind.name),
                          .role = to_role(kind.role),
                          .needs_node = kind.needs_node,
                          .needs_reason = kind.needs_reason,
                          .needs = std::move(kind.needs),
                          .allows = std::move(kind.allows)};
  if (!kind.act) return type;
  type.act = [act = std::move(kind.act)](const engine::SignalRequest& request) {
    const auto run = request.run.text();
    const auto payload = json::to_text(request.payload);
    act({.run_id = run,
         .signal_id = request.signal_id,
         .type = request.type,
         .node_id = request.node_id,
         .actor_id = request.actor_id,
         .reason = request.reason,
         .payload = payload});
  };
  return type;
}

}  // namespace
}  // namespace embed

using embed::to_status;

Engine::Engine(std::unique_ptr<embed::EngineState> state) noexcept : state_(std::move(state)) {}
Engine::Engine(Engine&& other) noexcept = default;
Engine& Engine::operator=(Engine&& other) noexcept = default;
Engine::~Engine() = default;

StatusOr<Engine> Engine::open(const std::filesystem::path& store, EngineOptions options) noexcept {
  auto redactor = embed::redactor_of(options);
  if (!redactor) return to_status(redactor.error());
  auto directory = log::StoreDirectory::create(store);
  if (!directory) return to_status(directory.error());
  try {
    auto state = std::make_unique<embed::EngineState>(*std::move(directory), std::move(options),
                                                      *std::move(redactor));
    auto signals = engine::SignalFeed::start(state->recorder);
    if (!signals) return to_status(signals.error());
    state->signals = *std::move(signals);
    if (state->options.role_of) {
      state->policy.role_of = [&options = state->options](std::string_view actor) {
        return embed::to_role(options.role_of(actor));
      };
    }
    return Engine(std::move(state));
  } catch (const std::system_error& error) {
    return Status(StatusCode::kUnavailable, std::string("no thread to record: ") + error.what());
  }
}

Status Engine::add_tool(const ToolName& name, ToolFunction function) noexcept {
  if (!record::is_id(name.plugin_id) || !record::is_id(name.tool_id)) {
    return embed::invalid("a tool has a plugin_id and a tool_id of 1 to 256 bytes");
  }
  if (!function) return embed::invalid("a tool is a function");
  state_->tools.add(embed::make_tool(name, std::move(function)));
  return {};
}

Status Engine::add_interceptor(std::shared_ptr<Interceptor> interceptor) noexcept {
  if (!interceptor) return embed::invalid("there is no interceptor");
  state_->interceptors.push_back(embed::adapt(std::move(interceptor)));
  return {};
}

void Engine::set_run_logger(std::shared_ptr<RunLogger> logger) noexcept {
  state_->run_logger = logger ? embed::adapt(std::move(logger)) : nullptr;
}

void Engine::set_provider_call_logger(std::shared_ptr<ProviderCallLogger> logger) noexcept {
  state_->provider_call_logger = logger ? embed::adapt(std::move(logger)) : nullptr;
}

Status Engine::add_signal(SignalKind kind) noexcept {
  const auto added = state_->policy.types.add(embed::to_signal_type(std::move(kind)));
  return added ? Status() : to_status(added.error());
}

StatusOr<PipelineResult> Engine::run_pipeline(std::string_view id, std::string_view payload,
                                              const RunRequestOptions& options) noexcept {
  return embed::run(*state_, embed::prepare_by_id(*state_, id), payload, options);
}

StatusOr<PipelineResult> Engine::run_definition(std::string_view definition,
                                                std::string_view payload,
                                                const RunRequestOptions& options) noexcept {
  return embed::run(*state_, embed::prepare_text(*state_, definition), payload, options);
}

StatusOr<PipelineResult> Engine::resume(std::string_view run_id, int jobs,
                                        const std::optional<std::string>& tenant_id) noexcept {
  return embed::result_of(embed::resume(*state_, run_id, jobs, tenant_id));
}

StatusOr<PipelineResult> Engine::rerun(std::string_view run_id,
                                       const std::vector<std::string>& from, int jobs,
                                       const std::optional<std::string>& tenant_id) noexcept {
  return embed::result_of(embed::rerun(*state_, run_id, from, jobs, tenant_id));
}

std::string Engine::new_run_id() const {
  return RunId::make(state_->recorder.clock().now()).text();
}

std::vector<ChildRun> Engine::children_of(std::string_view run_id) const {
  const auto run = RunId::parse(run_id);
  if (!run) return {};
  return embed::to_public(state_->engine.child_runs().children_of(*run));
}

std::optional<std::string> Engine::parent_of(std::string_view run_id) const {
  const auto run = RunId::parse(run_id);
  if (!run) return {};
  const auto parent = state_->engine.child_runs().parent_of(*run);
  return parent ? std::optional(parent->text()) : std::nullopt;
}

std::string Engine::root_of(std::string_view run_id) const {
  const auto run = RunId::parse(run_id);
  return run ? state_->engine.child_runs().root_of(*run).text() : std::string();
}

std::vector<ChildRun> Engine::descendants_of(std::string_view run_id) const {
  const auto run = RunId::parse(run_id);
  if (!run) return {};
  return embed::to_public(state_->engine.child_runs().descendants_of(*run));
}

std::string Engine::child_run_metrics(std::string_view run_id) const {
  const auto run = RunId::parse(run_id);
  return json::to_text(state_->engine.child_runs().report(run ? *run : RunId()));
}

void Engine::reset_child_run_metrics() noexcept { state_->engine.child_runs().reset_metrics(); }

Status Engine::signal(std::string_view run_id, const Signal& signal) noexcept {
  const auto run = RunId::parse(run_id);
  if (!run) return embed::invalid("'" + std::string(run_id) + "' is no run's id");
  auto payload = embed::object_of(signal.payload, "the payload");
  if (!payload) return to_status(payload.error());
  const auto asked =
      state_->signals->ask({.run = *run,
                            .signal_id = signal.signal_id.empty() ? new_run_id() : signal.signal_id,
                            .type = signal.type,
                            .node_id = signal.node_id,
                            .actor_id = signal.actor_id,
                            .reason = signal.reason,
                            .payload = *std::move(payload)},
                           state_->artifacts);
  return asked ? Status() : to_status(asked.error());
}

}  // namespace weir
