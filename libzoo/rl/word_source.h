// The random numbers of the MinAtar games: 32-bit words of MT19937 (Matsumoto and Nishimura 1998), the same as those of
// std::mt19937 and NumPy's RandomState for one integer as seed; or words that a test feeds.
#pragma once

#include <libzoo/core/state.h>

#include <cstdint>
#include <vector>

namespace zoo::rl {

class WordSource {
 public:
  explicit WordSource(uint64_t seed = 0);  // modulo 2^32, as std::mt19937
  // Gives these words in order, then throws Error.
  static WordSource of(std::vector<uint32_t> words);

  uint32_t next() {
    if (position_ == words_.size()) refill();
    return temper(words_[position_++]);
  }

  // [0, 1) with 53 bits: two words.
  double uniform() {
    const uint64_t high = next() >> 5, low = next() >> 6;
    return double(high << 26 | low) * 0x1p-53;
  }

  // [low, high), low < high: none or more words, by rejection under the smallest mask of ones; no word if there is one value only.
  int64_t integer(int64_t low, int64_t high);

  uint64_t used() const { return before_ + position_; }  // words taken so far

  // Words and position. restore throws Error if there are not 624 words or the position is not among them.
  State state() const;
  void restore(const State& state);

 private:
  void refill();
  uint32_t temper(uint32_t word) const {
    if (fed_) return word;
    word ^= word >> 11;
    word ^= word << 7 & 0x9d2c5680u;
    word ^= word << 15 & 0xefc60000u;
    return word ^ word >> 18;
  }

  std::vector<uint32_t> words_;  // untempered, unless fed
  size_t position_ = 0;
  uint64_t before_ = 0;  // words taken before these
  bool fed_ = false;
};

}  // namespace zoo::rl
