#include "tool/library.h"

#include <dlfcn.h>

#include <string>
#include <utility>

#include "tool/lineage.h"
#include "tool/own_event.h"
#include "tool/payload.h"
#include "tool/provider_call.h"
#include "weir/plugin.h"

namespace weir::tool {
namespace {

/// What a call sees of us.
struct Conversation {
  const Call& call;
  std::string output{};
  std::optional<std::int64_t> rows{};
  std::string lineage{};
  std::optional<Failure> failure{};
};

Conversation& conversation(void* host) { return *static_cast<Conversation*>(host); }

void log(void* host, int level, const char* text, std::size_t size) {
  const auto& call = conversation(host).call;
  if (!call.log || text == nullptr) return;
  const bool is_known = level >= WEIR_PLUGIN_DEBUG && level <= WEIR_PLUGIN_FATAL;
  call.log({.level = is_known ? static_cast<event::Level>(level) : event::Level::kInfo,
            .message = {text, size},
            .logger = "plugin"});
}

int is_cancelled(void* host) { return conversation(host).call.stop.stop_requested() ? 1 : 0; }

void set_output(void* host, const char* json, std::size_t size) {
  if (json != nullptr) conversation(host).output.assign(json, size);
}

void set_rows(void* host, std::int64_t rows) { conversation(host).rows = rows; }

void set_lineage(void* host, const char* json, std::size_t size) {
  if (json != nullptr) conversation(host).lineage.assign(json, size);
}

void set_failure(void* host, const char* type, const char* message, int is_retryable) {
  const auto text = [](const char* given) { return std::string(given == nullptr ? "" : given); };
  const auto given_type = text(type);
  conversation(host).failure = Failure{.type = given_type.empty() ? "PluginError" : given_type,
                                       .message = text(message),
                                       .exit_code = {},
                                       .usage = {},
                                       .retryable = is_retryable != 0};
}

void provider_call(void* host, const char* json, std::size_t size) {
  const auto& call = conversation(host).call;
  if (!call.provider_call || json == nullptr) return;
  const auto value = json::parse({json, size});
  const auto* object = value ? value->object() : nullptr;
  const auto report = object != nullptr ? provider_call_from(*object)
                                        : fail(ErrorCode::kInvalidInput, "it is no object");
  if (report) return call.provider_call(*report);
  const auto message = "a provider call of it was passed over: " + report.error().message;
  if (call.log) {
    call.log({.level = event::Level::kWarning, .message = message, .logger = "plugin"});
  }
}

int emit_event(void* host, const char* type, const char* json, size_t size) {
  const auto& call = conversation(host).call;
  if (!call.emit || type == nullptr || json == nullptr) return 0;
  const auto value = json::parse({json, size});
  const auto* members = value ? value->object() : nullptr;
  OwnEvent event{.type = type};
  if (members != nullptr) event.members.update(*members);
  const auto taken = members != nullptr
                         ? call.emit(event)
                         : weir::fail(ErrorCode::kInvalidInput, "what it says is no JSON object");
  if (!taken) warn_of_event(call, taken.error());
  return taken ? 1 : 0;
}

std::unexpected<Error> fail_load(const std::filesystem::path& path, ErrorCode code,
                                 const std::string& why) {
  return fail(code, "the library " + path.string() + ": " + why);
}

}  // namespace

Result<Library> Library::load(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return fail_load(path, ErrorCode::kNotFound, "there is no such file");
  }
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return fail_load(path, ErrorCode::kInvalidInput, ::dlerror());
  using Entry = const weir_plugin* (*)(std::uint32_t);
  const auto entry = reinterpret_cast<Entry>(::dlsym(handle, "weir_plugin_entry"));
  const auto* plugin = entry == nullptr ? nullptr : entry(WEIR_PLUGIN_VERSION);
  const char* why = nullptr;
  if (entry == nullptr) {
    why = "it does not export weir_plugin_entry (include/weir/plugin.h)";
  } else if (plugin == nullptr || plugin->version > WEIR_PLUGIN_VERSION) {
    why = "it needs a newer Weir";
  } else if (plugin->version == 0 || plugin->call == nullptr) {
    why = "what its weir_plugin_entry returns has no version or no call";
  }
  if (why == nullptr) return Library(handle, plugin);
  ::dlclose(handle);
  return fail_load(path, ErrorCode::kInvalidInput, why);
}

Library::Library(Library&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), plugin_(other.plugin_) {}

Library::~Library() {
  if (handle_ == nullptr) return;
  if (plugin_->destroy != nullptr) plugin_->destroy(plugin_->state);
  ::dlclose(handle_);
}

std::expected<Output, Failure> Library::call(const std::string& tool_id, const Call& call) const {
  Conversation conversation{.call = call};
  const auto payload = json::to_text(call.payload);
  const auto settings = json::to_text(call.with);
  const std::string run_id(call.run_id), node_id(call.node_id), key(call.idempotency_key);
  const auto folder = call.folder.string();
  const weir_plugin_call request{.size = sizeof(weir_plugin_call),
                                 .tool = tool_id.c_str(),
                                 .payload = payload.c_str(),
                                 .payload_size = payload.size(),
                                 .settings = settings.c_str(),
                                 .run_id = run_id.c_str(),
                                 .node_id = node_id.c_str(),
                                 .folder = folder.c_str(),
                                 .idempotency_key = key.c_str(),
                                 .host = &conversation,
                                 .log = &log,
                                 .is_cancelled = &is_cancelled,
                                 .set_output = &set_output,
                                 .set_rows = &set_rows,
                                 .set_failure = &set_failure,
                                 .provider_call = &provider_call,
                                 .emit_event = &emit_event,
                                 .set_lineage = &set_lineage};
  const int result = plugin_->call(plugin_->state, &request);
  if (conversation.failure) return std::unexpected(*std::move(conversation.failure));
  if (result != 0) return fail_with("PluginError", "it returned " + std::to_string(result));
  auto object = read_payload(conversation.output);
  if (!object) return std::unexpected(std::move(object).error());
  Output output{.payload = *std::move(object), .usage = {.rows = conversation.rows}};
  read_lineage(conversation.lineage, call, output);
  return output;
}

}  // namespace weir::tool
