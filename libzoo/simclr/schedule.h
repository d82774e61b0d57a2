// SimCLR's learning rate: scaled with the batch, a linear warm-up, a cosine to zero.
//
//   const Schedule schedule = make_schedule({.num_examples = 1'281'167, .batch_size = 4096, .epochs = 100, .base_rate = 0.3});
//   lars.step(schedule.rate(step));
#pragma once

#include <libzoo/core/options.h>

#include <cstdint>

namespace zoo::simclr {

enum class Scaling { linear, sqrt };  // base · batch / 256, or base · √batch
constexpr auto enum_names(Scaling) { return EnumNames<Scaling, 2>{{{Scaling::linear, "linear"}, {Scaling::sqrt, "sqrt"}}}; }

struct ScheduleOptions {
  int64_t num_examples = 0;
  int64_t batch_size = 512;
  double epochs = 100;
  double warmup_epochs = 10;
  double base_rate = 0.3;
  Scaling scaling = Scaling::linear;
  int64_t train_steps = 0;  // 0: num_examples · epochs / batch_size, rounded down, plus 1
};

struct Schedule {
  double peak = 0;
  int64_t total_steps = 0, warmup_steps = 0;
  double rate(int64_t step) const;  // 0 at step 0 with a warm-up, and from total_steps on
};

// Throws UserError if a count is below 1, or the warm-up negative or not shorter than the whole.
Schedule make_schedule(const ScheduleOptions& options);

}  // namespace zoo::simclr
