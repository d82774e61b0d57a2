#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/eval/interval.h>

#include <cmath>
#include <vector>

using namespace zoo::eval;

TEST_CASE("Student's t quantiles are those of the tables", "[eval]") {
  // Closed forms: 1 degree: tan(pi (p - 1/2)); 2 degrees: (2p - 1) / sqrt(2 p (1 - p)). The others: NIST handbook 1.3.6.7.2.
  REQUIRE(student_t_quantile(0.975, 1) == Approx(std::tan(M_PI * 0.475)).epsilon(1e-10));
  REQUIRE(student_t_quantile(0.975, 2) == Approx(0.95 / std::sqrt(2 * 0.975 * 0.025)).epsilon(1e-10));
  REQUIRE(student_t_quantile(0.975, 9) == Approx(2.262).margin(5e-4));
  REQUIRE(student_t_quantile(0.995, 5) == Approx(4.032).margin(5e-4));
  REQUIRE(student_t_quantile(0.975, 1e7) == Approx(1.959964).margin(1e-5));  // normal
  REQUIRE(student_t_quantile(0.5, 3) == 0);
}

TEST_CASE("Student's t distribution is symmetric and its quantile inverts it", "[eval]") {
  for (double degrees : {1.0, 2.5, 9.0, 120.0})
    for (double p : {0.001, 0.2, 0.7, 0.975}) {
      const double t = student_t_quantile(p, degrees);
      REQUIRE(student_t_cdf(t, degrees) == Approx(p).epsilon(1e-10));
      REQUIRE(student_t_cdf(-t, degrees) == Approx(1 - p).epsilon(1e-10));
    }
}

TEST_CASE("The interval of a mean uses the sample deviation and n - 1 degrees of freedom", "[eval]") {
  // 1 … 5: mean 3, s = sqrt(2.5), t(0.975, 4) = 2.776445 (NIST), half width 2.776445 sqrt(2.5 / 5).
  const auto interval = mean_interval(std::vector<double>{1, 2, 3, 4, 5});
  REQUIRE(interval.mean == 3);
  REQUIRE(interval.half_width == Approx(2.776445 * std::sqrt(0.5)).epsilon(1e-6));
  REQUIRE(interval.low() == Approx(3 - interval.half_width));
  REQUIRE(interval.high() == Approx(3 + interval.half_width));
  REQUIRE(mean_interval(std::vector<double>{7, 7, 7}).half_width == 0);
}

TEST_CASE("A single draw says nothing about its spread", "[eval]") {
  const auto interval = mean_interval(std::vector<double>{4});
  REQUIRE(interval.mean == 4);
  REQUIRE(std::isinf(interval.half_width));
}

TEST_CASE("The median is the middle draw or the mean of the two middle ones", "[eval]") {
  REQUIRE(median(std::vector<double>{5, 1, 3}) == 3);
  REQUIRE(median(std::vector<double>{4, 1, 3, 2}) == 2.5);
}

TEST_CASE("Statistics of no draws are refused", "[eval]") {
  REQUIRE_THROWS_WITH(mean_interval({}), Contains("zero draws"));
  REQUIRE_THROWS_WITH(median({}), Contains("zero draws"));
  REQUIRE_THROWS_WITH(mean_interval(std::vector<double>{1, 2}, 1.0), Contains("level between 0 and 1"));
  REQUIRE_THROWS_WITH(student_t_quantile(1, 3), Contains("0 < p < 1"));
}
