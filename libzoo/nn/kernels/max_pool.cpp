#include <libzoo/nn/kernels/channels.h>
#include <libzoo/nn/kernels/max_pool.h>

#include <algorithm>

namespace zoo::nn::kernels {
namespace {

// The largest of 9 values of each of `lanes` channels, and which. A place outside of the image is a zero that takes part.
template <class S, int64_t lanes>
ZOO_INLINE void largest(const S* const (&places)[9], int64_t c, S* __restrict to, uint8_t* __restrict winner) {
  using T = Compute<S>;
  T best[lanes];
  int32_t which[lanes] = {};
  for (int64_t l = 0; l < lanes; ++l) best[l] = places[0] ? T(places[0][c + l]) : T(0);
  for (int32_t k = 1; k < 9; ++k) {
    const S* __restrict place = places[k];
    for (int64_t l = 0; l < lanes; ++l) {
      const T candidate = place ? T(place[c + l]) : T(0);
      const bool better = !(candidate <= best[l]) && best[l] == best[l];
      best[l] = better ? candidate : best[l];
      which[l] = better ? k : which[l];
    }
  }
  for (int64_t l = 0; l < lanes; ++l) to[c + l] = best[l];
  if (winner) {
    for (int64_t l = 0; l < lanes; ++l) winner[c + l] = uint8_t(which[l]);
  }
}

template <class S>
ZOO_INLINE void forward(const PoolShape& shape, const S* x, S* y, uint8_t* winner, int64_t image) {
  const int64_t channels = shape.channels, rows = shape.out_height(), columns = shape.out_width();
  const S* from = x + image * shape.height * shape.width * channels;
  for (int64_t pixel = 0; pixel < rows * columns; ++pixel) {
    const int64_t top = pixel / columns * 2 - 1, left = pixel % columns * 2 - 1;
    const S* places[9];
    for (int64_t k = 0; k < 9; ++k) {
      const int64_t row = top + k / 3, column = left + k % 3;
      const bool inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
      places[k] = inside ? from + (row * shape.width + column) * channels : nullptr;
    }
    const int64_t place = (image * rows * columns + pixel) * channels;
    uint8_t* where = winner ? winner + place : nullptr;
    for_channels(channels, [&](int64_t c, auto lanes) __attribute__((always_inline)) { largest<S, lanes>(places, c, y + place, where); });
  }
}

// The windows that an input pixel takes part in, and as which of their 9 places: at most 4.
struct Windows {
  int64_t count = 0, pixel[4];
  int32_t place[4];

  ZOO_INLINE Windows(const PoolShape& shape, int64_t row, int64_t column) {
    for (int64_t i = row / 2; i <= (row + 1) / 2 && i < shape.out_height(); ++i) {
      for (int64_t j = column / 2; j <= (column + 1) / 2 && j < shape.out_width(); ++j) {
        pixel[count] = i * shape.out_width() + j;
        place[count++] = int32_t((row + 1 - 2 * i) * 3 + column + 1 - 2 * j);
      }
    }
  }
};

template <class S, int64_t lanes>
ZOO_INLINE void collect(const Windows& windows, const S* grad, const uint8_t* winner, int64_t channels, int64_t c, S* __restrict to) {
  using T = Compute<S>;
  T sum[lanes] = {};
  for (int64_t i = 0; i < windows.count; ++i) {
    const S* __restrict above = grad + windows.pixel[i] * channels + c;
    const uint8_t* __restrict which = winner + windows.pixel[i] * channels + c;
    for (int64_t l = 0; l < lanes; ++l) sum[l] += int32_t(which[l]) == windows.place[i] ? T(above[l]) : T(0);
  }
  for (int64_t l = 0; l < lanes; ++l) to[c + l] = sum[l];
}

template <class S>
ZOO_INLINE void backward(const PoolShape& shape, const S* grad, const uint8_t* winner, S* grad_x, int64_t image) {
  const int64_t channels = shape.channels, outputs = shape.out_height() * shape.out_width() * channels;
  S* to = grad_x + image * shape.height * shape.width * channels;
  const S* above = grad + image * outputs;
  const uint8_t* where = winner + image * outputs;
  for (int64_t pixel = 0; pixel < shape.height * shape.width; ++pixel, to += channels) {
    const Windows windows(shape, pixel / shape.width, pixel % shape.width);
    for_channels(channels,
                 [&](int64_t c, auto lanes) __attribute__((always_inline)) { collect<S, lanes>(windows, above, where, channels, c, to); });
  }
}

}  // namespace

ZOO_CLONES_V4 void max_pool(const PoolShape& shape, const float* x, float* y, uint8_t* winner, int64_t image) {
  forward(shape, x, y, winner, image);
}
ZOO_CLONES_V4 void max_pool(const PoolShape& shape, const double* x, double* y, uint8_t* winner, int64_t image) {
  forward(shape, x, y, winner, image);
}
ZOO_CLONES_V4 void max_pool(const PoolShape& shape, const BFloat16* x, BFloat16* y, uint8_t* winner, int64_t image) {
  forward(shape, x, y, winner, image);
}
ZOO_CLONES_V4 void max_pool_backward(const PoolShape& shape, const float* grad, const uint8_t* winner, float* grad_x, int64_t image) {
  backward(shape, grad, winner, grad_x, image);
}
ZOO_CLONES_V4 void max_pool_backward(const PoolShape& shape, const double* grad, const uint8_t* winner, double* grad_x, int64_t image) {
  backward(shape, grad, winner, grad_x, image);
}
ZOO_CLONES_V4 void max_pool_backward(const PoolShape& shape, const BFloat16* grad, const uint8_t* winner, BFloat16* grad_x, int64_t image) {
  backward(shape, grad, winner, grad_x, image);
}

}  // namespace zoo::nn::kernels
