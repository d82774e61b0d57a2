// The five games of MinAtar (Young and Tian 2019, "MinAtar: an Atari-inspired testbed", package 1.0.15), played by the same rules,
// bit for bit: boards of 10x10 cells with a plane of 0 and 1 for each kind of thing, six actions (noop, left, up, right, down, fire).
#pragma once

#include <libzoo/rl/environment.h>
#include <libzoo/rl/word_source.h>

#include <string>
#include <string_view>
#include <vector>

namespace zoo::rl {

struct MinAtarOptions {
  double sticky_action_prob = 0.1;  // with which the last executed action is repeated; remembered over resets
  bool difficulty_ramping = true;   // Asterix, Seaquest and Space Invaders grow harder
};

// Observations: boolean [10, 10, channels]. Seeds count modulo 2^32. A step after the end of an episode changes nothing but draws.
class MinAtar : public Environment {
 public:
  virtual void feed(WordSource words) = 0;  // instead of seed()
  virtual const WordSource& words() const = 0;
  virtual int64_t executed_action() const = 0;  // of the last step; 0 before the first
  virtual int64_t difficulty() const = 0;       // how often the game grew harder
  virtual std::span<const std::string_view> channels() const = 0;
};

std::vector<std::string> minatar_games();  // asterix, breakout, freeway, seaquest, space_invaders

// Throws UserError for another name or a probability outside of [0, 1].
std::unique_ptr<MinAtar> make_minatar(const std::string& game, const MinAtarOptions& options = {});

}  // namespace zoo::rl
