#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

/// spdlog's asynchronous file logger, writing the line that the recorder writes for the six-field
/// event: for the ratio. It says nothing about what is on disk: it never syncs.
namespace weir::bench {

class SpdlogLogger {
 public:
  explicit SpdlogLogger(const std::filesystem::path& file);
  ~SpdlogLogger();
  SpdlogLogger(const SpdlogLogger&) = delete;
  SpdlogLogger& operator=(const SpdlogLogger&) = delete;

  void log_six(std::string_view span, std::int64_t step);
  /// Ends it: everything is in the file when this returns.
  void finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::bench
