// An agent of either kind with what it takes to let it play: its environment, and for continuous tasks the scale of its states. The file
// model.safetensors holds all of it.
//
//   Agent agent = load_agent("runs/…/model.safetensors");
//   rl::evaluate(maker_of(agent.environment), agent.policy(), {.episodes = 100});
#pragma once

#include <libzoo/offline_rl/actor_critic.h>
#include <libzoo/offline_rl/environment_choice.h>
#include <libzoo/offline_rl/q_agent.h>
#include <libzoo/rl/rollout.h>

#include <filesystem>
#include <memory>

namespace zoo::offline_rl {

// (state - mean) / deviation, as TD3+BC sees states; undefined: as they are.
struct StateScale {
  at::Tensor mean, deviation;  // f32 [state size]
  at::Tensor apply(const at::Tensor& state) const { return mean.defined() ? (state - mean) / deviation : state; }
};

struct Agent {
  AgentChoice options;
  EnvironmentChoice environment;
  std::shared_ptr<QAgent> values;          // one of the two
  std::shared_ptr<ActorCritic> actor;
  StateScale scale;

  // Greedy; for rl::evaluate and rl::record.
  rl::Policy policy() const;
  std::string kind() const;  // "rem"
};

// The task that an environment poses. Throws UserError if it has not the kind of action that the agent chooses.
PictureTask picture_task(const rl::EnvironmentSpec& spec);
ControlTask control_task(const rl::EnvironmentSpec& spec);

// [rows, height, width, channels] u8 of observations as an environment writes them: planes of truth values are numbers 0 and 1.
at::Tensor picture_states(std::span<const std::byte> observations, const PictureTask& task);

void save_agent(const std::filesystem::path& path, const Agent& agent);
// Throws UserError naming the file if it is not one that save_agent() wrote.
Agent load_agent(const std::filesystem::path& path, at::Device device = at::kCPU);

}  // namespace zoo::offline_rl
