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

// What a last layer of [actions · heads, features] (or a bias [actions · heads]) is when each action's heads are mixed by alpha [heads, mixtures]:
// [actions · mixtures, features]. By linearity its outputs are the mixed outputs.
at::Tensor mix_heads(const at::Tensor& weight, const at::Tensor& alpha);
// The gradient of the heads by that of the mixed.
at::Tensor unmix_heads(const at::Tensor& grad, const at::Tensor& alpha);

}  // namespace zoo::offline_rl
