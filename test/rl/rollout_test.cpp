#include "test/rl/games.h"
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/rl/rollout.h>

#include <atomic>
#include <cmath>
#include <set>

using namespace zoo;
using namespace zoo::test;

namespace {

std::unique_ptr<rl::Environment> asterix() { return rl::make_environment("minatar/asterix"); }

// Looks at each row alone: an action from the bytes of the observation.
void by_hash(const rl::PolicyBatch& batch) {
  const size_t bytes = batch.observation.size() / size_t(batch.rows());
  for (size_t i = 0; i < size_t(batch.rows()); ++i) {
    uint32_t hash = 7;
    for (const std::byte byte : batch.observation.subspan(i * bytes, bytes)) hash = hash * 31 + uint32_t(byte);
    batch.action[i] = int64_t((hash >> 8) % 6);
  }
}

auto numbers(const rl::Evaluation& evaluation) {
  std::vector<std::tuple<double, int64_t, bool>> all;
  for (const auto& episode : evaluation.episodes) all.emplace_back(episode.total, episode.steps, episode.terminal);
  return all;
}

}  // namespace

TEST_CASE("episodes do not depend on threads, lanes or groups", "[rl]") {
  const rl::EvaluationOptions options{.episodes = 53, .epsilon = 0.1, .seed = 4, .lanes = 5, .groups = 3};
  const auto expected = numbers(rl::evaluate(asterix, by_hash, options));
  CHECK(std::set(expected.begin(), expected.end()).size() > 10);
  for (const auto& [lanes, groups, threads] : {std::tuple(5, 3, 2), std::tuple(5, 3, 4), std::tuple(1, 1, 1), std::tuple(64, 7, 3)}) {
    auto other = options;
    other.lanes = lanes;
    other.groups = groups;
    other.threads = threads;
    CHECK(numbers(rl::evaluate(asterix, by_hash, other)) == expected);
  }
}

TEST_CASE("an episode is that of a lone environment with its seeds", "[rl]") {
  const auto played = rl::evaluate(asterix, by_hash, {.episodes = 3, .seed = 9});
  const auto game = asterix();
  game->seed(rl::numbered_seed(9, 2));
  game->reset();
  rl::StepResult result;
  double total = 0;
  int64_t steps = 0;
  while (!result.done()) {
    const auto observation = observation_of(*game);
    const int64_t episode = 2;
    int64_t action = 0;
    by_hash({.observation = observation, .episode = std::span(&episode, 1), .action = std::span(&action, 1)});
    result = game->step(action);
    total += result.reward;
    ++steps;
  }
  CHECK(played.episodes[2].total == total);
  CHECK(played.episodes[2].steps == steps);
}

TEST_CASE("with a number of steps as the goal, whole episodes are played until it is reached", "[rl]") {
  const auto longer = rl::evaluate(asterix, by_hash, {.episodes = 200, .seed = 2});
  for (const int threads : {1, 3}) {
    const auto played = rl::evaluate(asterix, by_hash, {.min_steps = 2000, .seed = 2, .lanes = 3, .groups = 2, .threads = threads});
    CHECK(played.steps() >= 2000);
    CHECK(played.steps() - played.episodes.back().steps < 2000);
    const auto all = numbers(longer), some = numbers(played);
    REQUIRE(all.size() >= some.size());
    CHECK(std::equal(some.begin(), some.end(), all.begin()));
  }
}

TEST_CASE("episodes are cut at max_steps, and the policy is told episode and step", "[rl]") {
  std::atomic<int64_t> seen = 0;
  const auto played = rl::evaluate([] { return rl::make_environment("minatar/freeway"); },
                                   [&](const rl::PolicyBatch& batch) {
                                     for (size_t i = 0; i < size_t(batch.rows()); ++i) {
                                       CHECK(batch.step[i] < 10);
                                       seen += batch.episode[i];
                                       batch.action[i] = 2;
                                     }
                                   },
                                   {.episodes = 6, .max_steps = 10});
  CHECK(seen == 10 * (0 + 1 + 2 + 3 + 4 + 5));
  for (const auto& episode : played.episodes) {
    CHECK(episode.steps == 10);
    CHECK_FALSE(episode.terminal);
  }
}

TEST_CASE("the share of random actions is epsilon", "[rl]") {
  std::atomic<int64_t> asked = 0;
  class Counting final : public rl::Environment {
   public:
    explicit Counting(std::atomic<int64_t>& actions) : actions_(actions) {}
    const rl::EnvironmentSpec& spec() const override { return spec_; }
    void seed(uint64_t) override {}
    void reset() override {}
    using Environment::step;
    rl::StepResult step(int64_t action) override {
      actions_ += action;
      return {};
    }
    void observe(void* to) const override { *static_cast<uint8_t*>(to) = 0; }
    std::string text() const override { return {}; }
    io::Image picture() const override { return {}; }
    State state() const override { return {}; }
    void restore(const State&) override {}

   private:
    rl::EnvironmentSpec spec_{.name = "counting", .observation = {.shape = {1}}, .action = {.count = 2}};
    std::atomic<int64_t>& actions_;
  };
  const auto zero = [](const rl::PolicyBatch& batch) { std::fill(batch.action.begin(), batch.action.end(), 0); };
  rl::evaluate([&] { return std::make_unique<Counting>(asked); }, zero, {.episodes = 10, .max_steps = 1000, .epsilon = 0.2});
  CHECK(double(asked) / 10000 == Approx(0.1).margin(0.01));
}

TEST_CASE("continuous policies fill rows of numbers", "[rl]") {
  const auto played = rl::evaluate([] { return rl::make_environment("pendulum"); },
                                   [](const rl::PolicyBatch& batch) {
                                     if (!batch.action.empty()) throw Error("there are no discrete actions");
                                     for (float& value : batch.values) value = 0;
                                   },
                                   {.episodes = 5, .epsilon = 0.5, .threads = 2});
  for (const auto& episode : played.episodes) {
    CHECK(episode.steps == 200);
    CHECK(episode.total < 0);
  }
}

TEST_CASE("mean and standard error are those of the returns", "[rl]") {
  const rl::Evaluation four{{{.total = 1}, {.total = 2}, {.total = 3}, {.total = 6}}};
  CHECK(four.mean_return() == 3);
  CHECK(four.standard_error() == Approx(std::sqrt(14. / 3 / 4)));
  CHECK(std::isnan(rl::Evaluation{}.mean_return()));
}

TEST_CASE("what a policy throws arrives, and senseless options are refused", "[rl]") {
  CHECK_THROWS_WITH(rl::evaluate(asterix, [](const rl::PolicyBatch&) { throw Error("no idea"); }, {.threads = 3}), Contains("no idea"));
  CHECK_THROWS_WITH(rl::evaluate(asterix, nullptr, {.epsilon = 0.5}), Contains("no policy"));
  CHECK_THROWS_AS(rl::evaluate(asterix, by_hash, {.episodes = 0}), UserError);
  CHECK_THROWS_AS(rl::evaluate(asterix, by_hash, {.epsilon = 1.5}), UserError);
  CHECK_THROWS_AS(rl::evaluate(asterix, by_hash, {.lanes = 0}), UserError);
}
