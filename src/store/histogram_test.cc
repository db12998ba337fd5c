#include "store/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "store/histogram_functions.h"

namespace weir::store {
namespace {

using testing::DoubleNear;

constexpr double kShares[] = {0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1};

/// The value with floor(q * (n - 1)) smaller ones before it.
double exact_quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

void expect_within_one_percent(Histogram& histogram, const std::vector<double>& values) {
  for (const auto q : kShares) {
    const auto exact = exact_quantile(values, q);
    const auto found = quantile(histogram.buckets(), q);
    ASSERT_TRUE(found);
    EXPECT_THAT(*found, DoubleNear(exact, 0.01 * exact + 1e-6)) << "of share " << q;
  }
}

TEST(Histogram, GivesQuantilesOfSkewedValuesWithinOnePercent) {
  std::mt19937_64 chance(1);
  std::lognormal_distribution<double> durations(3.5, 2.5);
  std::vector<double> values;
  Histogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(i % 10 == 0 ? 0 : durations(chance));
    histogram.add(values.back());
  }
  expect_within_one_percent(histogram, values);
}

TEST(Histogram, MergedIsExactlyThatOfAllValues) {
  std::mt19937_64 chance(2);
  std::lognormal_distribution<double> durations(1, 3);
  Histogram whole, merged;
  std::vector<double> values;
  for (int part = 0; part < 50; ++part) {
    Histogram one;
    for (int i = 0; i < 37 * part; ++i) {
      values.push_back(durations(chance));
      whole.add(values.back());
      one.add(values.back());
    }
    merged.add(one);
  }
  EXPECT_TRUE(std::ranges::equal(merged.buckets(), whole.buckets()));
  expect_within_one_percent(merged, values);
}

TEST(Histogram, StandsForEveryValueWithinOnePercent) {
  for (double value = 2e-6; value < 1e12; value *= 1.0037) {
    const auto stands = Histogram::value_of(Histogram::bucket_of(value));
    EXPECT_LE(std::abs(stands - value), 0.01 * value * (1 + 1e-9)) << value;
  }
}

TEST(Histogram, HasAPlaceForEveryNumber) {
  EXPECT_EQ(Histogram::bucket_of(0), Histogram::kZeroBucket);
  EXPECT_EQ(Histogram::bucket_of(-5), Histogram::kZeroBucket);
  EXPECT_EQ(Histogram::bucket_of(std::nan("")), Histogram::kZeroBucket);
  EXPECT_EQ(Histogram::bucket_of(INFINITY), Histogram::bucket_of(1e12));
  EXPECT_EQ(Histogram::bucket_of(1), 0);
  EXPECT_EQ(Histogram::value_of(Histogram::kZeroBucket), 0);
  EXPECT_EQ(quantile({}, 0.5), std::nullopt);
}

/// The first value of a query's first row.
json::Value value_of(Connection& connection, const std::string& sql) {
  auto rows = connection.query(sql);
  EXPECT_TRUE(rows) << rows.error().message;
  const auto* row = rows ? rows->next() : nullptr;
  return row == nullptr ? json::Value() : row->at(0);
}

class HistogramFunctionsTest : public testing::Test {
 protected:
  HistogramFunctionsTest() { EXPECT_TRUE(add_histogram_functions(connection_)); }

  const Database database_ = *Database::open_in_memory();
  Connection connection_ = *database_.connect();
};

TEST_F(HistogramFunctionsTest, CountMergeAndRead) {
  const auto text = [&](const std::string& sql) {
    return json::to_text(value_of(connection_, sql));
  };
  EXPECT_EQ(text("SELECT weir_histogram(x)::VARCHAR FROM (VALUES (1.0), (NULL), (0), (1)) AS v(x)"),
            R"("{-1000=1, 0=2}")");
  EXPECT_EQ(text("SELECT weir_histogram(x) FROM (VALUES (NULL::DOUBLE)) AS v(x)"), "null");
  EXPECT_EQ(text("SELECT weir_merge(h)::VARCHAR FROM "
                 "(VALUES (MAP {1: 2}), (NULL), (MAP {-4: 1, 1: 5})) AS v(h)"),
            R"("{-4=1, 1=7}")");
  EXPECT_EQ(text("SELECT weir_merge(NULL::MAP(INTEGER, BIGINT))"), "null");
  EXPECT_EQ(text("SELECT weir_quantile(NULL, 0.5)"), "null");
  EXPECT_EQ(text("SELECT weir_quantile(MAP {}, 0.5)"), "null");
  EXPECT_EQ(text("SELECT weir_quantile(MAP {-1000: 5}, 0.5)"), "0.0");
  // From outside, in whatever order and with whatever counts.
  EXPECT_EQ(text("SELECT round(weir_quantile(MAP {100: 1, 0: 9, 7: -5}, 0.5), 1)"), "1.0");
}

TEST_F(HistogramFunctionsTest, AgreeWithDuckDBOverManyGroupsAndThreads) {
  ASSERT_TRUE(
      connection_.execute("CREATE TABLE v AS SELECT range % 97 AS g, range % 7 AS part, "
                          "exp(range * 7919 % 10007 / 700.0) AS x FROM range(300000)"));
  EXPECT_EQ(json::to_text(value_of(
                connection_,
                "SELECT count(*) FROM (SELECT g, weir_quantile(weir_merge(h), 0.95) AS found "
                "FROM (SELECT g, part, weir_histogram(x) AS h FROM v GROUP BY ALL) GROUP BY g) "
                "JOIN (SELECT g, quantile_disc(x, 0.95) AS exact, quantile_disc(x, 0.945) AS low, "
                "quantile_disc(x, 0.955) AS high FROM v GROUP BY g) USING (g) "
                "WHERE found BETWEEN 0.99 * low AND 1.01 * high")),
            "97");
}

}  // namespace
}  // namespace weir::store
