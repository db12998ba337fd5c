#include "cli/doctor.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/styled_line.h"

namespace weir::cli {
namespace {

Colour verdict_colour(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return Colour::kGreen;
    case Verdict::kWarn:
      return Colour::kYellow;
    case Verdict::kFail:
      break;
  }
  return Colour::kRed;
}

std::vector<Finding> examine(const Invocation& invocation) {
  std::vector<Finding> findings;
  examine_machine(findings);
  examine_settings(invocation, findings);
  const auto path = invocation.store_path();
  const auto store = log::StoreDirectory::open(path);
  if (store) {
    examine_disk(path, findings);
    examine_store(*store, findings);
    return findings;
  }
  const auto& error = store.error();
  if (error.code == ErrorCode::kNotFound) {
    findings.push_back({"store", Verdict::kWarn, "there is none at " + path.string(),
                        "weir run makes one; --store or $WEIR_STORE names another"});
    return findings;
  }
  const bool is_newer = error.code == ErrorCode::kUnavailable;  // it says what to do
  findings.push_back({"store", Verdict::kFail, error.message,
                      is_newer ? "" : "put the store back from a backup", true});
  return findings;
}

void print_text(const std::vector<Finding>& findings) {
  const auto style = style_of(stdout);
  std::size_t width = 0;
  for (const auto& finding : findings) width = std::max(width, display_width(finding.name));
  for (const auto& finding : findings) {
    StyledLine line(style);
    line.add(verdict_colour(finding.verdict), pad(verdict_name(finding.verdict), 4)).add("  ");
    line.add(pad(finding.name, width)).add("  ").add(finding.what);
    std::printf("%s\n", std::move(line).text().c_str());
    if (finding.advice.empty()) continue;
    StyledLine advice(style);
    advice.to_column(width + 8).add(Colour::kGrey, "→ " + finding.advice);
    std::printf("%s\n", std::move(advice).text().c_str());
  }
}

void print_json(const std::vector<Finding>& findings) {
  json::Array array;
  array.reserve(findings.size());
  for (const auto& finding : findings) {
    json::Object object;
    object.set("name", finding.name);
    object.set("verdict", verdict_name(finding.verdict));
    object.set("what", finding.what);
    object.set("advice", finding.advice.empty() ? json::Value() : json::Value(finding.advice));
    object.set("damage", finding.is_damage);
    array.emplace_back(std::move(object));
  }
  std::printf("%s\n", json::to_pretty_text(array).c_str());
}

int examine_all(bool as_json, const Invocation& invocation) {
  const auto findings = examine(invocation);
  as_json ? print_json(findings) : print_text(findings);
  int exit = kDone;
  for (const auto& finding : findings) {
    if (finding.verdict != Verdict::kFail) continue;
    exit = std::max<int>(exit, finding.is_damage ? kStoreFailed : kFailed);
  }
  return exit;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  static constexpr std::string_view kNames[] = {"OK", "WARN", "FAIL"};
  return kNames[static_cast<std::size_t>(verdict)];
}

void add_doctor(CLI::App& app, Invocation& invocation) {
  auto as_json = std::make_shared<bool>(false);
  auto* command = app.add_subcommand(
      "doctor", "Look for what can be wrong on this machine and in this store, and say what to do");
  command->add_flag("--json", *as_json, "Print JSON");
  command->footer(
      "Exit code 0 when nothing fails, 1 when something does, 3 when the store is damaged.");
  command->callback([&invocation, as_json] {
    invocation.action = [&invocation, as_json] { return examine_all(*as_json, invocation); };
  });
}

}  // namespace weir::cli
