#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "log/log_writer.h"
#include "log/sealing.h"
#include "log/store_directory.h"

namespace weir::record {

/// Seals the store's finished segments in the background: those that it finds, and later those that
/// the writer has finished. What cannot be sealed now, the next who opens the store will seal.
///
/// Threads  One of its own, joined by the destructor, which seals once more before it returns.
class Sealer {
 public:
  /// `on_salvage` is called on its thread.
  Sealer(log::StoreDirectory store, std::function<void(const log::Salvage&)> on_salvage);
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  /// There are segments to seal, these among them.
  void wake(const std::vector<log::FinishedSegment>& finished = {});

 private:
  void run();
  void wait_for_calm(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool is_finished(const log::SegmentName& name, std::uint64_t bytes);

  const log::StoreDirectory store_;
  const std::function<void(const log::Salvage&)> on_salvage_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = true;                                  // guarded by mutex_
  std::map<log::SegmentName, std::uint64_t> finished_;  // sizes; guarded by mutex_
  bool stopping_ = false;                               // guarded by mutex_
  std::thread thread_;
};

}  // namespace weir::record
