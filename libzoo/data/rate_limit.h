// At most so many items a second, over all threads: a slow disk or network to try things out with.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace zoo::data {

class RateLimit {
 public:
  explicit RateLimit(double per_second)
      : interval_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / per_second))) {}

  // Sleeps until the caller's item is due; returns at once after stop().
  void wait() {
    std::unique_lock lock(mutex_);
    const auto due = std::max(next_, Clock::now());
    next_ = due + interval_;
    stopped_.wait_until(lock, due, [this] { return stop_; });
  }

  void stop() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    stopped_.notify_all();
  }

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::duration interval_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  Clock::time_point next_{};
  bool stop_ = false;
};

}  // namespace zoo::data
