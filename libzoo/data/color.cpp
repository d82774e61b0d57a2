#include <libzoo/data/color.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace zoo::data {
namespace {

struct Hsv {
  float hue, saturation, value;
};

void check(int64_t channels, float factor, const char* what, bool allowed = true) {
  if (channels != 3) throw UserError(fmt::format("{}: the picture has {} channels, 3 are needed", what, channels));
  if (!std::isfinite(factor) || !allowed) throw UserError(fmt::format("{}: factor {} is not allowed", what, factor));
}

float grey(const float* rgb) { return 0.2989f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2]; }
float clipped(float value) { return std::min(std::max(value, 0.0f), 1.0f); }

// Hue in [0, 1) of a colour with these extremes; red wins a tie, then green.
float hue_of(const float* rgb, float largest, float range) {
  if (range <= 0) return 0;
  const float scale = 1 / (6 * range);
  float hue = 0;
  if (rgb[0] == largest)
    hue = scale * (rgb[1] - rgb[2]);
  else if (rgb[1] == largest)
    hue = scale * (rgb[2] - rgb[0]) + 2.0f / 6;
  else
    hue = scale * (rgb[0] - rgb[1]) + 4.0f / 6;
  return hue < 0 ? hue + 1 : hue;
}

Hsv hsv_of(const float* rgb) {
  const float value = std::max({rgb[0], rgb[1], rgb[2]}), range = value - std::min({rgb[0], rgb[1], rgb[2]});
  return {hue_of(rgb, value, range), value > 0 ? range / value : 0, value};
}

// The colour of a hue between the given extremes.
void put_color(float hue, float smallest, float largest, float* rgb) {
  hue -= std::floor(hue);
  const float place = hue * 6, range = largest - smallest;
  const int sector = std::min(int(place), 5);
  const float middle = range * (1 - std::abs(place - 2 * std::floor(place / 2) - 1)) + smallest;
  constexpr int kLargest[] = {0, 1, 1, 2, 2, 0}, kMiddle[] = {1, 0, 2, 1, 0, 2}, kSmallest[] = {2, 2, 0, 0, 1, 1};
  rgb[kLargest[sector]] = largest;
  rgb[kMiddle[sector]] = middle;
  rgb[kSmallest[sector]] = smallest;
}

template <class Change>
void each_pixel(FloatImage& image, Change change) {
  for (size_t i = 0; i + 2 < image.pixels.size(); i += 3) change(&image.pixels[i]);
}

template <class Change>
void each_value(FloatImage& image, Change change) {
  for (float& value : image.pixels) value = change(value);
}

template <class Convert>
FloatImage converted(View<float> image, const char* what, Convert convert) {
  check(image.channels, 0, what);
  FloatImage result{image.height, image.width, 3, {}};
  result.pixels.resize(size_t(image.height * image.width * 3));
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 0; x < image.width; ++x) convert(image.row(y) + 3 * x, result.row(y) + 3 * x);
  return result;
}

}  // namespace

FloatImage rgb_to_hsv(View<float> image) {
  return converted(image, "rgb_to_hsv", [](const float* from, float* to) {
    const Hsv hsv = hsv_of(from);
    to[0] = hsv.hue, to[1] = hsv.saturation, to[2] = hsv.value;
  });
}

FloatImage hsv_to_rgb(View<float> image) {
  return converted(image, "hsv_to_rgb", [](const float* from, float* to) { put_color(from[0], from[2] - from[1] * from[2], from[2], to); });
}

void adjust_brightness(FloatImage& image, BrightnessConvention convention, float factor) {
  check(image.channels, factor, "adjust_brightness", convention != BrightnessConvention::torchvision || factor >= 0);
  if (convention == BrightnessConvention::add)
    each_value(image, [&](float value) { return value + factor; });
  else if (convention == BrightnessConvention::multiply)
    each_value(image, [&](float value) { return value * factor; });
  else
    each_value(image, [&](float value) { return clipped(value * factor); });
}

void adjust_contrast(FloatImage& image, ColorConvention convention, float factor) {
  check(image.channels, factor, "adjust_contrast", convention == ColorConvention::tf || factor >= 0);
  double sums[3] = {}, greys = 0;
  each_pixel(image, [&](const float* rgb) {
    for (int c = 0; c < 3; ++c) sums[c] += rgb[c];
    greys += grey(rgb);
  });
  const double count = double(image.height * image.width);
  if (convention == ColorConvention::tf) {
    const float means[] = {float(sums[0] / count), float(sums[1] / count), float(sums[2] / count)};
    each_pixel(image, [&](float* rgb) {
      for (int c = 0; c < 3; ++c) rgb[c] = (rgb[c] - means[c]) * factor + means[c];
    });
  } else {
    const float mean = float(greys / count);
    each_value(image, [&](float value) { return clipped(factor * value + (1 - factor) * mean); });
  }
}

void adjust_saturation(FloatImage& image, ColorConvention convention, float factor) {
  check(image.channels, factor, "adjust_saturation", convention == ColorConvention::tf || factor >= 0);
  if (convention == ColorConvention::tf) {
    each_pixel(image, [&](float* rgb) {
      const Hsv hsv = hsv_of(rgb);
      const float saturation = clipped(hsv.saturation * factor);
      put_color(hsv.hue, hsv.value - saturation * hsv.value, hsv.value, rgb);
    });
  } else {
    each_pixel(image, [&](float* rgb) {
      const float plain = (1 - factor) * grey(rgb);
      for (int c = 0; c < 3; ++c) rgb[c] = clipped(factor * rgb[c] + plain);
    });
  }
}

void adjust_hue(FloatImage& image, ColorConvention convention, float turns) {
  check(image.channels, turns, "adjust_hue", convention == ColorConvention::tf || std::abs(turns) <= 0.5f);
  each_pixel(image, [&](float* rgb) {
    const float largest = std::max({rgb[0], rgb[1], rgb[2]}), smallest = std::min({rgb[0], rgb[1], rgb[2]});
    put_color(hue_of(rgb, largest, largest - smallest) + turns, smallest, largest, rgb);
  });
  if (convention == ColorConvention::torchvision) each_value(image, clipped);
}

void color_jitter(FloatImage& image, const ColorJitter& jitter) {
  const bool torchvision = jitter.convention == JitterConvention::torchvision;
  const auto convention = torchvision ? ColorConvention::torchvision : ColorConvention::tf;
  const auto brightness = torchvision                                        ? BrightnessConvention::torchvision
                          : jitter.convention == JitterConvention::simclr_v1 ? BrightnessConvention::add
                                                                             : BrightnessConvention::multiply;
  for (ColorOperation operation : jitter.order) {
    switch (operation) {
      case ColorOperation::brightness: adjust_brightness(image, brightness, jitter.brightness); break;
      case ColorOperation::contrast: adjust_contrast(image, convention, jitter.contrast); break;
      case ColorOperation::saturation: adjust_saturation(image, convention, jitter.saturation); break;
      case ColorOperation::hue: adjust_hue(image, convention, jitter.hue); break;
    }
    each_value(image, clipped);
  }
}

ColorOperation parse_color_operation(std::string_view name) {
  if (name == "brightness") return ColorOperation::brightness;
  if (name == "contrast") return ColorOperation::contrast;
  if (name == "saturation") return ColorOperation::saturation;
  if (name == "hue") return ColorOperation::hue;
  throw UserError(fmt::format("colour operation '{}' is unknown", name), "there are brightness, contrast, saturation, hue");
}

JitterConvention parse_jitter_convention(std::string_view name) {
  if (name == "simclr_v1") return JitterConvention::simclr_v1;
  if (name == "simclr_v2") return JitterConvention::simclr_v2;
  if (name == "torchvision") return JitterConvention::torchvision;
  throw UserError(fmt::format("jitter convention '{}' is unknown", name), "there are simclr_v1, simclr_v2, torchvision");
}

}  // namespace zoo::data
