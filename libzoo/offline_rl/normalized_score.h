// Scores of games on common scales.
//
//   human_normalized("breakout", 20.0)    // (20 - 1.7) / (30.5 - 1.7)
//   between_scores(score, low, high)      // (score - low) / (high - low), as D4RL
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace zoo::offline_rl {

// Of a random policy and of a person, Atari. VideoPinball's random score is 0 as in Dopamine; most other tables have 16256.9.
struct GameScores {
  std::string_view game;  // lower case, without separators: "spaceinvaders"
  double random, human;
};
std::span<const GameScores> game_scores();

double between_scores(double score, double low, double high);

// (score - random) / (human - random). Throws UserError for a game without known scores, naming those there are.
double human_normalized(std::string_view game, double score);

// (score - min(dqn, random)) / (max(dqn, random) - min(dqn, random)), the scale of "An Optimistic Perspective on Offline RL" (appendix
// A.3): where DQN is worse than a random policy the two change places.
double dqn_normalized(double score, double dqn, double random);

}  // namespace zoo::offline_rl
