#include "log/reserve.h"

#include <fcntl.h>

namespace weir::log {
namespace {

std::filesystem::path reserve_of(const StoreDirectory& store) { return store.root() / "reserve"; }

}  // namespace

void make_reserve(const StoreDirectory& store) {
  const auto path = reserve_of(store);
  auto& files = store.files();
  if (files.exists(path.c_str())) return;
  const int file = files.open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL);
  if (file < 0) return;
  const bool has_room = files.fallocate(file, 0, kReserveBytes) == 0;
  files.close(file);
  if (!has_room) files.unlink(path.c_str());
}

bool give_up_reserve(const StoreDirectory& store) {
  return store.files().unlink(reserve_of(store).c_str()) == 0;
}

}  // namespace weir::log
