// How a stage measures itself: what Stream::reports() and `zoo data bench` show. Written by the stage's threads, read by any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace zoo::data {

// Since the stream was made. Seconds of several threads add up.
struct StageReport {
  std::string name;
  int64_t items = 0;          // delivered
  double work_seconds = 0;    // spent in this stage's own work
  double wait_seconds = 0;    // spent by its reader waiting for it, or by itself for the stage before it
  double occupancy = 0;       // mean number of items held, at deliveries
  int64_t capacity = 0;       // items that fit; 0: it holds none
  int threads = 1;            // that share the work
};

class Meter {
 public:
  using Clock = std::chrono::steady_clock;

  void delivered(int64_t held = 0) {
    items_.fetch_add(1, std::memory_order_relaxed);
    held_.fetch_add(held, std::memory_order_relaxed);
  }
  void worked(Clock::duration time) { work_.fetch_add(nanoseconds(time), std::memory_order_relaxed); }
  void waited(Clock::duration time) { wait_.fetch_add(nanoseconds(time), std::memory_order_relaxed); }

  StageReport report(std::string name, int64_t capacity = 0, int threads = 1) const {
    const int64_t items = items_.load(std::memory_order_relaxed);
    return {.name = std::move(name),
            .items = items,
            .work_seconds = 1e-9 * double(work_.load(std::memory_order_relaxed)),
            .wait_seconds = 1e-9 * double(wait_.load(std::memory_order_relaxed)),
            .occupancy = items > 0 ? double(held_.load(std::memory_order_relaxed)) / double(items) : 0,
            .capacity = capacity,
            .threads = threads};
  }

 private:
  static int64_t nanoseconds(Clock::duration time) { return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count(); }

  std::atomic<int64_t> items_{0}, held_{0}, work_{0}, wait_{0};
};

}  // namespace zoo::data
