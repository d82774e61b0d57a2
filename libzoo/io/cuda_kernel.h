// What the CUDA kernels of several rooms share: values read 16 bytes at a time, sums over a block, launches that are checked.
// Included by .cu files alone, as C++17. They take raw pointers and a stream; ATen is for the glue in .cpp files.
//
//   launch(my_kernel<float>, blocks, stream, x, y, count);
#pragma once

#include <libzoo/core/error.h>

#include <torch/headeronly/util/BFloat16.h>
#include <torch/headeronly/util/Half.h>

#include <cstdint>
#include <limits>
#include <string>
#if defined(__CUDACC__)
#include <cuda_runtime.h>
#endif

namespace zoo::io::cuda {

#ifndef ZOO_CUDA_THREADS  // fewer where a test runs kernels on the processor
#define ZOO_CUDA_THREADS 256
#endif
constexpr int kThreads = ZOO_CUDA_THREADS;  // of every block
constexpr int kWarp = 32;

// V values side by side, in one access if V · sizeof(T) is 16.
template <class T, int V>
struct alignas(sizeof(T) * V) Pack {
  T values[V];
};

template <class T>
constexpr int kPackSize = 16 / sizeof(T);

template <class T, int V>
__device__ Pack<T, V> load(const T* from) {
  return *reinterpret_cast<const Pack<T, V>*>(from);
}

template <class T, int V>
__device__ void store(T* to, const Pack<T, V>& pack) {
  *reinterpret_cast<Pack<T, V>*>(to) = pack;
}

inline bool is_aligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

// Sum over the threads of the warp, known to each; all of them must call.
__device__ inline double warp_sum(double value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
  return value;
}

// Sum over the threads of the block, known to each; all of them must call. Always added in the same order.
__device__ inline double block_sum(double value) {
  __shared__ double warps[kThreads / kWarp];
  value = warp_sum(value);
  __syncthreads();  // an earlier call may still be reading
  if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = value;
  __syncthreads();
  double total = 0;
  for (int w = 0; w < kThreads / kWarp; ++w) total += warps[w];
  return total;
}

#if defined(__CUDACC__)
// Starts `blocks` blocks of kThreads; nothing if there are none. Throws Error if the launch is refused.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), int64_t blocks, cudaStream_t stream, const Arguments&... arguments) {
  if (blocks == 0) return;
  if (blocks > std::numeric_limits<int32_t>::max()) throw Error("CUDA: " + std::to_string(blocks) + " blocks are too many for one launch");
  kernel<<<dim3(static_cast<unsigned>(blocks)), kThreads, 0, stream>>>(static_cast<Parameters>(arguments)...);
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) throw Error(std::string("CUDA: ") + cudaGetErrorString(error));
}
#endif

}  // namespace zoo::io::cuda
