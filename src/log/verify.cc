#include "log/verify.h"

#include <algorithm>
#include <set>

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

  void check_segment(const Seal& seal) {
    const auto path = store_.segment(seal.segment);
    const auto found = sha256_of_file(path, store_.files());
    if (!found) {
      problem(found.error().code == ErrorCode::kNotFound
                  ? path.string() + ": sealed, and not there any more"
                  : found.error().message);
    } else if (*found != seal.sha256) {
      problem(path.string() + ": its " + std::to_string(seal.bytes) +
              " bytes were sealed with the hash " + seal.sha256.text() + ", it has " +
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

  std::vector<std::string>&& problems() && { return std::move(problems_); }

 private:
  void problem(std::string text) { problems_.push_back(std::move(text)); }

  const StoreDirectory& store_;
  std::vector<std::string> problems_;
};

}  // namespace

Result<SealVerification> verify_seals(const StoreDirectory& store,
                                      const std::optional<Sha256>& anchor) {
  // In this order: a segment that is sealed meanwhile is only less than can be asked for.
  WEIR_TRY(const auto chain, SealChain::read(store));
  WEIR_TRY(const auto names, store.segment_names());
  Verifier verifier(store);
  verifier.check_chain(chain);
  for (const auto& [name, seal] : chain.seals()) verifier.check_segment(seal);
  verifier.check_numbers(chain, names);
  if (anchor) verifier.check_anchor(chain, *anchor);
  SealVerification found{.seals = chain.seals().size()};
  if (!chain.anchors().empty()) found.anchor = chain.anchors().back();
  for (const auto& [name, seal] : chain.seals()) found.dropped_bytes += seal.dropped_bytes;
  found.problems = std::move(verifier).problems();
  return found;
}

}  // namespace weir::log
