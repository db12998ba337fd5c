#include "engine/streams.h"

#include <algorithm>

namespace weir::engine {

using event::Field;
using pipeline::NodeIndex;
using State = pipeline::Scheduler::State;

namespace {

/// Of `node`, for who is at the other end.
Error ended_badly(std::string_view node, State state) {
  const bool failed = state == State::kFailed;
  return {failed ? ErrorCode::kUnavailable : ErrorCode::kCancelled,
          "node '" + std::string(node) + "', at the other end of the stream, " +
              (failed ? "has failed" : "was stopped")};
}

}  // namespace

Streams::Streams(const pipeline::Definition& definition, const pipeline::Graph& graph,
                 record::Run& run)
    : definition_(definition), run_(run) {
  if (graph.groups.empty()) return;
  std::map<std::string_view, NodeIndex> index;
  for (const auto& [leader, members] : graph.groups) {
    for (const auto member : members) index.emplace(id_of(member), member);
  }
  for (const auto& edge : definition.edges) {
    if (!edge.stream) continue;
    const auto writer = index.at(edge.from.text), reader = index.at(edge.to.text);
    streams_.push_back(std::make_unique<Stream>(
        Stream{.writer = writer, .reader = reader, .options = *edge.stream}));
    parts_[writer].writes.push_back(streams_.back().get());
    parts_[reader].reads.push_back(streams_.back().get());
  }
}

void Streams::open(std::span<const Member> members, const pipeline::Scheduler& scheduler) {
  std::map<NodeIndex, std::stop_token> stops;
  for (const auto& [node, stop] : members) stops.emplace(node, stop);
  for (const auto& [node, stop] : members) {
    auto& part = parts_.at(node);
    part.ends = {};
    part.is_closed = false;
    for (auto* stream : part.writes) {
      open_reader(*stream, stops.contains(stream->reader), scheduler.state(stream->reader));
      part.ends.out.emplace_back(id_of(stream->reader), *stream->queue, stop);
    }
  }
  for (const auto& [node, stop] : members) {
    auto& part = parts_.at(node);
    for (auto* stream : part.reads) {
      if (!stops.contains(stream->writer)) {
        const auto state = scheduler.state(stream->writer);
        stream->queue = std::make_unique<tool::ChunkQueue>(stream->options, run_.clock());
        if (state == State::kFailed) stream->queue->fail(ended_badly(id_of(stream->writer), state));
        stream->queue->close();
      }
      part.ends.in.emplace_back(id_of(stream->writer), *stream->queue, stop);
    }
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [node, stop] : members) running_.insert(node);
}

/// The stream of a writer that starts now.
void Streams::open_reader(Stream& stream, bool starts, State state) {
  if (!starts && stream.was_complete) {
    // The reader had it all, however it ended then: it is written once more, for the writer's own
    // output, and forgotten.
    const tool::StreamOptions forgetful{.capacity = 1, .on_full = tool::OnFull::kDropOldest};
    stream.queue = std::make_unique<tool::ChunkQueue>(forgetful, run_.clock());
    return;
  }
  stream.queue =
      std::make_unique<tool::ChunkQueue>(stream.options, run_.clock(), recorder_of(stream));
  if (starts) return;
  if (state == State::kFailed) {
    stream.queue->fail(ended_badly(id_of(stream.reader), state));
  } else {
    stream.queue->stop_reading();
  }
}

tool::StreamEventSink Streams::recorder_of(const Stream& stream) {
  return [this, &stream](const tool::StreamEvent& event) {
    const auto& node = definition_.nodes[stream.writer];
    emit_stream_event(run_,
                      {{Field::kNodeId, std::string_view(node.id.text)},
                       {Field::kPluginId, std::string_view(node.plugin_id.text)},
                       {Field::kToolId, std::string_view(node.tool_id.text)}},
                      event, id_of(stream.reader));
  };
}

const StreamEnds& Streams::ends_of(NodeIndex node) const {
  static const StreamEnds none;
  const auto part = parts_.find(node);
  return part == parts_.end() ? none : part->second.ends;
}

void Streams::complete(NodeIndex node) {
  const auto found = parts_.find(node);
  if (found == parts_.end()) return;
  auto& part = found->second;
  part.is_closed = true;
  for (auto* stream : part.reads) stream->queue->stop_reading();
  for (auto* stream : part.writes) stream->queue->close();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return std::none_of(part.writes.begin(), part.writes.end(),
                        [&](const Stream* stream) { return running_.contains(stream->reader); });
  });
}

void Streams::ended(NodeIndex node, State state) {
  const auto found = parts_.find(node);
  if (found == parts_.end()) return;
  auto& part = found->second;
  for (const auto* streams : {&part.reads, &part.writes}) {
    for (auto* stream : *streams) {
      if (!part.is_closed) stream->queue->fail(ended_badly(id_of(node), state));
    }
  }
  {
    const std::lock_guard lock(mutex_);
    running_.erase(node);
  }
  changed_.notify_all();
}

void Streams::note_begun(NodeIndex writer) {
  const auto part = parts_.find(writer);
  if (part == parts_.end()) return;
  for (auto* stream : part->second.writes) stream->was_complete = false;
}

void Streams::note_complete(NodeIndex writer, std::string_view reader_id) {
  const auto part = parts_.find(writer);
  if (part == parts_.end()) return;
  for (auto* stream : part->second.writes) {
    stream->was_complete |= id_of(stream->reader) == reader_id;
  }
}

void emit_stream_event(record::Run& run, event::FieldList place, const tool::StreamEvent& event,
                       std::string_view to_node) {
  if (event.frame_index) place.push_back({Field::kFrameIndex, *event.frame_index});
  if (!event.reason.empty()) place.push_back({Field::kReason, event.reason});
  json::Object attributes;
  if (!to_node.empty()) attributes.set("to_node", to_node);
  attributes.update(event.attributes);
  const auto text = json::to_text(attributes);
  place.push_back({Field::kAttributes, event::ObjectText{text}});
  run.emit(event.type, place);
}

}  // namespace weir::engine
