#include "test/rl/games.h"
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/rl/wrappers.h>

#include <set>

using namespace zoo;
using namespace zoo::test;

TEST_CASE("minimal actions are those of the rules' page, in their order", "[rl]") {
  const auto plain = rl::make_environment("minatar/space_invaders", {.sticky_action_prob = 0});
  const auto minimal = rl::make_environment("minatar/space_invaders", {.sticky_action_prob = 0, .minimal_actions = true});
  CHECK(plain->spec().action.minimal == std::vector<int64_t>{0, 1, 3, 5});
  CHECK(minimal->spec().action.count == 4);
  const int64_t same[4] = {0, 1, 3, 5};
  for (int64_t i = 0; i < 40; ++i) {
    minimal->step(i % 4);
    plain->step(same[i % 4]);
    REQUIRE(observation_of(*minimal) == observation_of(*plain));
  }
  CHECK_THROWS_AS(minimal->step(4), Error);
}

TEST_CASE("a time limit truncates, does not hide an end, and starts anew with an episode", "[rl]") {
  const auto game = rl::make_environment("minatar/freeway", {.time_limit = 5});
  CHECK(game->spec().time_limit == 5);
  for (int episode = 0; episode < 2; ++episode) {
    for (int i = 0; i < 4; ++i) CHECK_FALSE(game->step(0).done());
    CHECK(game->step(0).truncated);
    game->reset();
  }
  const auto exact = rl::make_environment("minatar/freeway", {.time_limit = 2501});
  rl::StepResult last;
  while (!last.done()) last = exact->step(0);
  CHECK(last.terminal);
  CHECK_FALSE(last.truncated);
}

TEST_CASE("the screen shows every cell as a square of its grey, and the stack the last frames, oldest first", "[rl]") {
  auto game = rl::make_minatar("breakout", {.sticky_action_prob = 0});
  game->seed(1);
  game->reset();
  const auto screen = rl::with_screen(std::move(game));
  CHECK(screen->spec().observation.shape == std::vector<int64_t>{84, 84, 1});
  const auto pixels = observation_of(*screen);
  const auto at = [&](int y, int x) { return int(pixels[size_t(y * 84 + x)]); };
  CHECK(at(83, 34) == 255);                 // the paddle at (4, 9): first of four channels
  CHECK(at(83, 33) == 0);                   // column 3
  CHECK(at(12, 40) == 255 * 1 / 4);         // a brick
  CHECK(at(4, 4) == 0);
  std::set<int> greys;
  for (const auto pixel : pixels) greys.insert(int(pixel));
  CHECK(greys == std::set<int>{0, 63, 191, 255});  // the trail lies under the ball

  const auto stacked = rl::make_environment("minatar/breakout", {.sticky_action_prob = 0, .screen = true, .stack = 4});
  const auto plain = rl::make_environment("minatar/breakout", {.sticky_action_prob = 0, .screen = true});
  for (const auto& each : {stacked.get(), plain.get()}) {
    each->seed(1);
    each->reset();
  }
  std::vector<std::vector<std::byte>> frames(3, std::vector<std::byte>(84 * 84));
  for (int step = 0; step < 4; ++step) {
    frames.push_back(observation_of(*plain));
    const auto stack = observation_of(*stacked);
    bool same = true;
    for (size_t i = 0; i < 84 * 84; ++i)
      for (size_t k = 0; k < 4; ++k) same = same && stack[4 * i + k] == frames[frames.size() - 4 + k][i];
    CHECK(same);
    plain->step(1);
    stacked->step(1);
  }
}

TEST_CASE("wrapped environments continue from their state, and refuse those of unwrapped ones", "[rl]") {
  const rl::EnvironmentOptions options{.minimal_actions = true, .screen = true, .stack = 4, .time_limit = 20};
  const auto game = rl::make_environment("minatar/asterix", options), other = rl::make_environment("minatar/asterix", options);
  game->seed(8);
  game->reset();
  history(*game, 33, 1);
  other->restore(game->state());
  CHECK(history(*other, 60, 2) == history(*game, 60, 2));
  CHECK_THROWS_AS(game->restore(rl::make_environment("minatar/asterix")->state()), Error);
}

TEST_CASE("grey pictures become text, denser where brighter", "[rl]") {
  std::vector<uint8_t> pixels(8 * 8);
  for (size_t i = 0; i < 4 * 8; ++i) pixels[i] = 255;
  CHECK(rl::grey_text(pixels, 8) == "@@@@\n    \n");
}
