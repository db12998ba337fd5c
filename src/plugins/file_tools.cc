#include "base/file.h"
#include "base/id.h"
#include "base/utf8.h"
#include "plugins/failure.h"
#include "plugins/plugins.h"

namespace weir::plugins {
namespace {

namespace fs = std::filesystem;
using Kind = tool::Setting::Kind;
using Outcome = std::expected<tool::Output, tool::Failure>;

/// What is read becomes a part of the payload, which has a limit itself.
constexpr std::uint64_t kMaxRead = std::uint64_t{4} << 20;
/// More names are nothing for a payload.
constexpr std::size_t kMaxListed = 10'000;

fs::path path_of(const tool::Call& call, std::string_view name) {
  return (call.folder / setting(call, name)).lexically_normal();
}

std::unexpected<tool::Failure> file_failure(const tool::Call& call, const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return failure(call, "FileNotFound", error.message);
    case ErrorCode::kExhausted:
      return failure(call, "FileTooLarge", error.message);
    default:
      return failure(call, "FileError", error.message);
  }
}

Outcome read(const tool::Call& call) {
  auto text = read_file(path_of(call, "path"), kMaxRead);
  if (!text) return file_failure(call, text.error());
  if (const auto invalid = utf8::first_invalid(*text)) {
    return failure(
        call, "FileNotUtf8",
        path_of(call, "path").string() + " is not UTF-8 at byte " + std::to_string(*invalid));
  }
  const auto name = setting(call, "as");
  tool::Output output;
  output.usage.read_bytes = static_cast<std::int64_t>(text->size());
  output.payload.set(name.empty() ? "content" : name, *std::move(text));
  return output;
}

Outcome write(const tool::Call& call) {
  const auto path = path_of(call, "path");
  const auto& content = *call.with.find("content");
  const auto bytes =
      content.string() != nullptr ? *content.string() : json::to_text(content) + "\n";
  auto written = make_directories(path.parent_path());
  if (written) written = write_file_durably(path, bytes);
  if (!written) return file_failure(call, written.error());
  tool::Output output;
  output.usage.written_bytes = static_cast<std::int64_t>(bytes.size());
  output.payload.set("path", path.string());
  output.payload.set("size_bytes", static_cast<std::int64_t>(bytes.size()));
  return output;
}

Outcome list(const tool::Call& call) {
  const auto path = path_of(call, "path");
  const auto names = list_directory(path);
  if (!names) return file_failure(call, names.error());
  if (names->size() > kMaxListed) {
    return failure(call, "TooManyFiles",
                   path.string() + " has " + std::to_string(names->size()) +
                       " files, the limit is " + std::to_string(kMaxListed));
  }
  json::Array files;
  for (const auto& name : *names) {
    std::error_code ignored;
    const auto status = fs::symlink_status(path / name, ignored);
    json::Object file;
    file.set("name", name);
    file.set("type", fs::is_directory(status)      ? "folder"
                     : fs::is_regular_file(status) ? "file"
                                                   : "other");
    if (fs::is_regular_file(status)) file.set("size_bytes", fs::file_size(path / name, ignored));
    files.emplace_back(std::move(file));
  }
  tool::Output output;
  output.payload.set("files", std::move(files));
  return output;
}

/// Beside its last place, so that there is never half a file.
Result<std::uint64_t> copy_durably(const fs::path& from, const fs::path& to) {
  WEIR_TRY(make_directories(to.parent_path()));
  auto beside = to;
  beside += ".new-" + std::to_string(random_bits());
  std::error_code error, ignored;
  if (!fs::is_regular_file(from, ignored)) {
    return fail(ErrorCode::kNotFound, from.string() + ": there is no such file");
  }
  fs::copy_file(from, beside, error);
  const auto place = [&]() -> Result<std::uint64_t> {
    if (error) return fail(ErrorCode::kIo, "copy " + from.string() + ": " + error.message());
    WEIR_TRY(auto file, File::open_to_change(beside));
    WEIR_TRY(const auto size, file.size());
    WEIR_TRY(file.sync());
    WEIR_TRY(file.rename_to(to));
    WEIR_TRY(sync_directory(to.parent_path()));
    return size;
  }();
  if (!place) fs::remove(beside, ignored);
  return place;
}

Outcome copy(const tool::Call& call) {
  const auto to = path_of(call, "to");
  const auto size = copy_durably(path_of(call, "from"), to);
  if (!size) return file_failure(call, size.error());
  tool::Output output;
  output.payload.set("path", to.string());
  output.payload.set("size_bytes", *size);
  output.usage.read_bytes = output.usage.written_bytes = static_cast<std::int64_t>(*size);
  return output;
}

tool::Setting path(std::string name, std::string doc) {
  return {.name = std::move(name), .kind = Kind::kString, .required = true, .doc = std::move(doc)};
}

/// `output`: what it gives, and `failures`: how it fails, in Markdown.
tool::ToolSpec spec_of(std::string tool_id, std::vector<tool::Setting> settings, std::string about,
                       const std::string& output, const std::string& failures) {
  return {.plugin_id = "file",
          .tool_id = std::move(tool_id),
          .settings = std::move(settings),
          .about = std::move(about),
          .notes = "- **Output:** " + output + "\n- **Failures:** " + failures +
                   ".\n\nA relative path begins in the folder of the pipeline file.\n",
          .measures_cpu = true};
}

}  // namespace

void add_file_tools(tool::Registry& registry) {
  registry.add(make_tool(spec_of("read",
                                 {path("path", "the file: UTF-8, at most 4 MiB"),
                                  {.name = "as",
                                   .kind = Kind::kString,
                                   .doc = "what the text is called in the output",
                                   .fallback = "`content`"}},
                                 "Reads a text file.", "`{<as>: the text}`.",
                                 "`FileNotFound`, `FileTooLarge`, `FileNotUtf8`, `FileError`"),
                         &read));
  registry.add(
      make_tool(spec_of("write",
                        {path("path", "the file; folders on the way are made"),
                         {.name = "content",
                          .kind = Kind::kAny,
                          .required = true,
                          .doc = "a string as it is, anything else as JSON"}},
                        "Writes a file. After a crash there is the old one or the new one.",
                        "`{path, size_bytes}`.", "`FileError`"),
                &write));
  registry.add(
      make_tool(spec_of("list", {path("path", "the folder, of at most 10 000 names")},
                        "Lists what is in a folder.",
                        "`{files: [{name, type, size_bytes}]}`, by name. `type` is `file`, "
                        "`folder` or `other`;\n  files alone have a size.",
                        "`FileNotFound`, `TooManyFiles`, `FileError`"),
                &list));
  registry.add(make_tool(
      spec_of("copy",
              {path("from", "the file"), path("to", "its copy; folders on the way are made")},
              "Copies a file. After a crash there is the old copy or the new one.",
              "`{path, size_bytes}`.", "`FileNotFound`, `FileError`"),
      &copy));
}

}  // namespace weir::plugins
