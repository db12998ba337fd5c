#include "embed/attach_sink.h"

#include <exception>
#include <string>
#include <utility>

#include "embed/state.h"

namespace weir::embed {
namespace {

class AdaptedSink final : public record::EventSink {
 public:
  explicit AdaptedSink(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {}

  [[nodiscard]] Result<void> emit(const record::Published& published) override {
    return call([&] { return sink_->emit(view(published)); });
  }
  [[nodiscard]] bool try_emit(const record::Published& published) override {
    bool taken = false;
    const auto result = call([&] {
      taken = sink_->try_emit(view(published));
      return Status();
    });
    return result && taken;
  }
  [[nodiscard]] Result<void> flush() override {
    return call([&] { return sink_->flush(); });
  }

 private:
  static Event view(const record::Published& published) {
    const auto& event = published.event;
    return {.topic = published.topic,
            .type = event.type_name(),
            .level = event.text(event::Field::kLevel),
            .run_id = event.text(event::Field::kRunId),
            .run_seq = event.run_seq(),
            .line = published.line};
  }

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

  std::unique_ptr<Sink> sink_;
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

Result<void> Feeds::add(const record::Recorder& recorder, std::shared_ptr<record::EventSink> sink) {
  WEIR_TRY(auto feed, record::LogFeed::start(recorder.store(), std::move(sink),
                                             {.name = "sink " + std::to_string(++added_),
                                              .is_writer = recorder.own_writers(),
                                              .patience = patience_,
                                              .on_problem = on_problem_}));
  const std::lock_guard lock(mutex_);
  feeds_.push_back(std::move(feed));
  return {};
}

std::unique_ptr<record::EventSink> adapt_sink(std::unique_ptr<Sink> sink) {
  return std::make_unique<AdaptedSink>(std::move(sink));
}

}  // namespace weir::embed
