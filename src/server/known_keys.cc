#include "server/known_keys.h"

#include <memory>
#include <string>

#include "store/session.h"

namespace weir::server {
namespace {

/// The number is the time of arrival, in microseconds.
std::string question() {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(
                         (system_clock().now() - ingest::KeyWindow::kMaxAge).time_since_epoch())
                         .count();
  return "SELECT * FROM ("
         "SELECT coalesce(tenant_id, ''), run_id, "
         "coalesce(nullif(event_id, ''), idempotency_key), run_seq FROM events "
         "WHERE run_seq >= " +
         std::to_string(std::max(since, ingest::kLeastNumber)) +
         " AND coalesce(nullif(event_id, ''), idempotency_key) IS NOT NULL "
         "ORDER BY run_seq DESC LIMIT " +
         std::to_string(ingest::KeyWindow::kMaxKeys) + ") ORDER BY run_seq";
}

}  // namespace

Result<void> remember_keys(const log::StoreDirectory& store, ingest::Inbox& inbox) {
  const auto bad = std::make_shared<store::BadPlaces>();
  WEIR_TRY(auto session, store::Session::open(store, {}, bad));
  WEIR_TRY(auto answer, session.ask(question()));
  while (true) {
    WEIR_TRY(const auto* row, answer.next());
    if (row == nullptr) return {};
    const auto run = RunId::parse(*(*row)[1].string());
    const auto number = *(*row)[3].integer();
    if (!run) continue;
    inbox.remember(ingest::EventKey::of(*(*row)[0].string(), *run, *(*row)[2].string()),
                   Timestamp(std::chrono::microseconds(number)));
    inbox.go_on_after(number);
  }
}

}  // namespace weir::server
