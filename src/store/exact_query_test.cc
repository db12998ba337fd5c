#include "store/exact_query.h"

#include <gtest/gtest.h>

namespace weir::store {
namespace {

TEST(ParquetType, ReplacesTypesWhereverTheyAre) {
  EXPECT_EQ(parquet_type("INTEGER"), "INTEGER");
  EXPECT_EQ(parquet_type("HUGEINT"), "DECIMAL(38, 0)");
  EXPECT_EQ(parquet_type("UHUGEINT[]"), "DECIMAL(38, 0)[]");
  EXPECT_EQ(parquet_type("HUGEINT[2][]"), "DECIMAL(38, 0)[2][]");
  EXPECT_EQ(parquet_type("MAP(HUGEINT, STRUCT(a UHUGEINT, b BIGINT)[])"),
            "MAP(DECIMAL(38, 0), STRUCT(a DECIMAL(38, 0), b BIGINT)[])");
  EXPECT_EQ(parquet_type("STRUCT(t TIME WITH TIME ZONE, u TIMESTAMP WITH TIME ZONE)"),
            "STRUCT(t VARCHAR, u TIMESTAMP WITH TIME ZONE)");
  EXPECT_EQ(parquet_type("TIMESTAMP_S"), "TIMESTAMP");
  EXPECT_EQ(parquet_type("TIMESTAMP_NS"), "TIMESTAMP_NS");
}

TEST(ParquetType, LeavesNamesAndValuesThatLookLikeTypes) {
  EXPECT_EQ(parquet_type("STRUCT(HUGEINT HUGEINT)"), "STRUCT(HUGEINT DECIMAL(38, 0))");
  EXPECT_EQ(parquet_type("STRUCT(my_HUGEINT INTEGER)"), "STRUCT(my_HUGEINT INTEGER)");
  for (const auto* type :
       {R"(STRUCT("a HUGEINT, ""HUGEINT, " INTEGER))",
        "ENUM('HUGEINT', 'it''s, HUGEINT)', 'UNION(')", "STRUCT(UNION INTEGER)"}) {
    EXPECT_EQ(parquet_type(type), type);
  }
}

TEST(ParquetType, RefusesWhatHasNone) {
  EXPECT_EQ(parquet_type("UNION(a INTEGER)[]").error().message,
            "Parquet cannot hold a UNION: CAST it to VARCHAR");
  EXPECT_FALSE(parquet_type("STRUCT(a VARIANT)"));
}

TEST(ParquetType, TakesAnyText) {
  EXPECT_EQ(parquet_type(""), "");
  EXPECT_EQ(parquet_type("STRUCT(\"a"), "STRUCT(\"a");
}

}  // namespace
}  // namespace weir::store
