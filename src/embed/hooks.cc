#include "weir/hooks.h"

#include <unistd.h>

#include <utility>

#include "base/print.h"
#include "embed/attach_sink.h"
#include "embed/hooks.h"
#include "embed/state.h"

namespace weir {
namespace embed {
namespace {

record::Post to_post(Post post) {
  if (!post) return {};
  return [post = std::move(post)](const std::string& url, std::string_view body,
                                  const record::HttpHeaders& headers, const std::stop_token& stop) {
    const StopData data{stop};
    return to_result(post(url, body, headers, StopToken(&data)));
  };
}

}  // namespace

Result<std::vector<event::TopicPattern>> to_patterns(const std::vector<std::string>& topics) {
  std::vector<event::TopicPattern> patterns;
  for (const auto& topic : topics) {
    WEIR_TRY(auto pattern, event::TopicPattern::parse(topic));
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

record::Print to_print(Print print, int descriptor) {
  if (!print) {
    return [descriptor](std::string_view text) { return weir::print(descriptor, text); };
  }
  return [print = std::move(print)](std::string_view text) { return to_result(print(text)); };
}

Result<record::Hook> to_internal(Hook hook) {
  record::Hook made{.name = std::move(hook.name),
                    .topics = {},
                    .call = {},
                    .mode = static_cast<record::HookMode>(hook.mode),
                    .priority = static_cast<record::HookPriority>(hook.priority),
                    .timeout = hook.timeout};
  WEIR_TRY(made.topics, to_patterns(hook.topics));
  if (hook.call) {
    made.call = [call = std::move(hook.call)](const record::Published& published,
                                              const std::stop_token& stop) {
      const EventData event{published.event};
      const StopData stop_data{stop};
      return to_result(call(to_event(published, event), StopToken(&stop_data)));
    };
  }
  return made;
}

Hook to_public(record::Hook hook) {
  Hook made;
  made.name = std::move(hook.name);
  for (const auto& topic : hook.topics) made.topics.push_back(topic.text());
  made.mode = static_cast<HookMode>(hook.mode);
  made.priority = static_cast<HookPriority>(hook.priority);
  made.timeout = hook.timeout;
  made.call = [call = std::move(hook.call)](const Event& event, const StopToken& stop) {
    const std::stop_token none;
    const auto& token = stop.data() == nullptr ? none : stop.data()->token;
    return to_status(with_published(
        event, [&](const record::Published& published) { return call(published, token); }));
  };
  return made;
}

StatusOr<Hook> to_public(Result<record::Hook> hook) {
  if (!hook) return to_status(hook.error());
  return to_public(*std::move(hook));
}

}  // namespace embed

using embed::to_patterns;
using embed::to_status;

Hook run_summary_hook(Print print) {
  return embed::to_public(
      record::run_summary_hook(embed::to_print(std::move(print), STDOUT_FILENO)));
}

StatusOr<Hook> failure_alert_hook(Print print, std::int64_t threshold) {
  return embed::to_public(
      record::failure_alert_hook(embed::to_print(std::move(print), STDOUT_FILENO), threshold));
}

StatusOr<Hook> log_rotation_hook(LogRotation rotation) {
  return embed::to_public(record::log_rotation_hook({.folder = std::move(rotation.folder),
                                                     .pattern = std::move(rotation.pattern),
                                                     .keep = rotation.keep}));
}

StatusOr<Hook> command_hook(CommandHook options) {
  auto topics = to_patterns(options.topics);
  if (!topics) return to_status(topics.error());
  return embed::to_public(record::command_hook({.name = std::move(options.name),
                                                .topics = *std::move(topics),
                                                .command = std::move(options.command),
                                                .timeout = options.timeout}));
}

StatusOr<Hook> webhook(Webhook options, Post post) {
  auto topics = to_patterns(options.topics);
  if (!topics) return to_status(topics.error());
  return embed::to_public(record::webhook({.name = std::move(options.name),
                                           .topics = *std::move(topics),
                                           .url = std::move(options.url),
                                           .headers = std::move(options.headers),
                                           .timeout = options.timeout},
                                          embed::to_post(std::move(post))));
}

}  // namespace weir
