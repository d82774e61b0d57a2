// Two-dimensional convolution with 3x3 kernels and padding 1 by minimal filtering (Winograd 1980; Lavin and Gray 2016, arXiv
// 1509.09308), with 4, 2.25 or 1.44 times fewer products than by the definition. For S float32 or bfloat16, computed in float32; channels-last memory, on processors with AVX-512
// (has_matmul()). Images, filters and gradients are transformed to one matrix per point; what is left are as many matrix products.
// Tiles are counted over all images, row by row; threads may divide them as they like.
#pragma once

#include <cstdint>

namespace zoo::nn::kernels {

enum class Filtering {
  two,  // F(2x2, 3x3): stride 1, 16 points for 4 outputs
  four,  // F(4x4, 3x3): stride 1, 36 points for 16 outputs
  strided,  // stride 2, 25 points for 4 outputs
};

struct WinogradShape {
  Filtering filtering = Filtering::two;
  int64_t images = 0, height = 0, width = 0;  // of x
  int64_t in = 0, out = 0;  // channels, multiples of 16

  int64_t stride() const { return filtering == Filtering::strided ? 2 : 1; }
  int64_t points() const { return filtering == Filtering::two ? 16 : filtering == Filtering::four ? 36 : 25; }
  int64_t step() const { return filtering == Filtering::two ? 2 : 4; }  // from tile to tile of x
  int64_t out_height() const { return (height + stride() - 1) / stride(); }
  int64_t out_width() const { return (width + stride() - 1) / stride(); }
  int64_t tiles() const { return images * ((height + step() - 1) / step()) * ((width + step() - 1) / step()); }
};

// weight [out][3][3][in] -> filters [points][in][out], for the inputs [16 · first, 16 · last).
template <class S>
void winograd_filters(const WinogradShape& shape, const S* weight, float* filters, int64_t first, int64_t last);
// The filters turned round, for the way back: [points][out][in], for the outputs [first, last).
template <class S>
void winograd_filters_turned(const WinogradShape& shape, const S* weight, float* filters, int64_t first, int64_t last);

// In between lies one product for each point: [tiles][in] · [in][out] = [tiles][out]. A slab holds `count` tiles from `start` on, of
// which [first, last) are read or written.
struct TileSlab {
  int64_t start = 0, count = 0, first = 0, last = 0;
};
// x [images][height][width][in] -> tiles [points][count][in]
template <class S>
void winograd_in(const WinogradShape& shape, const S* x, float* tiles, const TileSlab& slab);
// tiles [points][count][out] -> y [images][out_height][out_width][out]
template <class S>
void winograd_out(const WinogradShape& shape, const float* tiles, S* y, const TileSlab& slab);

// The gradient of x, with the turned filters: grad, as y -> tiles [points][count][out], and tiles [points][count][in] -> grad_x, as x.
template <class S>
void winograd_back_in(const WinogradShape& shape, const S* grad, float* tiles, const TileSlab& slab);
template <class S>
void winograd_back_out(const WinogradShape& shape, const float* tiles, S* grad_x, const TileSlab& slab);

// The gradient of the filters: grad, as y -> tiles [points][count][out]; those, transposed, by what winograd_in makes of x are [points][out][in].
template <class S>
void winograd_gradient_in(const WinogradShape& shape, const S* grad, float* tiles, const TileSlab& slab);
// grad_filters [points][out][in] -> grad_weight [out][3][3][in], for the outputs [first, last).
template <class S>
void winograd_filters_back(const WinogradShape& shape, const float* grad_filters, S* grad_weight, int64_t first, int64_t last);

}  // namespace zoo::nn::kernels
