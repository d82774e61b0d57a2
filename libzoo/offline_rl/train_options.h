// Options of `zoo-offline-rl train`: an agent from a log alone.
#pragma once

#include <libzoo/offline_rl/agent_options.h>
#include <libzoo/offline_rl/environment_choice.h>
#include <libzoo/offline_rl/subset_options.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace zoo::offline_rl {

struct PlayOptions {
  int64_t episodes = 100;
  int64_t min_steps = 0;
  int64_t max_episode_steps = 27'000;
  double epsilon = 0.001;
};

template <class Field>
void fields(Field& field, PlayOptions& o) {
  field("episodes", o.episodes, "whole episodes", at_least(1));
  field("min_steps", o.min_steps, "instead: as many episodes as it takes to play so many steps; 0: `episodes`", non_negative());
  field("max_episode_steps", o.max_episode_steps, "after which an episode is cut", at_least(1));
  field("epsilon", o.epsilon, "probability of a random action, where they are discrete", between(0.0, 1.0));
}

struct ScheduleOfShards {
  int64_t shards_together = 5;
  int64_t updates_per_iteration = 62'500;
};

template <class Field>
void fields(Field& field, ScheduleOfShards& o) {
  field("shards_together", o.shards_together, "shards drawn for an iteration, each batch coming from one of them; 0: from all rows",
        non_negative());
  field("updates_per_iteration", o.updates_per_iteration, "before other shards are drawn", at_least(1));
}

struct TrainOptions {
  std::filesystem::path log;
  AgentChoice agent;
  EnvironmentChoice environment;
  int64_t updates = 12'500'000;
  int64_t batch_size = 32;
  bool clip_rewards = false;
  bool normalize_states = false;
  ScheduleOfShards sampling;
  SubsetOptions subset;
  int64_t evaluate_every = 62'500;
  PlayOptions evaluation;
  int64_t checkpoint_every = 62'500;
};

template <class Field>
void fields(Field& field, TrainOptions& o) {
  field("log", o.log, "folder of Dopamine's shards (converted once), of a converted log, or a log of continuous control", required(),
        existing_path());
  field("agent", o.agent, "that learns");
  field("environment", o.environment, "in which it is evaluated; without a name: the log's own, or none");
  field("updates", o.updates, "of the agent", at_least(1));
  field("batch_size", o.batch_size, "transitions of an update", at_least(1));
  field("clip_rewards", o.clip_rewards, "to [-1, 1], where the log has them whole");
  field("normalize_states", o.normalize_states, "continuous: by mean and deviation over the log, as TD3+BC");
  field("sampling", o.sampling, "which shards batches come from");
  field("subset", o.subset, "of the log, to learn from less");
  field("evaluate_every", o.evaluate_every, "updates between two evaluations; 0: only at the end", non_negative());
  field("evaluation", o.evaluation, "how the agent is judged");
  field("checkpoint_every", o.checkpoint_every, "updates between two checkpoints; 0: only when it ends or is stopped", non_negative());
}

}  // namespace zoo::offline_rl
