// What a person sees of a run while it goes on: a line that rewrites itself on a terminal, else a plain line every
// `every` steps, but not more often than every two seconds.
//
//   step 400/1000  loss 0.8125  learning_rate 0.003  12.3 steps/s  waiting for data 3 %  reads 812/s  0:49 left
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace zoo::train {

class Progress {
 public:
  Progress(int64_t every, bool quiet);
  ~Progress();  // erases the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void start(int64_t first, int64_t total);
  void wait(std::chrono::nanoseconds time) {
    waited_ += time;
    waits_ = true;
  }
  void note(const std::string& of, const std::string& text) { notes_[of] = text; }  // shown from now on
  // Whether values are wanted now; asked once per step, `done` steps of the total being done.
  bool due(int64_t done) const;
  void show(int64_t done, const std::vector<std::pair<std::string, double>>& values);
  void stop();

  double steps_per_second(int64_t done) const;  // since start()
  int64_t total() const { return total_; }

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(int64_t done, Clock::time_point now, const std::vector<std::pair<std::string, double>>& values) const;

  int64_t every_;
  bool quiet_, terminal_, waits_ = false;
  int64_t first_ = 0, total_ = 0, shown_ = 0;
  Clock::time_point started_, shown_at_;
  std::chrono::nanoseconds waited_{0};
  std::map<std::string, std::string> notes_;
};

std::string clock_text(double seconds);  // "0:49", "1:02:03", "2 d 3:00:00"

}  // namespace zoo::train
