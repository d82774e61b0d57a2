#include <libzoo/core/error.h>
#include <libzoo/rl/exploration.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::rl {

double epsilon_at(int64_t step, const EpsilonSchedule& schedule) {
  if (schedule.decay_period < 1) throw Error(fmt::format("decay_period must be at least one step, is {}", schedule.decay_period));
  const double range = 1 - schedule.epsilon;
  const double left = double(schedule.decay_period + schedule.warmup_steps - step) / double(schedule.decay_period);
  return schedule.epsilon + std::clamp(range * left, 0.0, range);
}

}  // namespace zoo::rl
