// The two passes of a separable resize. Strides are in values. Output rows of `across` are table.outputs() pixels.
#pragma once

#include <libzoo/data/resize_axis.h>

namespace zoo::data {

// Along rows: in [rows, width, channels] to out [rows, table.outputs(), channels], u8 with Pillow's rounding.
void resize_across(View<uint8_t> in, const AxisTable<int32_t>& table, uint8_t* out);
void resize_across_plain(View<uint8_t> in, const AxisTable<int32_t>& table, uint8_t* out);  // without AVX2: the same pixels
void resize_across(View<uint8_t> in, const AxisTable<float>& table, float* out);
void resize_across(View<float> in, const AxisTable<float>& table, float* out);
void resize_across(View<float> in, const AxisTable<double>& table, float* out);

// Along columns: in [., n] with `stride` values between rows, to out [table.outputs(), n]; row table.first[i] of the whole
// is row table.first[i] - offset of `in`.
void resize_down(const uint8_t* in, int64_t stride, int64_t offset, int64_t n, const AxisTable<int32_t>& table, uint8_t* out);
void resize_down_row(const uint8_t* in, int64_t stride, int64_t offset, int64_t n, const AxisTable<int32_t>& table, int64_t output,
                     uint8_t* out);  // one row of them
void resize_down(const float* in, int64_t stride, int64_t offset, int64_t n, const AxisTable<float>& table, float* out);
void resize_down(const float* in, int64_t stride, int64_t offset, int64_t n, const AxisTable<double>& table, float* out);

}  // namespace zoo::data
