#include <libzoo/core/error.h>
#include <libzoo/io/histogram.h>

#include <algorithm>
#include <cmath>

namespace zoo::io {
namespace {

std::vector<double> make_edges() {
  std::vector<double> positive;
  for (double v = 1e-12; v < 1e20; v *= 1.1) positive.push_back(v);
  std::vector<double> edges;
  for (auto v = positive.rbegin(); v != positive.rend(); ++v) edges.push_back(-*v);
  edges.push_back(0);
  edges.insert(edges.end(), positive.begin(), positive.end());
  return edges;
}

}  // namespace

Histogram tensorboard_histogram(std::span<const double> values) {
  static const std::vector<double> edges = make_edges();
  Histogram h;
  if (values.empty()) throw Error("a histogram needs at least one value");
  std::vector<double> counts(edges.size() - 1, 0.0);
  h.min = h.max = values[0];
  for (double v : values) {
    // A NaN stays, as in numpy's min and max.
    if (v < h.min || std::isnan(v)) h.min = v;
    if (v > h.max || std::isnan(v)) h.max = v;
    h.sum += v;
    h.sum_squares += v * v;
    if (!(v >= edges.front() && v <= edges.back())) continue;
    const auto bin = std::upper_bound(edges.begin(), edges.end(), v) - edges.begin() - 1;
    counts[size_t(std::min<int64_t>(bin, int64_t(counts.size()) - 1))] += 1;
  }
  h.num = double(values.size());

  const auto filled = [](double n) { return n > 0; };
  const auto first = std::find_if(counts.begin(), counts.end(), filled);
  if (first == counts.end()) throw Error("a histogram needs at least one value between -1e20 and 1e20");
  const auto last = std::find_if(counts.rbegin(), counts.rend(), filled).base();
  const size_t begin = size_t(first - counts.begin()), end = size_t(last - counts.begin());
  h.bucket.push_back(0);
  h.bucket.insert(h.bucket.end(), first, last);
  h.bucket_limit.assign(edges.begin() + int64_t(begin), edges.begin() + int64_t(end) + 1);
  return h;
}

}  // namespace zoo::io
