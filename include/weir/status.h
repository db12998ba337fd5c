#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

/// How functions of Weir fail. None throws; only when there is no memory left is the process ended.
namespace weir {

/// What a program can act on.
enum class StatusCode : std::uint8_t {
  kOk,
  kInvalidInput,  ///< The caller said something that is refused.
  kNotFound,      ///< The named thing does not exist.
  kIo,            ///< The operating system refused.
  kExhausted,     ///< No space, or a limit was reached.
  kCorrupt,       ///< Stored bytes are not what was written.
  kConflict,      ///< Somebody else owns it.
  kCancelled,     ///< It has ended, or was stopped.
  kUnavailable,   ///< Not there, or not in time.
};

/// Success, which costs no memory, or a code for programs and a sentence for people.
class [[nodiscard]] Status {
 public:
  Status() noexcept = default;  ///< success
  Status(StatusCode code, std::string message)
      : failure_(code == StatusCode::kOk
                     ? nullptr
                     : std::make_shared<const Failure>(Failure{code, std::move(message)})) {}

  [[nodiscard]] bool is_ok() const noexcept { return failure_ == nullptr; }
  explicit operator bool() const noexcept { return is_ok(); }
  [[nodiscard]] StatusCode code() const noexcept {
    return failure_ ? failure_->code : StatusCode::kOk;
  }
  /// Empty on success. Lives as long as a copy of this status.
  [[nodiscard]] const std::string& message() const noexcept {
    static const std::string none;
    return failure_ ? failure_->message : none;
  }
  /// Says that a failure makes no difference here.
  void ignore() const noexcept {}

 private:
  struct Failure {
    StatusCode code;
    std::string message;
  };
  std::shared_ptr<const Failure> failure_;
};

/// A value, or why there is none.
///
///   auto recorder = weir::Recorder::open(".weir");
///   if (!recorder) return complain(recorder.status());
///   recorder->begin(…);
template <class T>
class [[nodiscard]] StatusOr {
 public:
  StatusOr(T value) : data_(std::move(value)) {}
  /// `status` is no success.
  StatusOr(Status status) : data_(std::move(status)) {}

  [[nodiscard]] bool is_ok() const noexcept { return data_.index() == 0; }
  explicit operator bool() const noexcept { return is_ok(); }
  [[nodiscard]] Status status() const { return is_ok() ? Status() : *std::get_if<Status>(&data_); }

  /// Only if there is a value.
  T& operator*() & noexcept { return *std::get_if<T>(&data_); }
  const T& operator*() const& noexcept { return *std::get_if<T>(&data_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<T>(&data_)); }
  T* operator->() noexcept { return std::get_if<T>(&data_); }
  const T* operator->() const noexcept { return std::get_if<T>(&data_); }

 private:
  std::variant<T, Status> data_;
};

}  // namespace weir
