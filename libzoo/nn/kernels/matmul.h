// Products of matrices by one thread, with AVX-512: c = a · b, plus an addend if one is given. Blocks of b are packed into panels of 32
// columns that stay in the second-level cache, rows of a fourteen at a time (Goto and van de Geijn 2008). Every value is summed in
// the same order whatever part of c is asked for, so threads may divide c as they like without changing a bit. Factors in bfloat16 are
// multiplied in pairs and summed in float32.
#pragma once

#include <libzoo/nn/kernels/bfloat16.h>

#include <cstdint>

namespace zoo::nn::kernels {

// Value (i, j) lies at data[i · row + j · column]; one of the two is 1.
template <class S>
struct MatrixView {
  const S* data;
  int64_t row, column;
};

// Group norm and ReLU of a factor whose rows are pixels, each a run of channels, as it is packed: ((x - mean) - rest) · scale + shift, from
// tables [images][channels]; of bfloat16 x · scale + shift. Row i belongs to image (first + i) / pixels.
struct Normal {
  const float *mean, *rest, *scale, *shift;
  int64_t channels = 0, pixels = 1, first = 0;
  bool relu = true;
};

template <class S, class C = S>
struct Product {
  int64_t rows = 0, columns = 0, depth = 0;  // of c, and what is summed over
  MatrixView<S> a, b;  // [rows, depth], [depth, columns]
  C* c = nullptr;  // [rows, columns]
  int64_t stride = 0;  // from one row of c to the next
  const C* addend = nullptr;  // as c, added; may be c itself
  const Normal *of_a = nullptr, *of_b = nullptr;
};

bool has_matmul();  // the processor has AVX-512
bool has_bfloat16_matmul();  // and its products of bfloat16

void matmul(const Product<float>& product);
void matmul(const Product<BFloat16>& product);  // depth at most kMostDepth, and even where a row is a run of the depth
void matmul(const Product<BFloat16, float>& product);  // the same, any depth

constexpr int64_t kMostDepth = 8192;

// to[j][i] = from[i][j] for [rows, columns], on the same processors.
void transpose(const float* from, int64_t rows, int64_t columns, int64_t stride, float* to, int64_t to_stride);

}  // namespace zoo::nn::kernels
