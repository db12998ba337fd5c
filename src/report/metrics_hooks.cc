#include <unistd.h>

#include <utility>

#include "embed/hooks.h"
#include "export/hooks.h"
#include "weir/hooks.h"

namespace weir {

Hook cache_statistics_hook(Print print) {
  return embed::to_public(
      exporting::cache_statistics_hook(embed::to_print(std::move(print), STDOUT_FILENO)));
}

StatusOr<Hook> metrics_export_hook(MetricsExport options) {
  exporting::MetricsExport made;
  made.folder = std::move(options.folder);
  made.formats.clear();
  for (const auto format : options.formats) {
    made.formats.push_back(static_cast<exporting::MetricsFormat>(format));
  }
  made.keep = options.keep;
  return embed::to_public(exporting::metrics_export_hook(std::move(made)));
}

}  // namespace weir
