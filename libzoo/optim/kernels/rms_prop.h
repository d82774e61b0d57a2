// The loop of RMSProp, over runs of memory in which parameter, gradient and averages lie in the same order.
#pragma once

#include <cstdint>

namespace zoo::optim::kernels {

struct RmsPropFactors {
  double rate = 0, decay = 0, momentum = 0, eps = 0;
  bool eps_inside = false;  // of the root
};

// `mean` is null unless centered, `velocity` unless there is momentum. The velocity holds what is subtracted, divided by the rate.
void rms_prop(const RmsPropFactors& factors, float* parameter, const float* grad, float* square, float* mean, float* velocity,
              int64_t count);
void rms_prop(const RmsPropFactors& factors, double* parameter, const double* grad, double* square, double* mean, double* velocity,
              int64_t count);

}  // namespace zoo::optim::kernels
