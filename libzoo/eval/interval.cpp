#include <libzoo/eval/interval.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace zoo::eval {
namespace {

// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m <= 10'000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < 1e-15) break;
  }
  return fraction;
}

// The regularised incomplete beta function I_x(a, b).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

}  // namespace

double student_t_cdf(double t, double degrees_of_freedom) {
  if (!(degrees_of_freedom > 0)) throw Error(fmt::format("Student's t needs degrees of freedom > 0, got {}", degrees_of_freedom));
  const double tail = 0.5 * incomplete_beta(degrees_of_freedom / 2, 0.5, degrees_of_freedom / (degrees_of_freedom + t * t));
  return t > 0 ? 1 - tail : tail;
}

double student_t_quantile(double p, double degrees_of_freedom) {
  if (!(p > 0 && p < 1)) throw Error(fmt::format("a quantile needs 0 < p < 1, got {}", p));
  if (p == 0.5) return 0;
  if (p < 0.5) return -student_t_quantile(1 - p, degrees_of_freedom);
  double low = 0, high = 1;
  while (student_t_cdf(high, degrees_of_freedom) < p && high < 1e150) high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-14 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (student_t_cdf(middle, degrees_of_freedom) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

Interval mean_interval(std::span<const double> draws, double level) {
  if (draws.empty()) throw Error("there is no mean of zero draws");
  if (!(level > 0 && level < 1)) throw Error(fmt::format("an interval needs a level between 0 and 1, got {}", level));
  const double n = double(draws.size());
  double sum = 0, squares = 0;
  for (double draw : draws) sum += draw;
  const double mean = sum / n;
  for (double draw : draws) squares += (draw - mean) * (draw - mean);
  if (draws.size() == 1) return {mean, std::numeric_limits<double>::infinity()};
  return {mean, student_t_quantile(0.5 * (1 + level), n - 1) * std::sqrt(squares / (n - 1) / n)};
}

double median(std::span<const double> draws) {
  if (draws.empty()) throw Error("there is no median of zero draws");
  std::vector<double> sorted(draws.begin(), draws.end());
  std::sort(sorted.begin(), sorted.end());
  const size_t middle = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
}

}  // namespace zoo::eval
