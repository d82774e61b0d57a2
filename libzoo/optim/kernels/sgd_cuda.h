// A step of SGD with momentum for many tensors at once on CUDA memory: as sgd.h, computed in float32, whatever type the tensors
// have.
#pragma once

#include <libzoo/optim/kernels/sgd.h>

#include <cstdint>

struct CUstream_st;

namespace zoo::optim::kernels {

// Runs of memory in which parameter, gradient and velocity lie in the same order.
template <class T>
struct CudaSgdTensor {
  T* parameter;
  const T* grad;
  T* velocity;  // null without momentum
  int64_t count;
  bool first;   // the velocity is not read
};

// T: float, c10::Half, c10::BFloat16. Nothing is waited for. Throws Error if a launch is refused.
template <class T>
void sgd_cuda(const SgdFactors& factors, const CudaSgdTensor<T>* tensors, int64_t number, CUstream_st* stream);

}  // namespace zoo::optim::kernels
