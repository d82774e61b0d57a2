// Group norm with ReLU on CUDA memory, in NCHW or channels-last order, of float32, float16 or bfloat16 images. Statistics are
// computed in float32 around a value of the image and put together in float64, so that a large mean costs no digits. As on the
// CPU nothing but (input, mean, rstd) is needed to go back.
#pragma once

#include <libzoo/nn/kernels/group_norm_shape.h>

#include <cstdint>

struct CUstream_st;

namespace zoo::nn::kernels {

struct CudaImages {
  GroupNormShape shape;
  int64_t images = 0;
  bool channels_last = false;
};

template <class T>
struct CudaGroupNormForward {
  const T* x;
  const float *gamma, *beta;  // [channels]
  double *mean, *rstd;        // [images, groups]
  T* y;
  double* scratch;            // group_norm_cuda_scratch(images) values
  bool again;                 // mean and rstd are given, not computed; no scratch is used
};

template <class T>
struct CudaGroupNormBackward {
  const T *grad, *x;
  const T* skip;               // another gradient of the input, added to the result; may be null
  const float *gamma, *beta;   // [channels]
  const double *mean, *rstd;   // [images, groups]
  T* grad_x;
  double *grad_gamma, *grad_beta;  // [images, channels], each image's share
  double* slope;                   // [images, groups, 2], of no use afterwards
  double* scratch;
};

int64_t group_norm_cuda_scratch(const CudaImages& images);

// T: float, c10::Half, c10::BFloat16. Nothing is waited for. Throw Error if a launch is refused.
template <class T>
void group_norm_cuda_forward(const CudaImages& images, const CudaGroupNormForward<T>& data, CUstream_st* stream);
template <class T>
void group_norm_cuda_backward(const CudaImages& images, const CudaGroupNormBackward<T>& data, CUstream_st* stream);

}  // namespace zoo::nn::kernels
