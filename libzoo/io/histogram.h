// The histogram that TensorBoard draws, with the buckets of torch's and TensorFlow's writers: edges at 0 and at
// ±1e-12 · 1.1^k below 1e20.
#pragma once

#include <span>
#include <vector>

namespace zoo::io {

struct Histogram {
  double min = 0, max = 0, num = 0, sum = 0, sum_squares = 0;  // over all values
  std::vector<double> bucket_limit;                            // ascending; bucket i counts values up to bucket_limit[i]
  std::vector<double> bucket;
};

// Counts as numpy.histogram does (bins closed left, open right, the last closed on both sides; values outside the edges
// are not counted) and keeps the bins from the first to the last that is not empty, and one empty bin on the left.
// Throws Error if no value lies inside the edges.
Histogram tensorboard_histogram(std::span<const double> values);

}  // namespace zoo::io
