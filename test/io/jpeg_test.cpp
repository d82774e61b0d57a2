#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/io/exif.h>
#include <libzoo/io/image_file.h>

#include <cmath>
#include <cstdlib>
#include <string>

using namespace zoo::io;

namespace {

Image waves(int64_t height, int64_t width, int64_t channels) {
  Image image{height, width, channels, {}};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c)
        image.pixels.push_back(uint8_t(127 + 100 * std::sin(0.07 * double(x + 9 * c)) * std::cos(0.05 * double(y))));
  return image;
}

size_t find_marker(const std::vector<uint8_t>& file, uint8_t marker) {
  for (size_t i = 2; i + 1 < file.size(); ++i)
    if (file[i] == 0xff && file[i + 1] == marker) return i;
  FAIL("no marker");
  return 0;
}

std::vector<uint8_t> with_orientation(std::vector<uint8_t> file, uint8_t orientation) {
  const std::vector<uint8_t> app1{0xff, 0xe1, 0,    34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M',         0, 42, 0, 0, 0, 8,
                                  0,    1,    0x01, 0x12, 0,   3,   0,   0,   0, 1, 0,   orientation, 0, 0,  0, 0, 0, 0};
  file.insert(file.begin() + 2, app1.begin(), app1.end());
  return file;
}

}  // namespace

TEST_CASE("A photograph decodes to the pixels that Pillow gives", "[io]") {
  // Pillow 12.0, libjpeg-turbo: three pixels, each within the two levels that decoders may differ by.
  const Image photo = read_image(ZOO_SOURCE_DIR "/test/data/files/photos/china.jpg");
  REQUIRE((photo.height == 427 && photo.width == 640 && photo.channels == 3));
  const int want[3][5] = {{0, 0, 174, 201, 231}, {213, 320, 214, 191, 199}, {426, 639, 15, 24, 7}};
  for (const auto& [y, x, r, g, b] : want) {
    const uint8_t* pixel = photo.row(y) + 3 * x;
    CHECK(std::abs(pixel[0] - r) <= 2);
    CHECK(std::abs(pixel[1] - g) <= 2);
    CHECK(std::abs(pixel[2] - b) <= 2);
  }
}

TEST_CASE("A smooth picture survives JPEG within a few levels, grey or coloured", "[io]") {
  for (int64_t channels : {1, 3}) {
    const Image image = waves(40, 61, channels);
    const Image back = decode_jpeg(encode_jpeg(image, 98), {.mode = ColorMode::unchanged}, "memory");
    REQUIRE((back.height == 40 && back.width == 61 && back.channels == channels));
    double sum = 0;
    for (size_t i = 0; i < image.pixels.size(); ++i) sum += std::abs(int(image.pixels[i]) - int(back.pixels[i]));
    CHECK(sum / double(image.pixels.size()) < 3);
  }
}

TEST_CASE("Grey of a coloured JPEG is the luma of its RGB", "[io]") {
  const auto file = encode_jpeg(waves(33, 20, 3));
  const Image rgb = decode_jpeg(file, {}, "memory"), grey = decode_jpeg(file, {.mode = ColorMode::gray}, "memory");
  REQUIRE(grey.channels == 1);
  for (size_t i = 0; i < grey.pixels.size(); ++i) {
    const uint8_t* p = &rgb.pixels[3 * i];
    REQUIRE(grey.pixels[i] == (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 32768) >> 16);
  }
}

TEST_CASE("A JPEG cut at any place is refused by name, never filled with grey", "[io]") {
  const auto file = encode_jpeg(waves(32, 32, 3));
  for (size_t size = 0; size < file.size(); ++size) {
    REQUIRE_THROWS_WITH(decode_jpeg(std::span(file).first(size), {}, "cut.jpg"), Contains("cut.jpg: "));
  }
}

TEST_CASE("Bytes after the end of a JPEG, and idle bytes before its end, do no harm", "[io]") {
  const auto file = encode_jpeg(waves(24, 24, 3));
  const Image image = decode_jpeg(file, {}, "memory");
  auto longer = file;
  longer.insert(longer.end(), {1, 2, 3, 0xff, 0xd8});
  CHECK(decode_jpeg(longer, {}, "memory").pixels == image.pixels);
  auto idle = file;  // libjpeg warns: extraneous bytes before marker
  idle.insert(idle.end() - 2, {0x12, 0x34, 0x56});
  CHECK(decode_jpeg(idle, {}, "memory").pixels == image.pixels);
}

TEST_CASE("A JPEG header that claims absurd sizes is refused", "[io]") {
  auto file = encode_jpeg(waves(16, 16, 3));
  const size_t frame = find_marker(file, 0xc0);
  for (size_t i : {5, 7}) file[frame + i] = 0xff;
  REQUIRE_THROWS_WITH(decode_jpeg(file, {}, "huge.jpg"),
                      Contains("huge.jpg: the header claims 65296x65296 pixels, the limit is 268435456"));
  REQUIRE_THROWS_WITH(decode_jpeg(encode_jpeg(waves(16, 16, 3)), {.max_pixels = 255}, "small.jpg"), Contains("the limit is 255"));
}

TEST_CASE("EXIF orientation is applied only when asked", "[io]") {
  const auto plain = encode_jpeg(waves(16, 24, 3));
  const Image image = decode_jpeg(plain, {}, "memory");
  for (uint8_t orientation = 0; orientation < 10; ++orientation) {
    const auto file = with_orientation(plain, orientation);
    CHECK(decode_jpeg(file, {}, "memory").pixels == image.pixels);
    CHECK(decode_jpeg(file, {.apply_exif_orientation = true}, "memory").pixels == upright(image, orientation).pixels);
  }
}

TEST_CASE("The eight EXIF orientations turn and mirror as the standard says", "[io]") {
  // Rows of the picture 1 2 3 / 4 5 6 after each, written out by hand.
  const Image image{2, 3, 1, {1, 2, 3, 4, 5, 6}};
  const std::vector<uint8_t> want[] = {{1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {6, 5, 4, 3, 2, 1}, {4, 5, 6, 1, 2, 3},
                                       {1, 4, 2, 5, 3, 6}, {4, 1, 5, 2, 6, 3}, {6, 3, 5, 2, 4, 1}, {3, 6, 2, 5, 1, 4}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image turned = upright(image, orientation);
    CHECK(turned.pixels == want[orientation - 1]);
    CHECK(turned.height == (orientation >= 5 ? 3 : 2));
  }
}

TEST_CASE("A malformed EXIF block counts as upright", "[io]") {
  const auto file = with_orientation(encode_jpeg(waves(8, 8, 3)), 6);
  const std::vector<uint8_t> block(file.begin() + 6, file.begin() + 2 + 36);
  REQUIRE(exif_orientation(block) == 6);
  for (size_t size = 0; size < 26; ++size) CHECK(exif_orientation(std::span(block).first(size)) == 1);
  for (size_t i = 0; i < block.size(); ++i) {
    auto damaged = block;
    damaged[i] ^= 0xff;
    const int orientation = exif_orientation(damaged);
    CHECK((orientation == 1 || orientation == 6));
  }
}

TEST_CASE("A damaged JPEG is decoded or refused, whatever bit is wrong", "[io]") {
  const auto file = encode_jpeg(waves(24, 24, 3), 60);
  size_t refused = 0;
  for (size_t bit = 0; bit < 8 * file.size(); bit += 3) {
    auto damaged = file;
    damaged[bit / 8] ^= uint8_t(1 << bit % 8);
    try {
      const Image image = decode_jpeg(damaged, {.max_pixels = 1 << 20}, "damaged.jpg");
      CHECK(int64_t(image.pixels.size()) == image.height * image.width * image.channels);
    } catch (const zoo::UserError&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("What no JPEG can hold is not encoded", "[io]") {
  REQUIRE_THROWS_WITH(encode_jpeg(waves(4, 4, 4)), Contains("1 or 3 channels"));
  REQUIRE_THROWS_WITH(encode_jpeg(waves(4, 4, 3), 0), Contains("quality 0"));
  REQUIRE_THROWS_WITH(encode_jpeg(Image{0, 4, 3, {}}), Contains("0x4"));
  REQUIRE_THROWS_WITH(encode_jpeg(Image{4, 4, 3, {1, 2, 3}}), Contains("3 bytes"));
}

TEST_CASE("The kind of a picture file is told by its first bytes", "[io]") {
  const Image image = waves(9, 9, 3);
  CHECK(decode_image(encode_png(image), {}, "a.jpg").pixels == image.pixels);
  CHECK(decode_image(encode_jpeg(image), {}, "a.png").height == 9);
  auto refuse = [](std::string_view text) {
    return decode_image({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, {}, "photos/a.jpg");
  };
  REQUIRE_THROWS_WITH(refuse("GIF89a......"), Contains("photos/a.jpg: a GIF picture, not a JPEG or PNG"));
  REQUIRE_THROWS_WITH(refuse("RIFF....WEBPVP8 "), Contains("a WebP picture"));
  REQUIRE_THROWS_WITH(refuse("hello"), Contains("68 65 6c 6c 6f"));
  REQUIRE_THROWS_WITH(refuse(""), Contains("photos/a.jpg: the file is empty"));
  REQUIRE_THROWS_WITH(read_image("/no/such/file.png"), Contains("/no/such/file.png"));
}
