#include <libzoo/core/kernel_clones.h>
#include <libzoo/simclr/kernels/contrast.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace zoo::simclr::kernels {
namespace {

constexpr int64_t kLanes = 16;

// e^x to 2e-7 relative, for x <= 0; below -87 it is 1e-38. Loops with it become vector code, which calls of std::exp do not.
ZOO_INLINE float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  const float turns = std::floor(x * 1.44269504f + 0.5f);
  const float r = (x - turns * 0.693359375f) + turns * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1;
  return p * std::bit_cast<float>((int32_t(turns) + 127) << 23);
}
ZOO_INLINE double exponential(double x) { return std::exp(x); }

// The natural logarithm to 1e-7, of values that are positive and not tiny.
ZOO_INLINE float logarithm(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  const int32_t steps = (bits - 0x3f3504f3) >> 23;  // so that the mantissa lies in [sqrt(1/2), sqrt(2))
  const float m = std::bit_cast<float>(bits - (steps << 23)) - 1, z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  return m + (p * m * z - 0.5f * z) + float(steps) * 0.693147181f;
}
ZOO_INLINE double logarithm(double x) { return std::log(x); }

// Multiplies by `scale` on the way.
template <class T>
ZOO_INLINE T largest(T* values, int64_t count, T scale) {
  T lanes[kLanes];
  std::fill_n(lanes, kLanes, -std::numeric_limits<T>::infinity());
  const int64_t whole = count / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      values[i + lane] *= scale;
      lanes[lane] = values[i + lane] > lanes[lane] ? values[i + lane] : lanes[lane];
    }
  for (int64_t i = whole; i < count; ++i) {
    values[i] *= scale;
    lanes[0] = values[i] > lanes[0] ? values[i] : lanes[0];
  }
  return *std::max_element(lanes, lanes + kLanes);
}

// values = e^(values - most); their sum.
template <class T>
ZOO_INLINE double exponentials(T* values, int64_t count, T most) {
  T lanes[kLanes] = {};
  const int64_t whole = count / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += values[i + lane] = exponential(values[i + lane] - most);
  for (int64_t i = whole; i < count; ++i) lanes[0] += values[i] = exponential(values[i] - most);
  double sum = 0;
  for (T lane : lanes) sum += double(lane);
  return sum;
}

// Of values · scale, which sum to 1.
template <class T>
ZOO_INLINE double entropy(const T* values, int64_t count, T scale) {
  constexpr T kTiny = T(1e-8);
  T lanes[kLanes] = {};
  const int64_t whole = count / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const T p = values[i + lane] * scale;
      lanes[lane] -= p * logarithm(p + kTiny);
    }
  for (int64_t i = whole; i < count; ++i) lanes[0] -= values[i] * scale * logarithm(values[i] * scale + kTiny);
  double sum = 0;
  for (T lane : lanes) sum += double(lane);
  return sum;
}

template <class T>
ZOO_INLINE void each_row(const ContrastRows& what, T* rows, int64_t first, int64_t count, ContrastSums& sums) {
  const T scale = T(what.scale);
  for (int64_t i = first; i < first + count; ++i) {
    T* row = rows + i * what.width;
    const int64_t partner = what.partner + i, self = what.pairs + partner;
    row[self] = -std::numeric_limits<T>::infinity();
    const T cross_most = largest(row, what.pairs, scale), other_most = largest(row + what.pairs, what.width - what.pairs, scale);
    const T right = row[partner], most = std::max(cross_most, other_most);
    if (what.measured) sums.right += right == cross_most && std::find(row, row + partner, cross_most) == row + partner;
    // The partners' view about its own largest value: its probabilities stay exact if the other values are far above.
    const double cross = exponentials(row, what.pairs, cross_most), lift = std::exp(double(cross_most) - double(most));
    double all = cross * lift + exponentials(row + what.pairs, what.width - what.pairs, most);
    all -= double(row[self]);  // what the smallest exponential leaves of minus infinity
    row[self] = 0;
    sums.loss += std::log(all) + double(most) - double(right);
    if (what.measured) sums.entropy += entropy(row, what.pairs, T(1 / cross));
    if (what.share == 0) continue;
    const T factor = T(what.share * what.scale / all), cross_factor = T(what.share * what.scale * lift / all);
    for (int64_t j = 0; j < what.pairs; ++j) row[j] *= cross_factor;
    for (int64_t j = what.pairs; j < what.width; ++j) row[j] *= factor;
    row[partner] -= T(what.share * what.scale);
  }
}

}  // namespace

ZOO_CLONES_V4 void contrast(const ContrastRows& what, float* rows, int64_t first, int64_t count, ContrastSums& sums) {
  each_row(what, rows, first, count, sums);
}
ZOO_CLONES void contrast(const ContrastRows& what, double* rows, int64_t first, int64_t count, ContrastSums& sums) {
  each_row(what, rows, first, count, sums);
}

}  // namespace zoo::simclr::kernels
