// What group norm works on, for the processor and for CUDA; C++17, as nvcc reads it.
#pragma once

#include <cstdint>

namespace zoo::nn::kernels {

struct GroupNormShape {
  int64_t channels = 0, groups = 0;
  int64_t pixels = 0;  // of one image
  double eps = 0;
  bool relu = false;
};

}  // namespace zoo::nn::kernels
