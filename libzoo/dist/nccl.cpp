#define USE_C10D_NCCL
#include <libzoo/dist/engine.h>

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

namespace zoo::dist {

void add_nccl(c10d::ProcessGroup& processes, const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
              std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  processes.setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL,
                       c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, options));
}

}  // namespace zoo::dist
