#include "export/request_target.h"

#include <curl/curl.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace weir::exporting {
namespace {

std::optional<std::string> part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  const std::unique_ptr<char, decltype([](char* owned) { curl_free(owned); })> owner(text);
  return std::string(text);
}

}  // namespace

void RequestTarget::Free::operator()(CURLU* url) const { curl_url_cleanup(url); }

Result<RequestTarget> RequestTarget::parse(const std::string& url) {
  RequestTarget target;
  target.url_.reset(curl_url());
  auto* handle = target.url_.get();
  const auto refuse = [](std::string_view why) {
    return fail(ErrorCode::kInvalidInput, "the URL " + std::string(why));
  };
  if (handle == nullptr || curl_url_set(handle, CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return refuse("cannot be read; it should look like https://host/path");
  }
  const auto scheme = part_of(handle, CURLUPART_SCHEME).value_or("");
  if (scheme != "http" && scheme != "https") return refuse("must begin with https:// or http://");
  target.name_ = scheme + "://" + text::printable(part_of(handle, CURLUPART_HOST).value_or(""));
  if (const auto port = part_of(handle, CURLUPART_PORT)) target.name_ += ":" + *port;

  for (const auto part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_PATH, CURLUPART_QUERY}) {
    target.add_part(part);
  }
  const auto user = part_of(handle, CURLUPART_USER, CURLU_URLDECODE);
  const auto password = part_of(handle, CURLUPART_PASSWORD, CURLU_URLDECODE);
  if (user) target.add_secret(text::base64(*user + ":" + password.value_or("")));
  return target;
}

/// A part of the URL as it was written and as it was meant, whole and in its pieces.
void RequestTarget::add_part(int part) {
  for (const unsigned flags : {0U, static_cast<unsigned>(CURLU_URLDECODE)}) {
    const auto text = part_of(url_.get(), static_cast<CURLUPart>(part), flags);
    if (!text) continue;
    add_secret(*text);
    for (std::size_t begin = 0; begin < text->size();) {
      const auto end = std::min(text->find_first_of("/&=", begin), text->size());
      add_secret(std::string_view(*text).substr(begin, end - begin));
      begin = end + 1;
    }
  }
}

void RequestTarget::add_secret(std::string_view secret) {
  if (secret.size() < kMinSecretBytes) return;
  const auto is_longer = [](const std::string& a, const std::string& b) {
    return a.size() > b.size();
  };
  const std::string kept(secret);
  secrets_.insert(std::upper_bound(secrets_.begin(), secrets_.end(), kept, is_longer), kept);
  if (const auto space = secret.find(' '); space != std::string_view::npos) {
    add_secret(secret.substr(space + 1));
  }
}

std::string RequestTarget::mask(std::string_view text) const {
  std::string masked;
  while (!text.empty()) {
    const auto found = std::find_if(secrets_.begin(), secrets_.end(),
                                    [&](const auto& secret) { return text.starts_with(secret); });
    if (found == secrets_.end()) {
      masked += text[0];
      text.remove_prefix(1);
    } else {
      masked += "***";
      text.remove_prefix(found->size());
    }
  }
  return masked;
}

}  // namespace weir::exporting
