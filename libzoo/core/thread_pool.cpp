#include <libzoo/core/error.h>
#include <libzoo/core/thread_pool.h>

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace zoo {

ThreadPool::ThreadPool(int threads) {
  if (threads < 1) throw Error(fmt::format("a thread pool needs at least one thread, got {}", threads));
  workers_.reserve(size_t(threads));
  try {
    for (int i = 0; i < threads; ++i) workers_.emplace_back([this] { work(); });
  } catch (const std::system_error& e) {
    stop();
    throw Error(fmt::format("could not start thread {} of {}: {}", workers_.size() + 1, threads, e.what()), "ask for fewer threads");
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  std::deque<Task> dropped;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(tasks_);
  }
  wake_.notify_all();
  for (Task& task : dropped) task(false);
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::push(Task task) {
  {
    std::lock_guard lock(mutex_);
    if (!stopping_) {
      tasks_.push_back(std::move(task));
      task = nullptr;
    }
  }
  if (task)
    task(false);  // from a task that runs while the pool stops
  else
    wake_.notify_one();
}

void ThreadPool::work() {
  while (true) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task(true);
  }
}

void ThreadPool::throw_stopped() { throw Error("thread pool stopped"); }

}  // namespace zoo
