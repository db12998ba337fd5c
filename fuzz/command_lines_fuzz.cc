// What a server sends of a command: cut anywhere it is printed as it is when it comes at once.

#include <string>
#include <utility>
#include <vector>

#include "fuzz/input.h"
#include "server/command_lines.h"
#include "server/printed.h"

namespace weir::server {
namespace {

using Stream = CommandLines::Stream;

struct Heard {
  std::string out, err;
  std::optional<int> exit;
  bool operator==(const Heard&) const = default;
};

Heard read(const std::vector<std::string_view>& pieces) {
  Heard heard;
  CommandLines lines([&](Stream stream, std::string_view text) {
    (stream == Stream::kOut ? heard.out : heard.err).append(text);
    return true;
  });
  for (const auto piece : pieces) WEIR_CHECK(lines.take(piece));
  heard.exit = lines.exit_code();
  WEIR_CHECK(!heard.exit || (*heard.exit >= 0 && *heard.exit <= 255));
  return heard;
}

void check(std::string_view bytes) {
  fuzz::Input input(bytes);
  const auto step = input.below(7) + 1;
  const auto text = input.text(bytes.size());
  std::vector<std::string_view> pieces;
  for (auto rest = text; !rest.empty(); rest.remove_prefix(std::min(step, rest.size())))
    pieces.push_back(rest.substr(0, step));
  WEIR_CHECK(read({text}) == read(pieces));

  // As a server writes it.
  Printed printed;
  WEIR_CHECK(printed.put("out", "a\n\"b\"") && printed.put("err", "c"));
  printed.end("{\"exit\":" + std::to_string(step) + "}");
  const auto sent = printed.take();
  WEIR_CHECK(sent && read({*sent}) == Heard("a\n\"b\"", "c", static_cast<int>(step)));
}

}  // namespace
}  // namespace weir::server

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::server::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
