// CUDA kernels on the CPU, to test their arithmetic, indices and barriers where there is no GPU: included before a .cu file, which is
// then compiled as C++. Blocks come one after another; the threads of a block are contexts that run from barrier to barrier in turn.
// A barrier that some threads of its warp or block never reach is an error.
#pragma once

#include <ucontext.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#define ZOO_CUDA_THREADS 64
#define __global__
#define __device__
#define __shared__ static

struct CUstream_st;

namespace zoo::test::emulated {

constexpr int kThreads = ZOO_CUDA_THREADS, kWarp = 32;
constexpr size_t kStack = 64 * 1024;  // bytes

struct Index {
  unsigned x = 0;
};
inline Index thread_index, block_index;

enum class State { runs, waits_for_warp, waits_for_block, done };

class Block {
 public:
  explicit Block(const std::function<void()>& kernel) : kernel_(kernel), stacks_(new char[kStack * kThreads]) { current = this; }
  ~Block() { current = nullptr; }

  void run() {
    for (int t = 0; t < kThreads; ++t) {
      state_[t] = State::runs;
      getcontext(&contexts_[t]);
      contexts_[t].uc_stack.ss_sp = stacks_.get() + kStack * size_t(t);
      contexts_[t].uc_stack.ss_size = kStack;
      contexts_[t].uc_link = &scheduler_;
      makecontext(&contexts_[t], &Block::thread, 0);
    }
    while (turn()) {
    }
    if (error_) std::rethrow_exception(error_);
    for (const auto state : state_)
      if (state != State::done) throw std::runtime_error("a barrier is not reached by all threads");
  }

  void wait(State state) {
    const unsigned self = thread_index.x;
    state_[self] = state;
    swapcontext(&contexts_[self], &scheduler_);
  }

  double shuffle(double value, int offset) {
    const unsigned self = thread_index.x;
    const unsigned round = shuffles_[self]++ % 2;  // the next shuffle may begin while this one is still read
    exchanged_[round][self] = value;
    wait(State::waits_for_warp);
    return exchanged_[round][self ^ unsigned(offset)];
  }

  static inline Block* current = nullptr;

 private:
  static void thread() {
    Block& block = *current;
    try {
      block.kernel_();
    } catch (...) {
      block.error_ = std::current_exception();
    }
    block.state_[thread_index.x] = State::done;
  }

  // Runs every thread that can; false if none could.
  bool turn() {
    bool any = false;
    for (int t = 0; t < kThreads; ++t) {
      if (state_[t] != State::runs) continue;
      any = true;
      thread_index.x = unsigned(t);
      swapcontext(&scheduler_, &contexts_[t]);
    }
    for (int warp = 0; warp < kThreads; warp += kWarp) release(warp, warp + kWarp, State::waits_for_warp);
    release(0, kThreads, State::waits_for_block);
    return any;
  }

  void release(int first, int last, State state) {
    for (int t = first; t < last; ++t)
      if (state_[t] != state) return;
    for (int t = first; t < last; ++t) state_[t] = State::runs;
  }

  const std::function<void()>& kernel_;
  std::unique_ptr<char[]> stacks_;
  ucontext_t scheduler_, contexts_[kThreads];
  State state_[kThreads];
  unsigned shuffles_[kThreads] = {};
  double exchanged_[2][kThreads] = {};
  std::exception_ptr error_;
};

inline void run(int64_t blocks, const std::function<void()>& kernel) {
  Block block(kernel);
  for (int64_t b = 0; b < blocks; ++b) {
    block_index.x = unsigned(b);
    block.run();
  }
}

}  // namespace zoo::test::emulated

#define threadIdx zoo::test::emulated::thread_index
#define blockIdx zoo::test::emulated::block_index

inline void __syncthreads() {
  using namespace zoo::test::emulated;
  Block::current->wait(State::waits_for_block);
}
inline double __shfl_xor_sync(unsigned, double value, int offset) { return zoo::test::emulated::Block::current->shuffle(value, offset); }

namespace zoo::io::cuda {

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), int64_t blocks, CUstream_st*, const Arguments&... arguments) {
  test::emulated::run(blocks, [&] { kernel(static_cast<Parameters>(arguments)...); });
}

}  // namespace zoo::io::cuda
