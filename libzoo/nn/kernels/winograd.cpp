#include <libzoo/nn/kernels/bfloat16.h>
#include <libzoo/nn/kernels/minimal_filters.h>
#include <libzoo/nn/kernels/winograd.h>

#include <algorithm>
#include <vector>

namespace zoo::nn::kernels {

#ifdef ZOO_AVX512
namespace {

constexpr int64_t kLanes = 16;

typedef float LooseLanes __attribute__((vector_size(64), aligned(4), may_alias));

ZOO_AVX512_INLINE Lanes load(const float* from) { return *reinterpret_cast<const LooseLanes*>(from); }
ZOO_AVX512_INLINE void store(float* to, Lanes value) { *reinterpret_cast<LooseLanes*>(to) = value; }
ZOO_AVX512_INLINE Lanes load(const BFloat16* from) { return Lanes(load_some(from, 0xffff)); }
ZOO_AVX512_INLINE void store(BFloat16* to, Lanes value) { store_some(to, 0xffff, __m512(value)); }

struct Image {
  int64_t height, width, channels;
};

struct Place {
  int64_t image, down, across;  // across and down in tiles
};

struct Grid {
  int64_t down, across;
  explicit Grid(const WinogradShape& s) : down((s.height + s.step() - 1) / s.step()), across((s.width + s.step() - 1) / s.step()) {}
  Place operator[](int64_t tile) const { return {tile / (down * across), tile / across % down, tile % across}; }
};

// size x size pixels from (row, column) on, those off the image being `outside`.
template <int size, class Float>
ZOO_AVX512_INLINE void find_pixels(const Image& image, Float* x, int64_t number, int64_t row, int64_t column, Float* outside,
                                   Float** pixel) {
  for (int i = 0; i < size; ++i) {
    for (int j = 0; j < size; ++j) {
      const bool inside = row + i >= 0 && row + i < image.height && column + j >= 0 && column + j < image.width;
      pixel[i * size + j] = inside ? x + ((number * image.height + row + i) * image.width + column + j) * image.channels : outside;
    }
  }
}

// One map on the columns and then on the rows of from x from values of 16 channels, which `get(i, j)` gives and `put(i, j, value)` takes.
template <int from, int to, class Map, class Get, class Put>
ZOO_AVX512_INLINE void map_both(Map map, Get get, Put put) {
  Lanes between[to][from];
#pragma GCC unroll 8
  for (int j = 0; j < from; ++j) {
    Lanes column[from], mapped[to];
#pragma GCC unroll 8
    for (int i = 0; i < from; ++i) column[i] = get(i, j);
    map(column, mapped);
#pragma GCC unroll 8
    for (int i = 0; i < to; ++i) between[i][j] = mapped[i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < to; ++i) {
    Lanes mapped[to];
    map(between[i], mapped);
#pragma GCC unroll 8
    for (int j = 0; j < to; ++j) put(i, j, mapped[j]);
  }
}

#define ZOO_LAMBDA __attribute__((always_inline, target("avx512f,avx512vl,avx512bw,avx512dq")))

// Pixels of a tile become one value for each point, `apart` floats from one another.
template <class F, class S>
ZOO_AVX512_INLINE void transform_input(const Image& image, const S* x, const Place& place, float* to, int64_t apart, const S* zeros) {
  const S* pixel[F::kInputs * F::kInputs];
  find_pixels<F::kInputs>(image, x, place.image, place.down * F::kStep - F::kBefore, place.across * F::kStep - F::kBefore, zeros, pixel);
  for (int64_t c = 0; c < image.channels; c += kLanes) {
    map_both<F::kInputs, F::kPoints>([](const Lanes* d, Lanes* t) ZOO_LAMBDA { F::in(d, t); },
                                     [&](int i, int j) ZOO_LAMBDA { return load(pixel[i * F::kInputs + j] + c); },
                                     [&](int i, int j, Lanes value) ZOO_LAMBDA { store(to + (i * F::kPoints + j) * apart + c, value); });
  }
}

// The values of the points become the outputs of a tile; those off the image go to `nowhere`.
template <class F, class S>
ZOO_AVX512_INLINE void transform_output(const Image& image, const float* from, int64_t apart, const Place& place, S* y, S* nowhere) {
  S* pixel[F::kOutputs * F::kOutputs];
  find_pixels<F::kOutputs>(image, y, place.image, place.down * F::kOutputs, place.across * F::kOutputs, nowhere, pixel);
  for (int64_t c = 0; c < image.channels; c += kLanes) {
    map_both<F::kPoints, F::kOutputs>([](const Lanes* m, Lanes* y) ZOO_LAMBDA { F::out(m, y); },
                                      [&](int i, int j) ZOO_LAMBDA { return load(from + (i * F::kPoints + j) * apart + c); },
                                      [&](int i, int j, Lanes value) ZOO_LAMBDA { store(pixel[i * F::kOutputs + j] + c, value); });
  }
}

template <class F, class S>
ZOO_AVX512_INLINE void transform_output_back(const Image& image, const S* grad, const Place& place, float* to, int64_t apart,
                                             const S* zeros) {
  const S* pixel[F::kOutputs * F::kOutputs];
  find_pixels<F::kOutputs>(image, grad, place.image, place.down * F::kOutputs, place.across * F::kOutputs, zeros, pixel);
  for (int64_t c = 0; c < image.channels; c += kLanes) {
    map_both<F::kOutputs, F::kPoints>([](const Lanes* y, Lanes* m) ZOO_LAMBDA { F::out_back(y, m); },
                                      [&](int i, int j) ZOO_LAMBDA { return load(pixel[i * F::kOutputs + j] + c); },
                                      [&](int i, int j, Lanes value) ZOO_LAMBDA { store(to + (i * F::kPoints + j) * apart + c, value); });
  }
}

Image image_of_x(const WinogradShape& shape) { return {shape.height, shape.width, shape.in}; }
Image image_of_y(const WinogradShape& shape) { return {shape.out_height(), shape.out_width(), shape.out}; }

// The filters of 16 outputs for the 16 inputs from `input` on.
template <class F, class S>
ZOO_AVX512_INLINE void transform_filters(const WinogradShape& shape, const S* weight, float* filters, int64_t input, int64_t output) {
  Lanes taps[9][kLanes];  // of 16 outputs
  for (int tap = 0; tap < 9; ++tap) {
    Lanes rows[kLanes];  // of 16 inputs
    for (int64_t f = 0; f < kLanes; ++f) rows[f] = load(weight + ((output + f) * 9 + tap) * shape.in + input);
    transpose16(reinterpret_cast<const char*>(rows), sizeof(Lanes), 0xffff, reinterpret_cast<float*>(taps[tap]), kLanes);
  }
  for (int64_t c = 0; c < kLanes; ++c) {
    float* to = filters + (input + c) * shape.out + output;
    map_both<3, F::kPoints>([](const Lanes* g, Lanes* u) ZOO_LAMBDA { F::filter(g, u); },
                            [&](int i, int j) ZOO_LAMBDA { return taps[i * 3 + j][c]; },
                            [&](int i, int j, Lanes value) ZOO_LAMBDA { store(to + (i * F::kPoints + j) * shape.in * shape.out, value); });
  }
}

template <class F, class S>
ZOO_AVX512 void filters(const WinogradShape& shape, const S* weight, float* filters, int64_t first, int64_t last) {
  for (int64_t input = first * kLanes; input < last * kLanes; input += kLanes)
    for (int64_t output = 0; output < shape.out; output += kLanes) transform_filters<F>(shape, weight, filters, input, output);
}

template <class F, class S>
ZOO_AVX512 void filters_turned(const WinogradShape& shape, const S* weight, float* filters, int64_t first, int64_t last) {
  for (int64_t f = first; f < last; ++f) {
    for (int64_t c = 0; c < shape.in; c += kLanes) {
      const S* from = weight + f * 9 * shape.in + c;
      float* to = filters + f * shape.in + c;
      map_both<3, F::kPoints>([](const Lanes* g, Lanes* u) ZOO_LAMBDA { F::filter(g, u); },
                              [&](int i, int j) ZOO_LAMBDA { return load(from + (8 - i * 3 - j) * shape.in); },
                              [&](int i, int j, Lanes value)
                                  ZOO_LAMBDA { store(to + (i * F::kPoints + j) * shape.in * shape.out, value); });
    }
  }
}

template <class F, class S>
ZOO_AVX512 void filters_back(const WinogradShape& shape, const float* grad_filters, S* grad_weight, int64_t first, int64_t last) {
  for (int64_t f = first; f < last; ++f) {
    for (int64_t c = 0; c < shape.in; c += kLanes) {
      const float* from = grad_filters + f * shape.in + c;
      S* to = grad_weight + f * 9 * shape.in + c;
      map_both<F::kPoints, 3>([](const Lanes* u, Lanes* g) ZOO_LAMBDA { F::filter_back(u, g); },
                              [&](int i, int j) ZOO_LAMBDA { return load(from + (i * F::kPoints + j) * shape.in * shape.out); },
                              [&](int i, int j, Lanes value) ZOO_LAMBDA { store(to + (i * 3 + j) * shape.in, value); });
    }
  }
}

template <class F, class S>
ZOO_AVX512 void slab_in(const WinogradShape& shape, const Image& image, const S* x, float* tiles, const TileSlab& slab) {
  static thread_local std::vector<S> zeros;
  zeros.assign(size_t(image.channels), S(0.0f));
  const Grid grid(shape);
  for (int64_t t = slab.first; t < slab.last; ++t)
    transform_input<F>(image, x, grid[slab.start + t], tiles + t * image.channels, slab.count * image.channels, zeros.data());
}

template <class F, class S>
ZOO_AVX512 void slab_out(const WinogradShape& shape, const Image& image, const float* tiles, S* y, const TileSlab& slab) {
  static thread_local std::vector<S> nowhere;
  nowhere.resize(size_t(image.channels));
  const Grid grid(shape);
  for (int64_t t = slab.first; t < slab.last; ++t)
    transform_output<F>(image, tiles + t * image.channels, slab.count * image.channels, grid[slab.start + t], y, nowhere.data());
}

template <class F, class S>
ZOO_AVX512 void slab_gradient_in(const WinogradShape& shape, const Image& image, const S* grad, float* tiles, const TileSlab& slab) {
  static thread_local std::vector<S> zeros;
  zeros.assign(size_t(image.channels), S(0.0f));
  const Grid grid(shape);
  for (int64_t t = slab.first; t < slab.last; ++t)
    transform_output_back<F>(image, grad, grid[slab.start + t], tiles + t * image.channels, slab.count * image.channels, zeros.data());
}

// call(filters of the shape's kind)
template <class Call>
void with_filtering(const WinogradShape& shape, Call call) {
  switch (shape.filtering) {
    case Filtering::two: return call(Two{});
    case Filtering::four: return call(Four{});
    case Filtering::strided: return call(Strided{});
  }
}

// call(filters of the way back)
template <class Call>
void with_filtering_back(const WinogradShape& shape, Call call) {
  shape.filtering == Filtering::strided ? call(Spread{}) : with_filtering(shape, call);
}

}  // namespace

template <class S>
void winograd_filters(const WinogradShape& shape, const S* weight, float* to, int64_t first, int64_t last) {
  with_filtering(shape, [&](auto f) { filters<decltype(f)>(shape, weight, to, first, last); });
}

template <class S>
void winograd_filters_turned(const WinogradShape& shape, const S* weight, float* to, int64_t first, int64_t last) {
  with_filtering(shape, [&](auto f) { filters_turned<decltype(f)>(shape, weight, to, first, last); });
}

template <class S>
void winograd_filters_back(const WinogradShape& shape, const float* grad_filters, S* grad_weight, int64_t first, int64_t last) {
  with_filtering(shape, [&](auto f) { filters_back<decltype(f)>(shape, grad_filters, grad_weight, first, last); });
}

template <class S>
void winograd_in(const WinogradShape& shape, const S* x, float* tiles, const TileSlab& slab) {
  with_filtering(shape, [&](auto f) { slab_in<decltype(f)>(shape, image_of_x(shape), x, tiles, slab); });
}

template <class S>
void winograd_out(const WinogradShape& shape, const float* tiles, S* y, const TileSlab& slab) {
  with_filtering(shape, [&](auto f) { slab_out<decltype(f)>(shape, image_of_y(shape), tiles, y, slab); });
}

template <class S>
void winograd_back_in(const WinogradShape& shape, const S* grad, float* tiles, const TileSlab& slab) {
  with_filtering_back(shape, [&](auto f) { slab_in<decltype(f)>(shape, image_of_y(shape), grad, tiles, slab); });
}

template <class S>
void winograd_back_out(const WinogradShape& shape, const float* tiles, S* grad_x, const TileSlab& slab) {
  with_filtering_back(shape, [&](auto f) { slab_out<decltype(f)>(shape, image_of_x(shape), tiles, grad_x, slab); });
}

template <class S>
void winograd_gradient_in(const WinogradShape& shape, const S* grad, float* tiles, const TileSlab& slab) {
  with_filtering(shape, [&](auto f) { slab_gradient_in<decltype(f)>(shape, image_of_y(shape), grad, tiles, slab); });
}

#else

template <class S>
void winograd_filters(const WinogradShape&, const S*, float*, int64_t, int64_t) {}
template <class S>
void winograd_filters_turned(const WinogradShape&, const S*, float*, int64_t, int64_t) {}
template <class S>
void winograd_filters_back(const WinogradShape&, const float*, S*, int64_t, int64_t) {}
template <class S>
void winograd_in(const WinogradShape&, const S*, float*, const TileSlab&) {}
template <class S>
void winograd_out(const WinogradShape&, const float*, S*, const TileSlab&) {}
template <class S>
void winograd_back_in(const WinogradShape&, const S*, float*, const TileSlab&) {}
template <class S>
void winograd_back_out(const WinogradShape&, const float*, S*, const TileSlab&) {}
template <class S>
void winograd_gradient_in(const WinogradShape&, const S*, float*, const TileSlab&) {}

#endif

#define ZOO_INSTANTIATE(S)                                                                         \
  template void winograd_filters(const WinogradShape&, const S*, float*, int64_t, int64_t);        \
  template void winograd_filters_turned(const WinogradShape&, const S*, float*, int64_t, int64_t); \
  template void winograd_filters_back(const WinogradShape&, const float*, S*, int64_t, int64_t);   \
  template void winograd_in(const WinogradShape&, const S*, float*, const TileSlab&);              \
  template void winograd_out(const WinogradShape&, const float*, S*, const TileSlab&);             \
  template void winograd_back_in(const WinogradShape&, const S*, float*, const TileSlab&);         \
  template void winograd_back_out(const WinogradShape&, const float*, S*, const TileSlab&);        \
  template void winograd_gradient_in(const WinogradShape&, const S*, float*, const TileSlab&);
ZOO_INSTANTIATE(float)
ZOO_INSTANTIATE(BFloat16)

}  // namespace zoo::nn::kernels
