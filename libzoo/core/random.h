// Counter-based random streams: every draw is a pure function of (seed, epoch, id, purpose, copy) and its place in the
// stream, so samples depend neither on scheduling nor on the number of workers, and nothing needs to be saved.
// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
//
//   zoo::RandomStream random({.seed = seed, .epoch = epoch, .id = item, .purpose = zoo::Purpose::augmentation});
//   bool flip = random.below(2); double angle = random.uniform(-15.0, 15.0);
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace zoo {

// Ten rounds; words in lane order.
std::array<uint32_t, 4> philox4x32(const std::array<uint32_t, 4>& counter, const std::array<uint32_t, 2>& key);

// What a stream is for; two purposes never share words. Systems take numbers from 16.
enum class Purpose : uint16_t {
  free = 0,
  echo_copies = 1,
  echo_shuffle = 2,
  shard_permutation = 3,
  augmentation = 4,
  shuffle_stage = 5,
  dataset = 6,
  initialisation = 7,
  subset = 8,
  mixup = 16,
};

struct RandomKey {
  uint64_t seed = 0;
  uint32_t epoch = 0;
  uint32_t id = 0;
  Purpose purpose = Purpose::free;
  uint16_t copy = 0;
};

// Checks the widths of values that come from outside. Throws Error naming the value that does not fit.
RandomKey random_key(uint64_t seed, int64_t epoch, int64_t id, int64_t purpose, int64_t copy);

class RandomStream {
 public:
  explicit RandomStream(const RandomKey& key) : key_(key) {}

  uint32_t word(uint64_t index) const;  // word `index` (< 2^34) without moving the stream
  uint32_t next();                      // the next word

  float uniform();                            // [0, 1), 24 bits, one word
  double uniform64();                         // [0, 1), 53 bits, two words
  double uniform(double low, double high);    // from uniform64
  uint64_t below(uint64_t n);                 // [0, n), 1 <= n <= 2^32, one word
  std::array<double, 2> normal_pair();        // two words
  double normal();                            // the first of a pair; two words
  double gamma(double shape);                 // shape > 0; Marsaglia and Tsang 2000
  double beta(double a, double b);            // X / (X + Y) with gamma variates in the log domain; finite, in [0, 1]

  uint64_t position() const { return position_; }
  void seek(uint64_t position) { position_ = position; }

 private:
  RandomKey key_;
  uint64_t position_ = 0;
  mutable uint64_t cached_block_ = UINT64_MAX;
  mutable std::array<uint32_t, 4> block_{};
};

// Fisher-Yates over 0 … size-1: step t swaps i = size-1-t with below(i+1) from word t. 0 <= size <= 2^32.
std::vector<int64_t> permutation(int64_t size, const RandomKey& key);

// A seed for a named part of a program: independent of all others, the same in every run.
uint64_t derive_seed(uint64_t seed, std::string_view name);

}  // namespace zoo
