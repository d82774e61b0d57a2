#include <libzoo/core/kernel_clones.h>
#include <libzoo/optim/kernels/lars.h>

#include <algorithm>

namespace zoo::optim::kernels {
namespace {

constexpr int64_t kLanes = 32, kRun = 4096;  // values that are summed side by side, and in the values' own type

template <class T>
ZOO_INLINE Squares squares(const LarsFactors& factors, const T* __restrict parameter, const T* __restrict grad, T* __restrict velocity,
                           int64_t count) {
  const T decay = T(factors.weight_decay), momentum = T(factors.momentum), ahead = factors.nesterov ? momentum : T(0);
  const T own = factors.nesterov ? T(1) : T(0), last = factors.nesterov ? T(0) : T(1);
  Squares total;
  for (int64_t from = 0; from < count; from += kRun) {
    const int64_t to = std::min(count, from + kRun), whole = from + (to - from) / kLanes * kLanes;
    T of_parameter[kLanes] = {}, of_update[kLanes] = {};
    const auto add = [&](int64_t i, int64_t lane) {
      T update = grad[i] + decay * parameter[i];
      if (!factors.rate_in_velocity) {
        velocity[i] = momentum * velocity[i] + update;
        update = ahead * velocity[i] + own * update + last * velocity[i];
      }
      of_parameter[lane] += parameter[i] * parameter[i];
      of_update[lane] += update * update;
    };
    for (int64_t i = from; i < whole; i += kLanes)
      for (int64_t lane = 0; lane < kLanes; ++lane) add(i + lane, lane);
    for (int64_t i = whole; i < to; ++i) add(i, i - whole);
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      total.parameter += double(of_parameter[lane]);
      total.update += double(of_update[lane]);
    }
  }
  return total;
}

template <class T>
ZOO_INLINE void step(const LarsFactors& factors, T scale, T* __restrict parameter, const T* __restrict grad, T* __restrict velocity,
                     int64_t count) {
  const T decay = T(factors.weight_decay), momentum = T(factors.momentum);
  if (factors.rate_in_velocity && factors.nesterov) {
    for (int64_t i = 0; i < count; ++i) {
      const T scaled = scale * (grad[i] + decay * parameter[i]);
      velocity[i] = momentum * velocity[i] + scaled;
      parameter[i] -= momentum * velocity[i] + scaled;
    }
  } else if (factors.rate_in_velocity) {
    for (int64_t i = 0; i < count; ++i) {
      velocity[i] = momentum * velocity[i] + scale * (grad[i] + decay * parameter[i]);
      parameter[i] -= velocity[i];
    }
  } else if (factors.nesterov) {
    for (int64_t i = 0; i < count; ++i) parameter[i] -= scale * (momentum * velocity[i] + (grad[i] + decay * parameter[i]));
  } else {
    for (int64_t i = 0; i < count; ++i) parameter[i] -= scale * velocity[i];
  }
}

}  // namespace

ZOO_CLONES Squares lars_squares(const LarsFactors& factors, const float* parameter, const float* grad, float* velocity, int64_t count) {
  return squares(factors, parameter, grad, velocity, count);
}
ZOO_CLONES Squares lars_squares(const LarsFactors& factors, const double* parameter, const double* grad, double* velocity, int64_t count) {
  return squares(factors, parameter, grad, velocity, count);
}

ZOO_CLONES void lars_step(const LarsFactors& factors, double scale, float* parameter, const float* grad, float* velocity, int64_t count) {
  step(factors, float(scale), parameter, grad, velocity, count);
}
ZOO_CLONES void lars_step(const LarsFactors& factors, double scale, double* parameter, const double* grad, double* velocity,
                          int64_t count) {
  step(factors, scale, parameter, grad, velocity, count);
}

}  // namespace zoo::optim::kernels
