#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/cache_key.h"

namespace weir::engine {

/// An output that a node had.
struct CacheEntry {
  std::string key;
  Timestamp created_at{};
  std::string run_id;  ///< whose node made it
  Sha256 output;       ///< the artifact
  KeyParts parts;

  bool operator==(const CacheEntry&) const = default;
};

/// Which node: of which tenant's which pipeline.
struct CachedNode {
  std::string_view tenant_id;
  std::string_view pipeline_id;
  std::string_view node_id;
};

/// Which outputs nodes had, on disk. What it says may be lost at any time, and nothing else is.
///
/// Format   docs/formats/output-cache.md, version 1.
/// Threads  Any, and any number of processes. Of two that add to one node at once, one may lose.
class OutputCache {
 public:
  static constexpr std::size_t kMaxEntries = 16;
  static constexpr std::size_t kMaxFileBytes = std::size_t{256} << 10;
  static constexpr std::size_t kMaxFilesInFolder = 1024;

  /// Makes what is missing. Errors: kIo, kExhausted.
  [[nodiscard]] static Result<OutputCache> open(const std::filesystem::path& folder,
                                                FileSystem& files = local_files());

  [[nodiscard]] const CacheHash& hash() const { return hash_; }

  /// The newest first; none when the node has no file. Errors: kCorrupt for a file that is not as
  /// it was written; kIo.
  [[nodiscard]] Result<std::vector<CacheEntry>> entries(const CachedNode& node) const;

  /// In the place of what has the same key, and of the oldest when there are too many. A file that
  /// cannot be read is replaced. Errors: kIo, kExhausted.
  [[nodiscard]] Result<void> add(const CachedNode& node, CacheEntry entry) const;

 private:
  OutputCache(std::filesystem::path folder, std::string secret, FileSystem& files)
      : folder_(std::move(folder)), hash_(std::move(secret)), files_(&files) {}
  [[nodiscard]] std::filesystem::path path_of(const CachedNode& node) const;
  [[nodiscard]] std::string text_of(const CachedNode& node,
                                    const std::vector<CacheEntry>& entries) const;
  void make_room(const std::filesystem::path& folder) const;

  std::filesystem::path folder_;
  CacheHash hash_;
  FileSystem* files_;
};

}  // namespace weir::engine
