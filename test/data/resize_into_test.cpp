// From encoded pictures straight to a network's input: the same floats as step by step.
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/data/image_transform.h>
#include <libzoo/data/resize_into.h>
#include <libzoo/io/image_file.h>

#include <cmath>

using namespace zoo::data;
using zoo::RandomStream;
using zoo::io::Image;

namespace {

Image smooth_noise(int64_t height, int64_t width, int64_t channels, RandomStream& random) {
  Image image{height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i)
    image.pixels.push_back(uint8_t(127 + 80 * std::sin(double(i) * 0.011) + double(random.below(40))));
  return image;
}

Picture encoded(const std::vector<uint8_t>& file) {
  Picture picture;
  picture.set_encoded(zoo::io::Bytes::borrow(file), "memory");
  return picture;
}

int64_t from_to(RandomStream& random, int64_t low, int64_t high) { return low + int64_t(random.below(uint64_t(high - low + 1))); }

const std::vector<float> kMean{0.485f, 0.456f, 0.406f}, kStd{0.229f, 0.224f, 0.225f};

}  // namespace

TEST_CASE("Training views of encoded pictures equal those of their pixels, in every mode", "[data]") {
  RandomStream random({.seed = 3});
  for (int i = 0; i < 60; ++i) {
    const Image image = smooth_noise(from_to(random, 20, 120), from_to(random, 20, 150), i % 5 == 0 ? 1 : 3, random);
    const auto file = i % 4 == 0 ? zoo::io::encode_png(image) : zoo::io::encode_jpeg(image);
    const Image decoded = zoo::io::decode_image(file, {}, "memory");
    TrainTransform train{.mode = TrainMode(i % 4), .crop = from_to(random, 4, 24), .mean = kMean, .std = kStd};
    train.precrop = train.crop + from_to(random, 0, 20);
    train.padding.border = i % 8 < 4 ? Border::black : Border::reflect;
    const auto transform = image_transform(train);
    std::vector<float> want(size_t(3 * train.crop * train.crop)), got = want;
    for (uint32_t copy = 0; copy < 4; ++copy) {
      const zoo::RandomKey key{.seed = 1, .epoch = copy, .id = uint32_t(i), .purpose = zoo::Purpose::augmentation};
      RandomStream stream(key);
      train.hwc(View<uint8_t>(decoded), train.draw(decoded.height, decoded.width, stream), want.data());
      Picture picture = encoded(file);
      transform.apply(picture, key, got.data());
      REQUIRE(got == want);
      Picture pixels(Image{decoded});
      transform.apply(pixels, key, got.data());
      REQUIRE(got == want);
    }
  }
}

TEST_CASE("Evaluation of encoded pictures equals that of their pixels, in every mode", "[data]") {
  RandomStream random({.seed = 4});
  for (int i = 0; i < 40; ++i) {
    const Image image = smooth_noise(from_to(random, 10, 120), from_to(random, 10, 150), 3, random);
    const auto file = zoo::io::encode_jpeg(image);
    const Image decoded = zoo::io::decode_image(file, {}, "memory");
    EvalTransform eval{.mode = EvalMode(i % 3), .size = from_to(random, 8, 60), .crop_pct = i % 2 ? 0.875 : 1.3};
    if (eval.mode != EvalMode::tf && i % 5 == 0) eval.interpolation = Interpolation::bicubic;
    std::vector<float> want(size_t(3 * eval.size * eval.size)), got = want;
    eval.hwc(View<uint8_t>(decoded), want.data());
    Picture picture = encoded(file);
    image_transform(eval).apply(picture, {}, got.data());
    REQUIRE(got == want);
  }
}

TEST_CASE("A size that stays is neither resized nor blurred", "[data]") {
  RandomStream random({.seed = 6});
  const Image image = smooth_noise(9, 12, 3, random);
  const Normalizer normalize({0}, {1});
  std::vector<float> out(9 * 12 * 3);
  Picture picture(Image{image});
  for (bool mirror : {false, true}) {
    resize_into(picture, {0, 0, 9, 12}, {.height = 9, .width = 12, .options = {.mirror = mirror}}, normalize, out.data());
    for (int64_t x = 0; x < 12; ++x) REQUIRE(out[size_t(3 * x)] == float(image.row(0)[3 * (mirror ? 11 - x : x)]) / 255.0f);
  }
  REQUIRE_THROWS_WITH(resize_into(picture, {0, 0, 9, 13}, {.height = 9, .width = 13}, normalize, out.data()), Contains("9x12"));
  REQUIRE_THROWS_WITH(resize_into(picture, {0, 0, 9, 12}, {.height = 9, .width = 0}, normalize, out.data()), Contains("9x0"));
}

TEST_CASE("A padded crop takes every place, mirrors, and fills its border", "[data]") {
  const Image image{2, 3, 1, {1, 2, 3, 4, 5, 6}};
  Image view;
  padded_crop(image, {.pixels = 1}, {0, 0, 4, 5}, false, view);
  CHECK(view.pixels == std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0});
  padded_crop(image, {.pixels = 1, .border = Border::reflect}, {0, 0, 4, 5}, false, view);
  CHECK(view.pixels == std::vector<uint8_t>{5, 4, 5, 6, 5, 2, 1, 2, 3, 2, 5, 4, 5, 6, 5, 2, 1, 2, 3, 2});
  padded_crop(image, {.pixels = 1}, {1, 2, 2, 3}, true, view);
  CHECK(view.pixels == std::vector<uint8_t>{0, 3, 2, 0, 6, 5});
  padded_crop(image, {.pixels = 5}, {0, 0, 2, 2}, false, view);
  CHECK(view.pixels == std::vector<uint8_t>(4, 0));
  REQUIRE_THROWS_WITH(padded_crop(image, {.pixels = 2, .border = Border::reflect}, {0, 0, 1, 1}, false, view), Contains("padding: 2"));
  REQUIRE_THROWS_WITH(padded_crop(image, {.pixels = 1}, {0, 0, 5, 1}, false, view), Contains("4x5"));

  TrainTransform train{.mode = TrainMode::padded, .crop = 32};
  RandomStream random({.seed = 1});
  int64_t seen[2][9] = {};
  for (int i = 0; i < 2000; ++i) {
    const auto choice = train.draw(32, 32, random);
    ++seen[0][choice.box.top], ++seen[1][choice.box.left];
  }
  for (const auto& axis : seen)
    for (int64_t count : axis) CHECK(count > 150);  // 222 expected, standard deviation 14
  REQUIRE_THROWS_WITH(train.draw(20, 32, random), Contains("a picture of 20x32 with a border of 4"));
}

TEST_CASE("Scaled decoding is used where the box is large enough, and stays near the exact result", "[data]") {
  RandomStream random({.seed = 7});
  Image image{240, 320, 3, {}};
  for (int64_t y = 0; y < 240; ++y)
    for (int64_t x = 0; x < 320; ++x)
      for (int64_t c = 0; c < 3; ++c)
        image.pixels.push_back(uint8_t(128 + 100 * std::sin(0.05 * double(x) + double(c)) * std::cos(0.04 * double(y))));
  const auto file = zoo::io::encode_jpeg(image, 95);
  Picture picture = encoded(file);
  CHECK(picture.denominator({0, 0, 240, 320}, {60, 60}) == 4);
  CHECK(picture.denominator({0, 0, 240, 320}, {61, 60}) == 2);
  CHECK(picture.denominator({0, 0, 119, 320}, {60, 60}) == 1);
  CHECK(picture.denominator({0, 0, 240, 320}, {1, 1}) == 8);
  Picture pixels(Image{image});
  CHECK(pixels.denominator({0, 0, 240, 320}, {1, 1}) == 1);

  const Normalizer normalize({0}, {1});
  std::vector<float> exact(40 * 40 * 3), fast = exact;
  for (const PixelBox box : {PixelBox{0, 0, 240, 320}, PixelBox{13, 27, 101, 97}, PixelBox{139, 219, 101, 101}}) {
    const ResizeTarget target{.height = 40, .width = 40};
    resize_into(picture, box, target, normalize, exact.data());
    ResizeTarget scaled = target;
    scaled.scaled_decode = true;
    resize_into(picture, box, scaled, normalize, fast.data());
    CHECK(fast != exact);
    double worst = 0;
    for (size_t i = 0; i < exact.size(); ++i) worst = std::max(worst, double(std::abs(fast[i] - exact[i])));
    CHECK(worst < 0.04);
  }
}

TEST_CASE("A picture that is used again keeps nothing of the one before", "[data]") {
  RandomStream random({.seed = 8});
  const Image large = smooth_noise(64, 64, 3, random), small = smooth_noise(16, 24, 3, random);
  const auto first = zoo::io::encode_jpeg(large), second = zoo::io::encode_jpeg(small);
  Picture picture = encoded(first);
  REQUIRE(picture.pixels().height == 64);
  picture.set_encoded(zoo::io::Bytes::borrow(second), "memory");
  REQUIRE((picture.height() == 16 && picture.width() == 24));
  const Image want = zoo::io::decode_image(second, {}, "memory");
  CHECK(copy(picture.region({3, 5, 7, 11})).pixels == copy(crop(View<uint8_t>(want), {3, 5, 7, 11})).pixels);
  CHECK(std::move(picture).image().pixels == want.pixels);
  picture.set_encoded(zoo::io::Bytes::borrow(std::span(second).first(40)), "photos/torn.jpg");
  REQUIRE_THROWS_WITH(picture.size(), Contains("photos/torn.jpg"));
  REQUIRE_THROWS_WITH(picture.set_pixels(View<uint8_t>(Image{1, 1, 1, {0}})), Contains("3 are needed"));
}
