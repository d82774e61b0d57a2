// `zoo-offline-rl train`: an agent from a log alone, judged now and then by playing.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/offline_rl/agents.h>
#include <libzoo/offline_rl/train_options.h>
#include <libzoo/train/run.h>

namespace zoo::offline_rl {

// Leaves model.safetensors. Returns {updates, log return (null where the log can't tell), best return, last return, last five, curve: rows of {update,
// return, standard error}}; without an environment only the loss. Null after a signal.
Json train_offline(const TrainOptions& options, train::Run& run);

// Plays with the agent: {episodes, return, standard error, steps}.
rl::Evaluation play_episodes(const Agent& agent, const PlayOptions& options, uint64_t seed, int threads = 1);

}  // namespace zoo::offline_rl
