#include "tool/tool.h"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <typeinfo>

namespace weir::tool {
namespace {

/// The name of the exception's type, as its programmer wrote it.
std::string type_name(const std::exception& exception) {
  const char* mangled = typeid(exception).name();
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : mangled;
}

template <class Stream>
const Stream* find_stream(std::span<const Stream> streams, std::string_view node_id) {
  if (node_id.empty()) return streams.size() == 1 ? &streams.front() : nullptr;
  const auto found = std::find_if(streams.begin(), streams.end(),
                                  [&](const auto& one) { return one.node_id() == node_id; });
  return found == streams.end() ? nullptr : &*found;
}

/// Of this thread.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::expected<Output, Failure> call_caught(Tool& tool, const Call& call) {
  try {
    return tool.run(call);
  } catch (const std::exception& exception) {
    return std::unexpected(Failure{
        .type = type_name(exception), .message = exception.what(), .exit_code = {}, .usage = {}});
  } catch (...) {
    return std::unexpected(Failure{.type = "unknown",
                                   .message = "threw something that is no std::exception",
                                   .exit_code = {},
                                   .usage = {}});
  }
}

std::expected<Output, Failure> run_measured(Tool& tool, const Call& call) {
  if (!tool.spec().measures_cpu) return call_caught(tool, call);
  const auto before = processor_time();
  auto output = call_caught(tool, call);
  auto& cpu_ms = output ? output->usage.cpu_ms : output.error().usage.cpu_ms;
  const std::chrono::duration<double, std::milli> used = processor_time() - before;
  if (!cpu_ms) cpu_ms = used.count();
  return output;
}

}  // namespace

std::string_view to_string(Setting::Kind kind) {
  static constexpr std::array<std::string_view, 8> kWords = {"a string",
                                                             "a list of one or more strings",
                                                             "an object of strings",
                                                             "a whole number from 0",
                                                             "a number",
                                                             "true or false",
                                                             "an object",
                                                             "any value"};
  return kWords[static_cast<std::size_t>(kind)];
}

const StreamReader* Call::stream_in(std::string_view from) const {
  return find_stream(streams_in, from);
}

const StreamWriter* Call::stream_out(std::string_view to) const {
  return find_stream(streams_out, to);
}

std::expected<Output, Failure> run_caught(Tool& tool, const Call& call) {
  const auto& health = tool.health();
  if (!health) return run_measured(tool, call);
  const auto began = std::chrono::steady_clock::now();
  health->call_begins();
  auto output = run_measured(tool, call);
  const auto failure = output ? std::string() : output.error().type + ": " + output.error().message;
  health->call_ends(began, std::chrono::steady_clock::now(), failure);
  return output;
}

void Registry::add(std::unique_ptr<Tool> tool) {
  for (const auto& other : tools_) {
    if (other->spec().plugin_id == tool->spec().plugin_id) tool->health_ = other->health_;
  }
  if (!tool->health_) tool->health_ = std::make_shared<Health>();
  std::erase_if(tools_, [&](const auto& other) {
    return other->spec().plugin_id == tool->spec().plugin_id &&
           other->spec().tool_id == tool->spec().tool_id;
  });
  tools_.push_back(std::move(tool));
}

Tool* Registry::find(std::string_view plugin_id, std::string_view tool_id) const {
  for (const auto& tool : tools_) {
    if (tool->spec().plugin_id == plugin_id && tool->spec().tool_id == tool_id) return tool.get();
  }
  return nullptr;
}

Health* Registry::health(std::string_view plugin_id) const {
  for (const auto& tool : tools_) {
    if (tool->spec().plugin_id == plugin_id) return tool->health().get();
  }
  return nullptr;
}

std::vector<std::string> Registry::plugin_ids() const {
  std::vector<std::string> ids;
  for (const auto& tool : tools_) {
    if (std::find(ids.begin(), ids.end(), tool->spec().plugin_id) == ids.end()) {
      ids.push_back(tool->spec().plugin_id);
    }
  }
  return ids;
}

std::vector<std::string> Registry::tool_ids(std::string_view plugin_id) const {
  std::vector<std::string> ids;
  for (const auto& tool : tools_) {
    if (tool->spec().plugin_id == plugin_id) ids.push_back(tool->spec().tool_id);
  }
  return ids;
}

}  // namespace weir::tool
