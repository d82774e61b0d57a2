// Products of float32 matrices by one thread, with AVX-512: c = a · b, plus an addend if one is given. Blocks of b are packed into panels of 32
// columns that stay in the second-level cache, rows of a fourteen at a time (Goto and van de Geijn 2008). Every value is summed in
// the same order whatever part of c is asked for, so threads may divide c as they like without changing a bit.
#pragma once

#include <cstdint>

namespace zoo::nn::kernels {

// Value (i, j) lies at data[i · row + j · column]; one of the two is 1.
struct MatrixView {
  const float* data;
  int64_t row, column;
};

struct Product {
  int64_t rows = 0, columns = 0, depth = 0;  // of c, and what is summed over
  MatrixView a, b;  // [rows, depth], [depth, columns]
  float* c = nullptr;  // [rows, columns]
  int64_t stride = 0;  // from one row of c to the next
  const float* addend = nullptr;  // as c, added; may be c itself
};

bool has_matmul();  // the processor has AVX-512
void matmul(const Product& product);

// to[j][i] = from[i][j] for [rows, columns], on the same processors.
void transpose(const float* from, int64_t rows, int64_t columns, int64_t stride, float* to, int64_t to_stride);

}  // namespace zoo::nn::kernels
