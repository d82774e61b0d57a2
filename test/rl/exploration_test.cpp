#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/rl/exploration.h>

using namespace zoo;

TEST_CASE("epsilon is 1 through the warm-up, falls along a line, and stays", "[rl]") {
  const rl::EpsilonSchedule schedule{.decay_period = 100, .warmup_steps = 50, .epsilon = 0.2};
  CHECK(rl::epsilon_at(0, schedule) == 1);
  CHECK(rl::epsilon_at(50, schedule) == 1);
  CHECK(rl::epsilon_at(100, schedule) == Approx(0.6));
  CHECK(rl::epsilon_at(150, schedule) == Approx(0.2));
  CHECK(rl::epsilon_at(1'000'000, schedule) == Approx(0.2));
  CHECK_THROWS_AS(rl::epsilon_at(0, {.decay_period = 0}), Error);
}

TEST_CASE("sticky actions repeat what was executed, not what was asked for, and forget at a reset", "[rl]") {
  rl::StickyActions sticky(0.25);
  CHECK(sticky.execute(4, 0.1) == 0);
  CHECK(sticky.execute(4, 0.25) == 4);
  CHECK(sticky.execute(5, 0.0) == 4);
  CHECK(sticky.execute(6, 0.24) == 4);
  sticky.reset();
  CHECK(sticky.execute(6, 0.24) == 0);
  rl::StickyActions never(0);
  CHECK(never.execute(3, 0) == 3);
}
