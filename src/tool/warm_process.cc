#include "tool/warm_process.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/text.h"
#include "base/utf8.h"
#include "tool/confine.h"
#include "tool/lineage.h"
#include "tool/own_event.h"
#include "tool/payload.h"
#include "tool/process.h"

namespace weir::tool {

Result<std::unique_ptr<WarmProcess>> WarmProcess::start(const Plugin& plugin) {
  WEIR_TRY(auto enclosure, Enclosure::make(plugin));
  std::unique_ptr<WarmProcess> process(new WarmProcess(plugin, std::move(enclosure)));
  WEIR_TRY(process->begin());
  return process;
}

Result<void> WarmProcess::begin() {
  WEIR_TRY(auto in, make_pipe());
  WEIR_TRY(auto out, make_pipe());
  WEIR_TRY(auto error, make_pipe());
  const auto environment = enclosure_.environment(plugin_, {});
  WEIR_TRY(started_,
           tool::start({.command = enclosure_.command(),
                        .environment = environment,
                        .folder = plugin_.folder,
                        .in = in.read.number(),
                        .out = out.write.number(),
                        .error = error.write.number(),
                        .control = enclosure_.theirs().number(),
                        .variables = plugin_.policy.confines() ? Program::Variables::kAlone
                                                               : Program::Variables::kAdded}));
  enclosure_.theirs().close();
  in_ = std::move(in.write);
  out_ = std::move(out.read);
  error_ = std::move(error.read);
  for (const auto* ours : {&in_, &out_, &error_}) make_nonblocking(*ours);
  return {};
}

WarmProcess::~WarmProcess() {
  if (started_.process < 0) return;
  in_.close();
  ::kill(-started_.process, SIGKILL);
  static_cast<void>(reap(started_));
}

std::expected<Output, Failure> WarmProcess::call(std::string_view tool_id, const Call& call) {
  Pending pending{.id = ++last_id_, .call = call};
  pending.to_write = rpc::call_line(pending.id, tool_id, call) + "\n";
  if (pending.to_write.size() > kMaxPayloadBytes) {
    return fail_with("InputTooLarge", "its input has " + std::to_string(pending.to_write.size()) +
                                          " bytes, the limit is " +
                                          std::to_string(kMaxPayloadBytes));
  }
  if (plugin_.policy.limits.time) {
    pending.deadline = SteadyClock::now() + *plugin_.policy.limits.time;
  }
  enclosure_.say(kCallBegins);
  exchange(pending);
  if (!pending.answer) is_usable_ = false;
  auto answer =
      std::move(pending.answer).value_or(fail_with("PluginDied", "its pipes cannot be waited for"));
  if (!pending.has_died) add_usage(call, answer);
  return answer;
}

void WarmProcess::add_usage(const Call& call, std::expected<Output, Failure>& answer) {
  const auto report = enclosure_.end_call();
  if (!report.violation.empty() || !report.usage.cpu_ms) is_usable_ = false;
  warn_of_refused_files(call, report);
  if (const auto failure = report.violation.empty() ? std::nullopt : failure_of(report)) {
    answer = std::unexpected(*failure);
    return;
  }
  auto& usage = answer ? answer->usage : answer.error().usage;
  const auto rows = usage.rows;
  usage = report.usage;
  usage.rows = rows;
  retire_if_worn(usage);
}

/// The kernel counts the processor time of all calls against one wall.
void WarmProcess::retire_if_worn(const Usage& usage) {
  cpu_ms_ += usage.cpu_ms.value_or(0);
  const auto& limit = plugin_.policy.limits.cpu;
  if (limit && cpu_ms_ > static_cast<double>(limit->count()) * (kWallFactor - 1)) {
    is_usable_ = false;
  }
}

/// Until there is an answer, which there is at the latest when the process has died.
void WarmProcess::exchange(Pending& pending) {
  const WithoutSigpipe guard;
  const Descriptor stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback on_stop(pending.call.stop, [&] {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(stop.number(), &one, sizeof one));
  });
  while (!pending.answer) {
    std::array<pollfd, 5> watched = {
        pollfd{pending.to_write.empty() ? -1 : in_.number(), POLLOUT, 0},
        pollfd{out_.number(), POLLIN, 0}, pollfd{error_.number(), POLLIN, 0},
        pollfd{started_.exit.number(), POLLIN, 0},
        pollfd{pending.why_cancelled ? -1 : stop.number(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), timeout_ms(pending)) < 0 && errno != EINTR) break;
    if (watched[0].revents != 0) write(pending);
    if (watched[2].revents != 0) read(Stream::kErrors, pending);
    if (watched[1].revents != 0) read(Stream::kOutput, pending);
    if (!pending.answer && watched[4].revents != 0) {
      cancel(pending, fail_with("Cancelled", "it was asked to stop").error());
    }
    if (!pending.answer && watched[3].revents != 0) handle_death(pending);
    if (!pending.answer) handle_deadline(pending);
  }
}

void WarmProcess::write(Pending& pending) {
  const auto written = ::write(in_.number(), pending.to_write.data(), pending.to_write.size());
  if (written > 0) pending.to_write.erase(0, static_cast<std::size_t>(written));
  if (written < 0 && errno != EAGAIN && errno != EINTR) pending.to_write.clear();  // it has died
}

bool WarmProcess::count(std::size_t& bytes, std::size_t more, Pending& pending) const {
  bytes += more;
  const auto limit = plugin_.policy.limits.output_bytes.value_or(kMaxPayloadBytes);
  if (bytes <= limit) return true;
  pending.answer = fail_for_limit(kOutputLimit, "it printed more than " + std::to_string(limit) +
                                                    " bytes, its limit, and was stopped");
  return false;
}

void WarmProcess::read(Stream stream, Pending& pending) {
  std::array<char, 1 << 16> buffer{};
  auto& from = stream == Stream::kOutput ? out_ : error_;
  const auto got = ::read(from.number(), buffer.data(), buffer.size());
  if (got == 0) from.close();
  if (got <= 0) return;
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
  auto& counted = stream == Stream::kOutput ? pending.output_bytes : pending.error_bytes;
  if (!count(counted, bytes.size(), pending)) {
    is_usable_ = false;
  } else if (stream == Stream::kOutput) {
    received_.append(bytes);
    take_lines(pending);
  } else {
    LineSplitter lines([&](std::string_view line, bool continues) {
      if (!pending.call.log) return;
      pending.call.log({.message = line, .logger = "stderr", .continues = continues});
    });
    lines.add(bytes);
    lines.finish();
  }
}

void WarmProcess::take_lines(Pending& pending) {
  std::size_t begin = 0;
  for (auto end = received_.find('\n'); end != std::string::npos && !pending.answer;
       end = received_.find('\n', begin)) {
    take(std::string_view(received_).substr(begin, end - begin), pending);
    begin = end + 1;
  }
  received_.erase(0, begin);
}

void WarmProcess::take(std::string_view line, Pending& pending) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  auto message = rpc::parse_message(line);
  if (!message) {
    is_usable_ = false;
    pending.answer = fail_with(
        "ProtocolError", "it printed what is no message (docs/formats/plugin-protocol.md): " +
                             message.error().message + ": " + std::string(utf8::cut(line, 200)));
    return;
  }
  using MessageKind = rpc::Message::Kind;
  if (message->kind == MessageKind::kLog && pending.call.log) {
    pending.call.log(
        {.level = message->level, .message = message->text, .logger = plugin_.manifest.id});
  }
  const auto& provider_call = message->provider_call;
  if (provider_call && pending.call.provider_call) {
    pending.call.provider_call(*provider_call);
  }
  const auto& own_event = message->own_event;
  if (own_event && pending.call.emit) {
    if (const auto taken = pending.call.emit(*own_event); !taken) {
      warn_of_event(pending.call, taken.error());
    }
  }
  const bool is_answer =
      message->kind == MessageKind::kOutput || message->kind == MessageKind::kFailure;
  if (!is_answer || message->id != pending.id) return;  // of a call that was given up
  if (pending.why_cancelled) {
    pending.answer = std::unexpected(*pending.why_cancelled);
  } else if (message->kind == MessageKind::kFailure) {
    pending.answer = std::unexpected(std::move(message->failure));
  } else {
    const auto& lineage = message->lineage;
    if (lineage) take_lineage(*lineage, pending.call, message->output);
    pending.answer = std::move(message->output);
  }
}

/// It may still answer, and is then kept.
void WarmProcess::cancel(Pending& pending, Failure why) {
  pending.why_cancelled = std::move(why);
  pending.to_write += rpc::cancel_line(pending.id) + "\n";
  pending.deadline = SteadyClock::now() + kGrace;
}

void WarmProcess::handle_deadline(Pending& pending) {
  if (!pending.deadline || SteadyClock::now() < *pending.deadline) return;
  if (pending.why_cancelled) {
    is_usable_ = false;
    pending.answer = std::unexpected(*pending.why_cancelled);
    return;
  }
  const auto limit = static_cast<double>(
      plugin_.policy.limits.time.value_or(std::chrono::milliseconds(0)).count());
  cancel(pending, fail_for_limit(kTimeout, "it took longer than " + text::duration(limit) +
                                               ", its limit, and was stopped")
                      .error());
}

/// What it printed before counts: it may have answered.
void WarmProcess::handle_death(Pending& pending) {
  while (error_.is_open() && !pending.answer) read(Stream::kErrors, pending);
  while (out_.is_open() && !pending.answer) read(Stream::kOutput, pending);
  is_usable_ = false;
  pending.has_died = true;
  const auto report = enclosure_.receive(std::chrono::milliseconds(0));
  auto failure = failure_of(report);
  if (!failure) failure = fail_with("PluginDied", "it ended before it answered").error();
  if (pending.why_cancelled && report.violation.empty()) failure = pending.why_cancelled;
  failure->usage = report.usage;
  if (!pending.answer) pending.answer = std::unexpected(*std::move(failure));
}

int WarmProcess::timeout_ms(const Pending& pending) const {
  if (!pending.deadline) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*pending.deadline - SteadyClock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

}  // namespace weir::tool
