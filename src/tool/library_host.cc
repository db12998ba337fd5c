#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <mutex>

#include "tool/json_rpc.h"
#include "tool/library.h"
#include "tool/payload.h"
#include "tool/plugin.h"

namespace weir::tool {
namespace {

/// Loads the library with the first call.
class LibraryHost final : public PluginHost {
 public:
  explicit LibraryHost(const Plugin& plugin) : path_(plugin.folder / plugin.manifest.library) {}

  [[nodiscard]] std::expected<Output, Failure> call(std::string_view tool_id,
                                                    const Call& call) override {
    const auto* loaded = load();
    if (loaded == nullptr) return fail_with("PluginNotStarted", why_not_);
    return loaded->call(std::string(tool_id), call);
  }
  [[nodiscard]] bool is_in_thread() const override { return true; }

 private:
  const Library* load() {
    const std::lock_guard lock(mutex_);
    if (library_ || !why_not_.empty()) return library_ ? &*library_ : nullptr;
    auto loaded = Library::load(path_);
    if (!loaded) {
      why_not_ = loaded.error().message;
      return nullptr;
    }
    library_.emplace(*std::move(loaded));
    return &*library_;
  }

  const std::filesystem::path path_;
  std::mutex mutex_;  // guards the first load
  std::optional<Library> library_;
  std::string why_not_;
};

void print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

/// One call at a time: a cancellation that comes meanwhile is read after it, and passed over. Who
/// waits no longer kills us.
void answer(const Library& library, const rpc::Request& request) {
  const std::filesystem::path folder = request.folder;
  const Call call{
      .run_id = request.run_id,
      .node_id = request.node_id,
      .payload = request.payload,
      .with = request.with,
      .folder = folder,
      .stop = {},
      .log = [](const LogLine& line) { print(rpc::log_line(line)); },
      .kept = {},
      .environment = {},
      .idempotency_key = request.idempotency_key,
      .provider_call =
          [](const ProviderCallReport& report) { print(rpc::provider_call_line(report)); },
      .emit = [](const OwnEvent& event) -> Result<void> {
        print(rpc::event_line(event));  // who reads it judges it
        return {};
      }};
  const auto output = library.call(request.tool_id, call);
  print(output ? rpc::output_line(request.id, *output)
               : rpc::failure_line(request.id, output.error()));
}

}  // namespace

std::unique_ptr<PluginHost> make_library_host(Plugin plugin) {
  if (!plugin.policy.confines()) return std::make_unique<LibraryHost>(plugin);
  const auto library = (plugin.folder / plugin.manifest.library).lexically_normal().string();
  plugin.manifest.command = {plugin.weir.string(), std::string(kHostCommand), library};
  std::error_code ignored;
  plugin.policy.read.push_back(std::filesystem::canonical(plugin.weir, ignored));
  return make_warm_host(std::move(plugin));
}

int host_library(int argc, char** argv) {
  constexpr int kCannot = 125;
  if (argc < 1) return kCannot;
  const auto library = Library::load(argv[0]);
  if (!library) {
    std::fprintf(stderr, "%s\n", library.error().message.c_str());
    return kCannot;
  }
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = rpc::parse_request(line);
    if (request && !request->cancelled) answer(*library, *request);
  }
  return 0;
}

}  // namespace weir::tool
