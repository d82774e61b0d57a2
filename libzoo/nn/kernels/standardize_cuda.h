// Weight standardisation on CUDA memory: filters of [count] float32 values one after another, whatever the order within one, to
// float32, float16 or bfloat16. Mean and variance are put together in float64; going back takes the raw weight, not the result,
// so that a result of 16 bits costs the gradient nothing.
#pragma once

#include <cstdint>

struct CUstream_st;

namespace zoo::nn::kernels {

struct CudaFilters {
  int64_t filters = 0, count = 0;
  double eps = 0;
  bool outside = false;  // w / (std + eps)
};

// What is kept of a filter for going back.
struct CudaMoments {
  double *mean, *scale, *share;  // [filters]; scale and share as in standardize.h
};

// T: float, c10::Half, c10::BFloat16. Nothing is waited for. Throw Error if a launch is refused.
template <class T>
void standardize_cuda(const CudaFilters& filters, const float* weight, T* result, const CudaMoments& moments, CUstream_st* stream);

// scale · (grad - mean(grad) - share · result · mean(grad · result)), of the result before it was rounded to T.
template <class T>
void standardize_cuda_backward(const CudaFilters& filters, const T* grad, const float* weight, const CudaMoments& moments,
                               float* grad_weight, CUstream_st* stream);

}  // namespace zoo::nn::kernels
