#include "ingest/json_text.h"

#include <algorithm>

#include "base/text.h"

namespace weir::ingest {

void JsonText::base64(std::string_view bytes) { string(text::base64(bytes)); }

void JsonText::grow(std::size_t size) {
  constexpr std::size_t kLeast = 4096;
  capacity_ = std::max({2 * capacity_, size_ + size, kLeast});
  auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
  copy_short(larger.get(), text_.get(), size_);
  text_ = std::move(larger);
}

}  // namespace weir::ingest
