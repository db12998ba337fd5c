#include "export/hooks.h"

#include "export/http_post.h"

namespace weir::exporting {
namespace {

/// A request that is given up at its timeout comes back before the bus gives it up.
constexpr std::chrono::milliseconds kSlack{1'000};

}  // namespace

Result<record::Hook> webhook_hook(record::Webhook options) {
  const auto timeout = options.timeout;
  if (timeout.count() <= 0) {
    return fail(ErrorCode::kInvalidInput,
                "webhook '" + options.name + "': its timeout must be above 0");
  }
  WEIR_TRY(auto hook, record::webhook(std::move(options), http_post({.timeout = timeout})));
  hook.timeout = timeout + kSlack;
  return hook;
}

}  // namespace weir::exporting
