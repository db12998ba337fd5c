#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/json.h"
#include "event/decoder.h"
#include "log/store_directory.h"
#include "record/recorded_events.h"
#include "weir/weir.h"

/// For tests: a store of their own, and what arrived in its log.
namespace weir::embed::testing_support {

using record::testing_support::attribute_of;
using record::testing_support::text_of;

class RecordedStore {
 public:
  RecordedStore() = default;
  RecordedStore(const RecordedStore&) = delete;
  RecordedStore& operator=(const RecordedStore&) = delete;
  ~RecordedStore() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  /// Committed, in order; each of them is one that the catalogue's decoder takes.
  [[nodiscard]] std::vector<json::Object> events() const {
    std::vector<json::Object> events;
    const auto store = log::StoreDirectory::open(folder);
    WEIR_CHECK(store);
    event::Decoder decoder;
    for (const auto& line : record::testing_support::committed_lines(*store)) {
      WEIR_CHECK(decoder.decode(line));
      const auto value = json::parse(line);
      events.push_back(*value->object());
    }
    return events;
  }
  /// Those of one type.
  [[nodiscard]] std::vector<json::Object> events(std::string_view type) const {
    auto all = events();
    std::erase_if(all,
                  [&](const json::Object& event) { return text_of(event, "event_type") != type; });
    return all;
  }

  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("embed-" + std::to_string(random_bits()));
};

/// A run in a store of its own.
struct Recording {
  explicit Recording(RunOptions options = {.pipeline_id = "p"},
                     RecorderOptions recorder_options = {})
      : recorder(*Recorder::open(store.folder, std::move(recorder_options))),
        run(*recorder.begin(std::move(options))) {}

  [[nodiscard]] std::vector<json::Object> events(std::string_view type) {
    WEIR_CHECK(run.flush());
    return store.events(type);
  }
  /// The only one of its type.
  [[nodiscard]] json::Object event(std::string_view type) {
    auto all = events(type);
    WEIR_CHECK(all.size() == 1);
    return all.front();
  }

  RecordedStore store;
  Recorder recorder;
  Run run;
};

}  // namespace weir::embed::testing_support
