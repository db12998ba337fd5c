#pragma once

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/manifest.h"
#include "log/store_directory.h"
#include "store/history.h"

namespace weir::store {

/// Whether a query that failed so may have met damage: not where its text is to blame.
[[nodiscard]] bool may_be_damage(const Error& error);

/// Finds parts that are damaged inside, by their hashes. Each is read once: parts never change, and
/// who sees that a file has says so.
///
/// Threads  One at a time; reads with several of its own, `weir-check`.
class PartCheck {
 public:
  /// Looks at those parts of a manifest that were not looked at before, but for those that are not
  /// there or have another size: everybody finds these. Ends early, with what it has, when asked
  /// to.
  void look(const log::StoreDirectory& store, const std::vector<log::Part>& parts,
            const std::stop_token& stop);

  /// The next look is at this one, too: its file is not what it was.
  void forget(const log::Part& part) { seen_.erase(part.file); }

  /// Part::file of those that are damaged.
  [[nodiscard]] const std::set<std::string, std::less<>>& damaged() const { return damaged_; }
  /// The same, as places.
  [[nodiscard]] std::vector<BadPlace> places(const log::StoreDirectory& store) const;

 private:
  std::set<std::string, std::less<>> seen_;
  std::set<std::string, std::less<>> damaged_;
};

}  // namespace weir::store
