#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "tool/plugin.h"
#include "tool/supervisor.h"

namespace weir::tool {

/// What one supervised process of a plugin is started with, and what it leaves behind. Owns its
/// temporary folder, which goes with it.
class Enclosure {
 public:
  /// Errors: kIo.
  [[nodiscard]] static Result<Enclosure> make(const Plugin& plugin);
  Enclosure(Enclosure&& other) noexcept;
  Enclosure& operator=(Enclosure&&) = delete;
  ~Enclosure();

  /// The supervisor, with the plugin's command.
  [[nodiscard]] const std::vector<std::string>& command() const { return command_; }
  /// The plugin's alone if it is confined, else to be added to ours.
  [[nodiscard]] Environment environment(const Plugin& plugin, const Environment& of_call) const;
  /// For the supervisor. Close it when it is started.
  [[nodiscard]] Descriptor& theirs() { return theirs_; }
  [[nodiscard]] const Descriptor& control() const { return ours_; }

  void say(std::string_view word) const;
  /// Says that the call has ended, to a supervisor that lives, and returns what it used.
  [[nodiscard]] Report end_call(std::chrono::milliseconds patience = std::chrono::seconds(2)) const;
  /// The next report, if there is one, or one comes in this time. Without one, what there is to say
  /// is in its message.
  [[nodiscard]] Report receive(std::chrono::milliseconds patience) const;

 private:
  Enclosure() = default;
  std::vector<std::string> command_;
  std::filesystem::path temporary_;
  Descriptor ours_, theirs_;
};

/// Says in the log of a call that went on which files it was refused.
void warn_of_refused_files(const Call& call, const Report& report);

/// Why a call failed that ended with this report; nothing if the plugin exited well.
[[nodiscard]] std::optional<Failure> failure_of(const Report& report);

}  // namespace weir::tool
