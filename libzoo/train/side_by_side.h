// Small networks keep one processor busy and leave the others waiting: on the CPU, jobs run side by side, a thread each.
//
//   SideBySide pool(run.device());
//   for (…) futures.push_back(pool.submit([&] { return train_one(…); }));
#pragma once

#include <libzoo/core/thread_pool.h>

#include <ATen/Parallel.h>
#include <c10/core/Device.h>

#include <utility>

namespace zoo::train {

class SideBySide {
 public:
  explicit SideBySide(const at::Device& device)
      : threads_(at::get_num_threads()), pool_(device.is_cpu() ? threads_ : 1), single_(device.is_cpu()) {}
  ~SideBySide() {
    if (single_) at::set_num_threads(threads_);
  }
  // A future of what `work` returns.
  template <class Work>
  auto submit(Work work) {
    return pool_.submit([work = std::move(work), single = single_] {
      if (single) at::set_num_threads(1);
      return work();
    });
  }

 private:
  int threads_;
  ThreadPool pool_;
  bool single_;
};

}  // namespace zoo::train
