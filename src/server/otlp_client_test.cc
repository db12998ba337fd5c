#include "server/otlp_client.h"

#include <gmock/gmock.h>

namespace weir::server {
namespace {

using testing::HasSubstr;

Result<exporting::SendRequest> with_header(std::string name, std::string value) {
  return otlp_over_grpc(
      {.endpoint = "http://127.0.0.1:1", .headers = {{std::move(name), std::move(value)}}});
}

// gRPC ends the process over each of them.
TEST(OtlpOverGrpc, RefusesHeadersThatGrpcDoesNotTake) {
  for (const std::string name : {"", "a b", "a:b", "a\nb", "\xC3\xA4", "grpc-timeout", "Grpc-X"}) {
    const auto send = with_header(name, "value");
    ASSERT_FALSE(send) << name;
    EXPECT_EQ(send.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(send.error().message, HasSubstr("header '"));
  }
  for (const std::string value : {"a\nb", "\x7F", "\xC3\xA4"}) {
    const auto send = with_header("X-Key", value);
    ASSERT_FALSE(send) << value;
    EXPECT_THAT(send.error().message, HasSubstr("header 'x-key'"));
  }
}

TEST(OtlpOverGrpc, TakesNamesInAnyCaseAndBytesWhereTheNameSaysSo) {
  EXPECT_TRUE(with_header("Authorization", "Bearer a~b"));
  EXPECT_TRUE(with_header("x-trace-bin", "\x01\xFF"));
}

}  // namespace
}  // namespace weir::server
