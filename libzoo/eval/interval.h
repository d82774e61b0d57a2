// Mean and confidence interval over repeated draws (few-shot subsets, seeds), and their median.
//
//   auto interval = zoo::eval::mean_interval(accuracies);   // interval.mean ± interval.half_width
#pragma once

#include <cstdint>
#include <span>

namespace zoo::eval {

struct Interval {
  double mean = 0;
  double half_width = 0;  // infinite for a single draw
  double low() const { return mean - half_width; }
  double high() const { return mean + half_width; }
};

// Student's t interval of the mean: t(level, n - 1) · s / sqrt(n), s the sample standard deviation.
// Throws Error without draws or unless 0 < level < 1.
Interval mean_interval(std::span<const double> draws, double level = 0.95);

// The middle draw, or the mean of the two middle ones. Throws Error without draws.
double median(std::span<const double> draws);

// P(T <= t) of Student's t, and its inverse; degrees_of_freedom > 0. The quantile throws Error unless 0 < p < 1.
double student_t_cdf(double t, double degrees_of_freedom);
double student_t_quantile(double p, double degrees_of_freedom);

}  // namespace zoo::eval
