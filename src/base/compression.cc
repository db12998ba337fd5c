#include "base/compression.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/file.h"

namespace weir {
namespace {

constexpr std::size_t kStep = std::size_t{1} << 16;
/// Of zlib's window: the largest, with the header and the checksum of gzip.
constexpr int kGzipWindow = MAX_WBITS + 16;
/// zlib's default. Lines of a log become a tenth at any level; lower ones save no more than half of
/// the time.
constexpr int kLevel = 6;

Bytef* to_zlib(const char* bytes) {
  // zlib only reads what next_in points to, but says so with a macro of its own.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes));  // NOLINT(*-const-cast)
}

/// Compresses what it is given, step by step, into a file.
class GzipWriter {
 public:
  explicit GzipWriter(File& out)
      : out_(out),
        buffer_(kStep, '\0'),
        is_ready_(deflateInit2(&stream_, kLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) ==
                  Z_OK) {}
  ~GzipWriter() {
    if (is_ready_) deflateEnd(&stream_);
  }
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  /// Not more than kStep bytes. An empty piece ends the file.
  [[nodiscard]] Result<void> add(std::string_view piece) {
    if (!is_ready_) return fail(ErrorCode::kExhausted, "gzip: no memory");
    stream_.next_in = to_zlib(piece.data());
    stream_.avail_in = static_cast<uInt>(piece.size());
    do {
      stream_.next_out = to_zlib(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      const int status = deflate(&stream_, piece.empty() ? Z_FINISH : Z_NO_FLUSH);
      WEIR_CHECK(status != Z_STREAM_ERROR);
      WEIR_TRY(out_.write(std::string_view(buffer_).substr(0, buffer_.size() - stream_.avail_out)));
    } while (stream_.avail_out == 0);
    return {};
  }

 private:
  File& out_;
  std::string buffer_;
  z_stream stream_{};
  bool is_ready_;
};

Result<void> gzip_into(const File& in, File& out) {
  GzipWriter writer(out);
  std::string piece(kStep, '\0');
  while (true) {
    WEIR_TRY(const auto got, in.read_next(piece.data(), piece.size()));
    WEIR_TRY(writer.add({piece.data(), got}));
    if (got == 0) return out.sync();
  }
}

/// inflate's state, ended wherever the function that reads is left.
struct Inflater {
  Inflater() : is_ready(inflateInit2(&stream, kGzipWindow) == Z_OK) {}
  ~Inflater() {
    if (is_ready) inflateEnd(&stream);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
  bool is_ready;
};

std::unexpected<Error> corrupt(std::string_view why) {
  return fail(ErrorCode::kCorrupt, "gzip: " + std::string(why));
}

}  // namespace

Result<void> gzip_file(const std::filesystem::path& from, const std::filesystem::path& to,
                       FileSystem& files) {
  WEIR_TRY(const auto in, File::open_to_read(from, files));
  const auto temporary = to.string() + ".new";
  files.unlink(temporary.c_str());  // what a crash has left
  WEIR_TRY(auto out, File::create(temporary, files));
  auto made = gzip_into(in, out);
  if (made) made = out.rename_to(to);
  if (!made) {
    files.unlink(temporary.c_str());
    return made;
  }
  const auto folder = to.parent_path();
  return sync_directory(folder.empty() ? "." : folder, files);
}

Result<std::string> gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return fail(ErrorCode::kExhausted, "gzip: no memory");
  }
  std::string out;
  std::string step(kStep, '\0');
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (stream.avail_in == 0) {
      const auto piece = bytes.substr(0, kStep);
      bytes.remove_prefix(piece.size());
      stream.next_in = to_zlib(piece.data());
      stream.avail_in = static_cast<uInt>(piece.size());
    }
    stream.next_out = to_zlib(step.data());
    stream.avail_out = static_cast<uInt>(step.size());
    status = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    WEIR_CHECK(status != Z_STREAM_ERROR);
    out.append(step, 0, step.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return out;
}

Result<std::string> gunzip(std::string_view bytes, std::size_t limit) {
  Inflater inflater;
  if (!inflater.is_ready) return fail(ErrorCode::kExhausted, "gzip: no memory");
  auto& stream = inflater.stream;
  std::string out;
  std::string step(kStep, '\0');
  int status = Z_OK;
  while (true) {
    if (stream.avail_in == 0) {
      const auto piece = bytes.substr(0, kStep);
      bytes.remove_prefix(piece.size());
      stream.next_in = to_zlib(piece.data());
      stream.avail_in = static_cast<uInt>(piece.size());
    }
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (inflateReset(&stream) != Z_OK) return corrupt("a second file cannot be read");
    }
    stream.next_out = to_zlib(step.data());
    stream.avail_out = static_cast<uInt>(step.size());
    const bool is_end_of_input = stream.avail_in == 0;
    status = inflate(&stream, Z_NO_FLUSH);
    const auto got = step.size() - stream.avail_out;
    if (got > limit - out.size()) {
      return fail(ErrorCode::kExhausted,
                  "gzip: more than the limit of " + std::to_string(limit) + " bytes");
    }
    out.append(step, 0, got);
    if (status == Z_STREAM_END) continue;
    if (status == Z_BUF_ERROR && is_end_of_input) return corrupt("the end is missing");
    if (status != Z_OK && status != Z_BUF_ERROR) {
      return corrupt(stream.msg == nullptr ? "not what gzip writes" : stream.msg);
    }
  }
}

}  // namespace weir
