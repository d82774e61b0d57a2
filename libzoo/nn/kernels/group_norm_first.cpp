// Group norm in NCHW memory: a group is one run of values, a channel a run inside it. Sums run in kLanes partial sums, which GCC
// keeps in vector registers, in blocks that are added up in double; the mean is summed as differences from the first value.
#include <libzoo/core/kernel_clones.h>
#include <libzoo/nn/kernels/group_norm.h>

#include <algorithm>
#include <cmath>

namespace zoo::nn::kernels {
namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t kBlock = 32 * kLanes;

// Σ value(i) for i in [0, count).
template <class T, class F>
ZOO_INLINE double sum_of(int64_t count, F value) {
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, count), whole = begin + (end - begin) / kLanes * kLanes;
    T lanes[kLanes] = {};
    for (int64_t i = begin; i < whole; i += kLanes) {
      for (int64_t l = 0; l < kLanes; ++l) lanes[l] += value(i + l);
    }
    for (int64_t i = whole; i < end; ++i) lanes[i - whole] += value(i);
    for (int64_t l = 0; l < kLanes; ++l) total += double(lanes[l]);
  }
  return total;
}

template <class S>
ZOO_INLINE void forward(const GroupNormShape& shape, const GroupNormForward<S>& data, int64_t image, int64_t first, int64_t last) {
  using T = Compute<S>;
  const int64_t depth = shape.channels / shape.groups, pixels = shape.pixels, count = depth * pixels;
  for (int64_t g = first; g < last; ++g) {
    const int64_t place = (image * shape.groups + g) * count;
    const S* __restrict x = data.x + place;
    S* __restrict y = data.y + place;
    double& mean = data.mean[image * shape.groups + g];
    double& rstd = data.rstd[image * shape.groups + g];
    if (!data.again) {
      const T start = x[0];
      const double rest = sum_of<T>(count, [&](int64_t i) __attribute__((always_inline)) { return T(x[i]) - start; });
      mean = double(start) + rest / double(count);
    }
    const T high = T(mean), low = T(mean - double(high));
    if (!data.again) {
      const double squares = sum_of<T>(count, [&](int64_t i) __attribute__((always_inline)) {
        const T centred = (x[i] - high) - low;
        return centred * centred;
      });
      rstd = 1 / std::sqrt(squares / double(count) + shape.eps);
    }
    for (int64_t c = 0; c < depth; ++c) {
      const T scale = T(rstd * double(data.gamma[g * depth + c])), shift = data.beta[g * depth + c];
      if (shape.relu) {
        for (int64_t p = c * pixels; p < (c + 1) * pixels; ++p) {
          const T value = ((x[p] - high) - low) * scale + shift;
          y[p] = value < T(0) ? T(0) : value;
        }
      } else {
        for (int64_t p = c * pixels; p < (c + 1) * pixels; ++p) y[p] = ((x[p] - high) - low) * scale + shift;
      }
    }
  }
}

template <class S, bool kRelu>
ZOO_INLINE void backward_group(const GroupNormShape& shape, const GroupNormBackward<S>& data, int64_t image, int64_t g) {
  using T = Compute<S>;
  const int64_t depth = shape.channels / shape.groups, pixels = shape.pixels, count = depth * pixels;
  const int64_t place = (image * shape.groups + g) * count;
  const S* __restrict grad = data.grad + place;
  const S* __restrict x = data.x + place;
  const S* __restrict skip = data.skip ? data.skip + place : nullptr;
  S* __restrict grad_x = data.grad_x + place;
  const double mean = data.mean[image * shape.groups + g], rstd = data.rstd[image * shape.groups + g];
  const T high = T(mean), low = T(mean - double(high));
  double plain = 0, centred_sum = 0;
  for (int64_t c = 0; c < depth; ++c) {
    const int64_t channel = g * depth + c;
    const double gamma = double(data.gamma[channel]);
    const T scale = T(rstd * gamma), shift = data.beta[channel];
    const S* __restrict from = x + c * pixels;
    const S* __restrict above = grad + c * pixels;
    double sum = 0, sum2 = 0;
    for (int64_t begin = 0; begin < pixels; begin += kBlock) {
      // By way of memory: GCC 12 adds wrongly for x86-64-v3 when the choice stands inside of the sum.
      const int64_t length = std::min(kBlock, pixels - begin);
      T open[kBlock], product[kBlock];
      for (int64_t i = 0; i < length; ++i) {
        const T centred = (from[begin + i] - high) - low;
        open[i] = kRelu && centred * scale + shift <= T(0) ? T(0) : T(above[begin + i]);
        product[i] = open[i] * centred;
      }
      sum += sum_of<T>(length, [&](int64_t i) __attribute__((always_inline)) { return open[i]; });
      sum2 += sum_of<T>(length, [&](int64_t i) __attribute__((always_inline)) { return product[i]; });
    }
    data.grad_beta[image * shape.channels + channel] = sum;
    data.grad_gamma[image * shape.channels + channel] = sum2 * rstd;
    plain += sum * gamma;
    centred_sum += sum2 * rstd * gamma;
  }
  const T slope = T(-rstd * rstd * centred_sum / double(count)), offset = T(-rstd * plain / double(count));
  for (int64_t c = 0; c < depth; ++c) {
    const T scale = T(rstd * double(data.gamma[g * depth + c])), shift = data.beta[g * depth + c];
    for (int64_t p = c * pixels; p < (c + 1) * pixels; ++p) {
      const T centred = (x[p] - high) - low;
      const T open = kRelu && centred * scale + shift <= T(0) ? T(0) : T(grad[p]);
      grad_x[p] = open * scale + (centred * slope + offset);
    }
    if (skip) {
      for (int64_t p = c * pixels; p < (c + 1) * pixels; ++p) grad_x[p] = T(grad_x[p]) + T(skip[p]);
    }
  }
}

template <class S>
ZOO_INLINE void backward(const GroupNormShape& shape, const GroupNormBackward<S>& data, int64_t image, int64_t first, int64_t last) {
  for (int64_t g = first; g < last; ++g) {
    if (shape.relu)
      backward_group<S, true>(shape, data, image, g);
    else
      backward_group<S, false>(shape, data, image, g);
  }
}

}  // namespace

ZOO_CLONES void group_norm_forward_first(const GroupNormShape& shape, const GroupNormForward<float>& data, int64_t image, int64_t first,
                                         int64_t last) {
  forward(shape, data, image, first, last);
}
ZOO_CLONES void group_norm_forward_first(const GroupNormShape& shape, const GroupNormForward<double>& data, int64_t image, int64_t first,
                                         int64_t last) {
  forward(shape, data, image, first, last);
}
ZOO_CLONES void group_norm_forward_first(const GroupNormShape& shape, const GroupNormForward<BFloat16>& data, int64_t image, int64_t first,
                                         int64_t last) {
  forward(shape, data, image, first, last);
}
ZOO_CLONES void group_norm_backward_first(const GroupNormShape& shape, const GroupNormBackward<float>& data, int64_t image, int64_t first,
                                          int64_t last) {
  backward(shape, data, image, first, last);
}
ZOO_CLONES void group_norm_backward_first(const GroupNormShape& shape, const GroupNormBackward<double>& data, int64_t image, int64_t first,
                                          int64_t last) {
  backward(shape, data, image, first, last);
}
ZOO_CLONES void group_norm_backward_first(const GroupNormShape& shape, const GroupNormBackward<BFloat16>& data, int64_t image,
                                          int64_t first, int64_t last) {
  backward(shape, data, image, first, last);
}

}  // namespace zoo::nn::kernels
