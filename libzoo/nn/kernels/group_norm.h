// The loops of group norm with ReLU, on raw memory: one image or one group at a time, so that the caller can spread them over
// threads. Statistics in two passes (in one of bfloat16 in channels-last memory), sums in double; the mean is kept in double and
// subtracted in two parts, so that a large mean costs no digits. Nothing but (input, mean, rstd) is needed to go back: the sign of the
// output is computed again.
#pragma once

#include <libzoo/nn/kernels/bfloat16.h>
#include <libzoo/nn/kernels/group_norm_shape.h>

#include <cstdint>

namespace zoo::nn::kernels {

template <class S>
struct GroupNormForward {
  const S* x;
  const Compute<S>*gamma, *beta;  // [channels]
  double *mean, *rstd;    // [images, groups]
  S* y;
  bool again;             // mean and rstd are given, not computed
  Compute<S>* tables = nullptr;  // [4, images, channels], only in channels-last memory: mean in two parts, scale, shift, in place of y
  int64_t images = 0;            // of the tables
};

template <class S>
struct GroupNormBackward {
  const S *grad, *x;           // of the output; the input
  const S* skip;               // another gradient of the input, added to the result; may be null
  const Compute<S>*gamma, *beta;       // [channels]
  const double *mean, *rstd;   // [images, groups]
  S* grad_x;
  double *grad_gamma, *grad_beta;  // [images, channels], each image's share
};

// Images in channels-last memory, [pixels][channels]; the groups [first, last) of one image. `scratch` has room for
// group_norm_scratch(shape) values.
void group_norm_forward_last(const GroupNormShape&, const GroupNormForward<float>&, int64_t image, int64_t first, int64_t last,
                             double* scratch);
void group_norm_forward_last(const GroupNormShape&, const GroupNormForward<double>&, int64_t image, int64_t first, int64_t last,
                             double* scratch);
void group_norm_forward_last(const GroupNormShape&, const GroupNormForward<BFloat16>&, int64_t image, int64_t first, int64_t last,
                             double* scratch);
void group_norm_backward_last(const GroupNormShape&, const GroupNormBackward<float>&, int64_t image, int64_t first, int64_t last,
                              double* scratch);
void group_norm_backward_last(const GroupNormShape&, const GroupNormBackward<double>&, int64_t image, int64_t first, int64_t last,
                              double* scratch);
void group_norm_backward_last(const GroupNormShape&, const GroupNormBackward<BFloat16>&, int64_t image, int64_t first, int64_t last,
                              double* scratch);
int64_t group_norm_scratch(const GroupNormShape& shape);

// Images in NCHW memory, [channels][pixels]: the same.
void group_norm_forward_first(const GroupNormShape&, const GroupNormForward<float>&, int64_t image, int64_t first, int64_t last);
void group_norm_forward_first(const GroupNormShape&, const GroupNormForward<double>&, int64_t image, int64_t first, int64_t last);
void group_norm_forward_first(const GroupNormShape&, const GroupNormForward<BFloat16>&, int64_t image, int64_t first, int64_t last);
void group_norm_backward_first(const GroupNormShape&, const GroupNormBackward<float>&, int64_t image, int64_t first, int64_t last);
void group_norm_backward_first(const GroupNormShape&, const GroupNormBackward<double>&, int64_t image, int64_t first, int64_t last);
void group_norm_backward_first(const GroupNormShape&, const GroupNormBackward<BFloat16>&, int64_t image, int64_t first, int64_t last);

}  // namespace zoo::nn::kernels
