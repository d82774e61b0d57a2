#include "test/rl/games.h"
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/rl/pendulum.h>

#include <cmath>
#include <numbers>

using namespace zoo;
using namespace zoo::test;

TEST_CASE("upright and at rest the pendulum costs nothing, hanging it costs its angle squared", "[rl]") {
  rl::PendulumState upright, hanging{std::numbers::pi, 0};
  CHECK(rl::pendulum_step(upright, 0) == 0);
  CHECK(upright.angle == 0);
  CHECK(rl::pendulum_step(hanging, 0) == Approx(-std::numbers::pi * std::numbers::pi));
  rl::PendulumState turned{2 * std::numbers::pi, 1};
  CHECK(rl::pendulum_step(turned, 1) == Approx(-0.1 - 0.001));
}

TEST_CASE("torque is clipped to 2 and speed to 8", "[rl]") {
  rl::PendulumState pushed, pushed_more, fast{0.5 * std::numbers::pi, 8};
  CHECK(rl::pendulum_step(pushed, 2) == rl::pendulum_step(pushed_more, 50));
  CHECK(pushed.velocity == pushed_more.velocity);
  CHECK(pushed.velocity == Approx(0.3));
  rl::pendulum_step(fast, 2);
  CHECK(fast.velocity == 8);
}

TEST_CASE("an episode of the pendulum is truncated after 200 steps and starts within its bounds", "[rl]") {
  const auto pendulum = rl::make_pendulum();
  const float nothing = 0;
  double lowest = 0, highest = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    pendulum->seed(seed);
    pendulum->reset();
    float state[3];
    pendulum->observe(state);
    CHECK(std::abs(state[2]) <= 1);
    CHECK(state[0] * state[0] + state[1] * state[1] == Approx(1));
    lowest = std::min(lowest, std::atan2(double(state[1]), double(state[0])));
    highest = std::max(highest, std::atan2(double(state[1]), double(state[0])));
  }
  CHECK(lowest < -2.5);
  CHECK(highest > 2.5);
  rl::StepResult result;
  int steps = 0;
  for (; !result.done(); ++steps) result = pendulum->step(std::span(&nothing, 1));
  CHECK(steps == 200);
  CHECK(result.truncated);
  CHECK_FALSE(result.terminal);
}
