#include <libzoo/core/error.h>
#include <libzoo/optim/schedules.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace zoo::optim {

double warmup_rate(double peak, int64_t step, int64_t warmup_steps) {
  if (step < 0 || warmup_steps < 0) throw Error("learning rate: step and warm-up must not be negative");
  return step < warmup_steps ? peak * double(step) / double(warmup_steps) : peak;
}

double cosine_rate(double peak, int64_t step, const ScheduleOptions& options) {
  const double decaying = double(std::max<int64_t>(options.total_steps - options.warmup_steps, 1));
  const double progress = std::clamp(double(step - options.warmup_steps) / decaying, 0.0, 1.0);
  return warmup_rate(peak, step, options.warmup_steps) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

double stairs_rate(double peak, int64_t step, const ScheduleOptions& options, std::span<const double> drops, double factor) {
  double rate = warmup_rate(peak, step, options.warmup_steps);
  for (double drop : drops) {
    if (double(step) >= drop) rate *= factor;
  }
  return rate;
}

}  // namespace zoo::optim
