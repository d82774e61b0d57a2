#include <libzoo/nn/kernels/avx512.h>
#include <libzoo/nn/kernels/matmul.h>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef ZOO_AVX512
namespace zoo::nn::kernels {
namespace {

constexpr int64_t kTile = 14;    // rows of c in registers: 14 x 2 sums, two vectors of b and a broadcast make 31 of 32
constexpr int64_t kPanel = 32;   // columns of c in registers

// Factors are packed as words of 32 bits, along the depth: a float32 or two of bfloat16.
constexpr int64_t kDepth = 384;  // words, of a block
constexpr int64_t kColumns = 384;  // of a block: with kDepth half of a second-level cache of 1 MiB
constexpr int64_t kGap = 16;  // from row to row of a packed tile, which would else share cache sets
constexpr int64_t kTogether = 16;  // tiles of columns packed in one go, so that memory is read as it lies, if kDepth deep

template <class S>
constexpr int64_t kPerWord = sizeof(float) / sizeof(S);

template <class S>
int64_t words(int64_t depth) {
  return (depth + kPerWord<S> - 1) / kPerWord<S>;
}

ZOO_AVX512_INLINE __mmask16 first_lanes(int64_t count) {
  return count >= 16 ? __mmask16(0xffff) : count <= 0 ? __mmask16(0) : __mmask16((1u << count) - 1);
}

// sum + value · b, both of S in words.
template <class S>
ZOO_AVX512_INLINE __m512 add_product(__m512 sum, __m512 value, __m512 b) {
  if constexpr (std::is_same_v<S, float>)
    return _mm512_fmadd_ps(value, b, sum);
  else  // not the intrinsic, which would let the compiler use such instructions elsewhere too
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(value), "v"(b));
  return sum;
}

// A tile of a is packed as it lies in memory: rows [kTile][depth + kGap] or columns [depth][16], words.
template <class S, class C, int rows, bool by_rows>
ZOO_AVX512 void multiply_tile(int64_t depth, const float* a, const float* b, const C* addend, C* c, int64_t stride, int64_t columns) {
  __m512 sum[rows][2];
#pragma GCC unroll 14
  for (int i = 0; i < rows; ++i) sum[i][0] = sum[i][1] = _mm512_setzero_ps();
  for (int64_t k = 0; k < depth; ++k) {
    const __m512 left = _mm512_loadu_ps(b + k * kPanel), right = _mm512_loadu_ps(b + k * kPanel + 16);
#pragma GCC unroll 14
    for (int i = 0; i < rows; ++i) {
      const __m512 value = _mm512_set1_ps(by_rows ? a[i * (depth + kGap) + k] : a[k * 16 + i]);
      sum[i][0] = add_product<S>(sum[i][0], value, left);
      sum[i][1] = add_product<S>(sum[i][1], value, right);
    }
  }
  const __mmask16 first = first_lanes(columns), second = first_lanes(columns - 16);
#pragma GCC unroll 14
  for (int i = 0; i < rows; ++i) {
    if (addend) {
      sum[i][0] = _mm512_add_ps(sum[i][0], load_some(addend + i * stride, first));
      sum[i][1] = _mm512_add_ps(sum[i][1], load_some(addend + i * stride + 16, second));
    }
    store_some(c + i * stride, first, sum[i][0]);
    store_some(c + i * stride + 16, second, sum[i][1]);
  }
}

template <class C>
using Multiply = void (*)(int64_t, const float*, const float*, const C*, C*, int64_t, int64_t);

template <class S, class C, bool by_rows, int... rows>
Multiply<C> multiply_for(int64_t height, std::integer_sequence<int, rows...>) {
  static constexpr Multiply<C> table[] = {multiply_tile<S, C, rows + 1, by_rows>...};
  return table[height - 1];
}

// What 16 channels of a pixel are normalised by, from one place of the tables on.
template <class S>
struct NormalLanes {
  __m512 scale, shift, mean, rest;
};

template <class S>
ZOO_AVX512_INLINE NormalLanes<S> normal_lanes(const Normal& normal, int64_t place, __mmask16 used) {
  NormalLanes<S> lanes{load_some(normal.scale + place, used), load_some(normal.shift + place, used), {}, {}};
  if constexpr (std::is_same_v<S, float>)
    lanes.mean = load_some(normal.mean + place, used), lanes.rest = load_some(normal.rest + place, used);
  return lanes;
}

// As group norm's own loop does it, which centres values of float32 only.
template <class S>
ZOO_AVX512_INLINE __m512 normalised(__m512 x, const NormalLanes<S>& lanes, bool relu) {
  if constexpr (std::is_same_v<S, float>) x = _mm512_sub_ps(_mm512_sub_ps(x, lanes.mean), lanes.rest);
  const __m512 y = _mm512_fmadd_ps(x, lanes.scale, lanes.shift);
  return relu ? _mm512_max_ps(_mm512_setzero_ps(), y) : y;  // the second of the two if that is NaN
}

// Goes over pixels in ascending order: where the tables of each image begin.
class NormalRows {
 public:
  explicit NormalRows(const Normal& normal) : normal_(normal) {}
  // Whether this pixel is of another image than the last one.
  ZOO_AVX512_INLINE bool turns(int64_t row) {
    if (row < end_) return false;
    const int64_t image = (normal_.first + row) / normal_.pixels;
    end_ = (image + 1) * normal_.pixels - normal_.first;
    place_ = image * normal_.channels;
    return true;
  }
  int64_t place() const { return place_; }

 private:
  const Normal& normal_;
  int64_t end_ = 0, place_ = 0;
};

// A row of up to 16 normalised values. Where there are products of bfloat16 there is an instruction that rounds to it: a third of what
// bfloat16_bits does. (Not the intrinsics, see add_product.)
ZOO_AVX512_INLINE __m256i narrowed(__m512 value) {
  __m256i result;
  asm("vcvtneps2bf16 %1, %0" : "=v"(result) : "v"(value));
  return result;
}
ZOO_AVX512_INLINE void store_normalised(float* to, __mmask16 used, __m512 value) { store_some(to, used, value); }
ZOO_AVX512_INLINE void store_normalised(BFloat16* to, __mmask16 used, __m512 value) { _mm256_mask_storeu_epi16(to, used, narrowed(value)); }

template <class S>
void pack_rows(const MatrixView<S>& a, int64_t row, int64_t rows, int64_t from, int64_t depth, float* tile) {
  const int64_t apart = words<S>(depth) + kGap;
  for (int64_t i = 0; i < rows; ++i) std::memcpy(tile + i * apart, a.data + (row + i) * a.row + from, size_t(depth) * sizeof(S));
}

template <class S>
ZOO_AVX512 void pack_normal_rows(const MatrixView<S>& a, const Normal& normal, int64_t row, int64_t rows, int64_t from, int64_t depth,
                                 float* tile) {
  NormalRows images(normal);
  for (int64_t i = 0; i < rows; ++i, tile += words<S>(depth) + kGap) {
    images.turns(row + i);
    const S* source = a.data + (row + i) * a.row + from;
    S* to = reinterpret_cast<S*>(tile);
    for (int64_t k = 0; k < depth; k += 16) {
      const auto used = first_lanes(depth - k);
      const auto lanes = normal_lanes<S>(normal, images.place() + from + k, used);
      store_normalised(to + k, used, normalised(load_some(source + k, used), lanes, normal.relu));
    }
  }
}

// Two rows of up to 16 values of bfloat16 as words.
ZOO_AVX512_INLINE __m512 paired(__m512i lower, __m512i upper) {
  return _mm512_castsi512_ps(_mm512_or_si512(lower, _mm512_slli_epi32(upper, 16)));
}
ZOO_AVX512_INLINE __m512i bits_of(const BFloat16* from, __mmask16 used) {
  return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(used, from));
}

// Words of rows [k, k + kPerWord) of b or of columns of a, up to 16 of them; rows from `depth` on are zero.
ZOO_AVX512_INLINE __m512 word(const float* row, int64_t, int64_t, int64_t, __mmask16 used) { return load_some(row, used); }
ZOO_AVX512_INLINE __m512 word(const BFloat16* row, int64_t apart, int64_t k, int64_t depth, __mmask16 used) {
  return paired(bits_of(row, used), k + 1 < depth ? bits_of(row + apart, used) : _mm512_setzero_si512());
}

// Tiles of `high` rows, the last one of what is left.
template <class S>
ZOO_AVX512 void pack_columns(const MatrixView<S>& a, int64_t row, int64_t rows, int64_t high, int64_t from, int64_t depth, int64_t apart,
                             float* tiles) {
  for (int64_t k = 0; k < depth; k += kPerWord<S>) {
    const S* column = a.data + (from + k) * a.column + row;
    float* to = tiles + k / kPerWord<S> * 16;
    for (int64_t i = 0; i < rows; i += high, to += apart) {
      _mm512_storeu_ps(to, word(column + i, a.column, k, depth, first_lanes(std::min(high, rows - i))));
    }
  }
}

// The same, normalised: up to 16 columns of b, whose rows are pixels.
template <class S>
ZOO_AVX512 void pack_normal_words(const MatrixView<S>& b, const Normal& normal, int64_t from, int64_t depth, int64_t column, __mmask16 used,
                                  float* to) {
  NormalRows images(normal);
  NormalLanes<S> lanes{};
  const auto next = [&](int64_t k) __attribute__((always_inline, target("avx512f,avx512vl,avx512bw,avx512dq"))) {
    if (images.turns(from + k)) lanes = normal_lanes<S>(normal, images.place() + column, used);
    return normalised(load_some(b.data + (from + k) * b.row + column, used), lanes, normal.relu);
  };
  for (int64_t k = 0; k < depth; k += kPerWord<S>, to += kPanel) {
    if constexpr (std::is_same_v<S, float>) {
      _mm512_storeu_ps(to, next(k));
    } else {
      const __m512i lower = _mm512_cvtepu16_epi32(narrowed(next(k)));
      _mm512_storeu_ps(to, paired(lower, k + 1 < depth ? _mm512_cvtepu16_epi32(narrowed(next(k + 1))) : _mm512_setzero_si512()));
    }
  }
}

// Panels [columns / 32][words][32]; columns beyond the last are zero.
template <class S>
ZOO_AVX512 void pack_block(const MatrixView<S>& b, const Normal* normal, int64_t from, int64_t depth, int64_t column, int64_t columns,
                           float* block) {
  const int64_t deep = words<S>(depth);
  for (int64_t p = 0; p < columns; p += kPanel, block += deep * kPanel) {
    const int64_t width = std::min(kPanel, columns - p);
    if (b.column == 1) {
      for (int64_t half = 0; half < kPanel; half += 16) {
        const auto used = first_lanes(width - half);
        const int64_t start = column + p + half;
        if (normal) {
          pack_normal_words(b, *normal, from, depth, start, used, block + half);
          continue;
        }
        for (int64_t k = 0; k < depth; k += kPerWord<S>) {
          const S* row = b.data + (from + k) * b.row + start;
          _mm512_storeu_ps(block + k / kPerWord<S> * kPanel + half, word(row, b.row, k, depth, used));
        }
      }
      continue;
    }
    const auto words_of = [&](int64_t j) { return reinterpret_cast<const char*>(b.data + (column + p + j) * b.column + from); };
    if (width == kPanel) {
      for (int64_t k = 0; k < deep; k += 16) {
        for (int64_t half = 0; half < kPanel; half += 16)
          transpose16(words_of(half) + k * 4, b.column * int64_t(sizeof(S)), first_lanes(deep - k), block + k * kPanel + half, kPanel);
      }
    } else {
      for (int64_t j = 0; j < kPanel; ++j) {
        for (int64_t k = 0; k < deep; ++k) {
          float value = 0;
          if (j < width) std::memcpy(&value, words_of(j) + k * 4, sizeof value);
          block[k * kPanel + j] = value;
        }
      }
    }
  }
}

// The size of the parts if `total` is cut into as many equal ones as `most` per part demands.
int64_t even_part(int64_t total, int64_t most) {
  const int64_t parts = (total + most - 1) / most;
  return (total + parts - 1) / parts;
}

template <class S, class C, bool by_rows>
void multiply(const Product<S, C>& product) {
  static thread_local std::vector<float> block, tiles;
  const auto& [rows, columns, depth, a, b, c, stride, addend, of_a, of_b] = product;
  // Sums go on in c from block to block, if it can hold them.
  const int64_t deep = std::is_same_v<C, float> ? words<S>(even_part(depth, kDepth * kPerWord<S>)) * kPerWord<S> : depth;
  const int64_t most = std::max(kPanel, std::min(kColumns, kDepth * kColumns / words<S>(deep)) / kPanel * kPanel);
  const int64_t wide = (even_part(columns, most) + kPanel - 1) / kPanel * kPanel, high = even_part(rows, kTile);
  const int64_t tile_size = words<S>(deep) * 16 + kGap;  // of a tile of columns
  const int64_t together = std::clamp<int64_t>(kTogether * kDepth / words<S>(deep), 1, kTogether);
  block.resize(std::max(block.size(), size_t(words<S>(deep) * wide)));
  tiles.resize(std::max(tiles.size(), size_t(by_rows ? kTile * (words<S>(deep) + kGap) : kTogether * tile_size)));
  for (int64_t column = 0; column < columns; column += wide) {
    const int64_t width = std::min(wide, columns - column);
    for (int64_t from = 0; from < depth; from += deep) {
      const int64_t used = std::min(deep, depth - from);
      const C* added = from > 0 ? c : addend;
      pack_block(b, of_b, from, used, column, width, block.data());
      for (int64_t row = 0, number = 0; row < rows; row += high, ++number) {
        const int64_t height = std::min(high, rows - row), slot = number % together;
        float* tile = tiles.data() + (by_rows ? 0 : slot * tile_size);
        if (by_rows && of_a)
          pack_normal_rows(a, *of_a, row, height, from, used, tile);
        else if (by_rows)
          pack_rows(a, row, height, from, used, tile);
        else if (slot == 0)
          pack_columns(a, row, std::min(together * high, rows - row), high, from, used, tile_size, tile);
        const auto multiply = multiply_for<S, C, by_rows>(height, std::make_integer_sequence<int, kTile>());
        for (int64_t p = 0; p < width; p += kPanel) {
          const int64_t place = row * stride + column + p;
          multiply(words<S>(used), tile, block.data() + p * words<S>(used), added ? added + place : nullptr, c + place, stride,
                   std::min(kPanel, width - p));
        }
      }
    }
  }
}

template <class S, class C>
void multiply(const Product<S, C>& product) {
  product.a.column == 1 ? multiply<S, C, true>(product) : multiply<S, C, false>(product);
}

}  // namespace

bool has_matmul() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq");
  return has;
}
bool has_bfloat16_matmul() {
  static const bool has = has_matmul() && __builtin_cpu_supports("avx512bf16");
  return has;
}

void matmul(const Product<float>& product) { multiply(product); }
void matmul(const Product<BFloat16>& product) { multiply(product); }
void matmul(const Product<BFloat16, float>& product) { multiply(product); }

ZOO_AVX512 void transpose(const float* from, int64_t rows, int64_t columns, int64_t stride, float* to, int64_t to_stride) {
  int64_t row = 0;
  for (; row + 16 <= rows; row += 16)
    for (int64_t column = 0; column < columns; column += 16) {
      const auto* block = reinterpret_cast<const char*>(from + row * stride + column);
      transpose16(block, stride * int64_t(sizeof(float)), first_lanes(columns - column), to + column * to_stride + row, to_stride);
    }
  for (; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) to[column * to_stride + row] = from[row * stride + column];
}

}  // namespace zoo::nn::kernels

#else

namespace zoo::nn::kernels {

bool has_matmul() { return false; }
bool has_bfloat16_matmul() { return false; }
void matmul(const Product<float>&) {}
void matmul(const Product<BFloat16>&) {}
void matmul(const Product<BFloat16, float>&) {}
void transpose(const float*, int64_t, int64_t, int64_t, float*, int64_t) {}

}  // namespace zoo::nn::kernels
#endif
