#include <libzoo/nn/kernels/matmul.h>

#include <algorithm>
#include <cstring>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__)
// GCC 12 warns of its own header (bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#define ZOO_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))

namespace zoo::nn::kernels {
namespace {

constexpr int64_t kTile = 14;    // rows of c in registers: 14 x 2 sums, two vectors of b and a broadcast make 31 of 32
constexpr int64_t kPanel = 32;   // columns of c in registers
constexpr int64_t kDepth = 384;  // of a block
constexpr int64_t kColumns = 384;  // of a block: with kDepth half of a second-level cache of 1 MiB
constexpr int64_t kGap = kDepth + 16;  // from row to row of a packed tile: rows of 2^n values would share cache sets

// A tile of a is packed as it lies in memory: rows [kTile][kGap] or columns [depth][16].
constexpr int64_t kTogether = 16;                 // tiles of columns packed in one go, so that memory is read as it lies
constexpr int64_t kTileSize = kDepth * 16 + 16;   // of a tile of columns
template <int rows, bool by_rows>
ZOO_AVX512 void multiply_tile(int64_t depth, const float* a, const float* b, const float* addend, float* c, int64_t stride,
                              int64_t columns) {
  __m512 sum[rows][2];
#pragma GCC unroll 14
  for (int i = 0; i < rows; ++i) sum[i][0] = sum[i][1] = _mm512_setzero_ps();
  for (int64_t k = 0; k < depth; ++k) {
    const __m512 left = _mm512_loadu_ps(b + k * kPanel), right = _mm512_loadu_ps(b + k * kPanel + 16);
#pragma GCC unroll 14
    for (int i = 0; i < rows; ++i) {
      const __m512 value = _mm512_set1_ps(by_rows ? a[i * kGap + k] : a[k * 16 + i]);
      sum[i][0] = _mm512_fmadd_ps(value, left, sum[i][0]);
      sum[i][1] = _mm512_fmadd_ps(value, right, sum[i][1]);
    }
  }
  const __mmask16 first = columns >= 16 ? __mmask16(0xffff) : __mmask16((1u << columns) - 1);
  const __mmask16 second = columns >= 32 ? __mmask16(0xffff) : columns <= 16 ? __mmask16(0) : __mmask16((1u << (columns - 16)) - 1);
#pragma GCC unroll 14
  for (int i = 0; i < rows; ++i) {
    float* to = c + i * stride;
    if (addend) {
      sum[i][0] = _mm512_add_ps(sum[i][0], _mm512_maskz_loadu_ps(first, addend + i * stride));
      sum[i][1] = _mm512_add_ps(sum[i][1], _mm512_maskz_loadu_ps(second, addend + i * stride + 16));
    }
    _mm512_mask_storeu_ps(to, first, sum[i][0]);
    _mm512_mask_storeu_ps(to + 16, second, sum[i][1]);
  }
}

using Multiply = void (*)(int64_t, const float*, const float*, const float*, float*, int64_t, int64_t);

template <bool by_rows>
Multiply multiply_for(int64_t rows) {
  static constexpr Multiply table[] = {multiply_tile<1, by_rows>,  multiply_tile<2, by_rows>,  multiply_tile<3, by_rows>,
                                       multiply_tile<4, by_rows>,  multiply_tile<5, by_rows>,  multiply_tile<6, by_rows>,
                                       multiply_tile<7, by_rows>,  multiply_tile<8, by_rows>,  multiply_tile<9, by_rows>,
                                       multiply_tile<10, by_rows>, multiply_tile<11, by_rows>, multiply_tile<12, by_rows>,
                                       multiply_tile<13, by_rows>, multiply_tile<14, by_rows>};
  return table[rows - 1];
}

void pack_rows(const MatrixView& a, int64_t row, int64_t rows, int64_t from, int64_t depth, float* tile) {
  for (int64_t i = 0; i < rows; ++i) std::memcpy(tile + i * kGap, a.data + (row + i) * a.row + from, size_t(depth) * sizeof(float));
}

// Tiles of `high` rows, the last one of what is left.
ZOO_AVX512 void pack_columns(const MatrixView& a, int64_t row, int64_t rows, int64_t high, int64_t from, int64_t depth, float* tiles) {
  for (int64_t k = 0; k < depth; ++k) {
    const float* column = a.data + (from + k) * a.column + row;
    float* to = tiles + k * 16;
    for (int64_t i = 0; i < rows; i += high, to += kTileSize) {
      const __mmask16 used = __mmask16((1u << std::min(high, rows - i)) - 1);
      _mm512_storeu_ps(to, _mm512_maskz_loadu_ps(used, column + i));
    }
  }
}

// 16 rows of 16 values become columns.
ZOO_AVX512 inline void transpose16(const float* from, int64_t stride, __mmask16 used, float* to, int64_t to_stride) {
  __m512 r[16], t[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) r[i] = _mm512_maskz_loadu_ps(used, from + i * stride);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
  }
  const int count = __builtin_popcount(used);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i)
    if (i < count) _mm512_storeu_ps(to + i * to_stride, r[i]);
}

// Panels [columns / 32][depth][32]; columns beyond the last are zero.
ZOO_AVX512 void pack_block(const MatrixView& b, int64_t from, int64_t depth, int64_t column, int64_t columns, float* block) {
  for (int64_t p = 0; p < columns; p += kPanel, block += depth * kPanel) {
    const int64_t width = std::min(kPanel, columns - p);
    if (b.column == 1) {
      const __mmask16 first = width >= 16 ? __mmask16(0xffff) : __mmask16((1u << width) - 1);
      const __mmask16 second = width >= 32 ? __mmask16(0xffff) : width <= 16 ? __mmask16(0) : __mmask16((1u << (width - 16)) - 1);
      for (int64_t k = 0; k < depth; ++k) {
        const float* row = b.data + (from + k) * b.row + column + p;
        _mm512_storeu_ps(block + k * kPanel, _mm512_maskz_loadu_ps(first, row));
        _mm512_storeu_ps(block + k * kPanel + 16, _mm512_maskz_loadu_ps(second, row + 16));
      }
    } else if (width == kPanel) {
      for (int64_t k = 0; k < depth; k += 16) {
        const __mmask16 used = depth - k >= 16 ? __mmask16(0xffff) : __mmask16((1u << (depth - k)) - 1);
        for (int64_t half = 0; half < 2; ++half)
          transpose16(b.data + (column + p + 16 * half) * b.column + from + k, b.column, used, block + k * kPanel + 16 * half, kPanel);
      }
    } else {
      for (int64_t k = 0; k < depth; ++k)
        for (int64_t j = 0; j < kPanel; ++j) block[k * kPanel + j] = j < width ? b.data[(column + p + j) * b.column + from + k] : 0.0f;
    }
  }
}

// The size of the parts if `total` is cut into as many equal ones as `most` per part demands.
int64_t even_part(int64_t total, int64_t most) {
  const int64_t parts = (total + most - 1) / most;
  return (total + parts - 1) / parts;
}

}  // namespace

bool has_matmul() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq");
  return has;
}

void matmul(const Product& product) {
  static thread_local std::vector<float> block(size_t(kDepth * kColumns)), tiles(size_t(kTogether * kTileSize));
  const auto& [rows, columns, depth, a, b, c, stride, addend] = product;
  const bool by_rows = a.column == 1;
  const int64_t deep = even_part(depth, kDepth);
  const int64_t wide = (even_part(columns, kColumns) + kPanel - 1) / kPanel * kPanel, high = even_part(rows, kTile);
  for (int64_t column = 0; column < columns; column += wide) {
    const int64_t width = std::min(wide, columns - column);
    for (int64_t from = 0; from < depth; from += deep) {
      const int64_t used = std::min(deep, depth - from);
      const float* added = from > 0 ? c : addend;
      pack_block(b, from, used, column, width, block.data());
      for (int64_t row = 0, number = 0; row < rows; row += high, ++number) {
        const int64_t height = std::min(high, rows - row), slot = number % kTogether;
        float* tile = tiles.data() + (by_rows ? 0 : slot * kTileSize);
        if (by_rows)
          pack_rows(a, row, height, from, used, tile);
        else if (slot == 0)
          pack_columns(a, row, std::min(kTogether * high, rows - row), high, from, used, tile);
        const auto multiply = by_rows ? multiply_for<true>(height) : multiply_for<false>(height);
        for (int64_t p = 0; p < width; p += kPanel) {
          const int64_t place = row * stride + column + p;
          multiply(used, tile, block.data() + p * used, added ? added + place : nullptr, c + place, stride, std::min(kPanel, width - p));
        }
      }
    }
  }
}

void transpose(const float* from, int64_t rows, int64_t columns, int64_t stride, float* to, int64_t to_stride) {
  int64_t row = 0;
  for (; row + 16 <= rows; row += 16)
    for (int64_t column = 0; column < columns; column += 16) {
      const __mmask16 used = columns - column >= 16 ? __mmask16(0xffff) : __mmask16((1u << (columns - column)) - 1);
      transpose16(from + row * stride + column, stride, used, to + column * to_stride + row, to_stride);
    }
  for (; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) to[column * to_stride + row] = from[row * stride + column];
}

}  // namespace zoo::nn::kernels

#else

namespace zoo::nn::kernels {

bool has_matmul() { return false; }
void matmul(const Product&) {}
void transpose(const float*, int64_t, int64_t, int64_t, float*, int64_t) {}

}  // namespace zoo::nn::kernels
#endif
