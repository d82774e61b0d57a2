// Learning rates as pure functions of the step, counted from 0.
//
//   sgd.step(cosine_rate(0.03, step, {.warmup_steps = 40, .total_steps = 400}));
#pragma once

#include <cstdint>
#include <span>

namespace zoo::optim {

struct ScheduleOptions {
  int64_t warmup_steps = 0;  // linear from 0; 0: none
  int64_t total_steps = 1;
};

// peak · min(1, step / warmup). Throws Error if the step or the warm-up is negative.
double warmup_rate(double peak, int64_t step, int64_t warmup_steps);

// The warm-up, times ½(1 + cos(π · (step - warmup) / (total - warmup))) after it (big_vision's schedule).
double cosine_rate(double peak, int64_t step, const ScheduleOptions& options);

// The warm-up, times `factor` for every drop with step >= drop.
double stairs_rate(double peak, int64_t step, const ScheduleOptions& options, std::span<const double> drops, double factor = 0.1);

}  // namespace zoo::optim
