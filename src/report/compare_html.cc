#include "base/text.h"
#include "report/compare.h"
#include "report/html.h"

namespace weir::report {
namespace {

/// Of nodes and log lines in one page.
constexpr std::size_t kMostHtmlRows = 2000;

constexpr std::string_view kComparePage = R"css(
:root{--ink:#1d2126;--soft:#5b636d;--line:#e2e0da;--page:#fff;--a:#fbeceb;--b:#e8f4ee;--mark:#8a5a10}
@media (prefers-color-scheme:dark){:root{--ink:#e7e9ec;--soft:#9aa4af;--line:#2d333b;--page:#14171b;
--a:#3a2224;--b:#1d3328;--mark:#e8bd6a}}
@media print{:root{--ink:#000;--soft:#444;--line:#ccc;--page:#fff;--a:#fbeceb;--b:#e8f4ee;
--mark:#8a5a10}@page{margin:14mm}tr,h2{break-inside:avoid}h2{break-after:avoid}
td{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
body{margin:0 auto;padding:32px 24px;max-width:1100px;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
h1{font-size:25px;line-height:1.25;margin:0 0 4px}h2{font-size:17px;margin:30px 0 8px}
p{margin:0 0 8px}.soft{color:var(--soft)}.first{border-left:3px solid var(--mark);padding:4px 12px}
table{border-collapse:collapse;width:100%;table-layout:fixed;font-size:14px}
th,td{padding:6px 12px;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{font-weight:500;color:var(--soft);border-bottom:1px solid var(--line)}
tbody tr+tr td{border-top:1px solid var(--line)}col.what{width:28%}
td.a{background:var(--a)}td.b{background:var(--b)}
)css";

std::string usual_text(const DurationChange& duration) {
  if (!duration.usual || duration.pace == Pace::kUnknown) return "too few earlier runs to judge";
  return std::string(pace_name(duration.pace)) + "; usually " +
         text::duration(duration.usual->median) + ", of " +
         text::count(duration.usual->count, "run");
}

class Page {
 public:
  std::string text() && { return std::move(out_) + "</main></body></html>\n"; }

  explicit Page(const Comparison& comparison) {
    const auto title = escape_html("Comparison of two runs of " + comparison.b.pipeline_id);
    out_ = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>" + title +
           "</title><meta name=\"viewport\" content=\"width=device-width\"/><style>" +
           std::string(kComparePage) + "</style></head><body><main><h1>" + title + "</h1>\n";
  }

  void paragraph(std::string_view css, std::string_view text) {
    out_.append("<p class=\"").append(css).append("\">").append(escape_html(text)).append("</p>\n");
  }
  void heading(std::string_view title) {
    out_.append("<h2>").append(escape_html(title)).append("</h2>\n");
  }
  void begin_table(std::string_view what) {
    out_.append("<table><colgroup><col class=\"what\"/><col/><col/></colgroup><thead><tr><th>")
        .append(escape_html(what))
        .append("</th><th>a</th><th>b</th></tr></thead><tbody>\n");
  }
  void row(std::string_view what, std::string_view a, std::string_view b, bool marked = true) {
    const std::string_view mark_a = marked && !a.empty() ? " class=\"a\"" : "";
    const std::string_view mark_b = marked && !b.empty() ? " class=\"b\"" : "";
    out_.append("<tr><td>").append(escape_html(what)).append("</td><td").append(mark_a).append(">");
    out_.append(escape_html(a))
        .append("</td><td")
        .append(mark_b)
        .append(">")
        .append(escape_html(b));
    out_.append("</td></tr>\n");
  }
  void end_table() { out_ += "</tbody></table>\n"; }

  void changes(std::string_view title, std::string_view what, const std::vector<Change>& changes) {
    if (changes.empty()) return;
    heading(title);
    begin_table(what);
    for (const auto& change : changes) row(change.what, change.a, change.b);
    end_table();
  }

 private:
  std::string out_;
};

void add_sides(Page& page, const Comparison& comparison) {
  const auto& [a, b] = std::tie(comparison.a, comparison.b);
  const auto took = [](const Side& side) {
    return side.duration_ms ? text::duration(*side.duration_ms) : std::string("not ended");
  };
  page.begin_table("");
  page.row("run", a.run_id.text(), b.run_id.text(), false);
  page.row("pipeline", a.pipeline_id, b.pipeline_id, a.pipeline_id != b.pipeline_id);
  page.row("state", a.state, b.state, a.state != b.state);
  page.row("started", weir::to_string(a.started_at), weir::to_string(b.started_at), false);
  page.row("took", took(a), took(b), false);
  page.end_table();
  page.paragraph("soft", "How long the run took: " + usual_text(comparison.duration) + ".");
}

void add_parting(Page& page, const Comparison& comparison) {
  if (!comparison.parting) {
    return page.paragraph("first",
                          "They did the same: graph, settings, states, errors and outputs.");
  }
  const auto& [setting, node, sentence] = *comparison.parting;
  if (!setting.empty()) page.paragraph("first", "They began with another " + setting + ".");
  if (node.empty()) return;
  const std::string where = setting.empty() ? "They part at " : "The first node that differs is ";
  page.paragraph("first", where + node + ": " + sentence + ".");
}

void add_graph(Page& page, const Comparison& comparison) {
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
  page.changes("Graph", "node", changes);
}

void add_nodes(Page& page, const Comparison& comparison) {
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
  page.changes("Nodes that differ", "node", changes);
}

void add_durations(Page& page, const Comparison& comparison) {
  page.heading("Durations");
  page.begin_table("node");
  std::size_t rows = 0;
  for (const auto& node : comparison.nodes) {
    const auto& duration = node.duration;
    if (!duration.a_ms && !duration.b_ms) continue;
    if (++rows > kMostHtmlRows) break;
    const auto in_words = [](std::optional<double> ms) {
      return ms ? text::duration(*ms) : std::string();
    };
    const bool is_news = duration.pace == Pace::kSlower || duration.pace == Pace::kFaster;
    page.row(node.node_id + (is_news ? ": " + usual_text(duration) : ""), in_words(duration.a_ms),
             in_words(duration.b_ms), is_news);
  }
  page.end_table();
  page.paragraph("soft",
                 "Marked is what is more than three robust deviations from the median of "
                 "earlier runs, of which there must be " +
                     std::to_string(kEnoughForNoise) + ".");
}

void add_logs(Page& page, const Comparison& comparison) {
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
  page.changes("Log messages of one run only", "node", changes);
}

}  // namespace

std::string to_html(const Comparison& comparison) {
  Page page(comparison);
  add_sides(page, comparison);
  add_parting(page, comparison);
  page.changes("Settings", "setting", comparison.settings);
  add_graph(page, comparison);
  page.changes("Outcome", "", comparison.outcome);
  add_nodes(page, comparison);
  add_durations(page, comparison);
  add_logs(page, comparison);
  page.changes("Counts", "count", comparison.counts);
  return std::move(page).text();
}

}  // namespace weir::report
