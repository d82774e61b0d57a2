#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/data/blur.h>
#include <libzoo/data/color.h>

#include <numeric>

using namespace zoo::data;

namespace {

FloatImage noise(int64_t height, int64_t width, double low = 0, double high = 1) {
  zoo::RandomStream random({.seed = 5});
  FloatImage image{height, width, 3, {}};
  for (int64_t i = 0; i < height * width * 3; ++i) image.pixels.push_back(float(random.uniform(low, high)));
  return image;
}

void require_near(const FloatImage& got, const FloatImage& want, double margin = 1e-5) {
  for (size_t i = 0; i < want.pixels.size(); ++i) REQUIRE(got.pixels[i] == Approx(want.pixels[i]).margin(margin));
}

template <class Change>
FloatImage changed(FloatImage image, Change change) {
  change(image);
  return image;
}

}  // namespace

TEST_CASE("Pure colours have the hues of the colour circle; greys have hue and saturation 0", "[data]") {
  const auto hsv = rgb_to_hsv(FloatImage{1, 7, 3, {1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0.5f, 0.5f, 0.5f}});
  for (int i = 0; i < 6; ++i) CHECK(hsv.pixels[size_t(3 * i)] == Approx(i / 6.0));
  CHECK(hsv.pixels[18] == 0);
  CHECK(hsv.pixels[19] == 0);
  CHECK(hsv.pixels[20] == 0.5f);
}

TEST_CASE("HSV leads back to RGB, and hue 1 is hue 0", "[data]") {
  const FloatImage image = noise(16, 16);
  require_near(hsv_to_rgb(rgb_to_hsv(image)), image);
  CHECK(hsv_to_rgb(FloatImage{1, 1, 3, {1, 0.5f, 0.8f}}).pixels == hsv_to_rgb(FloatImage{1, 1, 3, {0, 0.5f, 0.8f}}).pixels);
}

TEST_CASE("A hue turned by a third permutes the channels, and the extremes stay", "[data]") {
  const FloatImage image = noise(8, 8, -0.2, 1.3);
  const auto turned = changed(image, [](FloatImage& x) { adjust_hue(x, ColorConvention::tf, 1.0f / 3); });
  for (size_t i = 0; i < image.pixels.size(); i += 3)
    for (size_t c = 0; c < 3; ++c) REQUIRE(turned.pixels[i + (c + 1) % 3] == Approx(image.pixels[i + c]).margin(2e-5));
}

TEST_CASE("Contrast 0 is each channel's mean in TensorFlow and the grey picture's in torchvision", "[data]") {
  const FloatImage two{1, 2, 3, {0, 0.2f, 1, 1, 0.4f, 0}};
  const auto tf = changed(two, [](FloatImage& x) { adjust_contrast(x, ColorConvention::tf, 0); });
  require_near(tf, {1, 2, 3, {0.5f, 0.3f, 0.5f, 0.5f, 0.3f, 0.5f}});
  const auto torchvision = changed(two, [](FloatImage& x) { adjust_contrast(x, ColorConvention::torchvision, 0); });
  const float mean = 0.2989f * 0.5f + 0.587f * 0.3f + 0.114f * 0.5f;
  require_near(torchvision, {1, 2, 3, std::vector<float>(6, mean)});
}

TEST_CASE("Saturation 0 keeps the value in TensorFlow and the grey in torchvision", "[data]") {
  const FloatImage one{1, 1, 3, {0.9f, 0.3f, 0.1f}};
  require_near(changed(one, [](FloatImage& x) { adjust_saturation(x, ColorConvention::tf, 0); }), {1, 1, 3, {0.9f, 0.9f, 0.9f}});
  const float grey = 0.2989f * 0.9f + 0.587f * 0.3f + 0.114f * 0.1f;
  require_near(changed(one, [](FloatImage& x) { adjust_saturation(x, ColorConvention::torchvision, 0); }), {1, 1, 3, {grey, grey, grey}});
}

TEST_CASE("Only torchvision clips a single colour operation", "[data]") {
  const FloatImage one{1, 1, 3, {0.9f, 0.3f, 0.1f}};
  CHECK(changed(one, [](FloatImage& x) { adjust_brightness(x, BrightnessConvention::multiply, 2); }).pixels[0] == 1.8f);
  CHECK(changed(one, [](FloatImage& x) { adjust_brightness(x, BrightnessConvention::add, -0.5f); }).pixels[2] == Approx(-0.4));
  CHECK(changed(one, [](FloatImage& x) { adjust_brightness(x, BrightnessConvention::torchvision, 2); }).pixels[0] == 1);
}

TEST_CASE("Jitter clips after each operation and not only at the end", "[data]") {
  // 0.9 doubled is cut to 1 before the contrast halves its distance from the mean of (1, 0.2): 0.6 + 0.2 = 0.8.
  FloatImage two{1, 2, 3, {0.9f, 0.9f, 0.9f, 0.1f, 0.1f, 0.1f}};
  color_jitter(two, {.order = {ColorOperation::brightness, ColorOperation::contrast}, .brightness = 2, .contrast = 0.5f});
  CHECK(two.pixels[0] == Approx(0.8));
  CHECK(two.pixels[3] == Approx(0.4));
}

TEST_CASE("Factors and pictures that make no sense are refused", "[data]") {
  FloatImage image = noise(4, 4), grey{2, 2, 1, {0, 0, 0, 0}};
  REQUIRE_THROWS_WITH(adjust_hue(image, ColorConvention::torchvision, 0.6f), Contains("adjust_hue: factor 0.6"));
  REQUIRE_THROWS_WITH(adjust_contrast(image, ColorConvention::torchvision, -1), Contains("adjust_contrast: factor -1"));
  REQUIRE_THROWS_WITH(adjust_saturation(grey, ColorConvention::tf, 1), Contains("has 1 channels, 3 are needed"));
  REQUIRE_THROWS_WITH(parse_color_operation("gamma"), Contains("'gamma' is unknown"));
}

TEST_CASE("Gaussian weights are those of the formula", "[data]") {
  // spec: sigma 1, three taps and twenty-three.
  const auto three = gaussian_weights(1, 1), many = gaussian_weights(11, 1);
  CHECK(three[0] == Approx(0.27406862).epsilon(1e-7));
  CHECK(three[1] == Approx(0.45186276).epsilon(1e-7));
  CHECK(many[11] == Approx(0.39894228).epsilon(1e-7));
  CHECK(many[12] == Approx(0.24197072).epsilon(1e-7));
  CHECK(std::accumulate(many.begin(), many.end(), 0.0) == Approx(1));
}

TEST_CASE("SimCLR's blur darkens borders and torchvision's mirrors them", "[data]") {
  const FloatImage white{9, 9, 3, std::vector<float>(243, 1)};
  const auto simclr = gaussian_blur(white, BlurConvention::simclr, 3, 1),
             torchvision = gaussian_blur(white, BlurConvention::torchvision, 3, 1);
  const double edge = 1 - 0.27406862;
  CHECK(simclr.pixels[0] == Approx(edge * edge));
  CHECK(simclr.row(4)[12] == Approx(1));
  for (float value : torchvision.pixels) REQUIRE(value == Approx(1));
  // The border itself is not repeated: an impulse beside it comes back once more.
  FloatImage impulse{1, 4, 1, {0, 1, 0, 0}};
  impulse.height = 4, impulse.width = 4;
  impulse.pixels = {0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0};
  CHECK(gaussian_blur(impulse, BlurConvention::torchvision, 3, 1).pixels[0] == Approx(2 * 0.27406862));
}

TEST_CASE("An even kernel size counts as the odd one above for SimCLR and is refused by torchvision", "[data]") {
  const FloatImage image = noise(30, 30);
  CHECK(gaussian_blur(image, BlurConvention::simclr, 22, 2).pixels == gaussian_blur(image, BlurConvention::simclr, 23, 2).pixels);
  REQUIRE_THROWS_WITH(gaussian_blur(image, BlurConvention::torchvision, 22, 2), Contains("kernel size 22 is not odd"));
  REQUIRE_THROWS_WITH(gaussian_blur(image, BlurConvention::simclr, 3, 0), Contains("sigma 0"));
  REQUIRE_THROWS_WITH(gaussian_blur(noise(3, 30), BlurConvention::torchvision, 7, 1), Contains("too small"));
}
