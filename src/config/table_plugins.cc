#include "config/collection.h"
#include "config/table.h"

namespace weir::config {
namespace {

constexpr std::string_view kIdPattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]*$";
constexpr std::size_t kMaxId = 128;

}  // namespace

std::string_view to_string(Trust trust) {
  static constexpr std::string_view kWords[] = {"untrusted", "partner", "trusted"};
  return kWords[static_cast<std::size_t>(trust)];
}

bool is_id(std::string_view text) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && is_word(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_word(c) || c == '-' || c == '.'; });
}

Shape<std::string> id_shape() {
  return text("letters, digits, '_', '-' and '.'",
              {.max_bytes = kMaxId, .pattern = std::string(kIdPattern), .accepts = is_id});
}

Shape<Trust> trust_shape() {
  return choice<Trust>({{"untrusted", Trust::kUntrusted},
                        {"partner", Trust::kPartner},
                        {"trusted", Trust::kTrusted}});
}

Shape<Plugins> plugins_shape() {
  constexpr std::size_t kMaxFolders = 64;
  const Names ids{.what = "a plugin's id: letters, digits, '_', '-' and '.'",
                  .pattern = std::string(kIdPattern),
                  .max_bytes = kMaxId,
                  .accepts = is_id};
  return object<Plugins>(
      "plugins",
      {key<Plugins>("folders", &Plugins::folders,
                    list("paths", path("a path"), {.max_items = kMaxFolders}),
                    "folders of plugins: each has a `plugin.yaml` or `plugin.json`, or is a folder "
                    "of folders that have one"),
       key<Plugins>("trust", &Plugins::trust, map("tiers", trust_shape(), ids),
                    "how far you trust a plugin, by its id: `untrusted`, `partner` or `trusted`. A "
                    "plugin has no more than you give it and no more than its manifest asks for",
                    {.fallback = "`untrusted`"})});
}

}  // namespace weir::config
