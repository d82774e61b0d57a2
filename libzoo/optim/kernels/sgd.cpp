#include <libzoo/core/kernel_clones.h>
#include <libzoo/optim/kernels/sgd.h>

namespace zoo::optim::kernels {
namespace {

template <class T>
ZOO_INLINE void update(const SgdFactors& factors, T* __restrict parameter, const T* __restrict grad, T* __restrict velocity, bool first,
                       int64_t count) {
  const T rate = T(factors.rate), momentum = T(factors.momentum), decay = T(factors.weight_decay);
  if (!velocity) {
    for (int64_t i = 0; i < count; ++i) parameter[i] -= rate * (grad[i] + decay * parameter[i]);
  } else if (first) {
    const T ahead = factors.nesterov ? 1 + momentum : T(1);
    for (int64_t i = 0; i < count; ++i) {
      velocity[i] = grad[i] + decay * parameter[i];
      parameter[i] -= rate * (ahead * velocity[i]);
    }
  } else if (factors.nesterov) {
    for (int64_t i = 0; i < count; ++i) {
      const T g = grad[i] + decay * parameter[i];
      velocity[i] = momentum * velocity[i] + g;
      parameter[i] -= rate * (g + momentum * velocity[i]);
    }
  } else {
    for (int64_t i = 0; i < count; ++i) {
      velocity[i] = momentum * velocity[i] + (grad[i] + decay * parameter[i]);
      parameter[i] -= rate * velocity[i];
    }
  }
}

}  // namespace

ZOO_CLONES void sgd(const SgdFactors& factors, float* parameter, const float* grad, float* velocity, bool first, int64_t count) {
  update(factors, parameter, grad, velocity, first, count);
}
ZOO_CLONES void sgd(const SgdFactors& factors, double* parameter, const double* grad, double* velocity, bool first, int64_t count) {
  update(factors, parameter, grad, velocity, first, count);
}

}  // namespace zoo::optim::kernels
