#include "log/verify.h"

#include <algorithm>
#include <set>

#include "log/manifest.h"
#include "log/seal_chain.h"

namespace weir::log {
namespace {

class Verifier {
 public:
  explicit Verifier(const StoreDirectory& store) : store_(store) {}

  void check_chain(const SealChain& chain) {
    for (const auto& damage : chain.damage()) {
      problem(store_.seals().string() + ": at byte " + std::to_string(damage.offset) + ": " +
              damage.reason);
    }
  }

  void check_segment(const Seal& seal, const Manifest& manifest) {
    const auto path = store_.segment(seal.segment);
    const auto found = sha256_of_file(path, store_.files());
    if (!found) {
      const bool gone = found.error().code == ErrorCode::kNotFound;
      if (gone && manifest.has_replaced(seal.segment)) return;
      problem(gone ? path.string() + ": sealed, and not there any more" : found.error().message);
    } else if (*found != seal.sha256) {
      problem(path.string() + ": its " + std::to_string(seal.bytes) +
              " bytes were sealed with the hash " + seal.sha256.text() + ", it has " +
              found->text());
    }
  }

  void check_manifest(const SealChain& chain, const Manifest& manifest) {
    const auto& sealed = chain.manifest();
    const auto last = sealed ? sealed->number : 0;
    // One more than the last is what a crash leaves; whoever compacts next seals it.
    if (manifest.number() == last + 1) return;
    const auto path = store_.manifest().string();
    if (manifest.number() != last) {
      problem(path + ": is number " + std::to_string(manifest.number()) + ", number " +
              std::to_string(last) + " was sealed");
    } else if (sealed && sha256(manifest.text() + "\n") != sealed->sha256) {
      problem(path + ": was sealed with the hash " + sealed->sha256.text() + ", which it has not");
    }
  }

  void check_part(const Part& part) {
    const auto path = store_.parts() / part.file;
    const auto found = sha256_of_file(path, store_.files());
    if (!found) {
      problem(found.error().code == ErrorCode::kNotFound
                  ? path.string() + ": in the manifest, and not there any more"
                  : found.error().message);
    } else if (*found != part.sha256) {
      problem(path.string() + ": its " + std::to_string(part.bytes) +
              " bytes were written with the hash " + part.sha256.text() + ", it has " +
              found->text());
    }
  }

  /// A writer's segments have the numbers from 1 on: one that is neither there nor sealed is gone.
  void check_numbers(const SealChain& chain, const std::vector<SegmentName>& names) {
    std::set<SegmentName> known(names.begin(), names.end());
    for (const auto& [name, seal] : chain.seals()) known.insert(name);
    SegmentName last;
    for (const auto& name : known) {
      const auto expected = name.writer == last.writer ? last.number + 1 : 1;
      for (auto number = expected; number < name.number; ++number) {
        problem(store_.segment({name.writer, number}).string() + ": not there, though " +
                name.file_name() + " came after it");
      }
      last = name;
    }
  }

  void check_anchor(const SealChain& chain, const Sha256& anchor) {
    const auto& anchors = chain.anchors();
    if (std::find(anchors.begin(), anchors.end(), anchor) != anchors.end()) return;
    problem(store_.seals().string() + ": no seal has the hash " + anchor.text() +
            ": the chain was cut or rewritten before it");
  }

  void problem(std::string text) { problems_.push_back(std::move(text)); }

  std::vector<std::string>&& problems() && { return std::move(problems_); }

 private:
  const StoreDirectory& store_;
  std::vector<std::string> problems_;
};

/// The chain, and the manifest that it had last or nearly so.
struct SealedView {
  SealChain chain;
  Manifest manifest;
  std::optional<std::string> unreadable;  // why the manifest cannot be read

  static Result<SealedView> of(const StoreDirectory& store) {
    while (true) {
      auto manifest = read_manifest(store);
      if (!manifest && manifest.error().code == ErrorCode::kIo) {
        return std::unexpected(std::move(manifest).error());
      }
      WEIR_TRY(auto chain, SealChain::read(store));
      if (!manifest) return SealedView{std::move(chain), {}, manifest.error().message};
      // Somebody may have written the next one in between.
      const auto again = read_manifest(store);
      if (again && again->number() != manifest->number()) continue;
      return SealedView{std::move(chain), *std::move(manifest), {}};
    }
  }
};

}  // namespace

Result<SealVerification> verify_seals(const StoreDirectory& store,
                                      const std::optional<Sha256>& anchor) {
  // In this order: a segment that is sealed meanwhile is only less than can be asked for.
  WEIR_TRY(const auto view, SealedView::of(store));
  const auto& [chain, manifest, unreadable] = view;
  WEIR_TRY(const auto names, store.segment_names());
  Verifier verifier(store);
  verifier.check_chain(chain);
  if (unreadable) {
    verifier.problem(*unreadable);
  } else {
    verifier.check_manifest(chain, manifest);
  }
  for (const auto& [name, seal] : chain.seals()) verifier.check_segment(seal, manifest);
  for (const auto& part : manifest.parts()) verifier.check_part(part);
  verifier.check_numbers(chain, names);
  if (anchor) verifier.check_anchor(chain, *anchor);
  SealVerification found{.seals = chain.seals().size(), .parts = manifest.parts().size()};
  if (!chain.anchors().empty()) found.anchor = chain.anchors().back();
  for (const auto& [name, seal] : chain.seals()) found.dropped_bytes += seal.dropped_bytes;
  found.problems = std::move(verifier).problems();
  if (auto bad = manifest_copy_damage(store)) found.warnings.push_back(*std::move(bad));
  if (const auto tail = chain.tail()) {
    found.warnings.push_back(store.seals().string() + ": at byte " + std::to_string(tail->offset) +
                             ": the last " + std::to_string(tail->size) +
                             " bytes are no seal: left by a crash, or a seal that has changed; "
                             "what it sealed counts as unsealed");
  }
  return found;
}

}  // namespace weir::log
