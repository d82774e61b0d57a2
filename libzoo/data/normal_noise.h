// Normal noise for pictures, several times faster than exact variates: quantiles of the standard normal distribution at
// 4096 equally likely places, scaled to unit variance (largest 3.7). Two values per random word.
#pragma once

#include <libzoo/core/random.h>

#include <span>

namespace zoo::data {

// Fills `out` with deviation · N(0, 1) from the next words of `random`.
void normal_noise(RandomStream& random, float deviation, std::span<float> out);

}  // namespace zoo::data
