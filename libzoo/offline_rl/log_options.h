// Options of `zoo-offline-rl log`: an agent that learns while it plays, or a policy, and everything it does in files.
#pragma once

#include <libzoo/offline_rl/agent_options.h>
#include <libzoo/offline_rl/environment_choice.h>

#include <cstdint>
#include <filesystem>

namespace zoo::offline_rl {

enum class Behaviour { learning, random, checkpoint };
constexpr auto enum_names(Behaviour) {
  return EnumNames<Behaviour, 3>{{{Behaviour::learning, "learning"}, {Behaviour::random, "random"}, {Behaviour::checkpoint, "checkpoint"}}};
}

struct OnlineOptions {
  int64_t warmup_steps = 20'000;
  int64_t update_every = 4;
  int64_t batch_size = 32;
  int64_t memory_rows = 1'000'000;
  double epsilon = 0.01;
  int64_t epsilon_decay_steps = 250'000;
  double action_noise = 0.1;
};

template <class Field>
void fields(Field& field, OnlineOptions& o) {
  field("warmup_steps", o.warmup_steps, "steps before the first update; with continuous actions they are random", non_negative());
  field("update_every", o.update_every, "steps for one update", at_least(1));
  field("batch_size", o.batch_size, "transitions of an update", at_least(1));
  field("memory_rows", o.memory_rows, "that can be replayed; more than steps keeps all", at_least(100));
  field("epsilon", o.epsilon, "probability of a random action in the end; where actions are discrete", between(0.0, 1.0));
  field("epsilon_decay_steps", o.epsilon_decay_steps, "after the warm-up, in which it falls from 1", at_least(1));
  field("action_noise", o.action_noise, "deviation of the noise on continuous actions, in units of the actions", non_negative());
}

struct LogOptions {
  EnvironmentChoice environment;
  int64_t steps = 200'000;
  Behaviour behaviour = Behaviour::learning;
  std::filesystem::path checkpoint;
  AgentChoice agent;
  OnlineOptions online;
  int64_t shard_rows = 50'000;
  bool clip_rewards = false;
  int64_t max_episode_steps = 27'000;
  int64_t compression = 6;
  int64_t checkpoint_every = 0;
};

template <class Field>
void fields(Field& field, LogOptions& o) {
  field("environment", o.environment, "what is played", required());
  field("steps", o.steps, "of the agent", at_least(1));
  field("behaviour", o.behaviour, "learning: `agent` learns online; random: random actions; checkpoint: an agent that is done");
  field("checkpoint", o.checkpoint, "model.safetensors of behaviour=checkpoint");
  field("agent", o.agent, "that learns");
  field("online", o.online, "how it learns while it plays, and explores");
  field("shard_rows", o.shard_rows, "rows of a shard; a killed run loses the unfinished one", at_least(16));
  field("clip_rewards", o.clip_rewards,
        "to [-1, 1] before they are written, as in the DQN Replay data; returns can't be told from such a log");
  field("max_episode_steps", o.max_episode_steps, "after which an episode is cut", at_least(1));
  field("compression", o.compression, "of the shards: 1 (fast) to 9 (small)", between(1, 9));
  field("checkpoint_every", o.checkpoint_every,
        "steps between two checkpoints, which hold the memory too; 0: only when it ends or is stopped", non_negative());
}

inline void check(const LogOptions& o, Problems& problems) {
  if (o.environment.name.empty()) problems.add("environment.name", "must be given");
  if (o.behaviour == Behaviour::checkpoint && o.checkpoint.empty()) problems.add("checkpoint", "must be given with behaviour=checkpoint");
  if (o.shard_rows < o.environment.stack + 2) problems.add("shard_rows", "must be more than environment.stack + 1");
}

}  // namespace zoo::offline_rl
