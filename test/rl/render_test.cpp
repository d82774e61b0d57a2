#include "test/rl/games.h"
#include "test/catch.h"

#include <libzoo/rl/render.h>

#include <algorithm>

using namespace zoo;
using namespace zoo::test;

TEST_CASE("a recording shows the episode that an evaluation with its seed plays", "[rl]") {
  const auto make = [] { return rl::make_environment("minatar/breakout"); };
  const auto recording = rl::record(make, nullptr, {.seed = 7, .epsilon = 1});
  const auto played = rl::evaluate(make, nullptr, {.episodes = 1, .epsilon = 1, .seed = 7});
  CHECK(recording.episode.total == played.episodes[0].total);
  CHECK(recording.episode.steps == played.episodes[0].steps);
  CHECK(recording.pictures.size() == size_t(recording.episode.steps) + 1);
  CHECK(recording.rewards.size() == size_t(recording.episode.steps));

  const auto game = make();
  game->seed(rl::numbered_seed(7, 0));
  game->reset();
  CHECK(recording.texts[0] == game->text());
  CHECK(recording.pictures[0].pixels == game->picture().pixels);
  CHECK_THAT(recording.terminal_frame(0), Contains(game->text()) && Contains("step 0 of"));
}

TEST_CASE("a board as text has a letter for each thing", "[rl]") {
  const auto game = rl::make_environment("minatar/breakout");
  game->seed(0);
  game->reset();
  const std::string text = game->text();
  CHECK(text.size() == 110);
  CHECK(text.substr(11, 11) == "##########\n");
  CHECK(text.substr(99) == "....=.....\n");
  CHECK(std::count(text.begin(), text.end(), 'o') == 1);
  const auto picture = game->picture();
  CHECK(picture.height == 160);
  CHECK(int(picture.row(9 * 16 + 4)[3 * (4 * 16 + 4)]) == 90);  // the paddle's red
}

TEST_CASE("episodes are cut where the recording should end", "[rl]") {
  const auto recording = rl::record([] { return rl::make_environment("minatar/freeway"); }, nullptr, {.max_steps = 12, .epsilon = 1});
  CHECK(recording.pictures.size() == 13);
  CHECK_FALSE(recording.episode.terminal);
}
