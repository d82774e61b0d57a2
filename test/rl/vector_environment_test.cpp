#include "test/rl/games.h"
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/rl/vector_environment.h>

using namespace zoo;
using namespace zoo::test;

namespace {

struct Buffers {
  explicit Buffers(const rl::VectorEnvironment& games)
      : observation(games.spec().observation.bytes() * size_t(games.size())),
        final_observation(observation.size()),
        reward(size_t(games.size())),
        terminal(reward.size()),
        truncated(reward.size()) {}
  rl::StepBatch spans() { return {observation, reward, terminal, truncated, final_observation}; }
  auto all() const { return std::tuple(observation, final_observation, reward, terminal, truncated); }

  std::vector<std::byte> observation, final_observation;
  std::vector<float> reward;
  std::vector<uint8_t> terminal, truncated;
};

std::unique_ptr<rl::Environment> seaquest() { return rl::make_environment("minatar/seaquest"); }

}  // namespace

TEST_CASE("lanes give what single environments with their seeds give, on any number of threads", "[rl]") {
  constexpr int64_t kLanes = 7;
  rl::VectorEnvironment one(seaquest, kLanes, 5, 1), three(seaquest, kLanes, 5, 3);
  std::vector<std::unique_ptr<rl::Environment>> single;
  for (int64_t i = 0; i < kLanes; ++i) {
    single.push_back(seaquest());
    single.back()->seed(rl::numbered_seed(5, i));
    single.back()->reset();
  }
  Buffers a(one), b(three);
  one.reset(a.observation);
  three.reset(b.observation);
  CHECK(a.all() == b.all());
  RandomStream random({.seed = 1});
  int ended = 0;
  for (int step = 0; step < 200; ++step) {
    std::vector<int64_t> actions(kLanes);
    for (auto& action : actions) action = int64_t(random.below(6));
    one.step(actions, a.spans());
    three.step(actions, b.spans());
    REQUIRE(a.all() == b.all());
    const size_t bytes = one.spec().observation.bytes();
    for (size_t i = 0; i < size_t(kLanes); ++i) {
      const auto result = single[i]->step(actions[i]);
      CHECK(float(result.reward) == a.reward[i]);
      CHECK(result.terminal == (a.terminal[i] != 0));
      if (result.done()) {
        ++ended;
        CHECK(std::memcmp(observation_of(*single[i]).data(), a.final_observation.data() + i * bytes, bytes) == 0);
        single[i]->reset();
      }
      REQUIRE(std::memcmp(observation_of(*single[i]).data(), a.observation.data() + i * bytes, bytes) == 0);
    }
  }
  CHECK(ended > 10);
}

TEST_CASE("lanes of continuous environments take rows of numbers, and say where they were cut", "[rl]") {
  rl::VectorEnvironment games([] { return rl::make_environment("pendulum", {.time_limit = 3}); }, 2, 0);
  Buffers buffers(games);
  games.reset(buffers.observation);
  const std::vector<float> actions{2, -2};
  for (int i = 0; i < 3; ++i) {
    CHECK(buffers.truncated[0] == 0);
    games.step(actions, buffers.spans());
  }
  CHECK(buffers.truncated == std::vector<uint8_t>{1, 1});
  CHECK(buffers.terminal == std::vector<uint8_t>{0, 0});
}

TEST_CASE("restored lanes go on bit for bit; a state of another number of lanes is refused", "[rl]") {
  rl::VectorEnvironment games(seaquest, 12, 1), others(seaquest, 12, 2), fewer(seaquest, 2, 1);
  Buffers a(games), b(others);
  games.reset(a.observation);
  others.reset(b.observation);
  const std::vector<int64_t> actions(12, 4);
  for (int i = 0; i < 20; ++i) games.step(actions, a.spans());
  others.restore(games.state());
  for (int i = 0; i < 50; ++i) {
    games.step(actions, a.spans());
    others.step(actions, b.spans());
    REQUIRE(a.observation == b.observation);
  }
  CHECK_THROWS_AS(fewer.restore(games.state()), Error);
  State damaged = games.state();
  damaged.arrays.erase("lanes.11.words");
  const State before = others.state();
  CHECK_THROWS_AS(others.restore(damaged), Error);
  CHECK(others.state().values == before.values);
}

TEST_CASE("buffers of the wrong size and impossible numbers of lanes are refused", "[rl]") {
  CHECK_THROWS_AS(rl::VectorEnvironment(seaquest, 0, 0), Error);
  CHECK_THROWS_AS(rl::VectorEnvironment(seaquest, 1, 0, 0), Error);
  rl::VectorEnvironment games(seaquest, 2, 0);
  Buffers buffers(games);
  CHECK_THROWS_WITH(games.reset(std::span(buffers.observation).first(1000)), Contains("needs 2000"));
  CHECK_THROWS_WITH(games.step(std::vector<int64_t>(3), buffers.spans()), Contains("needs 2 items, got 3"));
  buffers.reward.resize(1);
  CHECK_THROWS_WITH(games.step(std::vector<int64_t>(2), buffers.spans()), Contains("reward"));
  buffers.reward.resize(2);
  CHECK_THROWS_WITH(games.step(std::vector<int64_t>{0, 9}, buffers.spans()), Contains("actions"));
}
