#include "export/http_post.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "base/utf8.h"
#include "export/request_target.h"

namespace weir::exporting {
namespace {

using Transfer = std::unique_ptr<CURL, decltype([](CURL* handle) { curl_easy_cleanup(handle); })>;
using Transfers =
    std::unique_ptr<CURLM, decltype([](CURLM* handle) { curl_multi_cleanup(handle); })>;
using HeaderLines =
    std::unique_ptr<curl_slist, decltype([](curl_slist* list) { curl_slist_free_all(list); })>;

/// Kept of an answer, to be quoted: more than kMaxQuotedBytes, as secrets are taken out of it.
constexpr std::size_t kMaxKeptBytes = std::size_t{4} << 10;

/// Once in the process, whoever is first; libcurl may then be used by many threads.
bool is_curl_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

bool is_success(long status) { return status >= 200 && status < 300; }

long status_of(CURL* transfer) {
  long status = 0;
  curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

/// What came back.
struct Answer {
  CURL* transfer = nullptr;
  const std::function<bool(std::string_view)>& on_answer;
  std::string text;  ///< the first kMaxKeptBytes
  std::size_t text_bytes = 0;
  std::size_t header_bytes = 0;
  bool has_enough = false;  ///< the rest of the text is of no interest
  std::array<char, CURL_ERROR_SIZE> problem{};
};

std::size_t take_text(char* bytes, std::size_t, std::size_t size, void* to) {
  auto* answer = static_cast<Answer*>(to);
  if (answer->on_answer && is_success(status_of(answer->transfer))) {
    answer->has_enough = !answer->on_answer({bytes, size});
    return answer->has_enough ? 0 : size;
  }
  answer->text.append(bytes, std::min(size, kMaxKeptBytes - answer->text.size()));
  answer->text_bytes += size;
  answer->has_enough = answer->text_bytes > kMaxResponseBytes;
  return answer->has_enough ? 0 : size;  // anything but `size` ends the transfer
}

std::size_t take_header(char*, std::size_t, std::size_t size, void* to) {
  auto* answer = static_cast<Answer*>(to);
  answer->header_bytes += size;
  return answer->header_bytes > kMaxResponseHeaderBytes ? 0 : size;
}

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

bool is_value_character(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

/// RFC 9110 §5.5 and §5.6.2: nothing in a name or a value can begin another header.
Result<HeaderLines> header_lines(const record::HttpHeaders& headers) {
  std::vector<std::string> lines = {"Expect:"};  // without one: do not ask before a long body
  for (const auto& [name, value] : headers) {
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_character)) {
      return fail(ErrorCode::kInvalidInput,
                  "header '" + text::printable(name) + "': not a header's name");
    }
    if (!std::all_of(value.begin(), value.end(), is_value_character)) {
      return fail(ErrorCode::kInvalidInput, "header '" + name + "': a bad character in its value");
    }
    auto& line = lines.emplace_back(name);
    if (value.empty()) {
      line += ';';  // libcurl's form of an empty one
    } else {
      line.append(": ").append(value);
    }
  }
  HeaderLines list;
  for (const auto& line : lines) {
    auto* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) return fail(ErrorCode::kExhausted, "no memory for a request");
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

struct Request {
  const HttpPostOptions& options;
  const RequestTarget& target;
  std::string_view body;
  curl_slist* headers;
};

/// Sets everything that libcurl's defaults leave open.
bool configure(CURL* transfer, const Request& request, Answer& answer) {
  bool good = true;
  const auto set = [&](CURLoption option, auto value) {
    good = good && curl_easy_setopt(transfer, option, value) == CURLE_OK;
  };
  set(CURLOPT_CURLU, request.target.handle());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_POST, 1L);
  // Without a pointer it would read standard input.
  set(CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  set(CURLOPT_HTTPHEADER, request.headers);
  set(CURLOPT_USERAGENT, "weir");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");  // none, also if the environment names one
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));

  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  const auto& authorities = request.options.authorities.native();
  if (!authorities.empty()) set(CURLOPT_CAINFO, authorities.c_str());

  // 0 would be no limit.
  const auto limit = [](std::chrono::milliseconds time) {
    return static_cast<long>(std::max<std::int64_t>(time.count(), 1));
  };
  set(CURLOPT_CONNECTTIMEOUT_MS, limit(request.options.connect_timeout));
  set(CURLOPT_TIMEOUT_MS, limit(request.options.timeout));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // do not wait for a name that is still being looked up

  set(CURLOPT_WRITEFUNCTION, &take_text);
  set(CURLOPT_WRITEDATA, &answer);
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, &answer);
  set(CURLOPT_ERRORBUFFER, answer.problem.data());
  return good;
}

/// libcurl's word on the transfer; nothing when it was asked to stop.
std::optional<CURLcode> run(CURL* transfer, const std::stop_token& stop) {
  const Transfers transfers(curl_multi_init());
  if (!transfers || curl_multi_add_handle(transfers.get(), transfer) != CURLM_OK) {
    return CURLE_OUT_OF_MEMORY;
  }
  std::optional<CURLcode> result;
  {
    const std::stop_callback wake(stop, [&] { curl_multi_wakeup(transfers.get()); });
    while (!result && !stop.stop_requested()) {
      int running = 0;
      int waiting = 0;
      if (curl_multi_perform(transfers.get(), &running) != CURLM_OK) result = CURLE_OUT_OF_MEMORY;
      if (const auto* message = curl_multi_info_read(transfers.get(), &waiting)) {
        result = message->data.result;
      }
      if (!result) curl_multi_poll(transfers.get(), nullptr, 0, 1000, nullptr);
    }
  }
  curl_multi_remove_handle(transfers.get(), transfer);
  return result;
}

/// What the receiver or libcurl said, fit for an error.
std::string quote(const RequestTarget& target, std::string_view text) {
  const auto masked = text::printable(target.mask(text));
  return std::string(utf8::cut(masked, kMaxQuotedBytes));
}

HttpAnswer answer_of(const RequestTarget& target, CURL* transfer, const Answer& answer) {
  HttpAnswer read{.status = status_of(transfer), .text = quote(target, answer.text)};
  curl_off_t seconds = 0;
  if (curl_easy_getinfo(transfer, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0) {
    read.retry_after = std::chrono::seconds(seconds);
  }
  return read;
}

Result<HttpAnswer> exchange(const HttpPostOptions& options, const RequestTarget& target,
                            std::string_view body, const record::HttpHeaders& headers,
                            const std::stop_token& stop) {
  WEIR_TRY(const auto lines, header_lines(headers));
  const Transfer transfer(is_curl_ready() ? curl_easy_init() : nullptr);
  Answer answer{.transfer = transfer.get(), .on_answer = options.on_answer};
  const Request request{.options = options, .target = target, .body = body, .headers = lines.get()};
  if (!transfer || !configure(transfer.get(), request, answer)) {
    return fail(ErrorCode::kUnavailable, "libcurl does not do what is needed");
  }
  const auto result = run(transfer.get(), stop);
  if (!result) return fail(ErrorCode::kCancelled, "asked to stop");
  if (*result != CURLE_OK && !answer.has_enough) {
    const std::string_view said = answer.problem.data();
    return fail(ErrorCode::kUnavailable,
                quote(target, said.empty() ? curl_easy_strerror(*result) : said));
  }
  return answer_of(target, transfer.get(), answer);
}

Result<void> judge(const HttpAnswer& answer) {
  if (answer.is_success()) return {};
  auto message = "status " + std::to_string(answer.status);
  if (answer.status >= 300 && answer.status < 400) message += ", and redirects are not followed";
  if (!answer.text.empty()) message += ": " + answer.text;
  return fail(ErrorCode::kUnavailable, std::move(message));
}

/// The URL's, with what an error must not say of it and of the headers.
Result<RequestTarget> target_of(const std::string& url, const record::HttpHeaders& headers) {
  WEIR_TRY(auto target, RequestTarget::parse(url));
  for (const auto& [name, value] : headers) target.add_secret(value);
  return target;
}

}  // namespace

Result<HttpAnswer> http_exchange(const HttpPostOptions& options, const std::string& url,
                                 std::string_view body, const record::HttpHeaders& headers,
                                 const std::stop_token& stop) {
  WEIR_TRY(const auto target, target_of(url, headers));
  std::string text;
  auto reading = options;
  reading.on_answer = [&text](std::string_view piece) {
    text.append(piece.substr(0, kMaxAnswerBytes - text.size()));
    return text.size() < kMaxAnswerBytes;
  };
  auto answer = exchange(reading, target, body, headers, stop);
  if (!answer) {
    return std::unexpected(std::move(answer).error().within("POST " + target.name()));
  }
  if (answer->is_success()) answer->text = std::move(text);
  return answer;
}

record::Post http_post(HttpPostOptions options) {
  return [options = std::move(options)](const std::string& url, std::string_view body,
                                        const record::HttpHeaders& headers,
                                        const std::stop_token& stop) -> Result<void> {
    WEIR_TRY(const auto target, target_of(url, headers));
    const auto answer = exchange(options, target, body, headers, stop);
    auto posted = answer ? judge(*answer) : std::unexpected(answer.error());
    if (posted) return {};
    return std::unexpected(std::move(posted).error().within("POST " + target.name()));
  };
}

}  // namespace weir::exporting
