// The two loops of LARS over runs of memory in which parameter, gradient and velocity lie in the same order: norms, then the step.
#pragma once

#include <cstdint>

namespace zoo::optim::kernels {

struct LarsFactors {
  double momentum = 0, weight_decay = 0;
  bool nesterov = false, rate_in_velocity = true;
};

struct Squares {
  double parameter = 0, update = 0;
};

// Sums of squares of the parameter and of what is scaled by the ratio: with the rate in the velocity the gradient with its decay; else
// that of the popular form, whose velocity becomes momentum·v + g here.
Squares lars_squares(const LarsFactors& factors, const float* parameter, const float* grad, float* velocity, int64_t count);
Squares lars_squares(const LarsFactors& factors, const double* parameter, const double* grad, double* velocity, int64_t count);

// scale = rate · ratio. With the rate in the velocity: v = momentum·v + scale·g; p -= v (nesterov: momentum·v + scale·g). Else
// p -= scale·v (nesterov: scale·(momentum·v + g)).
void lars_step(const LarsFactors& factors, double scale, float* parameter, const float* grad, float* velocity, int64_t count);
void lars_step(const LarsFactors& factors, double scale, double* parameter, const double* grad, double* velocity, int64_t count);

}  // namespace zoo::optim::kernels
