#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/data/image_ops.h>
#include <libzoo/data/resize_kernels.h>

#include <algorithm>
#include <cmath>

using namespace zoo::data;
using zoo::io::Image;

namespace {

// The same picture in the Python that made the hashes below.
Image noise(int64_t height, int64_t width, int64_t channels) {
  Image image{height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i) image.pixels.push_back(uint8_t(uint32_t(i) * 2654435761u >> 24));
  return image;
}

uint64_t fnv1a(const std::vector<uint8_t>& bytes) {
  uint64_t hash = 1469598103934665603u;
  for (uint8_t byte : bytes) hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

std::vector<float> line(std::vector<float> values, int64_t width, Convention convention, Interpolation mode, bool antialias = false) {
  const FloatImage image{1, int64_t(values.size()), 1, std::move(values)};
  return resize_float(image, 1, width, {.convention = convention, .mode = mode, .antialias = antialias}).pixels;
}

void require_near(const std::vector<float>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(want[i]).margin(1e-6));
}

struct Way {
  Convention convention;
  Interpolation mode;
  bool antialias;
};

std::vector<Way> every_way() {
  using enum Interpolation;
  std::vector<Way> ways;
  for (auto mode : {nearest, bilinear, bicubic, box, hamming, lanczos}) ways.push_back({Convention::pillow, mode, false});
  for (auto mode : {nearest, nearest_exact, bilinear, bicubic, area}) ways.push_back({Convention::torch, mode, false});
  for (auto mode : {nearest, bilinear, bicubic, area, lanczos}) ways.push_back({Convention::tf, mode, false});
  for (auto mode : {nearest, bilinear, bicubic, area}) ways.push_back({Convention::tf1, mode, false});
  for (auto mode : {bilinear, bicubic}) ways.push_back({Convention::torch, mode, true});
  for (auto mode : {bilinear, bicubic, lanczos}) ways.push_back({Convention::tf, mode, true});
  return ways;
}

}  // namespace

TEST_CASE("8-bit pixels are Pillow's to the bit in all of its modes", "[data]") {
  // FNV-1a of what Pillow 12.0 makes of noise(61, 83, 3): 47x29 of the whole, and 40x130 of the box (3.5, 2.25, 70, 60.5).
  struct Want {
    Interpolation mode;
    uint64_t whole, boxed;
  };
  const Want wants[] = {{Interpolation::nearest, 0x99c8c39867894feull, 0x3d5f0740305dde6ull},
                        {Interpolation::box, 0x2dc8ab04c0b3c692ull, 0x8c51ff0c4a07287full},
                        {Interpolation::bilinear, 0x299dc6984c0a7249ull, 0x67bfb4acae5f1de2ull},
                        {Interpolation::hamming, 0x4589c95d4302c30bull, 0x3461fbc24a7436f9ull},
                        {Interpolation::bicubic, 0x39c524a5a6374cdaull, 0x3986532f4737c924ull},
                        {Interpolation::lanczos, 0xdead1e247c7bfc27ull, 0xf819cd8a47cb49edull}};
  const Image image = noise(61, 83, 3);
  for (const auto& [mode, whole, boxed] : wants) {
    CHECK(fnv1a(resize(image, 47, 29, {.mode = mode}).pixels) == whole);
    CHECK(fnv1a(resize(image, 40, 130, {.mode = mode, .box = ResizeBox{3.5, 2.25, 70, 60.5}}).pixels) == boxed);
  }
}

TEST_CASE("One row through Pillow's modes", "[data]") {
  // Pillow 12.0: Image.resize of [0, 255, 0, 10, 200] to 3 pixels.
  const Image row{1, 5, 1, {0, 255, 0, 10, 200}};
  auto three = [&](Interpolation mode) { return resize(row, 1, 3, {.mode = mode}).pixels; };
  CHECK(three(Interpolation::box) == std::vector<uint8_t>{128, 0, 105});
  CHECK(three(Interpolation::bilinear) == std::vector<uint8_t>{109, 59, 119});
  CHECK(three(Interpolation::hamming) == std::vector<uint8_t>{96, 38, 128});
  CHECK(three(Interpolation::bicubic) == std::vector<uint8_t>{113, 58, 114});
  CHECK(three(Interpolation::lanczos) == std::vector<uint8_t>{121, 59, 104});
}

TEST_CASE("The vector pass along rows gives the pixels of the plain one", "[data]") {
  zoo::RandomStream random({.seed = 3});
  for (int round = 0; round < 200; ++round) {
    const int64_t height = 1 + int64_t(random.below(9)), width = 1 + int64_t(random.below(40)), out = 1 + int64_t(random.below(60));
    const Image image = noise(height, width, 3 + int64_t(random.below(2)));
    const auto mode = Interpolation(2 + int(random.below(2)));
    const auto table = fixed_point(axis_table(width, out, {0, out}, 0, double(width), {.mode = mode}));
    std::vector<uint8_t> fast(size_t(height * out * image.channels)), plain = fast;
    resize_across(image, table, fast.data());
    resize_across_plain(image, table, plain.data());
    REQUIRE(fast == plain);
  }
}

TEST_CASE("Conventions put samples at different places", "[data]") {
  // 0, 1 to four samples: centres at (i + 1/2) / 2 - 1/2, or in TensorFlow 1 at i / 2.
  require_near(line({0, 1}, 4, Convention::torch, Interpolation::bilinear), {0, 0.25, 0.75, 1});
  require_near(line({0, 1}, 4, Convention::tf, Interpolation::bilinear), {0, 0.25, 0.75, 1});
  require_near(line({0, 1}, 4, Convention::tf1, Interpolation::bilinear), {0, 0.5, 1, 1});
  // Nearest of 0..4 at three places: floor(5i/3), floor(5(i + 1/2)/3).
  require_near(line({0, 1, 2, 3, 4}, 3, Convention::torch, Interpolation::nearest), {0, 1, 3});
  require_near(line({0, 1, 2, 3, 4}, 3, Convention::torch, Interpolation::nearest_exact), {0, 2, 4});
  require_near(line({0, 1, 2, 3, 4}, 3, Convention::tf, Interpolation::nearest), {0, 2, 4});
  require_near(line({0, 1, 2, 3, 4}, 3, Convention::tf1, Interpolation::nearest), {0, 1, 3});
}

TEST_CASE("The bicubic constant and its borders differ between conventions", "[data]") {
  // An impulse in the middle of a wide row, doubled: Keys' kernel at 1/4 and 5/4 from it, a = -0.75 or -0.5.
  auto keys = [](double x, double a) {
    return x <= 1 ? (a + 2) * x * x * x - (a + 3) * x * x + 1 : a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a;
  };
  const std::vector<float> impulse{0, 0, 0, 1, 0, 0, 0};
  const auto torch = line(impulse, 14, Convention::torch, Interpolation::bicubic),
             tf = line(impulse, 14, Convention::tf, Interpolation::bicubic);
  CHECK(torch[6] == Approx(keys(0.25, -0.75)));
  CHECK(torch[8] == Approx(keys(0.75, -0.75)));
  CHECK(torch[9] == Approx(keys(1.25, -0.75)));
  CHECK(tf[6] == Approx(keys(0.25, -0.5)));
  CHECK(tf[9] == Approx(keys(1.25, -0.5)));
  // First of eight places from four samples: centre -1/4. tf drops the two taps outside, torch adds them to the border.
  CHECK(line({1, 0, 0, 0}, 8, Convention::tf, Interpolation::bicubic)[0] ==
        Approx(keys(0.25, -0.5) / (keys(0.25, -0.5) + keys(1.25, -0.5))));
  CHECK(line({1, 0, 0, 0}, 8, Convention::torch, Interpolation::bicubic)[0] == Approx(1 - keys(1.25, -0.75)));
}

TEST_CASE("Shrinking smooths in Pillow always and elsewhere only when asked", "[data]") {
  const std::vector<float> stripes{0, 0, 0, 1, 0, 0, 0, 0};
  require_near(line(stripes, 2, Convention::torch, Interpolation::bilinear), {0, 0});
  require_near(line(stripes, 2, Convention::tf, Interpolation::bilinear), {0, 0});
  // Triangle of half-width 4 around 2 and 6: weights (4 - |j + 1/2 - c|) / 4 of the samples inside, over their sum.
  const double sum = 0.625 + 0.875 + 0.875 + 0.625 + 0.375 + 0.125;
  for (auto convention : {Convention::torch, Convention::tf}) {
    require_near(line(stripes, 2, convention, Interpolation::bilinear, true), {0.625 / sum, 0.375 / sum});
  }
  require_near(line(stripes, 2, Convention::pillow, Interpolation::bilinear), {0.625 / sum, 0.375 / sum});
  require_near(line(stripes, 2, Convention::torch, Interpolation::area), {0.25, 0});
  // TensorFlow's area weighs the ends of [i s, (i + 1) s) by what they cover: 3 samples to 2.
  require_near(line({0, 6, 9}, 2, Convention::tf, Interpolation::area), {2, 8});
  require_near(line({0, 6, 9}, 2, Convention::torch, Interpolation::area), {3, 7.5});
}

TEST_CASE("A plain picture stays plain in every convention and mode", "[data]") {
  const FloatImage plain{7, 9, 3, std::vector<float>(7 * 9 * 3, 0.37f)};
  for (const auto& [convention, mode, antialias] : every_way()) {
    for (const auto& [height, width] : {std::pair<int64_t, int64_t>{3, 20}, {15, 4}, {1, 1}}) {
      const auto result = resize_float(plain, height, width, {.convention = convention, .mode = mode, .antialias = antialias});
      REQUIRE((result.height == height && result.width == width && result.channels == 3));
      for (float value : result.pixels) REQUIRE(value == Approx(0.37).epsilon(1e-5));
    }
  }
}

TEST_CASE("The same size gives the same picture in every convention and mode", "[data]") {
  const FloatImage image = to_float(noise(8, 11, 3));
  for (const auto& [convention, mode, antialias] : every_way()) {
    const auto result = resize_float(image, 8, 11, {.convention = convention, .mode = mode, .antialias = antialias});
    for (size_t i = 0; i < image.pixels.size(); ++i) REQUIRE(result.pixels[i] == Approx(image.pixels[i]).margin(1e-6));
  }
}

TEST_CASE("A window of a resize is that part of the whole, mirrored if asked", "[data]") {
  const Image image = noise(31, 27, 3);
  const FloatImage floats = to_float(image);
  const PixelBox window{4, 2, 9, 13};
  for (const auto& [convention, mode, antialias] : every_way()) {
    for (const auto& [height, width] : {std::pair<int64_t, int64_t>{16, 40}, {31, 27}, {50, 27}, {31, 17}}) {
      ResizeOptions options{.convention = convention, .mode = mode, .antialias = antialias};
      const auto whole = resize_float(floats, height, width, options);
      options.window = window;
      CHECK(resize_float(floats, height, width, options).pixels == copy(crop(View<float>(whole), window)).pixels);
      options.mirror = true;
      CHECK(resize_float(floats, height, width, options).pixels == flip(crop(View<float>(whole), window), FlipAxis::horizontal).pixels);
      if (convention != Convention::pillow) continue;
      const auto bytes = resize(image, height, width, {.mode = mode});
      CHECK(resize(image, height, width, options).pixels == flip(crop(View<uint8_t>(bytes), window), FlipAxis::horizontal).pixels);
    }
  }
}

TEST_CASE("A part of a picture resizes as its copy does", "[data]") {
  const Image image = noise(40, 50, 3);
  const PixelBox box{3, 5, 30, 21};
  const Image part = copy(crop(View<uint8_t>(image), box));
  CHECK(crop_resize(image, box, 17, 44, {}).pixels == resize(part, 17, 44, {}).pixels);
  const ResizeOptions tf{.convention = Convention::tf, .mode = Interpolation::bicubic};
  CHECK(crop_resize_float(image, box, 17, 44, tf).pixels == resize_float(part, 17, 44, tf).pixels);
}

TEST_CASE("Bicubic overshoots of float pictures are not clipped", "[data]") {
  const auto edge = line({0, 0, 0, 1, 1, 1}, 12, Convention::tf, Interpolation::bicubic);
  CHECK(*std::min_element(edge.begin(), edge.end()) < -0.01f);
  CHECK(*std::max_element(edge.begin(), edge.end()) > 1.01f);
}

TEST_CASE("Sizes, boxes and modes that make no sense are refused", "[data]") {
  const Image image = noise(4, 6, 3);
  REQUIRE_THROWS_WITH(resize(image, 0, 5, {}), Contains("4x6 can't be resized to 0x5"));
  REQUIRE_THROWS_WITH(resize(image, 5, -1, {}), Contains("5x-1"));
  REQUIRE_THROWS_WITH(resize(Image{0, 6, 3, {}}, 5, 5, {}), Contains("0x6"));
  REQUIRE_THROWS_WITH(resize(image, 5, 5, {.box = ResizeBox{0, 0, 7, 4}}), Contains("leaves the picture of 4x6"));
  REQUIRE_THROWS_WITH(resize(image, 5, 5, {.box = ResizeBox{2, 0, 2, 4}}), Contains("empty"));
  REQUIRE_THROWS_WITH(resize(image, 5, 5, {.box = ResizeBox{std::nan(""), 0, 2, 4}}), Contains("empty"));
  REQUIRE_THROWS_WITH(resize(image, 5, 5, {.convention = Convention::tf}), Contains("tf convention gives floats"));
  REQUIRE_THROWS_WITH(resize(image, 5, 5, {.mode = Interpolation::area}), Contains("no such interpolation mode"));
  REQUIRE_THROWS_WITH(resize(image, 5, 5, {.window = PixelBox{0, 0, 6, 2}}), Contains("leaves the picture of 5x5"));
  REQUIRE_THROWS_WITH(resize_float(image, 5, 5, {.convention = Convention::tf1, .antialias = true}),
                      Contains("no such interpolation mode"));
  REQUIRE_THROWS_WITH(resize_float(image, 5, 5, {.convention = Convention::torch, .mode = Interpolation::lanczos}), Contains("no such"));
  REQUIRE_THROWS_WITH(parse_convention("keras"), Contains("'keras' is unknown"));
  CHECK(parse_interpolation("lanczos3") == Interpolation::lanczos);
}
