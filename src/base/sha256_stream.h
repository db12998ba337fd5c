#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string_view>

#include "base/hash.h"

/// Internal to base: who includes it has OpenSSL's types.
namespace weir {

/// SHA-256 of bytes that come one after the other.
class Sha256Stream {
 public:
  Sha256Stream() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    // EVP_sha256() would be looked up by name each time, which takes longer than to hash an id.
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    WEIR_CHECK(EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1);
  }
  void add(std::string_view bytes) {
    WEIR_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  [[nodiscard]] Sha256 finish() {
    Sha256 hash;
    WEIR_CHECK(EVP_DigestFinal_ex(context_.get(), hash.bytes.data(), nullptr) == 1);
    return hash;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace weir
