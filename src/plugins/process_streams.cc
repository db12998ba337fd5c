#include "plugins/process_streams.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "tool/pipe.h"

namespace weir::plugins {
namespace {

/// False: the program reads no more.
bool write_all(const Descriptor& to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(to.number(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

void LineFeed::start(Descriptor to) {
  to_ = std::move(to);
  try {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "weir-feed");
      run();
    });
  } catch (const std::system_error& error) {
    error_ = Error{ErrorCode::kExhausted, std::string("no thread for it: ") + error.what()};
    to_.close();
  }
}

void LineFeed::run() {
  const tool::WithoutSigpipe guard;
  while (true) {
    auto got = reader_.get();
    if (!got) {
      if (!is_finished_) error_ = std::move(got).error();
      break;
    }
    auto& chunk = *got;
    if (!chunk) break;
    chunk->bytes += '\n';
    if (write_all(to_, chunk->bytes)) continue;
    reader_.stop();
    break;
  }
  to_.close();
}

std::optional<Error> LineFeed::finish() {
  is_finished_ = true;
  reader_.stop();
  if (thread_.joinable()) thread_.join();
  return error_;
}

bool LineSink::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto newline = bytes.find('\n');
    line_.append(bytes.substr(0, newline));
    if (newline == std::string_view::npos) break;
    bytes.remove_prefix(newline + 1);
    if (!put(std::exchange(line_, {}))) return false;
  }
  // It will not be taken when it is whole either.
  return line_.size() <= tool::kMaxChunkBytes || put(std::exchange(line_, {}));
}

void LineSink::finish() {
  if (!line_.empty() && !closed_ && !error_) put(std::exchange(line_, {}));
}

bool LineSink::put(std::string line) {
  auto result = writer_.put(std::move(line));
  if (!result) {
    error_ = std::move(result).error();
    return false;
  }
  closed_ = *result == tool::Put::kClosed;
  return !closed_;
}

}  // namespace weir::plugins
