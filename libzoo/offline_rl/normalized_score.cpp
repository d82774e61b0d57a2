#include <libzoo/core/error.h>
#include <libzoo/offline_rl/normalized_score.h>

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace zoo::offline_rl {
namespace {

constexpr GameScores kGames[] = {
    {"pong", -20.7, 14.6},        {"breakout", 1.7, 30.5},          {"qbert", 163.9, 13455.0}, {"seaquest", 68.4, 42054.7},
    {"asterix", 210.0, 8503.3},   {"spaceinvaders", 148.0, 1668.7}, {"freeway", 0.0, 29.6},    {"skiing", -17098.1, -4336.9},
    {"doubledunk", -18.6, -16.4}, {"videopinball", 0.0, 17667.9},
};

}  // namespace

std::span<const GameScores> game_scores() { return kGames; }

double between_scores(double score, double low, double high) { return (score - low) / (high - low); }

double human_normalized(std::string_view game, double score) {
  std::string known;
  for (const auto& entry : kGames) {
    if (entry.game == game) return between_scores(score, entry.random, entry.human);
    known += (known.empty() ? "" : ", ") + std::string(entry.game);
  }
  throw UserError(fmt::format("no human score is known for the game '{}'", game), "known: " + known);
}

double dqn_normalized(double score, double dqn, double random) {
  return between_scores(score, std::min(dqn, random), std::max(dqn, random));
}

}  // namespace zoo::offline_rl
