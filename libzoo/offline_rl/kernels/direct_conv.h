// Convolutions of one image without any rearranging: rows of 16 filters are vectors, input values are broadcast, and a tile of sums stays in registers
// (Georganas et al. 2018, arXiv 1808.05567). For the small networks of agents, whose weights fit into the second-level cache. Channels last, zeros
// around the input written by the caller; float32, AVX-512 (nn::kernels::has_matmul()).
#pragma once

#include <cstdint>

namespace zoo::offline_rl::kernels {

constexpr int64_t kLanes = 16;  // filters are a multiple of it, and at most kMostFilters
constexpr int64_t kMostFilters = 64;

struct DirectConv {
  int64_t out_height = 0, out_width = 0;
  int64_t kernel = 0, stride = 0;
  int64_t channels = 0;  // of the input
  int64_t filters = 0;  // of the output
  int64_t in_row = 0;  // values from a row of the padded input to the next
  int64_t out_row = 0, out_step = 0;  // values from a row of the output to the next, and from a pixel to the next
};

// y = x ∗ weight + bias, cut at 0 if `relu`. weight [kernel · kernel · channels][filters]; bias may be null.
void convolve(const DirectConv& shape, const float* x, const float* weight, const float* bias, bool relu, float* y);

// Adds to grad_weight, as weight, what `images` images give, x and grad lying image_in and image_grad values apart; grad as y.
void convolve_weight_grad(const DirectConv& shape, int64_t images, const float* x, int64_t image_in, const float* grad, int64_t image_grad,
                          float* grad_weight);

}  // namespace zoo::offline_rl::kernels
