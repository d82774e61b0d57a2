#include "test/files.h"
#include "test/rl/games.h"
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/rl/ale.h>
#include <libzoo/rl/atari.h>

using namespace zoo;
using namespace zoo::test;

namespace {

struct Rom {
  TemporaryFolder folder;
  Rom() { write_text(folder / "counting.bin", "rom"); }
  std::unique_ptr<rl::Environment> game(double sticky = 0) const {
    return rl::make_environment("atari/counting", {.sticky_action_prob = sticky, .ale_plugin = GOOD_PLUGIN, .roms = folder.path()});
  }
};

}  // namespace

TEST_CASE("grey is the rounded weighted sum of the colours", "[rl]") {
  const uint8_t rgb[9] = {255, 255, 255, 255, 0, 0, 10, 200, 30};
  uint8_t grey[3];
  rl::grayscale(rgb, grey);
  CHECK(int(grey[0]) == 255);
  CHECK(int(grey[1]) == 76);   // 76.2
  CHECK(int(grey[2]) == 124);  // 2.989 + 117.4 + 3.42 = 123.8
  CHECK_THROWS_AS(rl::grayscale(std::span(rgb).first(6), grey), Error);
}

TEST_CASE("shrinking takes the mean of the covered area, cut pixels by their part", "[rl]") {
  const uint8_t row[3] = {30, 60, 120};
  uint8_t two[2];
  rl::AreaResize(1, 3, 1, 2)(row, two);
  CHECK(int(two[0]) == 40);   // (30 + 60 / 2) / 1.5
  CHECK(int(two[1]) == 100);  // (60 / 2 + 120) / 1.5
  std::vector<uint8_t> flat(210 * 160, 77), small(84 * 84);
  rl::AreaResize(210, 160, 84, 84)(flat.data(), small.data());
  CHECK(small == std::vector<uint8_t>(84 * 84, 77));
}

TEST_CASE("a step plays four frames, sums their rewards and pools the last two screens", "[rl]") {
  const Rom rom;
  const auto game = rom.game();
  CHECK(game->spec().name == "atari/counting");
  CHECK(game->spec().action.count == 3);
  CHECK(game->spec().observation.shape == std::vector<int64_t>{84, 84, 1});
  CHECK(observation_of(*game) == std::vector<std::byte>(84 * 84, std::byte(0)));
  auto result = game->step(2);
  CHECK(result.reward == 44);  // four times ALE's action 11
  CHECK(observation_of(*game) == std::vector<std::byte>(84 * 84, std::byte(80)));  // frame 4
  CHECK(game->step(1).reward == 12);
  result = game->step(2);  // ends on frame 10, the second of four: nothing new is captured
  CHECK(result.terminal);
  CHECK(result.reward == 22);
  CHECK(observation_of(*game) == std::vector<std::byte>(84 * 84, std::byte(160)));  // frame 8
  game->reset();
  CHECK(observation_of(*game) == std::vector<std::byte>(84 * 84, std::byte(0)));
}

TEST_CASE("actions of an Atari game stick frame by frame, a quarter of the time unless it is said otherwise", "[rl]") {
  const Rom rom;
  const auto game = rl::make_environment("atari/counting", {.ale_plugin = GOOD_PLUGIN, .roms = rom.folder.path()});
  game->seed(1);
  int repeated = 0;
  for (int i = 0; i < 2000; ++i) {
    game->reset();
    // Ten frames from a reset: the memory is noop until the first draw that takes the action, and 11 from there.
    if (game->step(2).reward < 44) ++repeated;
  }
  CHECK(repeated / 2000. == Approx(0.25).margin(0.04));
  CHECK(rom.game(1)->step(2).reward == 0);
}

TEST_CASE("an Atari game continues from its state", "[rl]") {
  const Rom rom;
  const auto game = rom.game(0.25), other = rom.game(0.25);
  game->seed(4);
  history(*game, 11, 3);
  other->restore(game->state());
  CHECK(history(*other, 50, 5) == history(*game, 50, 5));
  State cut = game->state();
  cut.arrays["console"] = Array(DType::u8, {1});
  CHECK_THROWS_WITH(game->restore(cut), Contains("no state"));
}

TEST_CASE("plug-ins and ROMs that are none are the user's mistakes, and named", "[rl]") {
  const Rom rom;
  const auto file = rom.folder / "counting.bin";
  CHECK_THROWS_WITH(rl::open_ale(rom.folder / "absent.so", file), Contains("absent.so"));
  CHECK_THROWS_WITH(rl::open_ale(NO_PLUGIN, file), Contains("exports no zoo_ale_plugin"));
  CHECK_THROWS_WITH(rl::open_ale(OLD_PLUGIN, file), Contains("version 2, 1 is needed"));
  CHECK_THROWS_WITH(rl::open_ale(GOOD_PLUGIN, rom.folder / "pong.bin"), Contains("pong.bin") && Contains("no such ROM"));
  CHECK_THROWS_AS(rl::make_environment("atari/pong", {.ale_plugin = GOOD_PLUGIN}), UserError);
}
