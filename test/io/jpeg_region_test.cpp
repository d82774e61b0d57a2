// Parts of JPEG pictures are those of the whole, and smaller pictures by denominators.
#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/io/image_file.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <jpeglib.h>

using namespace zoo::io;

namespace {

struct Layout {
  const char* name;
  int channels, across, down;  // sampling factors of luma against chroma
  bool progressive = false;
  int restart = 0;  // blocks between restart markers
};

const Layout kLayouts[] = {{"4:4:4", 3, 1, 1},
                           {"4:2:2", 3, 2, 1},
                           {"4:4:0", 3, 1, 2},
                           {"4:2:0", 3, 2, 2},
                           {"4:1:1", 3, 4, 1},
                           {"grey", 1, 1, 1},
                           {"four inks", 4, 1, 1},
                           {"4:2:0 progressive", 3, 2, 2, true},
                           {"4:4:4 progressive", 3, 1, 1, true},
                           {"4:2:0 with restarts", 3, 2, 2, false, 3}};

Image noise(int64_t height, int64_t width, int64_t channels, zoo::RandomStream& random) {
  Image image{height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i)
    image.pixels.push_back(uint8_t(127 + 90 * std::sin(double(i) * 0.013) + double(random.below(38))));
  return image;
}

std::vector<uint8_t> encode(const Image& image, const Layout& layout) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_height = JDIMENSION(image.height), info.image_width = JDIMENSION(image.width);
  info.input_components = int(image.channels);
  info.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : image.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 85, TRUE);
  info.comp_info[0].h_samp_factor = layout.across, info.comp_info[0].v_samp_factor = layout.down;
  info.restart_interval = unsigned(layout.restart);
  if (layout.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<uint8_t*>(image.row(info.next_scanline));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::vector<uint8_t> file(buffer, buffer + size);
  std::free(buffer);
  return file;
}

Image cut(const Image& image, const PixelBox& box) {
  Image part{box.height, box.width, image.channels, {}};
  for (int64_t y = 0; y < box.height; ++y) {
    const uint8_t* from = image.row(box.top + y) + box.left * image.channels;
    part.pixels.insert(part.pixels.end(), from, from + box.width * image.channels);
  }
  return part;
}

PixelBox random_box(int64_t height, int64_t width, zoo::RandomStream& random) {
  const auto below = [&](int64_t n) { return int64_t(random.below(uint64_t(n))); };
  PixelBox box{below(height), below(width), 0, 0};
  box.height = 1 + below(height - box.top), box.width = 1 + below(width - box.left);
  return box;
}

std::string text(const Layout& layout, const Image& whole, const PixelBox& box) {
  std::string result = layout.name;
  for (int64_t value : {whole.height, whole.width, box.top, box.left, box.height, box.width}) result += " " + std::to_string(value);
  return result;
}

}  // namespace

TEST_CASE("A part of a JPEG has the pixels of the whole, for every subsampling, size and denominator", "[io]") {
  zoo::RandomStream random({.seed = 5});
  Image kept;
  for (const Layout& layout : kLayouts) {
    for (int size = 0; size < 12; ++size) {
      const int64_t height = 1 + int64_t(random.below(90)), width = 1 + int64_t(random.below(size % 3 == 0 ? 20 : 130));
      const auto file = encode(noise(height, width, layout.channels, random), layout);
      for (int denominator : {1, 2, 4, 8}) {
        DecodeOptions options{.denominator = denominator};
        const Image whole = decode_jpeg(file, options, "memory");
        for (int i = 0; i < 25; ++i) {
          options.region = random_box(whole.height, whole.width, random);
          INFO(text(layout, whole, *options.region) << " 1/" << denominator);
          const Image want = cut(whole, *options.region);
          REQUIRE(decode_jpeg(file, options, "memory").pixels == want.pixels);
          const PixelBox place = decode_jpeg(file, options, "memory", kept);
          REQUIRE(cut(kept, place).pixels == want.pixels);
        }
      }
    }
  }
}

TEST_CASE("A part of a large JPEG decodes little more than itself", "[io]") {
  zoo::RandomStream random({.seed = 6});
  const auto file = encode(noise(300, 400, 3, random), kLayouts[3]);
  Image kept;
  const PixelBox place = decode_jpeg(file, {.region = PixelBox{100, 150, 60, 80}}, "memory", kept);
  CHECK((place.height == 60 && place.width == 80));
  CHECK((kept.height <= 60 + 32 && kept.width <= 80 + 34));
}

TEST_CASE("Parts of grey, upright and PNG pictures are cut from the whole", "[io]") {
  zoo::RandomStream random({.seed = 7});
  const Image image = noise(30, 41, 3, random);
  const auto jpeg = encode(image, kLayouts[3]), png = encode_png(image);
  DecodeOptions options{.mode = ColorMode::gray};
  const Image grey = decode_jpeg(jpeg, options, "memory");
  options.region = PixelBox{18, 19, 7, 11};
  CHECK(decode_jpeg(jpeg, options, "memory").pixels == cut(grey, *options.region).pixels);
  CHECK(decode_image(png, {.region = options.region}, "memory").pixels == cut(image, *options.region).pixels);
  REQUIRE_THROWS_WITH(decode_image(png, {.region = PixelBox{0, 0, 31, 1}}, "a.png"),
                      Contains("a.png: the box (top 0, left 0, height 31, width 1) is empty or leaves the picture of 30x41"));
  REQUIRE_THROWS_WITH(decode_image(jpeg, {.region = PixelBox{0, 41, 1, 1}}, "a.jpg"), Contains("a.jpg: the box"));
}

TEST_CASE("A JPEG that lacks its end is refused also where only an upper part is wanted", "[io]") {
  zoo::RandomStream random({.seed = 8});
  const auto file = encode(noise(200, 50, 3, random), kLayouts[3]);
  const DecodeOptions top{.region = PixelBox{0, 0, 8, 50}};
  REQUIRE(decode_jpeg(file, top, "memory").height == 8);
  for (size_t lost : {size_t(1), size_t(2), size_t(100), file.size() / 2})
    REQUIRE_THROWS_WITH(decode_jpeg(std::span(file).first(file.size() - lost), top, "cut.jpg"), Contains("cut.jpg: damaged JPEG"));
}

TEST_CASE("Denominators halve a JPEG's sides, rounded up, and keep its look", "[io]") {
  zoo::RandomStream random({.seed = 9});
  const Image image{50, 70, 3, std::vector<uint8_t>(50 * 70 * 3, 90)};
  const auto file = encode(image, kLayouts[3]);
  for (int denominator : {2, 4, 8}) {
    const DecodeOptions options{.denominator = denominator};
    const Image small = decode_jpeg(file, options, "memory");
    CHECK((small.height == (50 + denominator - 1) / denominator && small.width == (70 + denominator - 1) / denominator));
    CHECK(std::abs(int(small.pixels[0]) - 90) <= 1);
    const ImageSize size = image_size(file, options, "memory");
    CHECK((size.height == small.height && size.width == small.width));
  }
  REQUIRE_THROWS_WITH(decode_jpeg(file, {.denominator = 3}, "memory"), Contains("not 1/3"));
}
