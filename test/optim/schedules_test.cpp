#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/optim/schedules.h>

#include <array>
#include <cmath>

using namespace zoo::optim;

TEST_CASE("the warm-up rises linearly from 0 and then stays", "[optim]") {
  CHECK(warmup_rate(0.48, 0, 5000) == 0.0);
  CHECK(warmup_rate(0.48, 2500, 5000) == Approx(0.24));
  CHECK(warmup_rate(0.48, 5000, 5000) == 0.48);
  CHECK(warmup_rate(0.48, 1000000, 5000) == 0.48);
  CHECK(warmup_rate(0.48, 0, 0) == 0.48);  // no warm-up: the peak at once
  CHECK_THROWS_AS(warmup_rate(0.1, -1, 10), zoo::Error);
  CHECK_THROWS_AS(warmup_rate(0.1, 1, -10), zoo::Error);
}

TEST_CASE("the cosine goes from the peak to 0, half way at half time", "[optim]") {
  const ScheduleOptions options{.warmup_steps = 40, .total_steps = 400};
  CHECK(cosine_rate(0.03, 20, options) == Approx(0.015 * 0.5 * (1 + std::cos(0.0))));  // the cosine waits for the warm-up
  CHECK(cosine_rate(0.03, 40, options) == Approx(0.03));
  CHECK(cosine_rate(0.03, 130, options) == Approx(0.03 * 0.5 * (1 + std::sqrt(0.5))));  // a quarter: cos 45 degrees
  CHECK(cosine_rate(0.03, 220, options) == Approx(0.015));
  CHECK(cosine_rate(0.03, 400, options) == Approx(0.0).margin(1e-12));
  CHECK(cosine_rate(0.03, 9999, options) == Approx(0.0).margin(1e-12));
  CHECK(cosine_rate(1.0, 5, {.warmup_steps = 10, .total_steps = 10}) == Approx(0.5));  // nothing left to decay over
}

TEST_CASE("stairs fall by a factor at each drop, from that very step on", "[optim]") {
  // "Big Transfer", upstream: warm-up, then a tenth at epochs 30, 60 and 80; here 100 steps each.
  const std::array<double, 3> drops{3000, 6000, 8000};
  const ScheduleOptions options{.warmup_steps = 50};
  CHECK(stairs_rate(0.4, 25, options, drops) == Approx(0.2));
  CHECK(stairs_rate(0.4, 2999, options, drops) == Approx(0.4));
  CHECK(stairs_rate(0.4, 3000, options, drops) == Approx(0.04));
  CHECK(stairs_rate(0.4, 6000, options, drops) == Approx(0.004));
  CHECK(stairs_rate(0.4, 8000, options, drops) == Approx(0.0004));
  CHECK(stairs_rate(0.4, 8000, options, drops, 0.5) == Approx(0.05));
}
