// What peers/offline_rl_update.py and offline_rl_td3_update.py do: updates of agents on a batch that is ready.
#include "test/bench/bench.h"

#include <libzoo/offline_rl/actor_critic.h>
#include <libzoo/offline_rl/q_agent.h>

#include <ATen/ATen.h>

#include <memory>

namespace zoo::bench {
namespace {

struct UpdateOptions {
  std::string agent = "rem", net = "nature";
  int64_t batch = 32, heads = 0, actions = 6, updates = 0;
};

offline_rl::AgentKind kind_named(const std::string& name) {
  for (const auto& entry : enum_names(offline_rl::AgentKind{}).entries)
    if (name == entry.name) return entry.value;
  throw CLI::ValidationError("--agent", "no such agent");
}

Job update_job(const UpdateOptions& o) {
  const bool nature = o.net == "nature";
  const int64_t side = nature ? 84 : 10;
  offline_rl::AgentOptions options;
  options.kind = kind_named(o.agent);
  options.network = nature ? offline_rl::NetworkKind::nature : offline_rl::NetworkKind::minatar;
  if (o.heads > 0) options.heads = o.heads;
  options.optimizer.kind = offline_rl::OptimizerKind::adam;
  options.optimizer.form = offline_rl::OptimizerForm::torch;
  options.optimizer.rate = 5e-5, options.optimizer.eps = 3.125e-4;
  auto agent = std::make_shared<offline_rl::QAgent>(options, offline_rl::PictureTask{{side, side, 4}, o.actions}, 0);
  at::manual_seed(0);
  const auto states = [&] { return at::randint(0, nature ? 256 : 2, {o.batch, side, side, 4}, at::kByte); };
  const offline_rl::TransitionBatch batch{states(), at::randint(o.actions, {o.batch}, at::kLong), at::randint(-1, 2, {o.batch}, at::kFloat),
                                          states(), at::rand({o.batch}).lt(0.05).to(at::kByte)};
  const int64_t updates = o.updates > 0 ? o.updates : nature ? 20 : 500;
  return {[=] {
            for (int64_t i = 0; i < updates; ++i) agent->update(batch);
          },
          double(updates), "updates/s"};
}

Job td3_job(int64_t batch_size, int64_t updates) {
  auto agent = std::make_shared<offline_rl::ActorCritic>(offline_rl::ActorCriticOptions{},
                                                         offline_rl::ControlTask{.state_size = 17, .action_size = 6, .max_action = 1}, 0);
  at::manual_seed(0);
  const int64_t n = batch_size;
  const offline_rl::ControlBatch batch{at::randn({n, 17}), at::rand({n, 6}) * 2 - 1, at::randn({n}), at::randn({n, 17}),
                                       at::zeros({n}, at::kByte)};
  return {[=] {
            for (int64_t i = 0; i < updates; ++i) agent->update(batch);
          },
          double(updates), "updates/s"};
}

}  // namespace

std::vector<Benchmark> offline_rl_benchmarks() {
  return {{"offline_rl_update", "updates of an agent that values actions, on a batch that is ready",
           [](CLI::App& command) {
             auto o = std::make_shared<UpdateOptions>();
             command.add_option("--agent", o->agent, "dqn_adam, rem, ensemble_dqn, qr_dqn, c51 …")->capture_default_str();
             command.add_option("--net", o->net, "nature or minatar")->check(CLI::IsMember({"nature", "minatar"}))->capture_default_str();
             command.add_option("--batch", o->batch)->check(CLI::PositiveNumber)->capture_default_str();
             command.add_option("--heads", o->heads, "0: the agent's own")->capture_default_str();
             command.add_option("--actions", o->actions)->check(CLI::PositiveNumber)->capture_default_str();
             command.add_option("--updates", o->updates, "of one measurement; 0: 20, or 500 of the small network")->capture_default_str();
             return [o](int) { return update_job(*o); };
           }},
          {"offline_rl_td3", "updates of TD3, sizes of HalfCheetah", [](CLI::App& command) {
             struct Sizes {
               int64_t batch = 256, updates = 200;
             };
             auto o = std::make_shared<Sizes>();
             command.add_option("--batch", o->batch)->check(CLI::PositiveNumber)->capture_default_str();
             command.add_option("--updates", o->updates)->check(CLI::PositiveNumber)->capture_default_str();
             return [o](int) { return td3_job(o->batch, o->updates); };
           }}};
}

}  // namespace zoo::bench
