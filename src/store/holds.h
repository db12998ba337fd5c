#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "event/decoder.h"
#include "log/store_directory.h"

namespace weir::store {

/// `operation` of the `audit` events that hold a run, and that let it go.
inline constexpr std::string_view kHoldOperation = "hold";
inline constexpr std::string_view kReleaseOperation = "release";

/// That a run is kept, whatever its age.
struct Hold {
  RunId run;
  std::string actor;
  std::string reason;
  Timestamp at;
  RunId said_in;  ///< the process run that has the event
};

/// Which runs are held: a fold over the log, in any order. Of what is said of a run the latest
/// counts.
class Holds {
 public:
  void apply(const event::EventView& event);

  /// By run.
  [[nodiscard]] std::vector<Hold> in_force() const;

 private:
  struct Said {
    std::strong_ordering operator<=>(const Said& other) const;
    Hold hold;
    std::int64_t run_seq = 0;
    bool is_held = false;
  };
  std::map<RunId, Said> latest_;
};

/// What parts hold of it, as an SQL condition on the table `part`.
[[nodiscard]] std::string holds_sql();

/// Those of a store. Errors: as read_all.
[[nodiscard]] Result<std::vector<Hold>> read_holds(const log::StoreDirectory& store);

}  // namespace weir::store
