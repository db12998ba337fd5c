#pragma once

#include <string>
#include <string_view>

#include "tool/chunk_queue.h"

namespace weir::tool {

/// A node's end of a stream that it shares with another, which runs at the same time. When the
/// tool returns its ends are closed; when it fails, the other end gets an error.
class StreamWriter {
 public:
  /// `queue` outlives it. `stop` is that of the node.
  StreamWriter(std::string node_id, ChunkQueue& queue, std::stop_token stop)
      : node_id_(std::move(node_id)), queue_(&queue), stop_(std::move(stop)) {}

  /// The same end, for a call with a `stop` of its own.
  [[nodiscard]] StreamWriter until(std::stop_token stop) const {
    return {node_id_, *queue_, std::move(stop)};
  }
  /// Who reads.
  [[nodiscard]] std::string_view node_id() const { return node_id_; }
  /// As ChunkQueue::put. kClosed is no failure: the reader has what it needs.
  [[nodiscard]] Result<Put> put(std::string bytes) const {
    return queue_->put(std::move(bytes), stop_);
  }
  void close() const { queue_->close(); }
  [[nodiscard]] StreamStatistics statistics() const { return queue_->statistics(); }

 private:
  std::string node_id_;
  ChunkQueue* queue_;
  std::stop_token stop_;
};

class StreamReader {
 public:
  /// `queue` outlives it. `stop` is that of the node.
  StreamReader(std::string node_id, ChunkQueue& queue, std::stop_token stop)
      : node_id_(std::move(node_id)), queue_(&queue), stop_(std::move(stop)) {}

  /// The same end, for a call with a `stop` of its own.
  [[nodiscard]] StreamReader until(std::stop_token stop) const {
    return {node_id_, *queue_, std::move(stop)};
  }
  /// Who writes.
  [[nodiscard]] std::string_view node_id() const { return node_id_; }
  /// As ChunkQueue::get.
  [[nodiscard]] Result<std::optional<Chunk>> get() const { return queue_->get(stop_); }
  [[nodiscard]] Result<std::optional<Chunk>> try_get() const { return queue_->try_get(); }
  /// No more is needed.
  void stop() const { queue_->stop_reading(); }
  [[nodiscard]] StreamStatistics statistics() const { return queue_->statistics(); }

 private:
  std::string node_id_;
  ChunkQueue* queue_;
  std::stop_token stop_;
};

}  // namespace weir::tool
