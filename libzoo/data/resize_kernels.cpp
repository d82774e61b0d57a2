#include <libzoo/data/resize_kernels.h>

#include <libzoo/core/kernel_clones.h>

#include <algorithm>

namespace zoo::data {
namespace {

constexpr int32_t kHalf = 1 << (kFixedBits - 1);

ZOO_INLINE uint8_t to_u8(int32_t sum) {
  const int32_t value = sum >> kFixedBits;
  return uint8_t(value < 0 ? 0 : value > 255 ? 255 : value);
}

template <class In, class Weight>
ZOO_INLINE void across_floats(const In* in, int64_t channels, const AxisTable<Weight>& table, float* out) {
  const int64_t outputs = table.outputs();
  for (int64_t i = 0; i < outputs; ++i) {
    const int32_t count = table.count[size_t(i)];
    const Weight* weights = table.weights.data() + i * table.taps;
    const In* at = in + int64_t(table.first[size_t(i)]) * channels;
    if (channels == 3) {
      Weight r = 0, g = 0, b = 0;
      for (int32_t k = 0; k < count; ++k) {
        r += weights[k] * Weight(at[3 * k]);
        g += weights[k] * Weight(at[3 * k + 1]);
        b += weights[k] * Weight(at[3 * k + 2]);
      }
      out[3 * i] = float(r), out[3 * i + 1] = float(g), out[3 * i + 2] = float(b);
      continue;
    }
    for (int64_t c = 0; c < channels; ++c) {
      Weight sum = 0;
      for (int32_t k = 0; k < count; ++k) sum += weights[k] * Weight(at[k * channels + c]);
      out[i * channels + c] = float(sum);
    }
  }
}

// Up to four rows are weighted in one go; more are added to the sums, piece by piece so that these stay near.
template <int kRows, class Value, class Weight>
ZOO_INLINE void add_rows(const Value* in, int64_t stride, const Weight* weights, int64_t n, Weight* sums) {
  for (int64_t x = 0; x < n; ++x) {
    Weight sum = sums[x];
    for (int k = 0; k < kRows; ++k) sum += weights[k] * Weight(in[k * stride + x]);
    sums[x] = sum;
  }
}

template <class Value, class Weight, class Finish>
ZOO_INLINE void down_row(const Value* in, int64_t stride, int64_t offset, int64_t n, const AxisTable<Weight>& table, int64_t i, Value* out,
                         Weight start, Finish finish) {
  constexpr int64_t kPiece = 1024;
  Weight sums[kPiece];
  const Weight* weights = table.weights.data() + i * table.taps;
  const int32_t count = table.count[size_t(i)];
  for (int64_t x = 0; x < n; x += kPiece) {
    const int64_t size = std::min(kPiece, n - x);
    const Value* from = in + (table.first[size_t(i)] - offset) * stride + x;
    for (int64_t j = 0; j < size; ++j) sums[j] = start;
    int32_t k = 0;
    for (; k + 4 <= count; k += 4) add_rows<4>(from + k * stride, stride, weights + k, size, sums);
    if (count - k == 3) add_rows<3>(from + k * stride, stride, weights + k, size, sums);
    if (count - k == 2) add_rows<2>(from + k * stride, stride, weights + k, size, sums);
    if (count - k == 1) add_rows<1>(from + k * stride, stride, weights + k, size, sums);
    Value* to = out + x;
    for (int64_t j = 0; j < size; ++j) to[j] = finish(sums[j]);
  }
}

template <class Value, class Weight, class Finish>
ZOO_INLINE void down_rows(const Value* in, int64_t stride, int64_t offset, int64_t n, const AxisTable<Weight>& table, Value* out,
                          Weight start, Finish finish) {
  for (int64_t i = 0; i < table.outputs(); ++i) down_row(in, stride, offset, n, table, i, out + i * n, start, finish);
}

}  // namespace

ZOO_CLONES_V4 void resize_across(View<uint8_t> in, const AxisTable<float>& table, float* out) {
  for (int64_t y = 0; y < in.height; ++y) across_floats(in.row(y), in.channels, table, out + y * table.outputs() * in.channels);
}

ZOO_CLONES_V4 void resize_across(View<float> in, const AxisTable<float>& table, float* out) {
  for (int64_t y = 0; y < in.height; ++y) across_floats(in.row(y), in.channels, table, out + y * table.outputs() * in.channels);
}

ZOO_CLONES_V4 void resize_across(View<float> in, const AxisTable<double>& table, float* out) {
  for (int64_t y = 0; y < in.height; ++y) across_floats(in.row(y), in.channels, table, out + y * table.outputs() * in.channels);
}

ZOO_CLONES_V4 void resize_down(const uint8_t* in, int64_t stride, int64_t offset, int64_t n, const AxisTable<int32_t>& table,
                               uint8_t* out) {
  down_rows(in, stride, offset, n, table, out, kHalf, to_u8);
}

ZOO_CLONES_V4 void resize_down_row(const uint8_t* in, int64_t stride, int64_t offset, int64_t n, const AxisTable<int32_t>& table,
                                   int64_t output, uint8_t* out) {
  down_row(in, stride, offset, n, table, output, out, kHalf, to_u8);
}

ZOO_CLONES_V4 void resize_down(const float* in, int64_t stride, int64_t offset, int64_t n, const AxisTable<float>& table, float* out) {
  down_rows(in, stride, offset, n, table, out, 0.0f, [](float sum) { return sum; });
}

ZOO_CLONES_V4 void resize_down(const float* in, int64_t stride, int64_t offset, int64_t n, const AxisTable<double>& table, float* out) {
  down_rows(in, stride, offset, n, table, out, 0.0, [](double sum) { return float(sum); });
}

}  // namespace zoo::data
