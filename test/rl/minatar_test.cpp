// The rules are pinned by the reference cases; here what those do not reach, and that the games are as hard as the originals.
#include "test/rl/games.h"
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/rl/minatar.h>
#include <libzoo/rl/rollout.h>

#include <cmath>

using namespace zoo;
using namespace zoo::test;

namespace {

// The game with some of its numbers changed.
void put(rl::MinAtar& game, const Json& changes) {
  State state = game.state();
  for (const auto& [name, value] : changes.items()) {
    REQUIRE(state.values["game"].contains(name));
    state.values["game"][name] = value;
  }
  game.restore(state);
}

int64_t number(const rl::MinAtar& game, const char* name) { return game.state().values["game"][name].get<int64_t>(); }

std::unique_ptr<rl::MinAtar> steady(const std::string& name) { return rl::make_minatar(name, {.sticky_action_prob = 0}); }

bool shows(const rl::MinAtar& game, const std::string& channel, int x, int y) {
  const auto planes = observation_of(game);
  const auto channels = game.channels();
  for (size_t c = 0; c < channels.size(); ++c)
    if (channels[c] == channel) return planes[size_t(y * 10 + x) * channels.size() + c] != std::byte(0);
  throw std::logic_error("no channel " + channel);
}

Json thing(int x, int y, bool to_right, int timer, int shot_timer) {
  return {{"x", x}, {"y", y}, {"to_right", int(to_right)}, {"timer", timer}, {"shot_timer", shot_timer}};
}

}  // namespace

// Package 1.0.15, sticky 0.1, 1,000 episodes of uniform actions (Freeway 100): mean and standard error.
TEST_CASE("a random policy earns what it earns in the original", "[rl]") {
  struct Baseline {
    const char* game;
    double mean, error;
    int64_t episodes;
    double steps;
  };
  const Baseline baselines[] = {{"asterix", 0.530, 0.028, 1000, 71.5},
                                {"breakout", 0.518, 0.024, 1000, 11.3},
                                {"freeway", 0.11, 0.03, 100, 2501},
                                {"seaquest", 0.108, 0.012, 1000, 32.3},
                                {"space_invaders", 2.82, 0.08, 1000, 51.3}};
  for (const auto& [game, mean, error, episodes, steps] : baselines) {
    const auto played = rl::evaluate([name = game] { return rl::make_minatar(name); }, nullptr,
                                     {.episodes = episodes, .epsilon = 1, .seed = 1, .threads = 2});
    INFO(game << ": " << played.mean_return() << " +- " << played.standard_error());
    CHECK(std::abs(played.mean_return() - mean) <= 4 * error);
    CHECK(double(played.steps()) / double(episodes) == Approx(steps).epsilon(0.1));
  }
}

TEST_CASE("a step after the end of an episode draws its word pair, and changes nothing", "[rl]") {
  const auto game = steady("breakout");
  put(*game, {{"ball_x", 2}, {"ball_y", 8}, {"heading", 2}, {"paddle_x", 9}});
  CHECK(game->step(0).terminal);
  const auto before = observation_of(*game);
  const auto used = game->words().used();
  const auto after = game->step(1);
  CHECK(after.terminal);
  CHECK(after.reward == 0);
  CHECK(observation_of(*game) == before);
  CHECK(game->words().used() == used + 2);
  CHECK(game->executed_action() == 1);
}

TEST_CASE("the last executed action outlives a reset, and is repeated when the draw says so", "[rl]") {
  const auto game = rl::make_minatar("asterix", {.sticky_action_prob = 1});
  CHECK(game->step(3).reward == 0);
  CHECK(game->executed_action() == 0);  // noop before the first action that is executed
  const auto steady_game = steady("asterix");
  steady_game->step(3);
  steady_game->reset();
  CHECK(steady_game->executed_action() == 3);
}

TEST_CASE("Breakout: a paddle under the new cell, not under the old one, sends the ball back where it came from", "[rl]") {
  const auto game = steady("breakout");
  put(*game, {{"ball_x", 4}, {"ball_y", 8}, {"heading", 2}, {"paddle_x", 5}});
  CHECK_FALSE(game->step(0).terminal);
  CHECK(number(*game, "heading") == 0);
  CHECK(number(*game, "ball_y") == 8);
  put(*game, {{"ball_x", 4}, {"ball_y", 8}, {"heading", 2}, {"paddle_x", 4}});
  CHECK_FALSE(game->step(0).terminal);
  CHECK(number(*game, "heading") == 1);
}

TEST_CASE("Breakout: while the ball goes through the wall only one brick falls, and a cleared wall comes back at the bottom", "[rl]") {
  const auto game = steady("breakout");
  put(*game, {{"ball_x", 4}, {"ball_y", 4}, {"heading", 0}, {"strike", 1}});
  CHECK(game->step(0).reward == 0);
  CHECK(shows(*game, "brick", 3, 3));
  CHECK(shows(*game, "ball", 3, 3));
  put(*game, {{"ball_x", 4}, {"ball_y", 8}, {"heading", 2}, {"paddle_x", 4}, {"bricks", 0}});
  game->step(0);
  CHECK(number(*game, "bricks") == (1 << 30) - 1);
}

TEST_CASE("Seaquest: a full load is worth its oxygen and leaves -1 divers, with which surfacing succeeds again", "[rl]") {
  const auto game = steady("seaquest");
  put(*game, {{"y", 1}, {"held", 6}, {"at_surface", 0}, {"oxygen", 100}});
  CHECK(game->step(2).reward == 5);
  CHECK(number(*game, "held") == -1);
  CHECK(number(*game, "oxygen") == 200);
  CHECK(game->difficulty() == 1);
  game->step(4);
  const auto again = game->step(2);
  CHECK_FALSE(again.terminal);
  CHECK(again.reward == 0);
  CHECK(number(*game, "held") == -2);
  put(*game, {{"y", 1}, {"held", 0}, {"at_surface", 0}});
  CHECK(game->step(2).terminal);
}

TEST_CASE("Seaquest: nothing is spawned into a row where something travels the other way", "[rl]") {
  const auto game = steady("seaquest");
  put(*game, {{"spawn_timer", 0}, {"fish", Json::array({thing(5, 4, true, 3, 0)})}});
  // Sticky draw; then from the left? no (0.75); a submarine? no (0.75); row 1 + (3 of mask 7) = 4.
  game->feed(rl::WordSource::of({0, 0, 3u << 30, 0, 3u << 30, 0, 3}));
  game->step(0);
  CHECK(game->state().values["game"]["fish"].size() == 1);
  put(*game, {{"spawn_timer", 0}});
  game->feed(rl::WordSource::of({0, 0, 1u << 30, 0, 3u << 30, 0, 3}));
  game->step(0);
  CHECK(game->state().values["game"]["fish"].size() == 2);
}

TEST_CASE("Seaquest: a submarine that leaves the board in the step of its shot harms nobody", "[rl]") {
  const auto game = steady("seaquest");
  put(*game, {{"x", 9}, {"y", 4}, {"subs", Json::array({thing(0, 4, false, 0, 0)})}});
  CHECK_FALSE(game->step(0).terminal);
  CHECK(game->state().values["game"]["subs"].empty());
  CHECK(game->state().values["game"]["enemy_bullets"].empty());
}

TEST_CASE("Seaquest: without air the dive ends", "[rl]") {
  const auto game = steady("seaquest");
  put(*game, {{"y", 5}, {"oxygen", 1}, {"at_surface", 0}});
  CHECK_FALSE(game->step(0).terminal);
  CHECK(game->step(0).terminal);
}

TEST_CASE("Space Invaders: aliens below the last row come back at the top, and the episode is over", "[rl]") {
  const auto game = steady("space_invaders");
  const int64_t row9_column0 = int64_t(1) << 40;  // of the lower half
  put(*game, {{"aliens_top", 0}, {"aliens_bottom", row9_column0}, {"move_timer", 0}, {"alien_shot_timer", 5}});
  CHECK(game->step(0).terminal);
  CHECK(shows(*game, "alien", 0, 0));
  CHECK(shows(*game, "alien_right", 0, 0));
}

TEST_CASE("Space Invaders: the nearest column shoots, the left one of two, from its lowest alien", "[rl]") {
  const auto game = steady("space_invaders");
  const auto top = [](int x, int y) { return int64_t(1) << (10 * y + x); };
  put(*game,
      {{"aliens_top", top(3, 0) | top(3, 2) | top(7, 1)}, {"aliens_bottom", 0}, {"x", 5}, {"alien_shot_timer", 0}, {"move_timer", 9}});
  game->step(0);
  CHECK(shows(*game, "enemy_bullet", 3, 2));
  CHECK_FALSE(shows(*game, "enemy_bullet", 7, 1));
}

TEST_CASE("Freeway is over after 2501 steps, whatever is done", "[rl]") {
  const auto game = steady("freeway");
  int64_t steps = 1;
  while (!game->step(steps % 6).terminal) ++steps;
  CHECK(steps == 2501);
}
