#include <libzoo/offline_rl/kernels/direct_conv.h>

#include <algorithm>

#if defined(__x86_64__) && defined(__GNUC__)
// GCC 12 warns of its own header (bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#define ZOO_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))

namespace zoo::offline_rl::kernels {
namespace {

// Sums in registers: with one broadcast and the vectors of a row of weights at most 32.
template <int vectors>
constexpr int kTile = vectors == 1   ? 14
                      : vectors == 2 ? 12
                      : vectors == 3 ? 9
                                     : 6;

// `pixels` neighbours of one row.
template <int vectors, int pixels>
ZOO_AVX512 void convolve_pixels(const DirectConv& s, const float* x, const float* weight, const float* bias, bool relu, float* y) {
  __m512 sum[pixels][vectors];
#pragma GCC unroll 16
  for (int p = 0; p < pixels; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[p][v] = bias ? _mm512_loadu_ps(bias + v * kLanes) : _mm512_setzero_ps();
  const int64_t run = s.kernel * s.channels, apart = s.stride * s.channels;
  for (int64_t row = 0; row < s.kernel; ++row, x += s.in_row) {
    for (int64_t d = 0; d < run; ++d, weight += vectors * kLanes) {
      __m512 w[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) w[v] = _mm512_loadu_ps(weight + v * kLanes);
#pragma GCC unroll 16
      for (int p = 0; p < pixels; ++p) {
        const __m512 value = _mm512_set1_ps(x[p * apart + d]);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sum[p][v] = _mm512_fmadd_ps(value, w[v], sum[p][v]);
      }
    }
  }
  const __m512 zero = _mm512_setzero_ps();
#pragma GCC unroll 16
  for (int p = 0; p < pixels; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) _mm512_storeu_ps(y + p * s.out_step + v * kLanes, relu ? _mm512_max_ps(sum[p][v], zero) : sum[p][v]);
}

template <int vectors, int pixels>
void convolve_rest(int64_t rest, const DirectConv& s, const float* x, const float* weight, const float* bias, bool relu, float* y) {
  if constexpr (pixels > 0) {
    if (rest == pixels)
      convolve_pixels<vectors, pixels>(s, x, weight, bias, relu, y);
    else
      convolve_rest<vectors, pixels - 1>(rest, s, x, weight, bias, relu, y);
  }
}

template <int vectors>
void convolve_image(const DirectConv& s, const float* x, const float* weight, const float* bias, bool relu, float* y) {
  // Even parts: of 21 pixels two of 11 and 10, not one of 12 and one of 9.
  const int64_t parts = (s.out_width + kTile<vectors> - 1) / kTile<vectors>, wide = (s.out_width + parts - 1) / parts;
  for (int64_t row = 0; row < s.out_height; ++row)
    for (int64_t column = 0; column < s.out_width; column += wide)
      convolve_rest<vectors, kTile<vectors>>(std::min(wide, s.out_width - column), s,
                                             x + row * s.stride * s.in_row + column * s.stride * s.channels, weight, bias, relu,
                                             y + row * s.out_row + column * s.out_step);
}

// `values` neighbours of the input under every pixel of the output.
template <int vectors, int values>
ZOO_AVX512 void weight_grad_tile(const DirectConv& s, int64_t images, const float* x, int64_t image_in, const float* grad,
                                 int64_t image_grad, float* to) {
  __m512 sum[values][vectors];
#pragma GCC unroll 16
  for (int i = 0; i < values; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[i][v] = _mm512_loadu_ps(to + (i * vectors + v) * kLanes);
  for (int64_t image = 0; image < images; ++image) {
    for (int64_t row = 0; row < s.out_height; ++row) {
      const float* from = x + image * image_in + row * s.stride * s.in_row;
      const float* g = grad + image * image_grad + row * s.out_row;
      for (int64_t column = 0; column < s.out_width; ++column, from += s.stride * s.channels, g += s.out_step) {
        __m512 w[vectors];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) w[v] = _mm512_loadu_ps(g + v * kLanes);
#pragma GCC unroll 16
        for (int i = 0; i < values; ++i) {
          const __m512 value = _mm512_set1_ps(from[i]);
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) sum[i][v] = _mm512_fmadd_ps(value, w[v], sum[i][v]);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < values; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) _mm512_storeu_ps(to + (i * vectors + v) * kLanes, sum[i][v]);
}

template <int vectors, int values>
void weight_grad_rest(int64_t rest, const DirectConv& s, int64_t images, const float* x, int64_t image_in, const float* grad,
                      int64_t image_grad, float* to) {
  if constexpr (values > 0) {
    if (rest == values)
      weight_grad_tile<vectors, values>(s, images, x, image_in, grad, image_grad, to);
    else
      weight_grad_rest<vectors, values - 1>(rest, s, images, x, image_in, grad, image_grad, to);
  }
}

template <int vectors>
void weight_grad(const DirectConv& s, int64_t images, const float* x, int64_t image_in, const float* grad, int64_t image_grad, float* to) {
  const int64_t run = s.kernel * s.channels, parts = (run + kTile<vectors> - 1) / kTile<vectors>, wide = (run + parts - 1) / parts;
  for (int64_t row = 0; row < s.kernel; ++row)
    for (int64_t d = 0; d < run; d += wide)
      weight_grad_rest<vectors, kTile<vectors>>(std::min(wide, run - d), s, images, x + row * s.in_row + d, image_in, grad, image_grad,
                                                to + (row * run + d) * s.filters);
}

}  // namespace

void convolve(const DirectConv& s, const float* x, const float* weight, const float* bias, bool relu, float* y) {
  switch (s.filters / kLanes) {
    case 1: return convolve_image<1>(s, x, weight, bias, relu, y);
    case 2: return convolve_image<2>(s, x, weight, bias, relu, y);
    case 3: return convolve_image<3>(s, x, weight, bias, relu, y);
    default: return convolve_image<4>(s, x, weight, bias, relu, y);
  }
}

void convolve_weight_grad(const DirectConv& s, int64_t images, const float* x, int64_t image_in, const float* grad, int64_t image_grad,
                          float* grad_weight) {
  switch (s.filters / kLanes) {
    case 1: return weight_grad<1>(s, images, x, image_in, grad, image_grad, grad_weight);
    case 2: return weight_grad<2>(s, images, x, image_in, grad, image_grad, grad_weight);
    case 3: return weight_grad<3>(s, images, x, image_in, grad, image_grad, grad_weight);
    default: return weight_grad<4>(s, images, x, image_in, grad, image_grad, grad_weight);
  }
}

}  // namespace zoo::offline_rl::kernels

#else

namespace zoo::offline_rl::kernels {

void convolve(const DirectConv&, const float*, const float*, const float*, bool, float*) {}
void convolve_weight_grad(const DirectConv&, int64_t, const float*, int64_t, const float*, int64_t, float*) {}

}  // namespace zoo::offline_rl::kernels
#endif
