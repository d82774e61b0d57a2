// How far a pass over a data set is: a line that rewrites itself on a terminal, else a line every ten seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace zoo::apps {

class ItemProgress {
 public:
  ItemProgress(std::string doing, int64_t total, bool quiet) : doing_(std::move(doing)), total_(total), quiet_(quiet) {}
  ~ItemProgress();
  void done(int64_t count);  // of the total

 private:
  using Clock = std::chrono::steady_clock;
  std::string doing_;
  int64_t total_;
  bool quiet_;
  Clock::time_point started_ = Clock::now(), shown_ = started_;
};

}  // namespace zoo::apps
