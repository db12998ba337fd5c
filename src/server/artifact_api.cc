#include <memory>
#include <vector>

#include "artifact/artifact_store.h"
#include "base/file.h"
#include "base/hash.h"
#include "server/api.h"
#include "store/database.h"

/// What runs wrote, by its SHA-256: to those alone who may see a run that wrote it.
namespace weir::server {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;

/// Whether a run that the caller may see has it: what it wrote, what went into it or came out of
/// it. Of runs that Weir has run: of others anybody may have told the hash of what is not his.
std::string question_of(const std::string& hash) {
  const auto text = store::sql_string(hash);
  return "SELECT 1 FROM events WHERE pipeline_type != 'external' AND (artifact_sha256 = " + text +
         " OR output_sha256 = " + text + " OR input_sha256 = " + text +
         " OR definition_sha256 = " + text + ") LIMIT 1";
}

/// Reads the file as fast as the client takes it. It is whole, or not there: nobody changes it.
asio::awaitable<bool> write_file(std::shared_ptr<File> file, const PieceWriter& write) {
  std::string piece(kPiece, '\0');
  while (true) {
    const auto size = file->read_next(piece.data(), piece.size());
    if (!size || *size == 0) co_return size.has_value();
    const bool goes_on = co_await write(std::string_view(piece).substr(0, *size));
    if (!goes_on) co_return false;
  }
}

Response answer(const Api& api, const Request& request, const Caller& caller) {
  const auto& hash = request.segments[0];
  const auto parsed = Sha256::parse(hash);
  auto nothing = problem(404, "there is no artifact " + hash);
  if (!parsed) return nothing;
  const auto seen = ask_store(api, caller, question_of(hash), 1);
  if (!seen) return problem(seen.error());
  if (seen->rows.empty()) return nothing;
  const artifact::ArtifactStore artifacts(api.store.artifacts());
  auto opened = File::open_to_read(artifacts.path_of(*parsed));
  if (!opened)
    return opened.error().code == ErrorCode::kNotFound ? nothing : problem(opened.error());
  const auto file = std::make_shared<File>(*std::move(opened));
  const auto size = file->size();
  if (!size) return problem(size.error());
  return {.content_type = "application/octet-stream",
          // It is data of somebody else, and no page of ours.
          .headers = {{"ETag", '"' + hash + '"'},
                      {"Cache-Control", "private, immutable, max-age=31536000"},
                      {"Content-Disposition", "attachment"},
                      {"X-Content-Type-Options", "nosniff"}},
          .pieces = [file](const PieceWriter& write) { return write_file(file, write); },
          .size = *size};
}

}  // namespace

std::vector<Route> artifact_routes(const Api& api) {
  return {{.method = http::verb::get,
           .path = "/api/v1/artifacts/{sha256}",
           .scope = Scope::kRead,
           .summary = "Read what a run wrote",
           .parameters = {{"sha256", "path", "string", "of the content"}},
           .gives = "application/octet-stream",
           .answer = [&api](Request& request, const Caller& caller) -> asio::awaitable<Response> {
             std::function<Response()> work = [&] { return answer(api, request, caller); };
             co_return co_await on_workers(api.workers, std::move(work));
           }}};
}

}  // namespace weir::server
