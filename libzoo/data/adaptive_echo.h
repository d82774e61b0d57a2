// The echo factor that follows the measured times: a pure rule, fed once per measurement window. EchoControl runs it.
//
//   AdaptiveEcho rule({.max_factor = 8});
//   double factor = rule.update(/*upstream_seconds=*/0.012, /*downstream_seconds=*/0.002);
//
// R is the ratio of two exponential averages; q(x) = min(max(g·floor(x/g), 1), max_factor) with g = granularity. If
// q(R/(1+hysteresis)) lies above the factor, or q(R/(1-hysteresis)) below it, `patience` windows in a row, it becomes the
// factor. The defaults keep the step rate above 0.9 of that of the best fixed factor.
#pragma once

#include <cstdint>

namespace zoo::data {

struct AdaptiveEchoOptions {
  double initial_factor = 1;  // in [1, max_factor]
  double max_factor = 8;      // >= 1
  double granularity = 0.1;   // > 0
  double hysteresis = 0.05;   // in [0, 1)
  int64_t patience = 3;       // windows, >= 1
  double smoothing = 0.3;     // weight of the latest window, in (0, 1]
};

class AdaptiveEcho {
 public:
  // Throws Error naming the option that is out of range.
  explicit AdaptiveEcho(const AdaptiveEchoOptions& options);

  // Seconds per fresh batch and per step in one window; returns the factor from then on. A window with a value that is not
  // finite or not above 0 changes nothing.
  double update(double upstream_seconds, double downstream_seconds);

  double factor() const { return memory_.factor; }
  double ratio() const { return memory_.ratio; }  // R; 0 before the first window
  int64_t changes() const { return memory_.changes; }

  // All it remembers.
  struct Memory {
    double factor = 1, ratio = 0;
    double upstream = 0, downstream = 0;  // averages; 0 before the first window
    int64_t direction = 0, run = 0, changes = 0;
  };
  const Memory& memory() const { return memory_; }
  void restore(const Memory& memory);  // throws Error if it cannot have been this rule's

 private:
  double quantised(double ratio) const;

  AdaptiveEchoOptions options_;
  Memory memory_;
};

}  // namespace zoo::data
