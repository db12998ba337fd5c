#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "log/store_directory.h"
#include "record/recorder.h"
#include "report/figures.h"

/// For tests of reports: a store in which runs are recorded at times that the test says.
namespace weir::report::testing_support {

using event::Field;
using event::FieldValue;
using event::Type;
using std::chrono::milliseconds;

class SetClock : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return time; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return time.time_since_epoch();
  }
  /// 2026-01-05T03:00:00Z
  Timestamp time{std::chrono::seconds(1'767'582'000)};
};

/// A run that is recorded, whose events are as far apart as the test says.
class RecordedRun {
 public:
  RecordedRun(record::Recorder& recorder, SetClock& clock, std::string_view pipeline,
              std::string_view tenant = {})
      : clock_(clock), began_(clock.time) {
    record::RunFields fields{.run_id = RunId::make(clock.time),
                             .pipeline_type = "dag",
                             .pipeline_id = std::string(pipeline),
                             .pipeline_version = "1",
                             .trace_id = TraceId::make()};
    fields.correlation.tenant_id = tenant;
    run_ = *recorder.begin(fields);
    const std::vector<std::string> ends = {"a"};
    run_->emit(Type::kPipelineStarted, {{Field::kEntryNodes, std::span(ends)},
                                        {Field::kOutputNodes, std::span(ends)},
                                        {Field::kNodeCount, std::int64_t{2}}});
  }

  [[nodiscard]] std::string id() const { return run_->id().text(); }
  record::Run& run() { return *run_; }
  void emit(Type type, std::vector<FieldValue> fields) { run_->emit(type, std::span(fields)); }

  /// A node that takes so long, with these fields beside its own at its end.
  void node(std::string_view id, milliseconds takes, std::vector<FieldValue> more = {}) {
    start(id);
    clock_.time += takes;
    const std::vector<std::string> keys = {"k"};
    more.push_back({Field::kOutputKeys, std::span(keys)});
    end(Type::kNodeCompleted, id, takes, std::move(more));
  }
  void failed_node(std::string_view id, milliseconds takes, std::string_view type,
                   std::string_view message) {
    start(id);
    clock_.time += takes;
    end(Type::kNodeFailed, id, takes, {{Field::kErrorType, type}, {Field::kErrorMessage, message}});
  }
  void complete() {
    const std::vector<std::string> ends = {"a"};
    run_->emit(Type::kPipelineCompleted, {{Field::kDurationMs, took()},
                                          {Field::kNodeCount, std::int64_t{2}},
                                          {Field::kOutputNodeIds, std::span(ends)}});
  }
  void fail(std::string_view node, std::string_view type, std::string_view message) {
    run_->emit(Type::kPipelineFailed, {{Field::kDurationMs, took()},
                                       {Field::kErrorType, type},
                                       {Field::kErrorMessage, message},
                                       {Field::kFailedNodeId, node}});
  }

 private:
  void start(std::string_view id) {
    const std::vector<std::string> none;
    run_->emit(Type::kNodeStarted, {{Field::kNodeId, id},
                                    {Field::kPluginId, std::string_view("p")},
                                    {Field::kToolId, std::string_view("t")},
                                    {Field::kStepIndex, std::int64_t{0}},
                                    {Field::kPredecessorNodeIds, std::span(none)}});
  }
  void end(Type type, std::string_view id, milliseconds took, std::vector<FieldValue> more) {
    more.insert(more.end(), {{Field::kNodeId, id},
                             {Field::kPluginId, std::string_view("p")},
                             {Field::kToolId, std::string_view("t")},
                             {Field::kStepIndex, std::int64_t{0}},
                             {Field::kDurationMs, static_cast<double>(took.count())}});
    run_->emit(type, std::span(more));
  }
  [[nodiscard]] double took() const {
    return std::chrono::duration<double, std::milli>(clock_.time - began_).count();
  }

  SetClock& clock_;
  Timestamp began_;
  std::unique_ptr<record::Run> run_;
};

/// A store of its own, removed at the end.
class StoreFixture : public testing::Test {
 public:
  ~StoreFixture() override { std::filesystem::remove_all(store_.root()); }

 protected:
  [[nodiscard]] std::unique_ptr<record::Recorder> record() {
    record::RecorderOptions options;
    options.clock = &clock_;
    return std::make_unique<record::Recorder>(store_, options);
  }
  [[nodiscard]] Source source() const { return {.store = store_, .bad = bad_, .clock = clock_}; }

  SetClock clock_;
  const log::StoreDirectory store_ =
      *log::StoreDirectory::create(testing::TempDir() + "report-" + std::to_string(random_bits()));
  const std::shared_ptr<store::BadPlaces> bad_ = std::make_shared<store::BadPlaces>();
};

}  // namespace weir::report::testing_support
