#include "embed/attach_sink.h"

#include <exception>
#include <string>
#include <utility>

#include "embed/current_sink.h"
#include "embed/state.h"
#include "log/follower.h"

namespace weir::embed {
namespace {

class AdaptedSink final : public record::EventSink {
 public:
  explicit AdaptedSink(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}

  [[nodiscard]] Result<void> emit(const record::Published& published) override {
    const EventData data{published.event};
    return call([&] { return sink_->emit(to_event(published, data)); });
  }
  [[nodiscard]] bool try_emit(const record::Published& published) override {
    const EventData data{published.event};
    bool taken = false;
    const auto result = call([&] {
      taken = sink_->try_emit(to_event(published, data));
      return Status();
    });
    return result && taken;
  }
  [[nodiscard]] Result<void> flush() override {
    return call([&] { return sink_->flush(); });
  }

 private:
  template <class Call>
  static Result<void> call(const Call& call) {
    try {
      const Status status = call();
      if (status.is_ok()) return {};
      return std::unexpected(to_error(status));
    } catch (const std::exception& exception) {
      return fail(ErrorCode::kUnavailable, std::string("the sink threw: ") + exception.what());
    } catch (...) {
      return fail(ErrorCode::kUnavailable, "the sink threw something that is no std::exception");
    }
  }

  const std::shared_ptr<Sink> sink_;
};

}  // namespace

Feeds::Feeds(std::chrono::milliseconds patience, std::function<void(std::string_view)> on_problem)
    : patience_(patience), on_problem_(std::move(on_problem)) {}

/// What a sink does not take in time stays in the log.
Feeds::~Feeds() {
  for (const auto& finished : record::LogFeed::finish(feeds_, patience_)) {
    const bool is_parents = !finished && finished.error().code == ErrorCode::kConflict;
    if (!finished && !is_parents && on_problem_) on_problem_(finished.error().message);
  }
}

Result<std::unique_ptr<record::LogFeed>> Feeds::start(const record::Recorder& recorder,
                                                      std::shared_ptr<record::EventSink> sink,
                                                      log::Cursor from) {
  return record::LogFeed::start(recorder.store(), std::move(sink),
                                {.name = "sink " + std::to_string(++added_),
                                 .is_writer = recorder.own_writers(),
                                 .from = std::move(from),
                                 .patience = patience_,
                                 .on_problem = on_problem_});
}

Result<void> Feeds::add(const record::Recorder& recorder, std::shared_ptr<record::EventSink> sink) {
  WEIR_TRY(auto feed, start(recorder, std::move(sink), {}));
  const std::lock_guard lock(mutex_);
  feeds_.push_back(std::move(feed));
  return {};
}

Result<void> Feeds::add_current(const record::Recorder& recorder) {
  {
    const std::lock_guard lock(mutex_);
    if (current_ != nullptr) return {};
  }
  WEIR_TRY(auto from, log::end_of_log(recorder.store(), recorder.own_writers()));
  WEIR_TRY(auto feed, start(recorder, current_sink(), std::move(from)));
  const std::lock_guard lock(mutex_);
  if (current_ != nullptr) return {};  // another thread was faster
  current_ = feed.get();
  feeds_.push_back(std::move(feed));
  return {};
}

Result<void> Feeds::finish_current() {
  record::LogFeed* current = nullptr;
  {
    const std::lock_guard lock(mutex_);
    current = current_;  // lives as long as this
  }
  return current == nullptr ? Result<void>() : current->finish(patience_);
}

std::shared_ptr<record::EventSink> adapt_sink(std::shared_ptr<Sink> sink) {
  return std::make_shared<AdaptedSink>(std::move(sink));
}

Event to_event(const record::Published& published, const EventData& data) {
  const auto& event = published.event;
  return {.topic = published.topic,
          .type = event.type_name(),
          .level = event.text(event::Field::kLevel),
          .run_id = event.text(event::Field::kRunId),
          .run_seq = event.run_seq(),
          .line = published.line,
          .data = &data};
}

}  // namespace weir::embed
