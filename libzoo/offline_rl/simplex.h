// Random convex combinations as REM draws them: uniform numbers divided by their sum. Not a flat Dirichlet distribution: for K = 2
// the variance of a weight is 3/4 - ln 2 = 0.0569, that of the Dirichlet 1/12; for large K about 1 / (3K²).
//
//   auto alpha = draw_simplex(200, 1, random);   // [heads, mixtures], columns sum to 1
#pragma once

#include <ATen/core/Tensor.h>
#include <libzoo/core/random.h>

namespace zoo::offline_rl {

// uniform [heads, mixtures], positive -> the same divided by the columns' sums.
at::Tensor simplex_of(const at::Tensor& uniform);

// f32 on the CPU.
at::Tensor draw_simplex(int64_t heads, int64_t mixtures, RandomStream& random);

}  // namespace zoo::offline_rl
