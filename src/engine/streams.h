#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "event/field_list.h"
#include "pipeline/definition.h"
#include "pipeline/graph.h"
#include "pipeline/scheduler.h"
#include "record/recorder.h"
#include "tool/stream.h"

namespace weir::engine {

/// A node's ends of the streams that it shares with others.
struct StreamEnds {
  std::vector<tool::StreamReader> in;
  std::vector<tool::StreamWriter> out;
};

/// The streams of a run: the queues between nodes that run at the same time, and what the end of
/// one node is for those at the other end.
///
/// Order    Who writes a stream has completed when all who read it have ended: so a run that was
///          lost never has a reader to run whose writer cannot run again.
/// Threads  Any, but a node's own functions are called by the thread that runs it; `open` and
///          `note_complete` under the execution's mutex.
class Streams {
 public:
  /// All of them outlive it.
  Streams(const pipeline::Definition& definition, const pipeline::Graph& graph, record::Run& run);

  /// A node that starts now, with the others that are given.
  struct Member {
    pipeline::NodeIndex node;
    std::stop_token stop;
  };
  /// Makes their queues. The nodes at the other end that do not start with them have ended: what
  /// the scheduler knows of them says how.
  void open(std::span<const Member> members, const pipeline::Scheduler& scheduler);
  /// Empty for a node that has no streams.
  [[nodiscard]] const StreamEnds& ends_of(pipeline::NodeIndex node) const;

  /// The node's tool has returned an output: closes its ends, and waits until those who read what
  /// it wrote have ended.
  void complete(pipeline::NodeIndex node);
  /// What became of it is recorded. Who is at the other end of a stream that it left open gets an
  /// error.
  void ended(pipeline::NodeIndex node, pipeline::Scheduler::State state);

  /// Of a run that was lost: the node began to write, and all that the reader got was written.
  void note_begun(pipeline::NodeIndex writer);
  void note_complete(pipeline::NodeIndex writer, std::string_view reader_id);

 private:
  struct Stream {
    pipeline::NodeIndex writer;
    pipeline::NodeIndex reader;
    tool::StreamOptions options;
    bool was_complete = false;
    std::unique_ptr<tool::ChunkQueue> queue{};
  };
  /// Of one node.
  struct Part {
    StreamEnds ends;
    std::vector<Stream*> reads;
    std::vector<Stream*> writes;
    bool is_closed = false;
  };
  void open_reader(Stream& stream, bool starts, pipeline::Scheduler::State state);
  [[nodiscard]] tool::StreamEventSink recorder_of(const Stream& stream);
  [[nodiscard]] const std::string& id_of(pipeline::NodeIndex node) const {
    return definition_.nodes[node].id.text;
  }

  const pipeline::Definition& definition_;
  record::Run& run_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::map<pipeline::NodeIndex, Part> parts_;  // the nodes with streams: never changes

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<pipeline::NodeIndex> running_;  // guarded by mutex_
};

/// Records what happened on a stream of the node that `place` names. `to_node`: who reads; empty:
/// the stream is the tool's own.
void emit_stream_event(record::Run& run, event::FieldList place, const tool::StreamEvent& event,
                       std::string_view to_node);

}  // namespace weir::engine
