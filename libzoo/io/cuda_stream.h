// The glue's side of CUDA kernels: launches go to the device of a tensor and to LibTorch's current stream there.
//
//   const io::CudaLaunch on(x);
//   kernels::something(…, on.stream);
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

namespace zoo::io {

struct CudaLaunch {
  explicit CudaLaunch(const at::Tensor& x) : guard(x.device()), stream(c10::cuda::getCurrentCUDAStream(x.get_device())) {}

  c10::cuda::CUDAGuard guard;
  cudaStream_t stream;
};

}  // namespace zoo::io
