#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/data/image_ops.h>

using namespace zoo::data;
using zoo::io::Image;

namespace {

Image counting(int64_t height, int64_t width, int64_t channels) {
  Image image{height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i) image.pixels.push_back(uint8_t(i));
  return image;
}

using Values = std::vector<uint8_t>;

}  // namespace

TEST_CASE("A crop is a view of the picture's own pixels", "[data]") {
  const Image image = counting(4, 5, 2);
  const auto part = crop(View<uint8_t>(image), {1, 2, 2, 3});
  CHECK(part.row(0) == image.pixels.data() + 14);
  CHECK(copy(part).pixels == Values{14, 15, 16, 17, 18, 19, 24, 25, 26, 27, 28, 29});
}

TEST_CASE("A crop that is empty or leaves the picture is refused", "[data]") {
  const Image image = counting(4, 5, 1);
  for (const PixelBox& box : {PixelBox{0, 0, 5, 1}, PixelBox{0, 0, 1, 6}, PixelBox{-1, 0, 2, 2}, PixelBox{0, -1, 2, 2},
                              PixelBox{0, 0, 0, 1}, PixelBox{0, 0, 1, -1}, PixelBox{3, 0, 2, 2}, PixelBox{INT64_MAX, 0, INT64_MAX, 1}}) {
    REQUIRE_THROWS_WITH(crop(View<uint8_t>(image), box), Contains("leaves the picture of 4x5"));
  }
}

TEST_CASE("A centre crop rounds halves to even", "[data]") {
  // round((n - c) / 2) as Python rounds: 0.5 to 0, 1.5 to 2, 2.5 to 2, 3.5 to 4.
  CHECK(center_offset(2, 1) == 0);
  CHECK(center_offset(5, 2) == 2);
  CHECK(center_offset(7, 2) == 2);
  CHECK(center_offset(9, 2) == 4);
  CHECK(center_offset(8, 2) == 3);
  CHECK(center_crop(View<uint8_t>(counting(1, 7, 1)), 1, 2).pixels == Values{2, 3});
}

TEST_CASE("A centre crop larger than the picture is padded with zeros, the odd one after it", "[data]") {
  CHECK(center_crop(View<uint8_t>(Image{1, 2, 1, {7, 8}}), 2, 5).pixels == Values{0, 7, 8, 0, 0, 0, 0, 0, 0, 0});
  CHECK(center_crop(View<uint8_t>(counting(3, 1, 1)), 1, 3).pixels == Values{0, 1, 0});
  REQUIRE_THROWS_WITH(center_crop(View<uint8_t>(counting(3, 1, 1)), 0, 3), Contains("center_crop to 0x3"));
}

TEST_CASE("Mirroring keeps channels together and is its own inverse", "[data]") {
  const Image image = counting(2, 3, 2);
  CHECK(flip(image, FlipAxis::horizontal).pixels == Values{4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7});
  CHECK(flip(image, FlipAxis::vertical).pixels == Values{6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5});
  for (auto axis : {FlipAxis::horizontal, FlipAxis::vertical}) CHECK(flip(flip(image, axis), axis).pixels == image.pixels);
}

TEST_CASE("Grey follows Pillow for bytes and TensorFlow for floats", "[data]") {
  CHECK(to_grayscale(Image{1, 4, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255}}).pixels == Values{76, 150, 29, 255});
  const auto grey = to_grayscale(FloatImage{1, 3, 3, {1, 0, 0, 0, 1, 0, 0, 0, 1}});
  CHECK(grey.pixels == std::vector<float>{0.2989f, 0.587f, 0.114f});
  CHECK(repeat_channel(grey, 3).pixels[4] == 0.587f);
  REQUIRE_THROWS_WITH(to_grayscale(counting(2, 2, 1)), Contains("has 1 channels, 3 are needed"));
}

TEST_CASE("Normalising rounds as torchvision does, into planes or in place of the pixels", "[data]") {
  const Image image = counting(5, 7, 3);
  const std::vector<float> mean{0.485f, 0.456f, 0.406f}, std{0.229f, 0.224f, 0.225f};
  const Normalizer normalize(mean, std);
  std::vector<float> planes(105), pixels(105);
  normalize.chw(View<uint8_t>(image), planes.data());
  normalize.hwc(View<uint8_t>(image), pixels.data());
  for (size_t i = 0; i < 35; ++i) {
    for (size_t c = 0; c < 3; ++c) {
      const float want = (float(image.pixels[3 * i + c]) / 255.0f - mean[c]) / std[c];
      REQUIRE(planes[35 * c + i] == want);
      REQUIRE(pixels[3 * i + c] == want);
    }
  }
  std::vector<float> from_floats(105);
  normalize.chw(View<float>(FloatImage{5, 7, 3, {image.pixels.begin(), image.pixels.end()}}), from_floats.data());
  CHECK(from_floats == planes);
}

TEST_CASE("One mean serves any number of channels; other counts must agree", "[data]") {
  std::vector<float> out(4);
  Normalizer({0.5f}, {0.5f}).chw(View<uint8_t>(Image{1, 2, 2, {0, 255, 255, 0}}), out.data());
  CHECK(out == std::vector<float>{-1, 1, 1, -1});
  REQUIRE_THROWS_WITH(Normalizer({0, 0, 0}, {1, 1, 1}).chw(View<uint8_t>(counting(1, 1, 1)), out.data()),
                      Contains("has 1 channels, mean and standard deviation 3"));
  REQUIRE_THROWS_WITH(Normalizer({0, 0}, {1, 0}), Contains("must not be 0"));
  REQUIRE_THROWS_WITH(Normalizer({0, 0}, {1}), Contains("2 means and 1 standard deviations"));
  REQUIRE_THROWS_WITH(Normalizer({}, {}), Contains("at least one"));
}
