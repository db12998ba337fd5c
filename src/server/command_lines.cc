#include "server/command_lines.h"

#include "base/json.h"

namespace weir::server {
namespace {

constexpr int kKilled = 1;
constexpr std::int64_t kMaxExit = 255;

}  // namespace

bool CommandLines::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    line_.append(bytes.substr(0, end));
    if (line_.size() > kMaxLine) return false;
    if (end == std::string_view::npos) return true;
    bytes.remove_prefix(end + 1);
    const bool goes_on = take_line();
    line_.clear();
    if (!goes_on) return false;
  }
  return true;
}

bool CommandLines::take_line() {
  const auto value = json::parse(line_);
  if (!value || value->object() == nullptr) return true;
  const auto& line = *value->object();
  if (const auto* exit = line.find("exit"); exit != nullptr) {
    const auto* code = exit->integer();
    const bool is_code = code != nullptr && *code >= 0 && *code <= kMaxExit;
    exit_ = is_code ? static_cast<int>(*code) : kKilled;
  }
  const auto print = [&](std::string_view name, Stream stream) {
    const auto* text = line.find(name);
    return text == nullptr || text->string() == nullptr || print_(stream, *text->string());
  };
  return print("out", Stream::kOut) && print("err", Stream::kErr);
}

}  // namespace weir::server
