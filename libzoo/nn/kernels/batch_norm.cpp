#include <libzoo/core/kernel_clones.h>
#include <libzoo/nn/kernels/batch_norm.h>

#include <algorithm>

namespace zoo::nn::kernels {
namespace {

constexpr int64_t kTile = 32;  // channels whose sums stay in registers
constexpr int64_t kRun = 256;  // rows that are summed in float

// term(row offset + channel, lane) gives two numbers to be summed per channel.
template <int64_t kWidth, class Term>
ZOO_INLINE void sum_tile(int64_t rows, int64_t channels, int64_t first, double* sums, Term term) {
  for (int64_t from = 0; from < rows; from += kRun) {
    float one[kWidth] = {}, two[kWidth] = {};
    const int64_t to = std::min(rows, from + kRun);
    for (int64_t r = from; r < to; ++r)
      for (int64_t lane = 0; lane < kWidth; ++lane) term(r * channels + first + lane, first + lane, one[lane], two[lane]);
    for (int64_t lane = 0; lane < kWidth; ++lane) {
      sums[first + lane] += double(one[lane]);
      sums[channels + first + lane] += double(two[lane]);
    }
  }
}

template <class Term>
ZOO_INLINE void sum_channels(int64_t rows, int64_t channels, double* sums, Term term) {
  int64_t first = 0;
  for (; first + kTile <= channels; first += kTile) sum_tile<kTile>(rows, channels, first, sums, term);
  for (; first < channels; ++first) sum_tile<1>(rows, channels, first, sums, term);
}

}  // namespace

ZOO_CLONES_V4 void norm_sums(const float* __restrict x, int64_t rows, int64_t channels, const float* __restrict shift, double* sums) {
  sum_channels(rows, channels, sums, [=](int64_t i, int64_t c, float& one, float& two) {
    const float over = x[i] - shift[c];
    one += over;
    two += over * over;
  });
}

ZOO_CLONES_V4 void norm_apply(const float* __restrict x, const float* __restrict added, int64_t rows, int64_t channels,
                              const float* __restrict scale, const float* __restrict shift, bool relu, float* __restrict y) {
  const float least = relu ? 0.0f : -3.402823466e38f;
  for (int64_t r = 0; r < rows; ++r, x += channels, y += channels) {
    if (added) {
      for (int64_t c = 0; c < channels; ++c) {
        const float value = x[c] * scale[c] + shift[c] + added[c];
        y[c] = value < least ? least : value;
      }
      added += channels;
    } else {
      for (int64_t c = 0; c < channels; ++c) {
        const float value = x[c] * scale[c] + shift[c];
        y[c] = value < least ? least : value;
      }
    }
  }
}

ZOO_CLONES_V4 void norm_grad_sums(const float* __restrict grad, const float* __restrict y, const float* __restrict x, int64_t rows,
                                  int64_t channels, const float* __restrict mean, double* sums, float* __restrict masked) {
  if (!y) {
    sum_channels(rows, channels, sums, [=](int64_t i, int64_t c, float& one, float& two) {
      one += grad[i];
      two += grad[i] * (x[i] - mean[c]);
    });
  } else if (!masked) {
    sum_channels(rows, channels, sums, [=](int64_t i, int64_t c, float& one, float& two) {
      const float passed = y[i] > 0 ? grad[i] : 0.0f;
      one += passed;
      two += passed * (x[i] - mean[c]);
    });
  } else {
    sum_channels(rows, channels, sums, [=](int64_t i, int64_t c, float& one, float& two) {
      const float passed = y[i] > 0 ? grad[i] : 0.0f;
      masked[i] = passed;
      one += passed;
      two += passed * (x[i] - mean[c]);
    });
  }
}

ZOO_CLONES_V4 void norm_grad_apply(const float* __restrict grad, const float* __restrict y, const float* __restrict x, int64_t rows,
                                   int64_t channels, const float* __restrict of_grad, const float* __restrict of_x,
                                   const float* __restrict constant, float* __restrict dx) {
  for (int64_t r = 0; r < rows; ++r, grad += channels, x += channels, dx += channels) {
    if (y) {
      for (int64_t c = 0; c < channels; ++c) dx[c] = (y[c] > 0 ? grad[c] : 0.0f) * of_grad[c] + x[c] * of_x[c] + constant[c];
      y += channels;
    } else {
      for (int64_t c = 0; c < channels; ++c) dx[c] = grad[c] * of_grad[c] + x[c] * of_x[c] + constant[c];
    }
  }
}

}  // namespace zoo::nn::kernels
