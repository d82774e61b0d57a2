// Fitted Q evaluation (Le et al. 2019, arXiv 1903.08738): what a policy would earn, from a log of other play alone. A network learns the policy's own
// values, y = r + gamma · (1 - d) · Q̄(s', π(s')), and is asked at the first states of the log's episodes.
//
//   double value = fitted_q_evaluation(log, agent, {}, seed).value;   // discounted, as the agent's gamma has it
#pragma once

#include <libzoo/offline_rl/q_agent.h>
#include <libzoo/offline_rl/replay_log.h>

#include <cstdint>

namespace zoo::offline_rl {

struct FittedQOptions {
  int64_t updates = 20'000;
  int64_t batch_size = 100;
  double rate = 1e-4;
  int64_t target_every = 100;
  int64_t first_states = 1000;
};

template <class Field>
void fields(Field& field, FittedQOptions& o) {
  field("updates", o.updates, "of the network that learns the policy's values", at_least(1));
  field("batch_size", o.batch_size, "transitions of an update", at_least(1));
  field("rate", o.rate, "learning rate of Adam", positive());
  field("target_every", o.target_every, "updates between two copies to the target network", at_least(1));
  field("first_states", o.first_states, "first states of episodes, at most, at which the values are averaged", at_least(1));
}

struct FittedQ {
  double value = 0;  // mean over the first states
  double log_value = 0;  // mean discounted return of the log's whole episodes
  double loss = 0;  // of the last update
  int64_t first_states = 0;
};
// Throws UserError if the log has no episode's first state, or its states are not the agent's.
FittedQ fitted_q_evaluation(const ReplayLog& log, const QAgent& policy, const FittedQOptions& options, uint64_t seed);

}  // namespace zoo::offline_rl
