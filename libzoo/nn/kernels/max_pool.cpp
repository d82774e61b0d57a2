#include <libzoo/core/kernel_clones.h>
#include <libzoo/nn/kernels/max_pool.h>

#include <algorithm>

namespace zoo::nn::kernels {
namespace {

// A place outside of the image is a zero that takes part.
template <class T>
ZOO_INLINE void forward(const PoolShape& shape, const T* x, T* y, uint8_t* winner, int64_t image) {
  const int64_t channels = shape.channels, rows = shape.out_height(), columns = shape.out_width();
  const T* from = x + image * shape.height * shape.width * channels;
  for (int64_t pixel = 0; pixel < rows * columns; ++pixel) {
    const int64_t top = pixel / columns * 2 - 1, left = pixel % columns * 2 - 1;
    T* __restrict to = y + (image * rows * columns + pixel) * channels;
    uint8_t* __restrict from_where = winner ? winner + (image * rows * columns + pixel) * channels : nullptr;
    for (int64_t k = 0; k < 9; ++k) {
      const int64_t row = top + k / 3, column = left + k % 3;
      const bool inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
      const T* __restrict value = inside ? from + (row * shape.width + column) * channels : nullptr;
      if (k == 0) {
        for (int64_t c = 0; c < channels; ++c) to[c] = inside ? value[c] : T(0);
        if (from_where) std::fill(from_where, from_where + channels, uint8_t(0));
      } else if (from_where) {
        for (int64_t c = 0; c < channels; ++c) {
          const T candidate = inside ? value[c] : T(0);
          const bool better = !(candidate <= to[c]) && to[c] == to[c];
          to[c] = better ? candidate : to[c];
          from_where[c] = better ? uint8_t(k) : from_where[c];
        }
      } else {
        for (int64_t c = 0; c < channels; ++c) {
          const T candidate = inside ? value[c] : T(0);
          to[c] = !(candidate <= to[c]) && to[c] == to[c] ? candidate : to[c];
        }
      }
    }
  }
}

template <class T>
ZOO_INLINE void backward(const PoolShape& shape, const T* grad, const uint8_t* winner, T* grad_x, int64_t image) {
  const int64_t channels = shape.channels, rows = shape.out_height(), columns = shape.out_width();
  T* base = grad_x + image * shape.height * shape.width * channels;
  std::fill(base, base + shape.height * shape.width * channels, T(0));
  for (int64_t pixel = 0; pixel < rows * columns; ++pixel) {
    const int64_t top = pixel / columns * 2 - 1, left = pixel % columns * 2 - 1;
    const T* __restrict above = grad + (image * rows * columns + pixel) * channels;
    const uint8_t* __restrict from_where = winner + (image * rows * columns + pixel) * channels;
    for (int64_t k = 0; k < 9; ++k) {
      const int64_t row = top + k / 3, column = left + k % 3;
      if (row < 0 || row >= shape.height || column < 0 || column >= shape.width) continue;
      T* __restrict to = base + (row * shape.width + column) * channels;
      for (int64_t c = 0; c < channels; ++c) to[c] = to[c] + (from_where[c] == uint8_t(k) ? above[c] : T(0));
    }
  }
}

}  // namespace

ZOO_CLONES void max_pool(const PoolShape& shape, const float* x, float* y, uint8_t* winner, int64_t image) {
  forward(shape, x, y, winner, image);
}
ZOO_CLONES void max_pool(const PoolShape& shape, const double* x, double* y, uint8_t* winner, int64_t image) {
  forward(shape, x, y, winner, image);
}
ZOO_CLONES void max_pool(const PoolShape& shape, const BFloat16* x, BFloat16* y, uint8_t* winner, int64_t image) {
  forward(shape, x, y, winner, image);
}
ZOO_CLONES void max_pool_backward(const PoolShape& shape, const float* grad, const uint8_t* winner, float* grad_x, int64_t image) {
  backward(shape, grad, winner, grad_x, image);
}
ZOO_CLONES void max_pool_backward(const PoolShape& shape, const double* grad, const uint8_t* winner, double* grad_x, int64_t image) {
  backward(shape, grad, winner, grad_x, image);
}
ZOO_CLONES void max_pool_backward(const PoolShape& shape, const BFloat16* grad, const uint8_t* winner, BFloat16* grad_x, int64_t image) {
  backward(shape, grad, winner, grad_x, image);
}

}  // namespace zoo::nn::kernels
