#include "base/text.h"
#include "report/compare.h"
#include "report/html.h"

namespace weir::report {
namespace {

/// Of nodes and log lines in one page.
constexpr std::size_t kMostHtmlRows = 2000;

std::string usual_text(const DurationChange& duration) {
  if (!duration.usual || duration.pace == Pace::kUnknown) return "too few earlier runs to judge";
  return std::string(pace_name(duration.pace)) + "; usually " +
         text::duration(duration.usual->median) + ", of " +
         text::count(duration.usual->count, "run");
}

/// What is said of the two runs, side by side.
class SidesTable {
 public:
  explicit SidesTable(std::string what)
      : table_{.columns = {{.title = std::move(what), .kind = Column::Kind::kProse},
                           {.title = "a", .kind = Column::Kind::kProse},
                           {.title = "b", .kind = Column::Kind::kProse}}} {}

  void row(std::string what, std::string a, std::string b, Tone tone = Tone::kWarn) {
    table_.rows.push_back({{.text = std::move(what)},
                           {.text = std::move(a), .tone = tone},
                           {.text = std::move(b), .tone = tone}});
  }
  /// Marked where they differ.
  void compare(std::string what, std::string a, std::string b) {
    const auto tone = a == b ? Tone::kPlain : Tone::kWarn;
    row(std::move(what), std::move(a), std::move(b), tone);
  }
  Table table() && { return std::move(table_); }

 private:
  Table table_;
};

void add_changes(Document& page, std::string title, std::string what,
                 const std::vector<Change>& changes) {
  if (changes.empty()) return;
  SidesTable table(std::move(what));
  for (const auto& change : changes) table.row(change.what, change.a, change.b);
  page.sections.push_back({.title = std::move(title), .blocks = {std::move(table).table()}});
}

std::string parting_of(const Comparison& comparison) {
  if (!comparison.parting) {
    return "They did the same: graph, settings, states, errors and outputs.";
  }
  const auto& [setting, node, sentence] = *comparison.parting;
  std::string text;
  if (!setting.empty()) text = "They began with another " + setting + ".";
  if (node.empty()) return text;
  text += setting.empty() ? "They part at " : " The first node that differs is ";
  return text.append(node).append(": ").append(sentence).append(".");
}

void add_sides(Document& page, const Comparison& comparison) {
  const auto& [a, b] = std::tie(comparison.a, comparison.b);
  const auto took = [](const Side& side) {
    return side.duration_ms ? text::duration(*side.duration_ms) : std::string("not ended");
  };
  SidesTable table("");
  table.row("run", a.run_id.text(), b.run_id.text(), Tone::kPlain);
  table.compare("pipeline", a.pipeline_id, b.pipeline_id);
  table.compare("state", a.state, b.state);
  table.row("started", weir::to_string(a.started_at), weir::to_string(b.started_at), Tone::kPlain);
  table.row("took", took(a), took(b), Tone::kPlain);
  page.sections.push_back(
      {.title = "The runs",
       .blocks = {
           Paragraph{.text = parting_of(comparison),
                     .tone = comparison.parting ? Tone::kWarn : Tone::kGood},
           std::move(table).table(),
           Paragraph{.text = "How long the run took: " + usual_text(comparison.duration) + ".",
                     .tone = Tone::kMuted}}});
}

void add_graph(Document& page, const Comparison& comparison) {
  std::vector<Change> changes;
  changes.reserve(comparison.nodes_removed.size() + comparison.nodes_added.size() +
                  comparison.nodes_moved.size());
  for (const auto& id : comparison.nodes_removed) changes.push_back({id, "is there", ""});
  for (const auto& id : comparison.nodes_added) changes.push_back({id, "", "is there"});
  for (const auto& move : comparison.nodes_moved) {
    const auto needs = [](const std::string& ids) {
      return ids.empty() ? std::string("needs nothing") : "needs " + ids;
    };
    changes.push_back({move.what, needs(move.a), needs(move.b)});
  }
  add_changes(page, "Graph", "node", changes);
}

void add_nodes(Document& page, const Comparison& comparison) {
  std::vector<Change> changes;
  for (const auto& node : comparison.nodes) {
    for (const auto& change : node.changes)
      changes.push_back({node.node_id + ": " + change.what, change.a, change.b});
    if (node.output) {
      const auto path = node.output->path.empty() ? "" : " " + node.output->path;
      changes.push_back({node.node_id + ": output" + path, node.output->left, node.output->right});
    } else if (node.output_differs) {
      changes.push_back({node.node_id + ": output", "another", "another"});
    }
    if (changes.size() >= kMostHtmlRows) break;
  }
  add_changes(page, "Nodes that differ", "node", changes);
}

void add_durations(Document& page, const Comparison& comparison) {
  SidesTable table("node");
  std::size_t rows = 0;
  for (const auto& node : comparison.nodes) {
    const auto& duration = node.duration;
    if (!duration.a_ms && !duration.b_ms) continue;
    if (++rows > kMostHtmlRows) break;
    const auto in_words = [](std::optional<double> ms) {
      return ms ? text::duration(*ms) : std::string();
    };
    const bool is_news = duration.pace == Pace::kSlower || duration.pace == Pace::kFaster;
    table.row(node.node_id + (is_news ? ": " + usual_text(duration) : ""), in_words(duration.a_ms),
              in_words(duration.b_ms), is_news ? Tone::kWarn : Tone::kPlain);
  }
  auto durations = std::move(table).table();
  durations.note =
      "Marked is what is more than three robust deviations from the median of earlier runs, of "
      "which there must be " +
      std::to_string(kEnoughForNoise) + ".";
  page.sections.push_back({.title = "Durations", .blocks = {std::move(durations)}});
}

void add_logs(Document& page, const Comparison& comparison) {
  std::vector<Change> changes;
  const auto add = [&changes](const std::vector<LogOnlyIn>& logs, std::string Change::* side) {
    for (const auto& log : logs) {
      if (changes.size() == kMostHtmlRows) return;
      auto& change = changes.emplace_back();
      change.what = log.node_id + " " + log.level;
      change.*side = log.message;
    }
  };
  add(comparison.logs_only_a, &Change::a);
  add(comparison.logs_only_b, &Change::b);
  add_changes(page, "Log messages of one run only", "node", changes);
}

}  // namespace

std::string to_html(const Comparison& comparison) {
  Document page{.title = "Comparison of two runs of " + comparison.b.pipeline_id};
  add_sides(page, comparison);
  add_changes(page, "Settings", "setting", comparison.settings);
  add_graph(page, comparison);
  add_changes(page, "Outcome", "", comparison.outcome);
  add_nodes(page, comparison);
  add_durations(page, comparison);
  add_logs(page, comparison);
  add_changes(page, "Counts", "count", comparison.counts);
  return to_html(page);
}

}  // namespace weir::report
