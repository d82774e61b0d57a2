// Convolution with 3x3 kernels, stride 1 and padding 1 by minimal filtering, F(2x2, 3x3) (Winograd 1980; Lavin and Gray 2016,
// arXiv 1509.09308): 16 products make the 4 outputs of a tile where the definition takes 36. In float32, channels-last memory, on
// processors with AVX-512 (has_matmul()). Images, filters and gradients are transformed to 16 matrices each; what is left are 16
// matrix products. Tiles of 2x2 outputs are counted over all images, row by row; threads may divide them as they like.
#pragma once

#include <cstdint>

namespace zoo::nn::kernels {

struct WinogradShape {
  int64_t images = 0, height = 0, width = 0;
  int64_t in = 0, out = 0;  // channels, multiples of 16

  int64_t tiles() const { return images * ((height + 1) / 2) * ((width + 1) / 2); }
};

// weight [out][3][3][in] -> filters [16][out][in], for the filters [first, last).
void winograd_filters(const WinogradShape& shape, const float* weight, float* filters, int64_t first, int64_t last);

// x [images][height][width][in] -> y [images][height][width][out], the tiles [first, last).
void winograd_convolve(const WinogradShape& shape, const float* x, const float* filters, float* y, int64_t first, int64_t last);
// The gradient of x by that of y: the same, with the filters turned round.
void winograd_convolve_back(const WinogradShape& shape, const float* grad, const float* filters, float* grad_x, int64_t first,
                            int64_t last);

// The gradient of `filters`, [16][out][in], over the tiles [first, last).
void winograd_gradient(const WinogradShape& shape, const float* x, const float* grad, float* grad_filters, int64_t first, int64_t last);
// Its first half, for several threads that share what comes out: `tiles` tiles from `start` on of x as [16][tiles][in] and of the gradient of y as
// [16][tiles][out], of which [first, last) are written.
void winograd_tiles(const WinogradShape& shape, const float* x, const float* grad, float* x_tiles, float* grad_tiles, int64_t start,
                    int64_t tiles, int64_t first, int64_t last);
// grad_filters [16][out][in] -> grad_weight [out][3][3][in], for the filters [first, last).
void winograd_filters_back(const WinogradShape& shape, const float* grad_filters, float* grad_weight, int64_t first, int64_t last);

}  // namespace zoo::nn::kernels
