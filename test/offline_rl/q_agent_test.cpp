#include "test/catch.h"

#include <libzoo/offline_rl/q_agent.h>
#include <libzoo/offline_rl/simplex.h>
#include <libzoo/optim/adam.h>

#include <ATen/ATen.h>

using namespace zoo;
using namespace zoo::offline_rl;

namespace {

const PictureTask kTask{{10, 10, 4}, 3};

TransitionBatch random_batch(int64_t n) {
  return {.state = at::randint(0, 2, {n, 10, 10, 4}, at::kByte),
          .action = at::randint(kTask.actions, {n}, at::kLong),
          .reward = at::randn({n}),
          .next_state = at::randint(0, 2, {n, 10, 10, 4}, at::kByte),
          .terminal = at::randint(0, 2, {n}, at::kByte)};
}

AgentOptions small(AgentKind kind) {
  AgentOptions o;
  o.kind = kind;
  o.heads = kind == AgentKind::rem_multi_network || kind == AgentKind::bootstrapped_dqn ? 2 : 5;
  o.target_every = 3;
  o.optimizer.kind = OptimizerKind::adam;
  o.optimizer.form = OptimizerForm::torch;
  o.optimizer.rate = 1e-3, o.optimizer.eps = 1e-8;
  return o;
}

// One update by the definition: all heads by the network's own operators, the loss on them, autograd, Adam.
double update_by_definition(const AgentOptions& o, uint64_t seed, QNetwork& net, const TransitionBatch& batch, int64_t heads) {
  const Outcomes outcomes{batch.action, batch.reward, batch.terminal, o.gamma};
  RandomStream random({.seed = seed, .id = 0, .copy = 3});
  const auto q = net(batch.state), next = net(batch.next_state).detach();
  const Loss loss = [&] {
    const auto x = q.detach();
    switch (o.kind) {
      case AgentKind::rem: return rem_loss(x, next, draw_simplex(heads, o.mixtures, random), outcomes);
      case AgentKind::ensemble_dqn: return ensemble_loss(x, next, outcomes, EnsembleTarget::per_head);
      case AgentKind::averaged_ensemble_dqn: return ensemble_loss(x, next, outcomes, EnsembleTarget::averaged);
      case AgentKind::qr_dqn: return quantile_huber_loss(x, next, outcomes, o.kappa);
      case AgentKind::c51: return categorical_loss(x, next, outcomes, {o.v_min, o.v_max});
      default: return mixture_loss(x, next, outcomes);
    }
  }();
  optim::Adam adam(net->named_parameters(), {.eps = 1e-8});
  q.backward(loss.grad);
  adam.step(1e-3);
  return loss.value.item<double>();
}

}  // namespace

TEST_CASE("an agent's update is that of the definition, folded mixture and kernels and all", "[offline_rl]") {
  const auto kind = GENERATE(AgentKind::dqn_adam, AgentKind::ensemble_dqn, AgentKind::averaged_ensemble_dqn, AgentKind::rem,
                             AgentKind::qr_dqn, AgentKind::c51);
  auto options = small(kind);
  options.mixtures = 2;
  at::manual_seed(6);
  QAgent agent(options, kTask, 9);
  const auto batch = random_batch(32);
  const int64_t heads = heads_of(options, kTask);
  QNetwork net(minatar_network(4, kTask.actions, heads));
  load_weights(*net, agent.weights());
  const double want = update_by_definition(options, 9, net, batch, heads);
  CHECK(agent.update(batch).item<double>() == Approx(want).epsilon(1e-5));
  const auto got = agent.weights();
  for (const auto& [name, value] : torch_weights(*net)) {
    INFO(name);
    // Adam's first step has the length of the rate whatever the gradient: a sign that rounding turns is worth two of them, so almost all must agree.
    CHECK((got.at(name) - value).abs().gt(2e-5).to(at::kFloat).mean().item<double>() < 0.01);
  }
}

TEST_CASE("every agent learns a batch by heart, and its target follows", "[offline_rl]") {
  const auto kind = GENERATE(AgentKind::dqn, AgentKind::dqn_adam, AgentKind::ensemble_dqn, AgentKind::averaged_ensemble_dqn, AgentKind::rem,
                             AgentKind::rem_multi_network, AgentKind::bootstrapped_dqn, AgentKind::qr_dqn, AgentKind::c51);
  at::manual_seed(7);
  auto batch = random_batch(16);
  batch.terminal.fill_(1);
  auto options = small(kind);
  options.heads = kind == AgentKind::c51 ? 21 : options.heads;
  options.v_min = -3, options.v_max = 3;
  QAgent agent(options, kTask, 1);
  const double before = agent.update(batch).item<double>();
  for (int i = 0; i < 120; ++i) agent.update(batch);
  const double after = agent.update(batch).item<double>();
  CHECK(after < 0.6 * before);
  // Where everything is terminal, the value of the action taken is the reward.
  const auto values = agent.action_values(batch.state).gather(1, batch.action.unsqueeze(1)).squeeze(1);
  CHECK((values - batch.reward).abs().mean().item<double>() < 0.6 * batch.reward.abs().mean().item<double>());
}

TEST_CASE("an agent continues bit for bit from its state", "[offline_rl]") {
  const auto kind = GENERATE(AgentKind::dqn, AgentKind::rem, AgentKind::rem_multi_network);
  at::manual_seed(8);
  std::vector<TransitionBatch> batches;
  for (int i = 0; i < 8; ++i) batches.push_back(random_batch(8));
  QAgent whole(small(kind), kTask, 2), first(small(kind), kTask, 2), second(small(kind), kTask, 3);
  for (int i = 0; i < 8; ++i) whole.update(batches[size_t(i)]);
  for (int i = 0; i < 4; ++i) first.update(batches[size_t(i)]);
  // Batches of other agents' mixtures: the seed belongs to the options, not to the state.
  QAgent same(small(kind), kTask, 2);
  same.restore(first.state());
  for (int i = 4; i < 8; ++i) same.update(batches[size_t(i)]);
  const auto want = whole.weights(), got = same.weights();
  for (const auto& [name, value] : want) CHECK(at::equal(value, got.at(name)));
}

TEST_CASE("agents with networks of their own explore by one mixture or one network an episode, and are judged by the mean",
          "[offline_rl]") {
  const auto state = at::randint(0, 2, {4, 10, 10, 4}, at::kByte);
  QAgent agent(small(AgentKind::rem_multi_network), kTask, 4);
  const auto first = agent.exploring_values(state, 0);
  CHECK(at::equal(first, agent.exploring_values(state, 0)));
  CHECK_FALSE(at::allclose(first, agent.exploring_values(state, 1)));
  CHECK_FALSE(at::allclose(first, agent.action_values(state)));
  QAgent bootstrapped(small(AgentKind::bootstrapped_dqn), kTask, 4);
  std::vector<at::Tensor> seen;
  for (int64_t episode = 0; episode < 20; ++episode) {
    const auto values = bootstrapped.exploring_values(state, episode);
    const bool known = std::any_of(seen.begin(), seen.end(), [&](const at::Tensor& other) { return at::equal(values, other); });
    if (!known) seen.push_back(values);
  }
  CHECK(seen.size() == 2);
  CHECK(at::allclose((seen[0] + seen[1]) / 2, bootstrapped.action_values(state), 1e-4, 1e-5));
}
