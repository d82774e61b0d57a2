// Colour changes and blur in planes against the same of interleaved pictures.
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/data/blur.h>
#include <libzoo/data/color.h>
#include <libzoo/data/image_ops.h>
#include <libzoo/data/planes.h>

#include <algorithm>
#include <cmath>

using namespace zoo;
using namespace zoo::data;

namespace {

// Overshoots of bicubic resizing, greys and saturated colours among the values.
FloatImage picture(int64_t height, int64_t width) {
  FloatImage image{height, width, 3, std::vector<float>(size_t(height * width * 3))};
  RandomStream random({.seed = 4});
  for (int64_t i = 0; i < height * width; ++i) {
    float* rgb = &image.pixels[size_t(3 * i)];
    for (int c = 0; c < 3; ++c) rgb[c] = float(random.uniform(-0.15, 1.15));
    if (i % 7 == 0) rgb[1] = rgb[2] = rgb[0];
    if (i % 11 == 0) rgb[1] = rgb[0];
    if (i % 13 == 0) rgb[2] = 0, rgb[0] = 1;
  }
  return image;
}

void clipped(FloatImage& image) {
  for (float& value : image.pixels) value = std::clamp(value, 0.0f, 1.0f);
}

float largest_difference(const FloatImage& image, Planes& planes) {
  std::vector<float> values(image.pixels.size());
  planes.put(values.data());
  float largest = 0;
  for (size_t i = 0; i < values.size(); ++i) largest = std::max(largest, std::abs(values[i] - image.pixels[i]));
  return largest;
}

Planes planes_of(const FloatImage& image) {
  Planes planes(image.height, image.width);
  planes.take(image.pixels.data(), 1);
  return planes;
}

}  // namespace

TEST_CASE("Jitter in planes is that of interleaved pixels, operation by operation and in any order", "[data]") {
  using enum ColorOperation;
  const auto image = picture(13, 37);
  const auto orders = std::vector<std::vector<ColorOperation>>{
      {brightness}, {contrast}, {saturation}, {hue}, {hue, saturation, contrast, brightness}, {brightness, contrast, saturation, hue}};
  for (const auto& order : orders) {
    for (const auto convention : {JitterConvention::simclr_v1, JitterConvention::simclr_v2}) {
      for (const float strength : {-0.8f, -0.3f, 0.0f, 0.7f}) {
        const bool adds = convention == JitterConvention::simclr_v1;
        const ColorJitter jitter{convention, order, adds ? strength : 1 + strength, 1 + strength, 1 + strength, strength / 4};
        auto expected = image;
        color_jitter(expected, jitter);
        auto planes = planes_of(image);
        color_jitter(planes, jitter);
        INFO("strength " << strength << ", " << order.size() << " operations from " << int(order[0]));
        REQUIRE(largest_difference(expected, planes) < 2e-5f);
      }
    }
  }
}

TEST_CASE("Grey and blur in planes are those of interleaved pixels", "[data]") {
  const auto image = picture(30, 71);
  auto planes = planes_of(image);
  to_grayscale(planes);
  auto grey = repeat_channel(to_grayscale(View<float>(image)), 3);
  clipped(grey);
  REQUIRE(largest_difference(grey, planes) < 1e-6f);
  for (const int64_t kernel : {1, 3, 22, 23}) {
    auto soft = image;
    clipped(soft);
    auto blurred = planes_of(soft);
    gaussian_blur(blurred, kernel, 1.3);
    REQUIRE(largest_difference(gaussian_blur(soft, BlurConvention::simclr, kernel, 1.3), blurred) < 1e-6f);
  }
}

TEST_CASE("Factors that make no sense are refused", "[data]") {
  Planes planes(2, 2);
  REQUIRE_THROWS_AS(color_jitter(planes, {.order = {ColorOperation::hue}, .hue = NAN}), UserError);
  REQUIRE_THROWS_AS(gaussian_blur(planes, 0, 1), UserError);
  REQUIRE_THROWS_AS(gaussian_blur(planes, 3, 0), UserError);
}
