#pragma once

#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "project/run_state.h"

/// Snapshots of a run's state: docs/formats/run-state.md.
namespace weir::project {

inline constexpr std::int64_t kRunStateVersion = 1;

/// What is zero, empty, false or unknown is left out, so equal states have equal snapshots.
[[nodiscard]] json::Object to_json(const RunState& run);

/// Adds what is known of it, under the names of the events' fields.
void add_usage(json::Object& object, const Usage& usage);

/// A fold goes on from it as if it had never stopped. Errors: kInvalidInput, naming the member, for
/// another version, a member that this version has not, one of another type, lists that cannot be
/// true.
[[nodiscard]] Result<RunState> run_state_from_json(const json::Value& snapshot);

/// SHA-256 of the snapshot in its canonical form (RFC 8785). Errors: kInvalidInput, a number beyond
/// 2^53 that an event brought in.
[[nodiscard]] Result<Sha256> hash_of(const RunState& run);

}  // namespace weir::project
