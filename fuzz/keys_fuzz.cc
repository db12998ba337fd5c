// keys.json: whatever is in it, who may come in is told by whole keys alone, and what is read is
// written as it was.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "server/keys.h"

namespace weir::server {
namespace {

/// A store in memory, for as long as the process.
class Folder {
 public:
  Folder()
      : path_("/dev/shm/weir-keys-fuzz-" + std::to_string(::getpid())),
        store_(log::StoreDirectory::create(path_)) {
    WEIR_CHECK(store_.has_value());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  [[nodiscard]] const log::StoreDirectory& store() const { return *store_; }

 private:
  std::filesystem::path path_;
  Result<log::StoreDirectory> store_;
};

void check(std::string_view bytes) {
  static const Folder folder;
  const auto path = folder.store().root() / "keys.json";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  Keys keys(folder.store());
  const auto list = keys.list();
  if (!list) return WEIR_CHECK(list.error().code == ErrorCode::kCorrupt);
  for (const auto& key : *list) {
    WEIR_CHECK(key.scopes != 0 && parse_scopes(scopes_text(key.scopes)) == key.scopes);
  }
  // Making one more writes all of them.
  const auto now = Timestamp(std::chrono::seconds(1'760'000'000));
  const auto made = keys.create({.name = "one-more", .tenant_id = "t"}, now);
  if (!made) return;
  const auto more = keys.list();
  WEIR_CHECK(more && more->size() == list->size() + 1);
  for (std::size_t i = 0; i < list->size(); ++i) {
    WEIR_CHECK((*more)[i].id == (*list)[i].id && (*more)[i].secret == (*list)[i].secret);
    WEIR_CHECK((*more)[i].revoked_at.has_value() == (*list)[i].revoked_at.has_value());
    WEIR_CHECK((*more)[i].expires_at.has_value() == (*list)[i].expires_at.has_value());
  }
}

}  // namespace
}  // namespace weir::server

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::server::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
