#include "cli/progress.h"

#include <pthread.h>

#include <algorithm>

#include "base/text.h"
#include "cli/console.h"
#include "cli/terminal.h"

namespace weir::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::size_t kMaxRunningLines = 8;

double elapsed_ms(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since)
      .count();
}

/// Of a node's work; another attempt may follow, and what is undone had ended before.
bool is_end(engine::NodeUpdate::Kind kind) {
  using Kind = engine::NodeUpdate::Kind;
  return kind != Kind::kRetried && kind != Kind::kUndone && kind != Kind::kUndoFailed;
}

}  // namespace

Progress::Progress(const pipeline::Definition& definition)
    : terminal_(is_terminal(stderr)),
      coloured_(is_coloured(stderr)),
      node_count_(definition.nodes.size()) {
  constexpr int kWidest = 32;
  for (const auto& node : definition.nodes) {
    name_width_ = std::clamp(static_cast<int>(node.id.text.size()), name_width_, kWidest);
  }
  if (terminal_) drawer_ = std::thread([this] { draw_until_finished(); });
}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  changed_.notify_one();
  if (drawer_.joinable()) drawer_.join();
}

void Progress::update(const engine::NodeUpdate& update) {
  const std::lock_guard lock(mutex_);
  if (update.kind == engine::NodeUpdate::Kind::kStarted) {
    running_.emplace(update.node_id, Clock::now());
    return;
  }
  if (update.kind == engine::NodeUpdate::Kind::kAsked) {
    erase_running();
    print_question(update);
    return draw_running();
  }
  if (update.kind == engine::NodeUpdate::Kind::kPaused ||
      update.kind == engine::NodeUpdate::Kind::kResumed) {
    erase_running();
    print_pause(update.kind == engine::NodeUpdate::Kind::kPaused);
    return draw_running();
  }
  running_.erase(std::string(update.node_id));
  if (is_end(update.kind)) ++ended_;
  erase_running();
  print_ended(update);
  draw_running();
}

void Progress::print_pause(bool is_paused) const {
  const auto mark = paint(coloured_, Colour::kYellow, is_paused ? "‖" : "▸");
  say("%s %s\n", mark.c_str(),
      is_paused ? "paused: weir signal last resume lets it go on" : "goes on");
}

void Progress::print_question(const engine::NodeUpdate& update) const {
  const auto id = text::printable(update.node_id);
  say("%s %s  waits for a person%s%s; weir approve last %s, or weir deny\n",
      paint(coloured_, Colour::kYellow, "?").c_str(), id.c_str(),
      update.message.empty() ? "" : ": ", text::printable(update.message).c_str(), id.c_str());
}

void Progress::print_ended(const engine::NodeUpdate& update) const {
  using Kind = engine::NodeUpdate::Kind;
  const auto mark = update.kind == Kind::kCompleted ? paint(coloured_, Colour::kGreen, "✓")
                    : update.kind == Kind::kFailed || update.kind == Kind::kUndoFailed
                        ? paint(coloured_, Colour::kRed, "✗")
                        : paint(coloured_, Colour::kYellow, "–");
  const auto name = pad(std::string(update.node_id), static_cast<std::size_t>(name_width_));
  auto note = update.kind == Kind::kCancelled ? std::string("  cancelled") : std::string();
  if (update.kind == Kind::kSkipped) note = "  skipped: ";
  if (update.kind == Kind::kUndone) note = "  undone";
  if (update.kind == Kind::kUndoFailed) note = "  not undone: ";
  if (!update.message.empty()) note += (note.empty() ? "  " : "") + text::printable(update.message);
  say("%s %s  %s%s\n", mark.c_str(), name.c_str(),
      pad_left(text::duration(update.duration_ms), 9).c_str(), note.c_str());
}

void Progress::draw_until_finished() {
  pthread_setname_np(pthread_self(), "weir-progress");
  std::unique_lock lock(mutex_);
  while (!finished_) {
    erase_running();
    draw_running();
    changed_.wait_for(lock, kRedraw, [this] { return finished_; });
  }
  erase_running();
}

void Progress::erase_running() {
  for (; drawn_lines_ > 0; --drawn_lines_) say_text("\x1b[A\x1b[2K");
}

void Progress::draw_running() {
  if (!terminal_ || finished_) return;
  // Only lines that do not wrap can be erased one by one. Some terminals wrap after the last
  // column.
  const auto room = std::max(terminal_width(stderr), std::size_t{2}) - 1;
  const auto name_width = static_cast<std::size_t>(name_width_);
  for (const auto& [id, since] : running_) {
    if (static_cast<std::size_t>(drawn_lines_) == kMaxRunningLines) break;
    const auto text = " " + pad(cut(id, name_width), name_width) + "  " +
                      pad_left(text::duration(elapsed_ms(since)), 9);
    say("%s%s\n", paint(coloured_, Colour::kYellow, "▸").c_str(), cut(text, room - 1).c_str());
    ++drawn_lines_;
  }
  const auto total = std::to_string(ended_) + " of " + std::to_string(node_count_) + " nodes";
  say("%s\n", paint(coloured_, Colour::kGrey, cut(total, room)).c_str());
  ++drawn_lines_;
}

}  // namespace weir::cli
