// `zoo-offline-rl log`: plays and writes what was played, in the format of the DQN Replay data set (or, for continuous actions, of control_log.h), and
// the agent that played it.
#pragma once

#include <libzoo/core/json.h>
#include <libzoo/offline_rl/agents.h>
#include <libzoo/offline_rl/log_options.h>
#include <libzoo/train/run.h>

namespace zoo::offline_rl {

// The log is in run.directory() / "replay_logs", the agent in model.safetensors. Returns {episodes, mean return, return of the last 200 episodes, returns: a
// row every twentieth of the steps {step, return}}; null after a signal. Tracks all it needs to continue bit for bit.
Json log_play(const LogOptions& options, train::Run& run);

}  // namespace zoo::offline_rl
