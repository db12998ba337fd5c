#include "store/part_check.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>
#include <thread>

#include "base/hash.h"
#include "store/database.h"

namespace weir::store {
namespace {

/// What DuckDB's messages begin with when the question is to blame, and not what it reads.
constexpr auto kFaultsOfTheQuestion = std::to_array<std::string_view>(
    {"Parser Error", "Syntax Error", "Binder Error", "Catalog Error", "Permission Error",
     "Conversion Error", "Parameter Not Resolved Error"});

enum class Finding : std::uint8_t { kNotLookedAt, kWhole, kDamaged };

Finding look_at(const log::StoreDirectory& store, const log::Part& part) {
  const auto hash = sha256_of_file(store.parts() / part.file, store.files());
  if (!hash && hash.error().code == ErrorCode::kNotFound) return Finding::kNotLookedAt;
  return hash && *hash == part.sha256 ? Finding::kWhole : Finding::kDamaged;
}

}  // namespace

bool may_be_damage(const Error& error) {
  if (error.code != ErrorCode::kInvalidInput && error.code != ErrorCode::kExhausted) return false;
  if (is_of_full_disk(error)) return false;
  return error.message.contains("Error") &&
         std::ranges::none_of(kFaultsOfTheQuestion,
                              [&](auto words) { return error.message.starts_with(words); });
}

void PartCheck::look(const log::StoreDirectory& store, const std::vector<log::Part>& parts,
                     const std::stop_token& stop) {
  std::vector<const log::Part*> unseen;
  unseen.reserve(parts.size());
  for (const auto& part : parts) {
    if (!seen_.contains(part.file)) unseen.push_back(&part);
  }
  std::vector<Finding> findings(unseen.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    while (!stop.stop_requested()) {
      const auto i = next.fetch_add(1);
      if (i >= unseen.size()) return;
      findings[i] = look_at(store, *unseen[i]);
    }
  };
  {
    std::vector<std::jthread> threads;
    const auto count =
        std::min<std::size_t>(std::max(std::thread::hardware_concurrency(), 1U), unseen.size());
    threads.reserve(count);
    for (std::size_t i = 1; i < count; ++i) {
      threads.emplace_back([&] {
        ::pthread_setname_np(::pthread_self(), "weir-check");
        work();
      });
    }
    work();
  }
  for (std::size_t i = 0; i < unseen.size(); ++i) {
    if (findings[i] == Finding::kNotLookedAt) continue;
    seen_.insert(unseen[i]->file);
    if (findings[i] == Finding::kDamaged) damaged_.insert(unseen[i]->file);
  }
}

std::vector<BadPlace> PartCheck::places(const log::StoreDirectory& store) const {
  std::vector<BadPlace> places;
  places.reserve(damaged_.size());
  for (const auto& file : damaged_) {
    places.push_back({store.parts() / file, 0, "its bytes are not those that were written"});
  }
  return places;
}

}  // namespace weir::store
