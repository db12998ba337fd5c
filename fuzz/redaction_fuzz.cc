// Redaction: whatever the text, a second time changes nothing, what stands between masks is the
// text's in its order, no mask is uncounted, and JSON stays JSON. (A mask may be masked again with
// what is around it, so there can be fewer masks than counts.)

#include "base/json.h"
#include "event/redaction.h"
#include "event/redaction_secrets.h"

namespace weir::event {
namespace {

Redactor make(std::string pseudonym_key) {
  auto redactor = Redactor::make({.enable = {"ip_address"},
                                  .keys = {{"badge", "badge"}, {"street", "address.*"}},
                                  .patterns = {{"employee", "EMP-", "0-9", 6, 6}},
                                  .pseudonym_key = std::move(pseudonym_key)});
  WEIR_CHECK(redactor.has_value());
  return *std::move(redactor);
}

struct Pieces {
  std::vector<std::string_view> between;  // one more than masks
  [[nodiscard]] std::size_t masks() const { return between.size() - 1; }
};

Pieces pieces_of(std::string_view text) {
  Pieces pieces;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto mask = redaction::mask_length(text.substr(at));
    if (mask == 0) {
      ++at;
      continue;
    }
    pieces.between.push_back(text.substr(begin, at - begin));
    begin = at += mask;
  }
  pieces.between.push_back(text.substr(begin));
  return pieces;
}

/// `between` stand in `text` one after the other, the first at its begin, the last at its end.
bool keeps(std::string_view text, const std::vector<std::string_view>& between) {
  if (!text.starts_with(between.front()) || !text.ends_with(between.back())) return false;
  std::size_t at = 0;
  for (const auto piece : between) {
    const auto found = text.find(piece, at);
    if (found == std::string_view::npos) return false;
    at = found + piece.size();
  }
  return true;
}

void check_text(const Redactor& redactor, std::string_view text, TextKind kind) {
  RedactionCounts counts;
  std::string once, twice;
  if (!redactor.redact_text(text, kind, once, counts)) {
    WEIR_CHECK(once.empty() && counts.total() == 0);
    return;
  }
  const auto pieces = pieces_of(once);
  WEIR_CHECK(pieces.masks() > 0 && keeps(text, pieces.between));
  WEIR_CHECK(pieces.masks() <= pieces_of(text).masks() + counts.total());
  WEIR_CHECK(!redactor.redact_text(once, kind, twice, counts));
}

void check_json(const Redactor& redactor, std::string_view text, TextKind kind) {
  RedactionCounts counts;
  std::string once, twice;
  if (!redactor.redact_json(text, kind, once, counts)) return;
  WEIR_CHECK(counts.total() > 0);
  if (!json::parse(text)) return;
  WEIR_CHECK(json::parse(once).has_value());
  WEIR_CHECK(!redactor.redact_json(once, kind, twice, counts));
}

void check(std::string_view text) {
  static const Redactor masks = make(""), pseudonyms = make("key");
  for (const auto* redactor : {&masks, &pseudonyms}) {
    for (const auto kind : {TextKind::kField, TextKind::kMessage}) {
      check_text(*redactor, text, kind);
      check_json(*redactor, text, kind);
    }
  }
}

}  // namespace
}  // namespace weir::event

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::event::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
