// Group norm in channels-last memory: every inner loop runs over channels, which lie side by side. Sums are taken per channel,
// of differences from the first pixel, in blocks of pixels short enough for the type of the data; the blocks are added up in double.
//
// Values of bfloat16 are not centred one by one: what is added to them takes the mean along, from double. Their squares have 16 binary
// digits, so that a block of them is added up without error unless they differ in size, and one pass gives mean and variance.
#include <libzoo/nn/kernels/channels.h>
#include <libzoo/nn/kernels/group_norm.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace zoo::nn::kernels {
namespace {

constexpr int64_t kBlock = 32;  // pixels

// Where one image's groups lie, and the per-channel rows that the loops read.
template <class T>
struct Rows {
  int64_t width;     // channels of these groups
  double *sum, *sum2;  // totals
  T *mean, *rest;      // the mean in two parts
  T *scale, *shift, *slope, *offset;
};

template <class T>
ZOO_INLINE Rows<T> rows_in(double* scratch, int64_t width) {
  T* values = reinterpret_cast<T*>(scratch + 2 * width);
  return {width,
          scratch,
          scratch + width,
          values,
          values + width,
          values + 2 * width,
          values + 3 * width,
          values + 4 * width,
          values + 5 * width};
}

template <class S>
constexpr bool kCentred = !std::is_same_v<S, BFloat16>;

// A value less the mean, of those types that are centred.
template <class S>
ZOO_INLINE Compute<S> centred(S x, Compute<S> mean, Compute<S> rest) {
  if constexpr (kCentred<S>)
    return (x - mean) - rest;
  else
    return x;
}

template <class T>
ZOO_INLINE void split_mean(const Rows<T>& rows, int64_t begin, int64_t end, double mean) {
  const T high = T(mean), low = T(mean - double(high));
  for (int64_t c = begin; c < end; ++c) rows.mean[c] = high, rows.rest[c] = low;
}

// Adds up value(pixel, channel) over the pixels to the totals of the channels.
template <class T, class F>
ZOO_INLINE void sum_over_pixels(int64_t pixels, int64_t width, double* __restrict total, F value) {
  for (int64_t p = 0; p < pixels; p += kBlock) {
    const int64_t end = std::min(p + kBlock, pixels);
    for_channels(width, [&](int64_t c, auto lanes) __attribute__((always_inline)) {
      T part[lanes] = {};
      for (int64_t q = p; q < end; ++q) {
        for (int64_t l = 0; l < lanes; ++l) part[l] += value(q, c + l);
      }
      for (int64_t l = 0; l < lanes; ++l) total[c + l] += double(part[l]);
    });
  }
}

// The same of two values, which add(pixel, channel, sum, sum2) adds.
template <class T, class F>
ZOO_INLINE void sum_pairs_over_pixels(int64_t pixels, const Rows<T>& rows, F add) {
  double* __restrict total = rows.sum;
  double* __restrict total2 = rows.sum2;
  for (int64_t c = 0; c < rows.width; ++c) total[c] = total2[c] = 0;
  for (int64_t p = 0; p < pixels; p += kBlock) {
    const int64_t end = std::min(p + kBlock, pixels);
    for_channels(rows.width, [&](int64_t c, auto lanes) __attribute__((always_inline)) {
      T part[lanes] = {}, part2[lanes] = {};
      for (int64_t q = p; q < end; ++q) {
        for (int64_t l = 0; l < lanes; ++l) add(q, c + l, part[l], part2[l]);
      }
      for (int64_t l = 0; l < lanes; ++l) total[c + l] += double(part[l]), total2[c + l] += double(part2[l]);
    });
  }
}

template <class S, class T>
ZOO_INLINE void sum_pixels(const S* __restrict x, int64_t pixels, int64_t stride, const Rows<T>& rows) {
  for (int64_t c = 0; c < rows.width; ++c) rows.sum[c] = double(pixels) * double(x[c]);
  sum_over_pixels<T>(pixels, rows.width, rows.sum,
                     [=](int64_t p, int64_t c) __attribute__((always_inline)) { return T(x[p * stride + c]) - T(x[c]); });
}

// The sums of x and of its square, of each channel.
template <class S, class T>
ZOO_INLINE void sum_pixels_and_squares(const S* __restrict x, int64_t pixels, int64_t stride, const Rows<T>& rows) {
  sum_pairs_over_pixels(pixels, rows, [=](int64_t p, int64_t c, T& sum, T& sum2) __attribute__((always_inline)) {
    const T value = x[p * stride + c];
    sum += value;
    sum2 += value * value;
  });
}

template <class S, class T>
ZOO_INLINE void sum_squares(const S* __restrict x, int64_t pixels, int64_t stride, const Rows<T>& rows) {
  const T* __restrict mean = rows.mean;
  const T* __restrict rest = rows.rest;
  for (int64_t c = 0; c < rows.width; ++c) rows.sum[c] = 0;
  sum_over_pixels<T>(pixels, rows.width, rows.sum, [=](int64_t p, int64_t c) __attribute__((always_inline)) {
    const T difference = centred(x[p * stride + c], mean[c], rest[c]);
    return difference * difference;
  });
}

// Comparisons are written so that NaN comes through, as in torch.
template <class S, class T>
ZOO_INLINE void normalise(const S* __restrict x, S* __restrict y, int64_t pixels, int64_t stride, const Rows<T>& rows, bool relu) {
  const T* __restrict mean = rows.mean;
  const T* __restrict rest = rows.rest;
  const T* __restrict scale = rows.scale;
  const T* __restrict shift = rows.shift;
  for (int64_t p = 0; p < pixels; ++p) {
    const S* __restrict from = x + p * stride;
    S* __restrict to = y + p * stride;
    if (relu) {
      for (int64_t c = 0; c < rows.width; ++c) {
        const T value = centred(from[c], mean[c], rest[c]) * scale[c] + shift[c];
        to[c] = value < T(0) ? T(0) : value;
      }
    } else {
      for (int64_t c = 0; c < rows.width; ++c) to[c] = centred(from[c], mean[c], rest[c]) * scale[c] + shift[c];
    }
  }
}

template <class S, class T>
ZOO_INLINE void find_statistics(const GroupNormShape& shape, const GroupNormForward<S>& data, const S* x, int64_t image, int64_t first,
                                int64_t last, const Rows<T>& rows) {
  const int64_t depth = shape.channels / shape.groups;
  const double count = double(depth * shape.pixels);
  double* mean = data.mean + image * shape.groups;
  double* rstd = data.rstd + image * shape.groups;
  // Of the channels of a group.
  const auto average = [&](int64_t g, const double* sum) {
    double total = 0;
    for (int64_t c = (g - first) * depth; c < (g - first + 1) * depth; ++c) total += sum[c];
    return total / count;
  };
  if constexpr (kCentred<S>) {
    sum_pixels(x, shape.pixels, shape.channels, rows);
    for (int64_t g = first; g < last; ++g) {
      mean[g] = average(g, rows.sum);
      split_mean(rows, (g - first) * depth, (g - first + 1) * depth, mean[g]);
    }
    sum_squares(x, shape.pixels, shape.channels, rows);
    for (int64_t g = first; g < last; ++g) rstd[g] = 1 / std::sqrt(average(g, rows.sum) + shape.eps);
  } else {
    sum_pixels_and_squares(x, shape.pixels, shape.channels, rows);
    for (int64_t g = first; g < last; ++g) {
      mean[g] = average(g, rows.sum);
      const double variance = average(g, rows.sum2) - mean[g] * mean[g];
      rstd[g] = 1 / std::sqrt((variance < 0 ? 0 : variance) + shape.eps);  // NaN stays
    }
  }
}

// factor · (x - mean) + addend is factor · centred(x) + this.
template <class S>
ZOO_INLINE Compute<S> shift_of(Compute<S> factor, double mean, double addend) {
  return Compute<S>(kCentred<S> ? addend : addend - mean * double(factor));
}

// Fills the rows that a normalised value is computed from.
template <class S, class T>
ZOO_INLINE void fill_rows(const Rows<T>& rows, int64_t depth, int64_t groups, const double* mean, const double* rstd, const T* gamma,
                          const T* beta) {
  for (int64_t g = 0; g < groups; ++g) {
    split_mean(rows, g * depth, (g + 1) * depth, mean[g]);
    for (int64_t c = g * depth; c < (g + 1) * depth; ++c) {
      rows.scale[c] = T(rstd[g] * double(gamma[c]));
      rows.shift[c] = shift_of<S>(rows.scale[c], mean[g], double(beta[c]));
    }
  }
}

template <class S>
ZOO_INLINE void forward(const GroupNormShape& shape, const GroupNormForward<S>& data, int64_t image, int64_t first, int64_t last,
                        double* scratch) {
  const int64_t depth = shape.channels / shape.groups;
  const int64_t start = first * depth, place = image * shape.groups + first;
  const S* x = data.x + image * shape.pixels * shape.channels + start;
  auto rows = rows_in<Compute<S>>(scratch, (last - first) * depth);
  if (!data.again) find_statistics(shape, data, x, image, first, last, rows);
  if (data.tables) {
    const int64_t apart = data.images * shape.channels;
    rows.mean = data.tables + image * shape.channels + start;
    rows.rest = rows.mean + apart, rows.scale = rows.rest + apart, rows.shift = rows.scale + apart;
  }
  fill_rows<S>(rows, depth, last - first, data.mean + place, data.rstd + place, data.gamma + start, data.beta + start);
  if (data.tables) return;
  S* y = data.y + image * shape.pixels * shape.channels + start;
  if (shape.relu)
    normalise(x, y, shape.pixels, shape.channels, rows, true);
  else
    normalise(x, y, shape.pixels, shape.channels, rows, false);
}

// What ReLU lets through of a gradient. A factor and not a choice of summands: that becomes a branch, and scalar code.
template <class T>
ZOO_INLINE T gate(T before_relu) {
  return before_relu <= T(0) ? T(0) : T(1);
}

// Per channel: the sums of the gradient and of gradient · centred(x), where the output was not cut off.
template <class S, class T>
ZOO_INLINE void sum_gradients(const S* __restrict grad, const S* __restrict x, int64_t pixels, int64_t stride, const Rows<T>& rows,
                              bool relu) {
  const T* __restrict mean = rows.mean;
  const T* __restrict rest = rows.rest;
  const T* __restrict scale = rows.scale;
  const T* __restrict shift = rows.shift;
  sum_pairs_over_pixels(pixels, rows, [=](int64_t p, int64_t c, T& sum, T& sum2) __attribute__((always_inline)) {
    const T value = centred(x[p * stride + c], mean[c], rest[c]), above = grad[p * stride + c];
    const T open = relu ? above * gate(value * scale[c] + shift[c]) : above;
    sum += open;
    sum2 += open * value;
  });
}

template <class S, class T>
ZOO_INLINE void spread_gradients(const S* __restrict grad, const S* __restrict x, const S* __restrict skip, S* __restrict grad_x,
                                 int64_t pixels, int64_t stride, const Rows<T>& rows, bool relu, bool add) {
  const T* __restrict mean = rows.mean;
  const T* __restrict rest = rows.rest;
  const T* __restrict scale = rows.scale;
  const T* __restrict shift = rows.shift;
  const T* __restrict slope = rows.slope;
  const T* __restrict offset = rows.offset;
  for (int64_t p = 0; p < pixels; ++p) {
    const S* __restrict from = x + p * stride;
    const S* __restrict above = grad + p * stride;
    const S* __restrict other = add ? skip + p * stride : nullptr;
    S* __restrict to = grad_x + p * stride;
    for (int64_t c = 0; c < rows.width; ++c) {
      const T value = centred(from[c], mean[c], rest[c]);
      const T open = relu ? T(above[c]) * gate(value * scale[c] + shift[c]) : T(above[c]);
      const T own = open * scale[c] + (value * slope[c] + offset[c]);
      to[c] = add ? own + T(other[c]) : own;
    }
  }
}

template <class S>
ZOO_INLINE void backward(const GroupNormShape& shape, const GroupNormBackward<S>& data, int64_t image, int64_t first, int64_t last,
                         double* scratch) {
  using T = Compute<S>;
  const int64_t depth = shape.channels / shape.groups;
  const int64_t start = first * depth, width = (last - first) * depth;
  const double count = double(depth * shape.pixels);
  const int64_t place = image * shape.pixels * shape.channels + start;
  const double* mean = data.mean + image * shape.groups;
  const double* rstd = data.rstd + image * shape.groups;
  double* grad_gamma = data.grad_gamma + image * shape.channels + start;
  double* grad_beta = data.grad_beta + image * shape.channels + start;
  const auto rows = rows_in<Compute<S>>(scratch, width);

  fill_rows<S>(rows, depth, last - first, mean + first, rstd + first, data.gamma + start, data.beta + start);
  if (shape.relu)
    sum_gradients(data.grad + place, data.x + place, shape.pixels, shape.channels, rows, true);
  else
    sum_gradients(data.grad + place, data.x + place, shape.pixels, shape.channels, rows, false);
  for (int64_t g = first; g < last; ++g) {
    double plain = 0, along = 0;
    for (int64_t c = (g - first) * depth; c < (g - first + 1) * depth; ++c) {
      grad_beta[c] = rows.sum[c];
      grad_gamma[c] = (kCentred<S> ? rows.sum2[c] : rows.sum2[c] - mean[g] * rows.sum[c]) * rstd[g];
      plain += rows.sum[c] * double(data.gamma[start + c]);
      along += grad_gamma[c] * double(data.gamma[start + c]);
    }
    for (int64_t c = (g - first) * depth; c < (g - first + 1) * depth; ++c) {
      rows.slope[c] = T(-rstd[g] * rstd[g] * along / count);
      rows.offset[c] = shift_of<S>(rows.slope[c], mean[g], -rstd[g] * plain / count);
    }
  }
  const S* skip = data.skip ? data.skip + place : nullptr;
  const auto spread = [&](bool relu, bool add) __attribute__((always_inline)) {
    spread_gradients(data.grad + place, data.x + place, skip, data.grad_x + place, shape.pixels, shape.channels, rows, relu, add);
  };
  if (shape.relu)
    skip ? spread(true, true) : spread(true, false);
  else
    skip ? spread(false, true) : spread(false, false);
}

}  // namespace

int64_t group_norm_scratch(const GroupNormShape& shape) { return 8 * shape.channels; }

ZOO_CLONES_V4 void group_norm_forward_last(const GroupNormShape& shape, const GroupNormForward<float>& data, int64_t image, int64_t first,
                                           int64_t last, double* scratch) {
  forward(shape, data, image, first, last, scratch);
}
ZOO_CLONES_V4 void group_norm_forward_last(const GroupNormShape& shape, const GroupNormForward<double>& data, int64_t image, int64_t first,
                                           int64_t last, double* scratch) {
  forward(shape, data, image, first, last, scratch);
}
ZOO_CLONES_V4 void group_norm_forward_last(const GroupNormShape& shape, const GroupNormForward<BFloat16>& data, int64_t image,
                                           int64_t first, int64_t last, double* scratch) {
  forward(shape, data, image, first, last, scratch);
}
ZOO_CLONES_V4 void group_norm_backward_last(const GroupNormShape& shape, const GroupNormBackward<float>& data, int64_t image, int64_t first,
                                            int64_t last, double* scratch) {
  backward(shape, data, image, first, last, scratch);
}
ZOO_CLONES_V4 void group_norm_backward_last(const GroupNormShape& shape, const GroupNormBackward<double>& data, int64_t image,
                                            int64_t first, int64_t last, double* scratch) {
  backward(shape, data, image, first, last, scratch);
}
ZOO_CLONES_V4 void group_norm_backward_last(const GroupNormShape& shape, const GroupNormBackward<BFloat16>& data, int64_t image,
                                            int64_t first, int64_t last, double* scratch) {
  backward(shape, data, image, first, last, scratch);
}

}  // namespace zoo::nn::kernels
