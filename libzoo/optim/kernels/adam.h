// The loop of Adam, over runs of memory in which parameter, gradient and moments lie in the same order.
#pragma once

#include <cstdint>

namespace zoo::optim::kernels {

struct AdamFactors {
  double rate = 0, beta1 = 0, beta2 = 0, eps = 0;
  double correction1 = 1, correction2 = 1;  // 1 - beta^t
  double l2 = 0;      // weight decay in the gradient
  double shrink = 1;  // factor of the parameter before the step
};

// `first` and `second` are the moments; a first moment of uint16_t is bfloat16, rounded to even as it is stored.
void adam(const AdamFactors& factors, float* parameter, const float* grad, float* first, float* second, int64_t count);
void adam(const AdamFactors& factors, double* parameter, const double* grad, double* first, double* second, int64_t count);
void adam(const AdamFactors& factors, float* parameter, const float* grad, uint16_t* first, float* second, int64_t count);

}  // namespace zoo::optim::kernels
