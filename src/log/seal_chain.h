#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "log/segment.h"
#include "log/store_directory.h"

/// The chain of seals of a store. Format: docs/formats/event-log.md, version 1.
namespace weir::log {

/// What was in a segment when it was finished.
struct Seal {
  SegmentName segment;
  std::uint64_t bytes = 0;          ///< the segment's size: its commits and nothing after them
  std::uint64_t dropped_bytes = 0;  ///< of a torn tail, cut off by who sealed it
  Sha256 sha256;                    ///< of the segment
  bool operator==(const Seal&) const = default;
};

/// A manifest (docs/formats/parts.md), and what it changed about the parts that replace segments.
struct ManifestSeal {
  std::uint64_t number = 0;  ///< one more than the one before, or the same: more of its changes
  Sha256 sha256;             ///< of its file
  std::vector<Sha256> added;
  std::vector<Sha256> removed;
  bool operator==(const ManifestSeal&) const = default;
};

/// Reads `seals.jsonl`, and appends to it. Each line holds the hash of the line before it, so
/// whoever changes, removes or reorders one must rewrite all that follow, and the hash of the last
/// line stands for the whole chain.
///
/// Threads  One at a time. Any number of processes: the file has a lock.
class SealChain {
 public:
  /// A store without seals has an empty chain. Errors: kIo.
  [[nodiscard]] static Result<SealChain> read(const StoreDirectory& store);

  /// By segment.
  [[nodiscard]] const std::map<SegmentName, Seal>& seals() const { return seals_; }
  /// The last manifest's; nothing when there was none.
  [[nodiscard]] const std::optional<ManifestSeal>& manifest() const { return manifest_; }
  /// Those that were added and not removed.
  [[nodiscard]] const std::set<Sha256>& parts() const { return parts_; }
  /// The hashes of the lines, in order: the anchors that this chain can be held to.
  [[nodiscard]] const std::vector<Sha256>& anchors() const { return anchors_; }
  /// Lines that are none, or that do not follow from the line before.
  [[nodiscard]] const std::vector<Damage>& damage() const { return damage_; }

  /// What is after the last good line and no seal: left by a crash, or a seal that has changed.
  [[nodiscard]] std::optional<Damage> tail() const;

  /// Holds the chain's lock while it lives.
  class Appender;

 private:
  SealChain() = default;
  [[nodiscard]] Result<void> read_from(const File& file);
  void take(const Seal& seal) { seals_[seal.segment] = seal; }
  void take(const ManifestSeal& manifest);

  std::map<SegmentName, Seal> seals_;
  std::optional<ManifestSeal> manifest_;
  std::set<Sha256> parts_;
  std::vector<Sha256> anchors_;
  std::vector<Damage> damage_;
  std::vector<Damage> suspects_;  // lines that are none; damage unless nothing good follows
  std::uint64_t end_ = 0;         // of the last good line
  std::uint64_t size_ = 0;        // of what was read
  std::string doubtful_;          // the bytes before end_ that may be in memory alone
};

/// Seals segments and manifests. Waits for the chain's lock and has it as long as it lives.
class SealChain::Appender {
 public:
  /// Errors: kIo.
  [[nodiscard]] static Result<Appender> open(const StoreDirectory& store);

  [[nodiscard]] const SealChain& chain() const { return chain_; }

  /// Appends a seal and makes it durable. What a crash has left of an unfinished one goes first.
  /// Errors: kIo, kExhausted (no space); the next one to be opened mends what is left then.
  [[nodiscard]] Result<void> append(const Seal& seal);
  [[nodiscard]] Result<void> append(const ManifestSeal& manifest);

 private:
  template <class Sealed>
  [[nodiscard]] Result<void> append_line(const Sealed& sealed);

  Appender(SealChain chain, File file) : chain_(std::move(chain)), file_(std::move(file)) {}
  SealChain chain_;
  File file_;
};

}  // namespace weir::log
