#include <libzoo/data/planes.h>

#include <libzoo/core/error.h>
#include <libzoo/core/kernel_clones.h>
#include <libzoo/data/blur.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::data {
namespace {

ZOO_INLINE float cut(float value) { return std::min(std::max(value, 0.0f), 1.0f); }

// value · scale + shift, cut.
ZOO_CLONES void scale_kernel(float* __restrict values, int64_t count, float scale, float shift) {
  for (int64_t i = 0; i < count; ++i) values[i] = cut(values[i] * scale + shift);
}

ZOO_CLONES double sum_kernel(const float* __restrict values, int64_t count) {
  constexpr int64_t kLanes = 16, kRun = 1024;
  double total = 0;
  for (int64_t from = 0; from < count; from += kRun) {
    const int64_t to = std::min(count, from + kRun), whole = from + (to - from) / kLanes * kLanes;
    float lanes[kLanes] = {};
    for (int64_t i = from; i < whole; i += kLanes)
      for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += values[i + lane];
    for (int64_t i = whole; i < to; ++i) lanes[i - whole] += values[i];
    for (float lane : lanes) total += double(lane);
  }
  return total;
}

// At a fixed hue and value the distance of a channel from the value grows with the saturation: no hue is needed.
ZOO_CLONES void saturation_kernel(float* __restrict r, float* __restrict g, float* __restrict b, int64_t count, float factor) {
  for (int64_t i = 0; i < count; ++i) {
    const float value = std::max(std::max(r[i], g[i]), b[i]), range = value - std::min(std::min(r[i], g[i]), b[i]);
    const float saturation = value > 0 ? range / value : 0.0f;
    const float ratio = saturation > 0 ? cut(saturation * factor) / saturation : 0.0f;
    r[i] = cut(value - (value - r[i]) * ratio);
    g[i] = cut(value - (value - g[i]) * ratio);
    b[i] = cut(value - (value - b[i]) * ratio);
  }
}

// A channel of the colour with this hue in sixths of a turn, 0 to 6: the largest value less the range over a trapezium of hues.
ZOO_INLINE float channel_of(float hue, float offset, float largest, float range) {
  float place = hue + offset;
  place = place >= 6 ? place - 6 : place;
  return largest - range * std::max(0.0f, std::min(std::min(place, 4 - place), 1.0f));
}

ZOO_CLONES void hue_kernel(float* __restrict r, float* __restrict g, float* __restrict b, int64_t count, float turns) {
  for (int64_t i = 0; i < count; ++i) {
    const float red = r[i], green = g[i], blue = b[i];
    const float largest = std::max(std::max(red, green), blue), range = largest - std::min(std::min(red, green), blue);
    const float scale = range > 0 ? 1 / range : 0.0f;
    const float of_green = 2 + scale * (blue - red), of_blue = 4 + scale * (red - green);
    float hue = red == largest ? scale * (green - blue) : green == largest ? of_green : of_blue;
    hue += 6 * turns;
    hue -= 6 * std::floor(hue * (1.0f / 6));
    hue = hue >= 6 ? 0.0f : hue;
    r[i] = cut(channel_of(hue, 5, largest, range));
    g[i] = cut(channel_of(hue, 3, largest, range));
    b[i] = cut(channel_of(hue, 1, largest, range));
  }
}

ZOO_CLONES void grey_kernel(float* __restrict r, float* __restrict g, float* __restrict b, int64_t count) {
  for (int64_t i = 0; i < count; ++i) r[i] = g[i] = b[i] = cut(0.2989f * r[i] + 0.587f * g[i] + 0.114f * b[i]);
}

ZOO_CLONES void take_kernel(const float* __restrict from, float* __restrict r, float* __restrict g, float* __restrict b, int64_t count,
                            float scale) {
  for (int64_t i = 0; i < count; ++i) r[i] = from[3 * i] * scale, g[i] = from[3 * i + 1] * scale, b[i] = from[3 * i + 2] * scale;
}

ZOO_CLONES void put_kernel(const float* __restrict r, const float* __restrict g, const float* __restrict b, float* __restrict to,
                           int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[3 * i] = cut(r[i]), to[3 * i + 1] = cut(g[i]), to[3 * i + 2] = cut(b[i]);
}

constexpr int64_t kBlock = 64;  // sums that stay in registers

// out[x] = Σ weights[k] · in[x + k · step] for x < count. Reads whole blocks: `in` has room for them.
ZOO_CLONES void taps_kernel(const float* __restrict in, int64_t step, const float* __restrict weights, int64_t taps, float* __restrict out,
                            int64_t count) {
  for (int64_t from = 0; from < count; from += kBlock) {
    float sums[kBlock] = {};
    for (int64_t k = 0; k < taps; ++k) {
      const float weight = weights[k];
      const float* values = in + from + k * step;
      for (int64_t j = 0; j < kBlock; ++j) sums[j] += weight * values[j];
    }
    const int64_t n = std::min(kBlock, count - from);
    for (int64_t j = 0; j < n; ++j) out[from + j] = cut(sums[j]);
  }
}

void require(bool allowed, const char* what, float factor) {
  if (!allowed || !std::isfinite(factor)) throw UserError(fmt::format("{}: factor {} is not allowed", what, factor));
}

void contrast(Planes& planes, float factor) {
  for (int64_t c = 0; c < 3; ++c) {
    const float mean = float(sum_kernel(planes.plane(c), planes.pixels()) / double(planes.pixels()));
    scale_kernel(planes.plane(c), planes.pixels(), factor, mean - mean * factor);
  }
}

}  // namespace

void Planes::reset(int64_t height, int64_t width) {
  height_ = height;
  width_ = width;
  values_.resize(size_t(3 * height * width));
}

void Planes::take(const float* interleaved, float scale) { take_kernel(interleaved, plane(0), plane(1), plane(2), pixels(), scale); }

void Planes::put(float* interleaved) const {
  const float* first = values_.data();
  put_kernel(first, first + pixels(), first + 2 * pixels(), interleaved, pixels());
}

void clip(Planes& planes) { scale_kernel(planes.plane(0), 3 * planes.pixels(), 1, 0); }

void to_grayscale(Planes& planes) { grey_kernel(planes.plane(0), planes.plane(1), planes.plane(2), planes.pixels()); }

void color_jitter(Planes& planes, const ColorJitter& jitter) {
  if (jitter.convention == JitterConvention::torchvision) throw Error("planes are jittered in SimCLR's conventions only");
  const bool adds = jitter.convention == JitterConvention::simclr_v1;
  float *r = planes.plane(0), *g = planes.plane(1), *b = planes.plane(2);
  for (ColorOperation operation : jitter.order) {
    switch (operation) {
      case ColorOperation::brightness:
        require(true, "adjust_brightness", jitter.brightness);
        scale_kernel(r, 3 * planes.pixels(), adds ? 1 : jitter.brightness, adds ? jitter.brightness : 0);
        break;
      case ColorOperation::contrast:
        require(true, "adjust_contrast", jitter.contrast);
        contrast(planes, jitter.contrast);
        break;
      case ColorOperation::saturation:
        require(true, "adjust_saturation", jitter.saturation);
        saturation_kernel(r, g, b, planes.pixels(), jitter.saturation);
        break;
      case ColorOperation::hue:
        require(true, "adjust_hue", jitter.hue);
        hue_kernel(r, g, b, planes.pixels(), jitter.hue);
        break;
    }
  }
}

void gaussian_blur(Planes& planes, int64_t kernel_size, double sigma) {
  if (kernel_size < 1) throw UserError(fmt::format("gaussian_blur: kernel size {} is not positive", kernel_size));
  const int64_t radius = kernel_size / 2, height = planes.height(), width = planes.width();
  const auto exact = gaussian_weights(radius, sigma);
  const std::vector<float> weights(exact.begin(), exact.end());
  const auto taps = int64_t(weights.size());
  static thread_local std::vector<float> row, padded;
  row.assign(size_t(width + 2 * radius + kBlock), 0.0f);
  padded.assign(size_t((height + 2 * radius) * width + kBlock), 0.0f);  // zero rows above and below
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t y = 0; y < height; ++y) {
      std::copy_n(planes.row(c, y), width, row.data() + radius);
      taps_kernel(row.data(), 1, weights.data(), taps, padded.data() + (y + radius) * width, width);
    }
    for (int64_t y = 0; y < height; ++y) taps_kernel(padded.data() + y * width, width, weights.data(), taps, planes.row(c, y), width);
  }
}

}  // namespace zoo::data
