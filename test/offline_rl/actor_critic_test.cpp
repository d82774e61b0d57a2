#include "test/catch.h"
#include "test/files.h"

#include <libzoo/core/error.h>
#include <libzoo/offline_rl/actor_critic.h>
#include <libzoo/offline_rl/control_log.h>
#include <libzoo/offline_rl/d4rl.h>

#include <ATen/ATen.h>

using namespace zoo;
using namespace zoo::offline_rl;
using namespace zoo::test;

namespace {

const ControlTask kTask{.state_size = 3, .action_size = 1, .max_action = 2};

ControlBatch random_batch(int64_t n) {
  return {at::randn({n, 3}), at::rand({n, 1}) * 4 - 2, at::randn({n}), at::randn({n, 3}), at::randint(0, 2, {n}, at::kByte)};
}

ActorCriticOptions small(ActorCriticKind kind) {
  ActorCriticOptions o;
  o.kind = kind;
  o.hidden = {16, 16};
  return o;
}

}  // namespace

TEST_CASE("actor-critic agents continue bit for bit from their state", "[offline_rl]") {
  const auto kind = GENERATE(ActorCriticKind::td3, ActorCriticKind::td3_bc, ActorCriticKind::ddpg, ActorCriticKind::rem_td3);
  at::manual_seed(1);
  std::vector<ControlBatch> batches;
  for (int i = 0; i < 7; ++i) batches.push_back(random_batch(8));
  ActorCritic whole(small(kind), kTask, 5), first(small(kind), kTask, 5), second(small(kind), kTask, 5);
  for (const auto& batch : batches) whole.update(batch);
  for (int i = 0; i < 3; ++i) first.update(batches[size_t(i)]);
  second.restore(first.state());
  for (size_t i = 3; i < batches.size(); ++i) second.update(batches[i]);
  const auto got = second.weights(), target = second.target_weights();
  for (const auto& [name, value] : whole.weights()) CHECK(at::equal(value, got.at(name)));
  for (const auto& [name, value] : whole.target_weights()) CHECK(at::equal(value, target.at(name)));
}

TEST_CASE("TD3 moves its actor and all targets only every second update", "[offline_rl]") {
  at::manual_seed(2);
  ActorCritic agent(small(ActorCriticKind::td3), kTask, 1);
  const auto copy = [](const std::map<std::string, at::Tensor>& tensors) {
    std::map<std::string, at::Tensor> result;
    for (const auto& [name, tensor] : tensors) result.emplace(name, tensor.clone());
    return result;
  };
  const auto before = copy(agent.weights()), target = copy(agent.target_weights());
  CHECK_FALSE(agent.update(random_batch(8)).actor.defined());
  CHECK(at::equal(before.at("actor.fc1.weight"), agent.weights().at("actor.fc1.weight")));
  CHECK_FALSE(at::equal(before.at("critic2.fc1.weight"), agent.weights().at("critic2.fc1.weight")));
  CHECK(at::equal(target.at("critic1.fc1.weight"), agent.target_weights().at("critic1.fc1.weight")));
  CHECK(agent.update(random_batch(8)).actor.defined());
  CHECK_FALSE(at::equal(before.at("actor.fc1.weight"), agent.weights().at("actor.fc1.weight")));
  CHECK_FALSE(at::equal(target.at("critic1.fc1.weight"), agent.target_weights().at("critic1.fc1.weight")));
}

TEST_CASE("actions stay within the largest", "[offline_rl]") {
  ActorCritic agent(small(ActorCriticKind::ddpg), kTask, 1);
  CHECK(agent.act(at::randn({100, 3}) * 100).abs().max().item<float>() <= 2);
}

TEST_CASE("a log of continuous control comes back, over several files, with time limits that are no ends", "[offline_rl]") {
  const TemporaryFolder folder;
  EnvironmentChoice pendulum;
  pendulum.name = "pendulum";
  ControlLogWriter writer(folder.path(), kTask, pendulum, 7);
  for (int i = 0; i < 20; ++i) {
    const float state[] = {float(i), 0, 0}, next[] = {float(i + 1), 0, 0}, action[] = {float(i) / 10};
    writer.add(state, action, -i, next, i == 12, i % 5 == 4);
  }
  writer.close();
  const auto log = read_control_log(folder.path());
  CHECK(log.size() == 20);
  CHECK(log.environment.name == "pendulum");
  CHECK(at::equal(log.transitions.next_state.select(1, 0), at::arange(1, 21).to(at::kFloat)));
  CHECK(log.transitions.terminal.sum().item<int64_t>() == 1);
  CHECK(log.returns == std::vector<double>{-10, -35, -33, -27, -85});
  std::filesystem::resize_file(folder / "control.1.safetensors", 100);
  CHECK_THROWS_AS(read_control_log(folder.path()), UserError);
}

TEST_CASE("D4RL's view drops rows that a time limit ended", "[offline_rl]") {
  const std::vector<uint8_t> terminals{0, 0, 1, 0, 0, 0}, timeouts{0, 0, 0, 0, 1, 0};
  CHECK(d4rl_rows(terminals, std::span<const uint8_t>(timeouts)) == std::vector<int64_t>{0, 1, 2, 3});
  // Without them: limit 2. Row 1 is cut; row 2 is terminal and the counter goes on at 1, so row 3 is cut.
  CHECK(d4rl_rows(terminals, std::nullopt, 2) == std::vector<int64_t>{0, 2, 4});
}
