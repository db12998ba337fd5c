#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "tool/enclosure.h"
#include "tool/json_rpc.h"
#include "tool/line_splitter.h"
#include "tool/start.h"

namespace weir::tool {

/// One process of a plugin that stays. Called by one thread at a time; ended with it.
class WarmProcess {
 public:
  /// Errors: kNotFound, kIo. Whether the plugin itself could be started, the first call tells.
  [[nodiscard]] static Result<std::unique_ptr<WarmProcess>> start(const Plugin& plugin);
  ~WarmProcess();
  WarmProcess(const WarmProcess&) = delete;
  WarmProcess& operator=(const WarmProcess&) = delete;

  [[nodiscard]] std::expected<Output, Failure> call(std::string_view tool_id, const Call& call);
  /// Not after a call that it did not answer.
  [[nodiscard]] bool is_usable() const { return is_usable_; }

 private:
  using SteadyClock = std::chrono::steady_clock;
  /// A call on its way.
  struct Pending {
    std::int64_t id = 0;
    const Call& call;
    std::string to_write{};
    std::size_t output_bytes = 0;
    std::size_t error_bytes = 0;
    std::optional<SteadyClock::time_point> deadline{};  // of the call, then of the grace
    std::optional<Failure> why_cancelled{};
    bool has_died = false;  // and its last report is read
    std::optional<std::expected<Output, Failure>> answer{};
  };
  enum class Stream : std::uint8_t { kOutput, kErrors };

  explicit WarmProcess(const Plugin& plugin, Enclosure enclosure)
      : plugin_(plugin), enclosure_(std::move(enclosure)) {}
  Result<void> begin();
  void exchange(Pending& pending);
  void write(Pending& pending);
  void read(Stream stream, Pending& pending);
  void take_lines(Pending& pending);
  void take(std::string_view line, Pending& pending);
  void cancel(Pending& pending, Failure why);
  void handle_deadline(Pending& pending);
  void handle_death(Pending& pending);
  [[nodiscard]] int timeout_ms(const Pending& pending) const;
  [[nodiscard]] bool count(std::size_t& bytes, std::size_t more, Pending& pending) const;
  /// While it lives. It may have passed a limit with its answer.
  void add_usage(const Call& call, std::expected<Output, Failure>& answer);
  void retire_if_worn(const Usage& usage);

  const Plugin& plugin_;
  Enclosure enclosure_;
  Started started_;
  Descriptor in_, out_, error_;
  std::string received_;  // the beginning of a line
  std::int64_t last_id_ = 0;
  double cpu_ms_ = 0;  // of all calls
  bool is_usable_ = true;
};

}  // namespace weir::tool
