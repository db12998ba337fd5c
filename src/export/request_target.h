#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

using CURLU = struct Curl_URL;

namespace weir::exporting {

/// Where a request goes, and what about it must not be repeated in errors.
class RequestTarget {
 public:
  /// http and https only. Errors: kInvalidInput, without anything of the URL in it.
  [[nodiscard]] static Result<RequestTarget> parse(const std::string& url);

  /// Scheme, host and port.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// libcurl's form of the URL, which this object keeps.
  [[nodiscard]] CURLU* handle() const { return url_.get(); }

  /// Besides user, password, path and query, which are secrets already. Of "Bearer x", `x` is one
  /// too. What has less than kMinSecretBytes hides nothing.
  void add_secret(std::string_view secret);
  /// `text` with `***` for each secret.
  [[nodiscard]] std::string mask(std::string_view text) const;

  static constexpr std::size_t kMinSecretBytes = 4;

 private:
  struct Free {
    void operator()(CURLU* url) const;
  };
  RequestTarget() = default;
  void add_part(int part);

  std::unique_ptr<CURLU, Free> url_;
  std::string name_;
  std::vector<std::string> secrets_;  // the longest first
};

}  // namespace weir::exporting
