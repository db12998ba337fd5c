#include "store/verify.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <unordered_map>

#include "artifact/artifact_store.h"
#include "project/run_key.h"
#include "store/part_folder.h"
#include "store/rollup.h"

namespace weir::store {
namespace {

using event::Field;

/// Artifacts named anywhere in an event.
constexpr Field kHashFields[] = {Field::kDefinitionSha256, Field::kInputSha256,
                                 Field::kOutputSha256, Field::kArtifactSha256};

class Verifier {
 public:
  explicit Verifier(const log::StoreDirectory& store) : artifacts_(store.artifacts()) {}

  Result<void> see(const event::EventView& event) {
    // Others number their runs as they like; ours have no holes.
    if (event.text(Field::kPipelineType) != "external") check_number(event);
    for (const auto field : kHashFields) {
      if (event.has(field)) hashes_.emplace(event.text(field), event.run_id());
    }
    return {};
  }

  Verification finish(log::SealVerification seals, ReadReport read) {
    problems_.insert(problems_.end(), seals.problems.begin(), seals.problems.end());
    for (const auto& bad : read.bad) problems_.push_back(bad.text());
    for (const auto& [hash, run] : hashes_) check_artifact(hash, run);
    return {.read = std::move(read),
            .seals = std::move(seals),
            .runs = last_number_.size(),
            .artifacts = hashes_.size(),
            .problems = std::move(problems_),
            .foreign = {}};
  }

 private:
  void check_number(const event::EventView& event) {
    auto& last = last_number_[project::RunKey::of(event)];
    // An event that names a tenant of its own goes on where its run's last one was.
    auto& last_of_id = last_of_id_[event.run_id()];
    if (event.run_seq() != last + 1 && event.run_seq() != last_of_id + 1) {
      problems_.push_back("run " + event.run_id().text() + ": event " +
                          std::to_string(event.run_seq()) + " follows event " +
                          std::to_string(last));
    }
    last = last_of_id = event.run_seq();
  }

  void check_artifact(const std::string& text, const RunId& run) {
    const auto named = "run " + run.text() + ": artifact " + text + ": ";
    const auto hash = Sha256::parse(text);
    if (!hash) {
      problems_.push_back(named + "not a SHA-256");
      return;
    }
    const auto path = artifacts_.path_of(*hash);
    const auto found = sha256_of_file(path);
    if (!found) {
      problems_.push_back(named + found.error().message);
    } else if (*found != *hash) {
      problems_.push_back(path.string() + ": its content has the hash " + found->text());
    }
  }

  artifact::ArtifactStore artifacts_;
  std::unordered_map<project::RunKey, std::int64_t> last_number_;
  std::unordered_map<RunId, std::int64_t> last_of_id_;
  std::map<std::string, RunId> hashes_;  // and a run that names each
  std::vector<std::string> problems_;
};

}  // namespace

Result<Verification> verify(const log::StoreDirectory& store, const std::optional<Sha256>& anchor) {
  WEIR_TRY(auto seals, log::verify_seals(store, anchor));
  Verifier verifier(store);
  auto read = read_all(store, [&](const event::EventView& event) { return verifier.see(event); });
  // Of a damaged manifest the seals have told; without it nobody knows which segments count.
  if (!read && read.error().code == ErrorCode::kCorrupt) read = ReadReport();
  if (!read) return std::unexpected(std::move(read).error());
  auto verification = verifier.finish(std::move(seals), *std::move(read));
  std::ranges::move(rollup_problems(store), std::back_inserter(verification.problems));
  if (const auto manifest = log::read_manifest(store)) {
    WEIR_TRY(verification.foreign, foreign_files(store, *manifest));
  }
  return verification;
}

}  // namespace weir::store
