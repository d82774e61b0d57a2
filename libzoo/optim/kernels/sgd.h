// The loop of SGD with momentum, over runs of memory in which parameter, gradient and velocity lie in the same order.
#pragma once

#include <cstdint>

namespace zoo::optim::kernels {

struct SgdFactors {
  double rate = 0, momentum = 0, weight_decay = 0;
  bool nesterov = false;
};

// g = grad + weight_decay·p; v = momentum·v + g; p -= rate·v (nesterov: rate·(g + momentum·v)). Without a velocity, null:
// p -= rate·g.
// `first`: v is not read, and becomes g.
void sgd(const SgdFactors& factors, float* parameter, const float* grad, float* velocity, bool first, int64_t count);
void sgd(const SgdFactors& factors, double* parameter, const double* grad, double* velocity, bool first, int64_t count);

}  // namespace zoo::optim::kernels
