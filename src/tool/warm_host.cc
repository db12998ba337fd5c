#include <mutex>

#include "tool/payload.h"
#include "tool/plugin.h"
#include "tool/warm_process.h"

namespace weir::tool {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// More idle processes are ended.
constexpr std::size_t kMaxIdle = 8;
/// So many processes may die in a row, without a call between that was answered; then none is
/// started for a while.
constexpr int kMaxDeaths = 5;
constexpr std::chrono::seconds kCooldown{30};

class WarmHost final : public PluginHost {
 public:
  explicit WarmHost(Plugin plugin) : plugin_(std::move(plugin)) {}

  [[nodiscard]] std::expected<Output, Failure> call(std::string_view tool_id,
                                                    const Call& call) override {
    auto process = take();
    if (!process) return std::unexpected(std::move(process).error());
    auto output = (*process)->call(tool_id, call);
    give_back(*std::move(process), output);
    return output;
  }

 private:
  std::expected<std::unique_ptr<WarmProcess>, Failure> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto process = std::move(idle_.back());
        idle_.pop_back();
        return process;
      }
      if (deaths_ >= kMaxDeaths && SteadyClock::now() < last_death_ + kCooldown) {
        return fail_with("PluginUnavailable",
                         "it died " + std::to_string(deaths_) + " times in a row, and is not " +
                             "started again for " + std::to_string(kCooldown.count()) + " s");
      }
    }
    auto started = WarmProcess::start(plugin_);
    if (!started) return fail_with("PluginNotStarted", started.error().message);
    return *std::move(started);
  }

  void give_back(std::unique_ptr<WarmProcess> process,
                 const std::expected<Output, Failure>& output) {
    const std::lock_guard lock(mutex_);
    if (process->is_usable()) {
      deaths_ = 0;
      if (idle_.size() < kMaxIdle) idle_.push_back(std::move(process));
    } else if (!output) {  // one that was retired has done its work
      ++deaths_;
      last_death_ = SteadyClock::now();
    }
  }

  const Plugin plugin_;
  std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<WarmProcess>> idle_;
  int deaths_ = 0;
  SteadyClock::time_point last_death_;
};

}  // namespace

std::unique_ptr<PluginHost> make_warm_host(Plugin plugin) {
  return std::make_unique<WarmHost>(std::move(plugin));
}

}  // namespace weir::tool
