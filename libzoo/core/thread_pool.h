// A fixed set of worker threads. The destructor finishes what runs, drops what has not started (its futures throw
// Error "thread pool stopped"), and joins.
//
//   zoo::ThreadPool pool(4);
//   std::future<Image> image = pool.submit([=] { return decode(path); });   // exceptions travel through the future
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace zoo {

class ThreadPool {
 public:
  // threads >= 1; throws Error otherwise.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  template <class Work>
  auto submit(Work work) -> std::future<std::invoke_result_t<Work&>> {
    using Result = std::invoke_result_t<Work&>;
    auto promise = std::make_shared<std::promise<Result>>();
    auto future = promise->get_future();
    push([promise, work = std::move(work)](bool run) mutable {
      try {
        if (!run) throw_stopped();
        if constexpr (std::is_void_v<Result>) {
          work();
          promise->set_value();
        } else
          promise->set_value(work());
      } catch (...) {
        promise->set_exception(std::current_exception());
      }
    });
    return future;
  }

  int threads() const { return int(workers_.size()); }

 private:
  using Task = std::function<void(bool run)>;
  void push(Task task);
  void work();
  void stop();
  [[noreturn]] static void throw_stopped();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace zoo
