#include "test/rl/games.h"
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>

using namespace zoo;
using namespace zoo::test;
using rl::make_environment;

TEST_CASE("every environment of the catalogue is made by its name and says what it is", "[rl]") {
  for (const auto& name : rl::environment_names()) {
    const auto environment = make_environment(name);
    CHECK(environment->spec().name == name);
    CHECK(environment->spec().observation.bytes() > 0);
    CHECK(environment->spec().action.discrete() == (name != "pendulum"));
    CHECK_FALSE(environment->text().empty());
    const auto picture = environment->picture();
    CHECK(int64_t(picture.pixels.size()) == picture.height * picture.width * 3);
  }
}

TEST_CASE("equal seeds and actions give equal episodes, other seeds others", "[rl]") {
  for (const auto& name : rl::environment_names()) {
    const auto play = [&](uint64_t seed) {
      const auto environment = make_environment(name);
      environment->seed(seed);
      environment->reset();
      return history(*environment, 300, 1);
    };
    INFO(name);
    CHECK(play(5) == play(5));
    CHECK(play(5) != play(6));
  }
}

TEST_CASE("an environment that is restored goes on bit for bit, in the middle of an episode", "[rl]") {
  for (const auto& name : rl::environment_names()) {
    INFO(name);
    const auto environment = make_environment(name), other = make_environment(name);
    environment->seed(3);
    environment->reset();
    history(*environment, 137, 2);
    const State saved = environment->state();
    const auto expected = history(*environment, 400, 9);
    other->restore(saved);
    CHECK(history(*other, 400, 9) == expected);
  }
}

TEST_CASE("a state of another environment, or an impossible one, is refused and changes nothing", "[rl]") {
  const auto breakout = make_environment("minatar/breakout");
  const auto before = observation_of(*breakout);
  CHECK_THROWS_WITH(breakout->restore(make_environment("minatar/asterix")->state()), Contains("minatar/asterix, not of minatar/breakout"));
  CHECK_THROWS_AS(breakout->restore(State{}), Error);
  for (const auto& name : rl::environment_names()) {
    INFO(name);
    const auto environment = make_environment(name);
    const State good = environment->state();
    const Json flat = good.values.flatten();
    for (const auto& [path, value] : flat.items()) {
      if (!value.is_number()) continue;
      State bad = good;
      INFO(path);
      bad.values[Json::json_pointer(path)] = "x";
      CHECK_THROWS_AS(environment->restore(bad), Error);
      bad.values[Json::json_pointer(path)] = -(int64_t(1) << 40);
      if (value.is_number_integer()) CHECK_THROWS_AS(environment->restore(bad), Error);
    }
    CHECK(environment->state().values == good.values);
    environment->restore(good);
    history(*environment, 200, 4);
  }
  CHECK(observation_of(*breakout) == before);
}

TEST_CASE("names that are none and options that do not fit are the user's mistakes", "[rl]") {
  CHECK_THROWS_WITH(make_environment("minatar/brekout"), Contains("did you mean 'breakout'?"));
  CHECK_THROWS_WITH(make_environment("pendulun"), Contains("did you mean 'pendulum'?"));
  CHECK_THROWS_AS(make_environment("minatar/"), UserError);
  CHECK_THROWS_WITH(make_environment("pendulum", {.screen = true}), Contains("only MinAtar"));
  CHECK_THROWS_WITH(make_environment("pendulum", {.sticky_action_prob = 0.5}), Contains("sticky"));
  CHECK_THROWS_WITH(make_environment("pendulum", {.minimal_actions = true}), Contains("continuous"));
  CHECK_THROWS_WITH(make_environment("minatar/breakout", {.stack = 4}), Contains("grey pictures"));
  CHECK_THROWS_WITH(make_environment("minatar/breakout", {.sticky_action_prob = 1.5}), Contains("[0, 1]"));
  CHECK_THROWS_WITH(make_environment("atari/pong"), Contains("emulator"));
}

TEST_CASE("actions of the wrong kind or out of range are refused", "[rl]") {
  const auto game = make_environment("minatar/breakout"), pendulum = make_environment("pendulum");
  CHECK_THROWS_WITH(game->step(6), Contains("actions 0"));
  CHECK_THROWS_AS(game->step(-1), Error);
  const float torque[2] = {0, 0};
  CHECK_THROWS_WITH(game->step(std::span<const float>(torque)), Contains("discrete"));
  CHECK_THROWS_WITH(pendulum->step(0), Contains("not discrete"));
  CHECK_THROWS_AS(pendulum->step(std::span<const float>(torque)), Error);
}
