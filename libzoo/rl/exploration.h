// How an agent's actions are disturbed: by exploration, and by machines that at times repeat the last action.
#pragma once

#include <cstdint>

namespace zoo::rl {

struct EpsilonSchedule {
  int64_t decay_period = 250'000;  // steps
  int64_t warmup_steps = 20'000;
  double epsilon = 0.01;  // at the end
};

// The probability of a random action: 1 until the warm-up ends, then linearly down (Dopamine's linearly_decaying_epsilon).
double epsilon_at(int64_t step, const EpsilonSchedule& schedule);

// The Arcade Learning Environment's rule, asked once a frame: with some probability the action executed before is executed again.
class StickyActions {
 public:
  explicit StickyActions(double probability) : probability_(probability) {}

  int64_t execute(int64_t action, double uniform) {  // uniform in [0, 1)
    if (!(uniform < probability_)) last_ = action;
    return last_;
  }
  void reset() { last_ = 0; }  // noop
  int64_t last() const { return last_; }
  void set_last(int64_t action) { last_ = action; }

 private:
  double probability_;
  int64_t last_ = 0;
};

}  // namespace zoo::rl
