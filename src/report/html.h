#pragma once

#include <string>
#include <string_view>

#include "report/document.h"

namespace weir::report {

/// `text` for the content of an element or a quoted attribute. What is not UTF-8 becomes U+FFFD,
/// control characters are shown as `\x1b`.
[[nodiscard]] std::string escape_html(std::string_view text);

/// One page of HTML 5, well-formed as XML too, that needs nothing else: no script, no font, no
/// picture from elsewhere. For a screen, light or dark as it is set, and for paper.
[[nodiscard]] std::string to_html(const Document& document);

}  // namespace weir::report
