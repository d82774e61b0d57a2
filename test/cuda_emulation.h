// CUDA kernels on the CPU, to test their arithmetic, indices and barriers where there is no GPU: included before a .cu file, which is
// then compiled as C++. Each thread of a block is a thread here, blocks come one after another, and whatever happens between two
// barriers may happen in any order, so that a missing one shows under -fsanitize=thread.
#pragma once

#include <barrier>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#define __global__
#define __device__
#define __shared__ static

struct CUstream_st;

namespace zoo::test::emulated {

constexpr int kThreads = 256, kWarp = 32;

struct Place {
  unsigned x = 0;
};

struct Block {
  std::barrier<> all{kThreads};
  std::vector<std::unique_ptr<std::barrier<>>> warps;
  double exchanged[kThreads] = {};

  Block() {
    for (int w = 0; w < kThreads / kWarp; ++w) warps.push_back(std::make_unique<std::barrier<>>(kWarp));
  }
};

inline thread_local Place thread_place, block_place;
inline Block* block = nullptr;

inline double shuffle_xor(double value, int offset) {
  const int thread = int(thread_place.x);
  auto& warp = *block->warps[size_t(thread / kWarp)];
  block->exchanged[thread] = value;
  warp.arrive_and_wait();
  const double other = block->exchanged[thread ^ offset];
  warp.arrive_and_wait();
  return other;
}

template <class Kernel>
void run(int64_t blocks, const Kernel& kernel) {
  Block barriers;
  block = &barriers;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      thread_place.x = unsigned(t);
      for (int64_t b = 0; b < blocks; ++b) {
        block_place.x = unsigned(b);
        kernel();
        barriers.all.arrive_and_wait();
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace zoo::test::emulated

#define threadIdx zoo::test::emulated::thread_place
#define blockIdx zoo::test::emulated::block_place

inline void __syncthreads() { zoo::test::emulated::block->all.arrive_and_wait(); }
inline double __shfl_xor_sync(unsigned, double value, int offset) { return zoo::test::emulated::shuffle_xor(value, offset); }

namespace zoo::io::cuda {

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), int64_t blocks, CUstream_st*, const Arguments&... arguments) {
  test::emulated::run(blocks, [&] { kernel(static_cast<Parameters>(arguments)...); });
}

}  // namespace zoo::io::cuda
