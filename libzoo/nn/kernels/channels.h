// Loops over channels that lie side by side in memory: kChannels at a time, which fit into vector registers.
#pragma once

#include <libzoo/core/kernel_clones.h>

#include <cstdint>
#include <type_traits>

namespace zoo::nn::kernels {

constexpr int64_t kChannels = 32;

// Calls work(first channel, how many) with how many a compile-time constant: kChannels, then 1 for each channel that is left.
template <class F>
ZOO_INLINE void for_channels(int64_t channels, F work) {
  const int64_t whole = channels / kChannels * kChannels;
  for (int64_t c = 0; c < whole; c += kChannels) work(c, std::integral_constant<int64_t, kChannels>());
  for (int64_t c = whole; c < channels; ++c) work(c, std::integral_constant<int64_t, 1>());
}

}  // namespace zoo::nn::kernels
