#include "embed/attach_sink.h"

#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "embed/state.h"
#include "record/log_feed.h"

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

/// A sink that reads the log.
class FedSink final : public SinkAttachment {
 public:
  explicit FedSink(std::unique_ptr<record::EventSink> sink) : sink_(std::move(sink)) {}
  FedSink(const FedSink&) = delete;
  FedSink& operator=(const FedSink&) = delete;
  /// What it does not take in time stays in the log.
  ~FedSink() override {
    constexpr std::chrono::seconds kPatience{10};
    if (feed_) static_cast<void>(feed_->finish(kPatience));
  }

  [[nodiscard]] Result<void> start(const record::Recorder& recorder) {
    WEIR_TRY(feed_, record::LogFeed::start(recorder.store(), *sink_,
                                           {.is_writer = recorder.own_writers()}));
    return {};
  }

 private:
  const std::unique_ptr<record::EventSink> sink_;
  std::unique_ptr<record::LogFeed> feed_;  // ends before the sink
};

}  // namespace

Result<std::unique_ptr<SinkAttachment>> attach_sink(record::Recorder& recorder,
                                                    std::unique_ptr<record::EventSink> sink) {
  auto attachment = std::make_unique<FedSink>(std::move(sink));
  WEIR_TRY(attachment->start(recorder));
  return attachment;
}

std::unique_ptr<record::EventSink> adapt_sink(std::unique_ptr<Sink> sink) {
  return std::make_unique<AdaptedSink>(std::move(sink));
}

}  // namespace weir::embed
