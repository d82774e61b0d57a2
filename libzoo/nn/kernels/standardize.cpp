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

template <class T>
ZOO_INLINE void forward(const T* weight, T* result, double* scale, double* share, int64_t count, double eps, bool outside, int64_t first,
                        int64_t last) {
  for (int64_t f = first; f < last; ++f) {
    const T* __restrict w = weight + f * count;
    T* __restrict to = result + f * count;
    const double mean = sum_of(count, [&](int64_t i) __attribute__((always_inline)) { return double(w[i]); }) / double(count);
    const T high = T(mean), low = T(mean - double(high));
    const double variance = sum_of(count,
                                   [&](int64_t i) __attribute__((always_inline)) {
                                     const double centred = double((w[i] - high) - low);
                                     return centred * centred;
                                   }) /
                            double(count);
    const double deviation = std::sqrt(variance);
    scale[f] = outside ? 1 / (deviation + eps) : 1 / std::sqrt(variance + eps);
    share[f] = !outside ? 1 : deviation > 0 ? (deviation + eps) / deviation : 0;
    const T factor = T(scale[f]);
    for (int64_t i = 0; i < count; ++i) to[i] = ((w[i] - high) - low) * factor;
  }
}

template <class T>
ZOO_INLINE void backward(const T* grad, const T* result, const double* scale, const double* share, T* grad_weight, int64_t count,
                         int64_t first, int64_t last) {
  for (int64_t f = first; f < last; ++f) {
    const T* __restrict g = grad + f * count;
    const T* __restrict w = result + f * count;
    T* __restrict to = grad_weight + f * count;
    const double plain = sum_of(count, [&](int64_t i) __attribute__((always_inline)) { return double(g[i]); });
    const double along = sum_of(count, [&](int64_t i) __attribute__((always_inline)) { return double(g[i] * w[i]); });
    const T factor = T(scale[f]), slope = T(-scale[f] * share[f] * along / double(count)), offset = T(-scale[f] * plain / double(count));
    for (int64_t i = 0; i < count; ++i) to[i] = g[i] * factor + (w[i] * slope + offset);
  }
}

}  // namespace

ZOO_CLONES void standardize(const float* weight, float* result, double* scale, double* share, int64_t count, double eps, bool outside,
                            int64_t first, int64_t last) {
  forward(weight, result, scale, share, count, eps, outside, first, last);
}
ZOO_CLONES void standardize(const double* weight, double* result, double* scale, double* share, int64_t count, double eps, bool outside,
                            int64_t first, int64_t last) {
  forward(weight, result, scale, share, count, eps, outside, first, last);
}
ZOO_CLONES void standardize_backward(const float* grad, const float* result, const double* scale, const double* share, float* grad_weight,
                                     int64_t count, int64_t first, int64_t last) {
  backward(grad, result, scale, share, grad_weight, count, first, last);
}
ZOO_CLONES void standardize_backward(const double* grad, const double* result, const double* scale, const double* share,
                                     double* grad_weight, int64_t count, int64_t first, int64_t last) {
  backward(grad, result, scale, share, grad_weight, count, first, last);
}

}  // namespace zoo::nn::kernels
