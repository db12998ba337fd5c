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

// Nothing follows the log for sinks yet.
Result<std::unique_ptr<SinkAttachment>> attach_sink(record::Recorder& /*recorder*/,
                                                    std::unique_ptr<record::EventSink> /*sink*/) {
  return fail(ErrorCode::kUnavailable, "this version cannot feed sinks");
}

std::unique_ptr<record::EventSink> adapt_sink(std::unique_ptr<Sink> sink) {
  return std::make_unique<AdaptedSink>(std::move(sink));
}

}  // namespace weir::embed
