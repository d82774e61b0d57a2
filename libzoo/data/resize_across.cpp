// Pillow's pass along rows for 8-bit pixels. With AVX2, four taps of an RGB or RGBA pixel go into one multiply-add of 16-bit
// pairs; weights of 22 fractional bits are split into w = 4096 * high + low, so that the sums stay exact.
#include <libzoo/data/resize_kernels.h>

#include <algorithm>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define ZOO_AVX2 __attribute__((target("avx2")))
#endif

namespace zoo::data {
namespace {

constexpr int32_t kHalf = 1 << (kFixedBits - 1);

template <int kChannels>
void across_plain(const uint8_t* in, int64_t channels, const AxisTable<int32_t>& table, uint8_t* out) {
  if (kChannels > 0) channels = kChannels;
  for (int64_t i = 0; i < table.outputs(); ++i) {
    const int32_t count = table.count[size_t(i)];
    const int32_t* weights = table.weights.data() + i * table.taps;
    const uint8_t* at = in + int64_t(table.first[size_t(i)]) * channels;
    for (int64_t c = 0; c < channels; ++c) {
      int32_t sum = kHalf;
      for (int32_t k = 0; k < count; ++k) sum += at[k * channels + c] * weights[k];
      const int32_t value = sum >> kFixedBits;
      *out++ = uint8_t(value < 0 ? 0 : value > 255 ? 255 : value);
    }
  }
}

#ifdef ZOO_AVX2

constexpr int kLowBits = 12;
constexpr int64_t kLoad = 16;  // bytes that one load touches, whatever the pixels it uses

// Per group of four taps: low halves of weights 0 to 3, then their high halves.
struct PackedTable {
  std::vector<int32_t> groups;     // [outputs]
  std::vector<int16_t> weights;    // [outputs, most groups, 8]
  int64_t stride = 0;              // values per output
};

PackedTable pack(const AxisTable<int32_t>& table) {
  PackedTable packed;
  packed.stride = (table.taps + 3) / 4 * 8;
  packed.groups.resize(size_t(table.outputs()));
  packed.weights.resize(size_t(table.outputs() * packed.stride));
  for (int64_t i = 0; i < table.outputs(); ++i) {
    const int32_t count = table.count[size_t(i)];
    packed.groups[size_t(i)] = (count + 3) / 4;
    for (int32_t k = 0; k < count; ++k) {
      const int32_t weight = table.weights[size_t(i * table.taps + k)];
      int16_t* group = &packed.weights[size_t(i * packed.stride + k / 4 * 8)];
      group[k % 4] = int16_t(weight & ((1 << kLowBits) - 1));
      group[4 + k % 4] = int16_t(weight >> kLowBits);
    }
  }
  return packed;
}

// The pixel's channels of `in` rows, each readable kLoad bytes past its end, to `out` rows.
template <int kChannels, int kRows>
ZOO_AVX2 void across_rows(const uint8_t* const* in, const AxisTable<int32_t>& table, const PackedTable& packed, uint8_t* const* out) {
  // Bytes of taps 0 and 1 (lane one), 2 and 3 (lane two) as pairs of 16 bits, one pair per channel.
  const __m256i pairs = kChannels == 3 ? _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 6, -1, 9, -1, 7, -1, 10,
                                                          -1, 8, -1, 11, -1, -1, -1, -1, -1)
                                       : _mm256_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1, 8, -1, 12, -1, 9, -1, 13,
                                                          -1, 10, -1, 14, -1, 11, -1, 15, -1);
  const __m128i half = _mm_set1_epi32(kHalf);
  const __m256i low_index = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1), high_index = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
  const int64_t outputs = table.outputs();
  for (int64_t i = 0; i < outputs; ++i) {
    const int16_t* weights = packed.weights.data() + i * packed.stride;
    int64_t at = int64_t(table.first[size_t(i)]) * kChannels;
    __m256i low[kRows], high[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm256_setzero_si256();
    for (int32_t g = packed.groups[size_t(i)]; g > 0; --g, weights += 8, at += 4 * kChannels) {
      const __m256i both = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weights)));
      const __m256i low_weights = _mm256_permutevar8x32_epi32(both, low_index),
                    high_weights = _mm256_permutevar8x32_epi32(both, high_index);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        const __m256i bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in[r] + at)));
        const __m256i pixels = _mm256_shuffle_epi8(bytes, pairs);
        low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(pixels, low_weights));
        high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(pixels, high_weights));
      }
    }
    __m128i values[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high[r], kLowBits), low[r]);
      const __m128i value = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
      values[r] = _mm_srai_epi32(_mm_add_epi32(value, half), kFixedBits);
    }
    const __m128i shorts = _mm_packs_epi32(values[0], values[1 % kRows]), more = _mm_packs_epi32(values[2 % kRows], values[3 % kRows]);
    alignas(16) uint8_t pixels[16];  // of four rows, four bytes each
    _mm_store_si128(reinterpret_cast<__m128i*>(pixels), _mm_packus_epi16(shorts, more));
    if (i + 1 < outputs) {
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) std::memcpy(out[r] + i * kChannels, pixels + 4 * r, 4);
    } else {
      for (int r = 0; r < kRows; ++r) std::memcpy(out[r] + i * kChannels, pixels + 4 * r, kChannels);
    }
  }
}

template <int kChannels>
void across_avx2(View<uint8_t> in, const AxisTable<int32_t>& table, uint8_t* out) {
  constexpr int kRows = 4;
  const PackedTable packed = pack(table);
  const int64_t row = in.width * kChannels, out_row = table.outputs() * kChannels;
  const uint8_t* end = in.row(in.height - 1) + row;
  std::vector<uint8_t> padded(size_t(kRows * (row + kLoad)));
  for (int64_t y = 0; y < in.height; y += kRows) {
    const int rows = int(std::min<int64_t>(kRows, in.height - y));
    const uint8_t* from[kRows];
    uint8_t* to[kRows];
    for (int r = 0; r < rows; ++r) {
      from[r] = in.row(y + r);
      to[r] = out + (y + r) * out_row;
      if (end - from[r] >= row + kLoad) continue;
      uint8_t* own = padded.data() + r * (row + kLoad);
      std::memcpy(own, from[r], size_t(row));
      from[r] = own;
    }
    if (rows == kRows)
      across_rows<kChannels, kRows>(from, table, packed, to);
    else
      for (int r = 0; r < rows; ++r) across_rows<kChannels, 1>(from + r, table, packed, to + r);
  }
}

bool has_avx2() { return __builtin_cpu_supports("avx2"); }

#else

template <int kChannels>
void across_avx2(View<uint8_t>, const AxisTable<int32_t>&, uint8_t*) {}
bool has_avx2() { return false; }

#endif

}  // namespace

void resize_across(View<uint8_t> in, const AxisTable<int32_t>& table, uint8_t* out) {
  if (in.channels == 3 && has_avx2()) return across_avx2<3>(in, table, out);
  if (in.channels == 4 && has_avx2()) return across_avx2<4>(in, table, out);
  resize_across_plain(in, table, out);
}

void resize_across_plain(View<uint8_t> in, const AxisTable<int32_t>& table, uint8_t* out) {
  for (int64_t y = 0; y < in.height; ++y, out += table.outputs() * in.channels) {
    if (in.channels == 1)
      across_plain<1>(in.row(y), 1, table, out);
    else if (in.channels == 3)
      across_plain<3>(in.row(y), 3, table, out);
    else
      across_plain<0>(in.row(y), in.channels, table, out);
  }
}

}  // namespace zoo::data
