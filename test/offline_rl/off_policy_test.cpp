#include "test/catch.h"
#include "test/files.h"

#include <libzoo/core/error.h>
#include <libzoo/offline_rl/fitted_q.h>
#include <libzoo/offline_rl/importance_sampling.h>
#include <libzoo/offline_rl/normalized_score.h>

using namespace zoo;
using namespace zoo::offline_rl;
using namespace zoo::test;

TEST_CASE("with the policy that played, every estimate is the mean return", "[offline_rl]") {
  WeightedEpisodes e;
  e.episodes = 2, e.steps = 3;
  e.ratio.assign(6, 1.0);
  e.reward = {1, 2, 4, 0, 0, 8};
  const double want = (1 + 2 * 0.5 + 4 * 0.25 + 8 * 0.25) / 2;
  auto value = importance_sampling(e, 0.5);
  for (double got : {value.trajectory, value.per_decision, value.self_normalized_trajectory, value.self_normalized_per_decision})
    CHECK(got == Approx(want));
  CHECK(std::isnan(value.doubly_robust));
  // v = q here telescopes away whatever q is, but for the first state's.
  e.q = e.v = {3, 1, 4, 1, 5, 9};
  CHECK(importance_sampling(e, 0.5).doubly_robust == Approx(want));
  e.q.pop_back();
  CHECK_THROWS_AS(importance_sampling(e, 0.5), Error);
}

TEST_CASE("rare actions weigh as much as the policy prefers them", "[offline_rl]") {
  // One step, two actions played with 3/4 and 1/4, paying 0 and 1; the policy takes the second always.
  WeightedEpisodes e;
  e.episodes = 4, e.steps = 1;
  e.ratio = {0, 0, 0, 4};
  e.reward = {0, 0, 0, 1};
  const auto value = importance_sampling(e, 1);
  CHECK(value.trajectory == 1);
  CHECK(value.self_normalized_trajectory == 1);
}

TEST_CASE("scores are put on the scales of the papers", "[offline_rl]") {
  CHECK(human_normalized("breakout", 30.5) == 1);
  CHECK(human_normalized("skiing", -17098.1) == 0);
  CHECK_THROWS_WITH(human_normalized("chess", 1), Contains("chess"));
  CHECK(dqn_normalized(15, 10, 20) == 0.5);  // DQN worse than random: they change places
  CHECK(between_scores(3214.027695, -20.272305, 3214.027695) == Approx(1));
}

TEST_CASE("fitted Q evaluation finds what a log's own play is worth", "[offline_rl]") {
  // Episodes of two steps that pay 0 and 1: worth gamma at their start, whatever the policy.
  const TemporaryFolder folder;
  LogInfo info;
  info.frame_shape = {10, 10, 2}, info.stack = 1, info.actions = 2;
  {
    ReplayLogWriter writer(folder / "log", info);
    for (int i = 0; i < 40; ++i) {
      const bool second = i % 2 == 1;
      std::vector<uint8_t> frame(200, 0);
      for (size_t k = second; k < frame.size(); k += 2) frame[k] = 1;
      writer.put_frame(writer.add(i / 2 % 2, second, second ? kTerminal : kFirst), frame);
    }
    writer.commit();
  }
  const ReplayLog log(folder / "log");
  AgentOptions options;
  options.gamma = 0.5;
  const QAgent policy(options, {{10, 10, 2}, 2}, 1);
  const auto fitted = fitted_q_evaluation(log, policy, {.updates = 400, .batch_size = 32, .rate = 1e-3, .target_every = 50}, 2);
  CHECK(fitted.log_value == Approx(0.5));
  CHECK(fitted.value == Approx(0.5).margin(0.05));
  CHECK(fitted.first_states == 20);
}
