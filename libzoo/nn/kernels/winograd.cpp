#include <libzoo/nn/kernels/matmul.h>
#include <libzoo/nn/kernels/winograd.h>

#include <algorithm>
#include <vector>

namespace zoo::nn::kernels {

#if defined(__x86_64__) && defined(__GNUC__)
namespace {

#define ZOO_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))
#define ZOO_AVX512_INLINE inline __attribute__((always_inline, target("avx512f,avx512vl,avx512bw,avx512dq")))

constexpr int64_t kLanes = 16;
constexpr int64_t kMostFloats = 1 << 18;  // of a block's transformed tiles: 1 MiB
constexpr int64_t kFewestTiles = 100;     // of a block: filters are packed once for each

typedef float Lanes __attribute__((vector_size(64)));
typedef float LooseLanes __attribute__((vector_size(64), aligned(4), may_alias));

ZOO_AVX512_INLINE Lanes load(const float* from) { return *reinterpret_cast<const LooseLanes*>(from); }
ZOO_AVX512_INLINE void store(float* to, Lanes value) { *reinterpret_cast<LooseLanes*>(to) = value; }

// Where a tile lies.
struct Place {
  int64_t image, row, column;  // of its first output
};

struct Grid {
  int64_t down, across;
  explicit Grid(const WinogradShape& shape) : down((shape.height + 1) / 2), across((shape.width + 1) / 2) {}
  Place operator[](int64_t tile) const { return {tile / (down * across), tile / across % down * 2, tile % across * 2}; }
};

// Bᵀ d B: 4x4 pixels around a tile, those off the image being zero, become [16] values `apart` floats from one another.
ZOO_AVX512_INLINE void transform_input(const WinogradShape& shape, const float* x, int64_t channels, const Place& place, float* to,
                                       int64_t apart, const float* zeros) {
  const float* pixel[16];
  for (int64_t i = 0; i < 16; ++i) {
    const int64_t row = place.row - 1 + i / 4, column = place.column - 1 + i % 4;
    const bool inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
    pixel[i] = inside ? x + ((place.image * shape.height + row) * shape.width + column) * channels : zeros;
  }
  for (int64_t c = 0; c < channels; c += kLanes) {
    Lanes d[16], t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) d[i] = load(pixel[i] + c);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      t[j] = d[j] - d[8 + j];
      t[4 + j] = d[4 + j] + d[8 + j];
      t[8 + j] = d[8 + j] - d[4 + j];
      t[12 + j] = d[4 + j] - d[12 + j];
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
      store(to + i * apart + c, t[i] - t[i + 2]);
      store(to + (i + 1) * apart + c, t[i + 1] + t[i + 2]);
      store(to + (i + 2) * apart + c, t[i + 2] - t[i + 1]);
      store(to + (i + 3) * apart + c, t[i + 1] - t[i + 3]);
    }
  }
}

// Aᵀ m A: [16] values become the 2x2 outputs of a tile.
ZOO_AVX512_INLINE void transform_output(const WinogradShape& shape, const float* from, int64_t apart, const Place& place, float* y,
                                        int64_t channels) {
  float* first = y + ((place.image * shape.height + place.row) * shape.width + place.column) * channels;
  const bool right = place.column + 1 < shape.width, below = place.row + 1 < shape.height;
  for (int64_t c = 0; c < channels; c += kLanes) {
    Lanes upper[4], lower[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const Lanes m1 = load(from + (4 + j) * apart + c), m2 = load(from + (8 + j) * apart + c);
      upper[j] = load(from + j * apart + c) + m1 + m2;
      lower[j] = m1 - m2 - load(from + (12 + j) * apart + c);
    }
    float* to = first + c;
    store(to, upper[0] + upper[1] + upper[2]);
    if (right) store(to + channels, upper[1] - upper[2] - upper[3]);
    if (below) store(to + shape.width * channels, lower[0] + lower[1] + lower[2]);
    if (right && below) store(to + (shape.width + 1) * channels, lower[1] - lower[2] - lower[3]);
  }
}

// A dy Aᵀ, the way back of transform_output.
ZOO_AVX512_INLINE void transform_output_back(const WinogradShape& shape, const float* grad, int64_t channels, const Place& place, float* to,
                                             int64_t apart, const float* zeros) {
  const float* first = grad + ((place.image * shape.height + place.row) * shape.width + place.column) * channels;
  const bool right = place.column + 1 < shape.width, below = place.row + 1 < shape.height;
  const float* pixel[4] = {first, right ? first + channels : zeros, below ? first + shape.width * channels : zeros,
                           right && below ? first + (shape.width + 1) * channels : zeros};
  for (int64_t c = 0; c < channels; c += kLanes) {
    Lanes t[8];
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      const Lanes upper = load(pixel[j] + c), lower = load(pixel[2 + j] + c);
      t[j] = upper;
      t[2 + j] = upper + lower;
      t[4 + j] = upper - lower;
      t[6 + j] = -lower;
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const Lanes left = t[2 * i], end = t[2 * i + 1];
      store(to + 4 * i * apart + c, left);
      store(to + (4 * i + 1) * apart + c, left + end);
      store(to + (4 * i + 2) * apart + c, left - end);
      store(to + (4 * i + 3) * apart + c, -end);
    }
  }
}

// `turned`: filters by their transposed matrices, first and last of the four points exchanged: kernels turned by 180 degrees.
ZOO_AVX512 void convolve(const WinogradShape& shape, const float* x, const float* filters, float* y, int64_t first, int64_t last,
                         bool turned) {
  static thread_local std::vector<float> scratch, zeros;
  const int64_t in = turned ? shape.out : shape.in, out = turned ? shape.in : shape.out;
  const int64_t most = std::max(kFewestTiles, kMostFloats / (16 * (in + out)));
  const int64_t blocks = (last - first + most - 1) / most, tiles = (last - first + blocks - 1) / blocks;
  zeros.assign(size_t(in), 0.0f);
  scratch.resize(std::max(scratch.size(), size_t(16 * tiles * (in + out))));
  float *inputs = scratch.data(), *outputs = inputs + 16 * tiles * in;
  const Grid grid(shape);
  for (int64_t start = first; start < last; start += tiles) {
    const int64_t count = std::min(tiles, last - start);
    for (int64_t t = 0; t < count; ++t) transform_input(shape, x, in, grid[start + t], inputs + t * in, tiles * in, zeros.data());
    for (int64_t i = 0; i < 16; ++i) {
      const int64_t row = i / 4, column = i % 4;
      const auto swapped = [](int64_t point) { return point == 0 || point == 3 ? 3 - point : point; };
      const float* filter = filters + (turned ? swapped(row) * 4 + swapped(column) : i) * in * out;
      matmul({.rows = count,
              .columns = out,
              .depth = in,
              .a = {inputs + i * tiles * in, in, 1},
              .b = turned ? MatrixView{filter, out, 1} : MatrixView{filter, 1, in},
              .c = outputs + i * tiles * out,
              .stride = out});
    }
    for (int64_t t = 0; t < count; ++t) transform_output(shape, outputs + t * out, tiles * out, grid[start + t], y, out);
  }
}

}  // namespace

// G g Gᵀ
ZOO_AVX512 void winograd_filters(const WinogradShape& shape, const float* weight, float* filters, int64_t first, int64_t last) {
  const int64_t apart = shape.out * shape.in;
  for (int64_t f = first; f < last; ++f) {
    for (int64_t c = 0; c < shape.in; c += kLanes) {
      const float* from = weight + f * 9 * shape.in + c;
      float* to = filters + f * shape.in + c;
      Lanes t[12];
#pragma GCC unroll 3
      for (int j = 0; j < 3; ++j) {
        const Lanes g0 = load(from + j * shape.in), g1 = load(from + (3 + j) * shape.in), g2 = load(from + (6 + j) * shape.in);
        t[j] = g0;
        t[3 + j] = (g0 + g1 + g2) * 0.5f;
        t[6 + j] = (g0 - g1 + g2) * 0.5f;
        t[9 + j] = g2;
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        store(to + 4 * i * apart, t[3 * i]);
        store(to + (4 * i + 1) * apart, (t[3 * i] + t[3 * i + 1] + t[3 * i + 2]) * 0.5f);
        store(to + (4 * i + 2) * apart, (t[3 * i] - t[3 * i + 1] + t[3 * i + 2]) * 0.5f);
        store(to + (4 * i + 3) * apart, t[3 * i + 2]);
      }
    }
  }
}

// Gᵀ u G
ZOO_AVX512 void winograd_filters_back(const WinogradShape& shape, const float* grad_filters, float* grad_weight, int64_t first,
                                      int64_t last) {
  const int64_t apart = shape.out * shape.in;
  for (int64_t f = first; f < last; ++f) {
    for (int64_t c = 0; c < shape.in; c += kLanes) {
      const float* from = grad_filters + f * shape.in + c;
      float* to = grad_weight + f * 9 * shape.in + c;
      Lanes t[12];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const Lanes half_sum = (load(from + (4 + j) * apart) + load(from + (8 + j) * apart)) * 0.5f;
        t[j] = load(from + j * apart) + half_sum;
        t[4 + j] = (load(from + (4 + j) * apart) - load(from + (8 + j) * apart)) * 0.5f;
        t[8 + j] = half_sum + load(from + (12 + j) * apart);
      }
#pragma GCC unroll 3
      for (int i = 0; i < 3; ++i) {
        const Lanes half_sum = (t[4 * i + 1] + t[4 * i + 2]) * 0.5f;
        store(to + 3 * i * shape.in, t[4 * i] + half_sum);
        store(to + (3 * i + 1) * shape.in, (t[4 * i + 1] - t[4 * i + 2]) * 0.5f);
        store(to + (3 * i + 2) * shape.in, half_sum + t[4 * i + 3]);
      }
    }
  }
}

void winograd_convolve(const WinogradShape& shape, const float* x, const float* filters, float* y, int64_t first, int64_t last) {
  convolve(shape, x, filters, y, first, last, false);
}

void winograd_convolve_back(const WinogradShape& shape, const float* grad, const float* filters, float* grad_x, int64_t first,
                            int64_t last) {
  convolve(shape, grad, filters, grad_x, first, last, true);
}

ZOO_AVX512 void winograd_tiles(const WinogradShape& shape, const float* x, const float* grad, float* x_tiles, float* grad_tiles,
                               int64_t start, int64_t tiles, int64_t first, int64_t last) {
  static thread_local std::vector<float> zeros;
  zeros.assign(size_t(std::max(shape.in, shape.out)), 0.0f);
  const Grid grid(shape);
  for (int64_t t = first; t < last; ++t) {
    transform_input(shape, x, shape.in, grid[start + t], x_tiles + t * shape.in, tiles * shape.in, zeros.data());
    transform_output_back(shape, grad, shape.out, grid[start + t], grad_tiles + t * shape.out, tiles * shape.out, zeros.data());
  }
}

void winograd_gradient(const WinogradShape& shape, const float* x, const float* grad, float* grad_filters, int64_t first, int64_t last) {
  static thread_local std::vector<float> scratch;
  const int64_t in = shape.in, out = shape.out;
  const int64_t tiles = std::min(last - first, std::max(kFewestTiles, kMostFloats / (16 * (in + out))));
  scratch.resize(std::max(scratch.size(), size_t(16 * tiles * (in + out))));
  float *x_tiles = scratch.data(), *grad_tiles = x_tiles + 16 * tiles * in;
  for (int64_t start = first; start < last; start += tiles) {
    const int64_t count = std::min(tiles, last - start);
    winograd_tiles(shape, x, grad, x_tiles, grad_tiles, start, tiles, 0, count);
    for (int64_t i = 0; i < 16; ++i) {
      matmul({.rows = out,
              .columns = in,
              .depth = count,
              .a = {grad_tiles + i * tiles * out, 1, out},
              .b = {x_tiles + i * tiles * in, in, 1},
              .c = grad_filters + i * out * in,
              .stride = in,
              .addend = start > first ? grad_filters + i * out * in : nullptr});
    }
  }
}

#else

void winograd_filters(const WinogradShape&, const float*, float*, int64_t, int64_t) {}
void winograd_filters_back(const WinogradShape&, const float*, float*, int64_t, int64_t) {}
void winograd_convolve(const WinogradShape&, const float*, const float*, float*, int64_t, int64_t) {}
void winograd_gradient(const WinogradShape&, const float*, const float*, float*, int64_t, int64_t) {}
void winograd_convolve_back(const WinogradShape&, const float*, const float*, float*, int64_t, int64_t) {}
void winograd_tiles(const WinogradShape&, const float*, const float*, float*, float*, int64_t, int64_t, int64_t, int64_t) {}

#endif

}  // namespace zoo::nn::kernels
