#include <libzoo/simclr/schedule.h>

#include <libzoo/core/error.h>
#include <libzoo/optim/schedules.h>

#include <cmath>
#include <string>

namespace zoo::simclr {

Schedule make_schedule(const ScheduleOptions& o) {
  if (o.num_examples < 1 || o.batch_size < 1 || !(o.epochs >= 0) || o.train_steps < 0 || (o.train_steps == 0 && o.epochs == 0))
    throw UserError("a schedule needs at least one example, a batch of one and either steps or epochs");
  if (!(o.warmup_epochs >= 0)) throw UserError("warmup_epochs must not be negative");
  Schedule schedule;
  schedule.peak = o.scaling == Scaling::linear ? o.base_rate * double(o.batch_size) / 256 : o.base_rate * std::sqrt(double(o.batch_size));
  const double examples = double(o.num_examples), batch = double(o.batch_size);
  schedule.total_steps = o.train_steps > 0 ? o.train_steps : int64_t(std::floor(examples * o.epochs / batch)) + 1;
  schedule.warmup_steps = int64_t(std::llrint(std::floor(o.warmup_epochs * examples / batch)));
  if (schedule.warmup_steps >= schedule.total_steps)
    throw UserError(
        "the warm-up of " + std::to_string(schedule.warmup_steps) + " steps leaves none of " + std::to_string(schedule.total_steps),
        "lower warmup_epochs");
  return schedule;
}

double Schedule::rate(int64_t step) const {
  if (step >= total_steps) return 0;
  return optim::cosine_rate(peak, step, {.warmup_steps = warmup_steps, .total_steps = total_steps});
}

}  // namespace zoo::simclr
