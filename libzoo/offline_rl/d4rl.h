// D4RL's Q-learning view of a log that lies in one sequence of rows: row i is paired with row i + 1 unless a time limit ended it. At a
// terminal row the next observation is the next episode's first, which learners mask.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace zoo::offline_rl {

// Rows i for which (i, i + 1) is a transition, ascending. Without `timeouts` a counter finds where the time limit of max_episode_steps cut an
// episode; it is 0 after such a row but 1 after a terminal row, as in the original. Throws Error if lengths differ.
std::vector<int64_t> d4rl_rows(std::span<const uint8_t> terminals, std::optional<std::span<const uint8_t>> timeouts,
                               int64_t max_episode_steps = 1000);

}  // namespace zoo::offline_rl
