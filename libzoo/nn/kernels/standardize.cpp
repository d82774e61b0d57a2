#include <libzoo/core/kernel_clones.h>
#include <libzoo/nn/kernels/standardize.h>

#include <cmath>

namespace zoo::nn::kernels {
namespace {

constexpr int64_t kLanes = 16;

// Σ value(i), in double from the start.
template <class F>
ZOO_INLINE double sum_of(int64_t count, F value) {
  double lanes[kLanes] = {};
  const int64_t whole = count / kLanes * kLanes;
  for (int64_t i = 0; i < whole; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] += value(i + l);
  }
  for (int64_t i = whole; i < count; ++i) lanes[i - whole] += value(i);
  double total = 0;
  for (int64_t l = 0; l < kLanes; ++l) total += lanes[l];
  return total;
}

// The mean in two parts, so that a large one costs no digits.
template <class T>
struct Mean {
  T high, low;
  explicit Mean(double mean) : high(T(mean)), low(T(mean - double(high))) {}
};

template <class T, class S>
ZOO_INLINE void forward(const T* weight, S* result, const FilterStatistics& statistics, int64_t count, double eps, bool outside,
                        int64_t first, int64_t last) {
  for (int64_t f = first; f < last; ++f) {
    const T* __restrict w = weight + f * count;
    S* __restrict to = result + f * count;
    statistics.mean[f] = sum_of(count, [&](int64_t i) __attribute__((always_inline)) { return double(w[i]); }) / double(count);
    const auto [high, low] = Mean<T>(statistics.mean[f]);
    const double variance = sum_of(count,
                                   [&, high = high, low = low](int64_t i) __attribute__((always_inline)) {
                                     const double centred = double((w[i] - high) - low);
                                     return centred * centred;
                                   }) /
                            double(count);
    const double deviation = std::sqrt(variance);
    statistics.scale[f] = outside ? 1 / (deviation + eps) : 1 / std::sqrt(variance + eps);
    statistics.share[f] = !outside ? 1 : deviation > 0 ? (deviation + eps) / deviation : 0;
    const T factor = T(statistics.scale[f]);
    for (int64_t i = 0; i < count; ++i) to[i] = ((w[i] - high) - low) * factor;
  }
}

template <class S, class T>
ZOO_INLINE void backward(const S* grad, const T* weight, const FilterStatistics& statistics, T* grad_weight, int64_t count, int64_t first,
                         int64_t last) {
  for (int64_t f = first; f < last; ++f) {
    const S* __restrict g = grad + f * count;
    const T* __restrict w = weight + f * count;
    T* __restrict to = grad_weight + f * count;
    const auto [high, low] = Mean<T>(statistics.mean[f]);
    const double scale = statistics.scale[f];
    const double plain = sum_of(count, [&](int64_t i) __attribute__((always_inline)) { return double(g[i]); });
    const double along = scale * sum_of(count, [&, high = high, low = low](int64_t i)
                                                   __attribute__((always_inline)) { return double(T(g[i]) * ((w[i] - high) - low)); });
    const T factor = T(scale), slope = T(-scale * scale * statistics.share[f] * along / double(count)),
            offset = T(-scale * plain / double(count));
    for (int64_t i = 0; i < count; ++i) to[i] = T(g[i]) * factor + (((w[i] - high) - low) * slope + offset);
  }
}

}  // namespace

ZOO_CLONES_V4 void standardize(const float* weight, float* result, const FilterStatistics& statistics, int64_t count, double eps,
                               bool outside, int64_t first, int64_t last) {
  forward(weight, result, statistics, count, eps, outside, first, last);
}
ZOO_CLONES_V4 void standardize_backward(const float* grad, const float* weight, const FilterStatistics& statistics, float* grad_weight,
                                        int64_t count, int64_t first, int64_t last) {
  backward(grad, weight, statistics, grad_weight, count, first, last);
}
ZOO_CLONES_V4 void standardize(const double* weight, double* result, const FilterStatistics& statistics, int64_t count, double eps,
                               bool outside, int64_t first, int64_t last) {
  forward(weight, result, statistics, count, eps, outside, first, last);
}
ZOO_CLONES_V4 void standardize_backward(const double* grad, const double* weight, const FilterStatistics& statistics, double* grad_weight,
                                        int64_t count, int64_t first, int64_t last) {
  backward(grad, weight, statistics, grad_weight, count, first, last);
}
ZOO_CLONES_V4 void standardize(const float* weight, BFloat16* result, const FilterStatistics& statistics, int64_t count, double eps,
                               bool outside, int64_t first, int64_t last) {
  forward(weight, result, statistics, count, eps, outside, first, last);
}
ZOO_CLONES_V4 void standardize_backward(const BFloat16* grad, const float* weight, const FilterStatistics& statistics, float* grad_weight,
                                        int64_t count, int64_t first, int64_t last) {
  backward(grad, weight, statistics, grad_weight, count, first, last);
}

}  // namespace zoo::nn::kernels
