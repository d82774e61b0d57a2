// bfloat16 as memory: the upper half of a float32, rounded to the nearest, ties to even. Kernels compute in float32.
#pragma once

#include <bit>
#include <cstdint>

namespace zoo::nn::kernels {

struct BFloat16 {
  uint16_t bits;

  BFloat16() = default;
  BFloat16(float value) {
    const auto whole = std::bit_cast<uint32_t>(value);
    const auto rounded = uint16_t((whole + 0x7fff + ((whole >> 16) & 1)) >> 16);
    bits = value != value ? uint16_t(0x7fc0) : rounded;
  }
  operator float() const { return std::bit_cast<float>(uint32_t(bits) << 16); }
};

// What values of a type are computed in.
template <class S>
struct ComputeOf {
  using Type = S;
};
template <>
struct ComputeOf<BFloat16> {
  using Type = float;
};
template <class S>
using Compute = typename ComputeOf<S>::Type;

}  // namespace zoo::nn::kernels
