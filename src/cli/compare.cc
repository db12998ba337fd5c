#include "report/compare.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "artifact/artifact_store.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/run_list.h"
#include "cli/styled_line.h"
#include "cli/usage.h"
#include "event/observed.h"
#include "pipeline/file.h"
#include "store/history.h"
#include "store/query.h"

namespace weir::cli {
namespace {

using report::Change;
using report::ComparedRun;
using report::Comparison;
using report::DurationChange;
using report::NodeComparison;
using report::Pace;

struct CompareOptions {
  std::string a;
  std::string b;
  std::optional<std::string> tenant;
  std::string format = "text";
};

/// Outputs that are compared inside; of larger ones it is said that they differ.
constexpr std::uint64_t kMaxOutputBytes = std::uint64_t{32} << 20;
/// Of each list for people; `--format json` has all.
constexpr std::size_t kMostLines = 20;

struct FoundRun {
  ComparedRun compared;
  std::string tenant_id;
};

/// Content is read by the hashes that Weir's own runs name: of others' events anybody may have sent
/// the hash of what is not his.
bool names_our_content(const ComparedRun& run) {
  return run.state.pipeline_type != event::kObserved;
}

Result<FoundRun> read_compared(const log::StoreDirectory& store, const NamedRun& named) {
  WEIR_TRY(const auto found, find_run(store, named));
  FoundRun result{.compared = {}, .tenant_id = found.tenant_id};
  auto& run = result.compared;
  WEIR_TRY(const auto read,
           store::read_run(store, found.key(), [&run](const event::EventView& event) {
             run.apply(event);
             return Result<void>();
           }));
  warn_of_damage(read.bad);
  const auto hash = run.settings.find("definition");
  const auto sha256 = hash == run.settings.end() ? std::nullopt : Sha256::parse(hash->second);
  if (!sha256 || !names_our_content(run)) return result;
  const artifact::ArtifactStore artifacts(store.artifacts());
  if (auto text = artifacts.get(*sha256, pipeline::kMaxFileBytes)) {
    if (const auto written = pipeline::parse_text(run.file, *text);
        written && written->object() != nullptr) {
      run.written = *written->object();
    }
    run.definition = pipeline::read_text(run.file, *std::move(text)).definition;
  }
  return result;
}

/// Without DuckDB there is no history, and the rest is compared.
Result<report::NodeHistory> history_of(const log::StoreDirectory& store, const ComparedRun& a,
                                       const ComparedRun& b, const std::string& tenant_id) {
  const auto bad = std::make_shared<store::BadPlaces>();
  const RunId both[] = {a.state.run_id, b.state.run_id};
  auto history = store::past_damage(store, *bad, [&] -> Result<report::NodeHistory> {
    WEIR_TRY(const auto views, store::open_views(store, bad));
    WEIR_TRY(auto connection, views.database.connect());
    return report::NodeHistory::read(connection, b.state.pipeline_id,
                                     std::max(a.state.started_at, b.state.started_at), both,
                                     tenant_id);
  });
  if (!history && history.error().code == ErrorCode::kUnavailable) return report::NodeHistory();
  warn_of_damage(bad->all());
  return history;
}

class CompareText {
 public:
  CompareText(const Comparison& comparison, LineStyle style)
      : comparison_(comparison), style_(style) {}

  void print() const {
    print_side("a", comparison_.a);
    print_side("b", comparison_.b);
    print_parting();
    print_changes("Settings", comparison_.settings);
    print_graph();
    print_changes("Outcome", comparison_.outcome);
    print_nodes();
    print_durations();
    print_logs("Log messages only in a", comparison_.logs_only_a);
    print_logs("Log messages only in b", comparison_.logs_only_b);
    print_changes("Counts", comparison_.counts);
  }

 private:
  void print_side(std::string_view name, const report::Side& side) const {
    StyledLine line(style_);
    line.add(Colour::kBold, name).add("  ").add(side.run_id.text()).add("  ");
    line.add(side.pipeline_id).add("  ");
    const bool is_bad = side.state == "failed";
    line.add(is_bad                      ? Colour::kRed
             : side.state == "completed" ? Colour::kGreen
                                         : Colour::kYellow,
             side.state);
    if (side.duration_ms) line.add("  ").add(text::duration(*side.duration_ms));
    end(line);
  }

  void print_parting() const {
    std::printf("\n");
    StyledLine line(style_);
    if (!comparison_.parting) {
      line.add(Colour::kGreen, "=").add(" The same graph, settings, states, errors and outputs.");
      return end(line);
    }
    const auto& [setting, node, sentence] = *comparison_.parting;
    line.add(Colour::kYellow, "≠");
    if (!setting.empty()) {
      end(line.add(" They began with another ").add(Colour::kBold, setting));
      if (node.empty()) return;
      line = StyledLine(style_);
      line.add("  The first node that differs is ");
    } else {
      line.add(" They part at ");
    }
    end(line.add(Colour::kBold, node).add(": ").add(sentence));
  }

  void print_changes(std::string_view title, const std::vector<Change>& changes) const {
    if (changes.empty()) return;
    heading(title);
    std::size_t width = 0;
    for (const auto& change : changes) width = std::max(width, display_width(change.what));
    for (std::size_t i = 0; i < std::min(changes.size(), kMostLines); ++i)
      print_change(changes[i], "  ", width + 2);
    more(changes.size());
  }

  void print_change(const Change& change, std::string_view indent, std::size_t width = 18) const {
    constexpr std::size_t kWidest = 36;
    StyledLine line(style_);
    line.add(indent).add(change.what).to_column(indent.size() + std::min(width, kWidest));
    line.add(Colour::kRed, shown(change.a)).add(Colour::kGrey, " → ");
    end(line.add(Colour::kGreen, shown(change.b)));
  }

  void print_graph() const {
    const auto& [added, removed, moved] =
        std::tie(comparison_.nodes_added, comparison_.nodes_removed, comparison_.nodes_moved);
    if (added.empty() && removed.empty() && moved.empty()) return;
    heading("Graph");
    std::size_t lines = 0;
    for (const auto& id : removed) {
      if (++lines <= kMostLines) end(StyledLine(style_).add("  ").add(Colour::kRed, "- " + id));
    }
    for (const auto& id : added) {
      if (++lines <= kMostLines) end(StyledLine(style_).add("  ").add(Colour::kGreen, "+ " + id));
    }
    for (const auto& move : moved) {
      if (++lines > kMostLines) continue;
      print_change({"~ " + move.what + " needs", move.a, move.b}, "  ");
    }
    more(lines);
  }

  void print_nodes() const {
    std::size_t count = 0;
    for (const auto& node : comparison_.nodes) {
      // What is new or gone is said of the graph.
      if (!node.differs() || !node.in_a || !node.in_b) continue;
      if (++count == 1) heading("Nodes that differ");
      if (count <= kMostLines) print_node(node);
    }
    more(count);
  }

  void print_node(const NodeComparison& node) const {
    end(StyledLine(style_).add("  ").add(Colour::kBold, node.node_id));
    for (const auto& change : node.changes) print_change(change, "    ");
    if (node.output) {
      const auto path = node.output->path.empty() ? "" : " " + node.output->path;
      print_change({"output" + path, node.output->left, node.output->right}, "    ");
    } else if (node.output_differs) {
      end(StyledLine(style_).add("    output differs, and cannot be read any more"));
    }
  }

  void print_durations() const {
    std::vector<std::pair<std::string_view, const DurationChange*>> news;
    bool is_known = false;
    const auto add = [&](std::string_view name, const DurationChange& duration) {
      if (!duration.a_ms || !duration.b_ms) return;
      is_known = is_known || duration.pace != Pace::kUnknown;
      const bool is_news = duration.pace == Pace::kSlower || duration.pace == Pace::kFaster;
      if (is_news) news.emplace_back(name, &duration);
    };
    add("(the run)", comparison_.duration);
    for (const auto& node : comparison_.nodes) add(node.node_id, node.duration);
    heading("Durations");
    if (!is_known) {
      end(StyledLine(style_).add(Colour::kGrey,
                                 "  too few earlier runs to tell a change from noise"));
    } else if (news.empty()) {
      end(StyledLine(style_).add(Colour::kGrey, "  as they vary from run to run"));
    }
    for (std::size_t i = 0; i < std::min(news.size(), kMostLines); ++i)
      print_duration(news[i].first, *news[i].second);
    more(news.size());
  }

  void print_duration(std::string_view name, const DurationChange& duration) const {
    const bool is_slower = duration.pace == Pace::kSlower;
    StyledLine line(style_);
    line.add("  ").add(name).to_column(20);
    line.add(text::duration(duration.a_ms.value_or(0)) + " → " +
             text::duration(duration.b_ms.value_or(0)));
    line.add("  ");
    line.add(is_slower ? Colour::kRed : Colour::kGreen, is_slower ? "slower" : "faster");
    const auto usual = duration.usual.value_or(report::Usual());
    line.add(Colour::kGrey, "  usually " + text::duration(usual.median) + " ± " +
                                text::duration(usual.deviation) + ", " +
                                text::count(usual.count, "run"));
    end(line);
  }

  void print_logs(std::string_view title, const std::vector<report::LogOnlyIn>& logs) const {
    if (logs.empty()) return;
    heading(title);
    for (std::size_t i = 0; i < std::min(logs.size(), kMostLines); ++i) {
      StyledLine line(style_);
      line.add("  ").add(logs[i].node_id).add(" ").add(Colour::kGrey, logs[i].level);
      line.add("  ").add(logs[i].message);
      if (logs[i].count > 1) line.add(Colour::kGrey, "  ×" + std::to_string(logs[i].count));
      end(line);
    }
    more(logs.size());
  }

  static std::string shown(const std::string& text) {
    if (text.empty()) return "none";
    constexpr std::size_t kEnough = 12;  // of a hash, to tell it from others
    return Sha256::parse(text) ? text.substr(0, kEnough) + "…" : text;
  }
  void heading(std::string_view title) const {
    std::printf("\n");
    end(StyledLine(style_).add(Colour::kBold, title));
  }
  void more(std::size_t count) const {
    if (count <= kMostLines) return;
    end(StyledLine(style_).add(Colour::kGrey, "  … and " + std::to_string(count - kMostLines) +
                                                  " more: --format json has all"));
  }
  static void end(StyledLine& line) { std::printf("%s\n", std::move(line).text().c_str()); }
  static void end(StyledLine&& line) { std::printf("%s\n", std::move(line).text().c_str()); }

  const Comparison& comparison_;
  const LineStyle style_;
};

int print_comparison(const CompareOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto a = read_compared(*store, {options.a, options.tenant});
  if (!a) return complain_of_name(a.error());
  const auto b = read_compared(*store, {options.b, options.tenant});
  if (!b) return complain_of_name(b.error());
  const auto history = history_of(*store, a->compared, b->compared, b->tenant_id);
  if (!history) return complain(history.error());
  const artifact::ArtifactStore artifacts(store->artifacts());
  const bool is_ours = names_our_content(a->compared) && names_our_content(b->compared);
  const auto read_output = [&artifacts, is_ours](const Sha256& sha256) -> Result<json::Value> {
    if (!is_ours) return fail(ErrorCode::kNotFound, "it is another system's");
    WEIR_TRY(const auto text, artifacts.get(sha256, kMaxOutputBytes));
    return json::parse(text);
  };
  const auto comparison = report::compare(a->compared, b->compared, *history, read_output);
  if (options.format == "json") {
    std::printf("%s\n", json::to_pretty_text(report::to_json(comparison)).c_str());
  } else if (options.format == "html") {
    std::printf("%s", report::to_html(comparison).c_str());
  } else {
    CompareText(comparison, style_of(stdout)).print();
  }
  return comparison.is_same() ? kDone : kFailed;
}

}  // namespace

void add_compare(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<CompareOptions>();
  auto* command =
      app.add_subcommand("compare",
                         "Say what two runs did differently, and where that began; exit code 1 if "
                         "they did");
  command->add_option("first", options->a, "A run's id, its beginning or end, or `last`")
      ->required();
  command->add_option("second", options->b, "The other one")->required();
  add_whose(*command, "runs", options->tenant);
  auto* format = command->add_option("--format", options->format, "How to print (default: text)");
  expect_word(format, {"text", "json", "html"});
  command->add_flag_callback(
      "--json", [options] { options->format = "json"; }, "The same as --format json");
  command->footer("Example: weir compare 65b0d53d2d84 last");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return print_comparison(*options, invocation); };
  });
}

}  // namespace weir::cli
