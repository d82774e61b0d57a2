// What a policy would earn, estimated from episodes of another one (Precup et al. 2000; Jiang and Li 2016 for the doubly robust form).
#pragma once

#include <cstdint>
#include <vector>

namespace zoo::offline_rl {

// n episodes of T steps, row by row. ratio[i, t] = π(a|s) / μ(a|s) of that step; q, v: estimates of Q(s, a) and V(s) under π, needed for
// doubly_robust alone.
struct WeightedEpisodes {
  int64_t episodes = 0, steps = 0;
  std::vector<double> ratio, reward, q, v;
};

// ρ is the product of the ratios up to and with a step. Self-normalised forms divide by the sum of ρ over the episodes instead of
// their number: biased, and of much smaller variance.
struct PolicyValue {
  double trajectory = 0;                   // mean ρ · return
  double per_decision = 0;                 // mean Σ γᵗ ρ_t r_t
  double self_normalized_trajectory = 0;
  double self_normalized_per_decision = 0; // divided step by step
  double doubly_robust = 0;                // mean Σ γᵗ (ρ_t (r_t - q_t) + ρ_{t-1} v_t); NaN without q and v
};

// Throws Error if the sizes disagree. A sum of ratios that is 0 gives NaN in the self-normalised forms.
PolicyValue importance_sampling(const WeightedEpisodes& episodes, double gamma);

}  // namespace zoo::offline_rl
