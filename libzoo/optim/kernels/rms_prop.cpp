#include <libzoo/core/kernel_clones.h>
#include <libzoo/optim/kernels/rms_prop.h>

#include <algorithm>
#include <cmath>

namespace zoo::optim::kernels {
namespace {

template <class T>
ZOO_INLINE void update(const RmsPropFactors& factors, T* __restrict parameter, const T* __restrict grad, T* __restrict square,
                       T* __restrict mean, T* __restrict velocity, int64_t count) {
  const T rate = T(factors.rate), decay = T(factors.decay), share = T(1 - factors.decay), momentum = T(factors.momentum);
  const T inside = factors.eps_inside ? T(factors.eps) : T(0), outside = factors.eps_inside ? T(0) : T(factors.eps);
  for (int64_t i = 0; i < count; ++i) {
    const T g = grad[i];
    square[i] = decay * square[i] + share * (g * g);
    T variance = square[i];
    if (mean) {
      mean[i] = decay * mean[i] + share * g;
      variance -= mean[i] * mean[i];
    }
    T step = g / (std::sqrt(std::max(variance, T(0)) + inside) + outside);
    if (velocity) step = velocity[i] = momentum * velocity[i] + step;
    parameter[i] -= rate * step;
  }
}

}  // namespace

ZOO_CLONES void rms_prop(const RmsPropFactors& factors, float* parameter, const float* grad, float* square, float* mean, float* velocity,
                         int64_t count) {
  update(factors, parameter, grad, square, mean, velocity, count);
}
ZOO_CLONES void rms_prop(const RmsPropFactors& factors, double* parameter, const double* grad, double* square, double* mean,
                         double* velocity, int64_t count) {
  update(factors, parameter, grad, square, mean, velocity, count);
}

}  // namespace zoo::optim::kernels
