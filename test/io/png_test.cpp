#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/io/png.h>

#include <zlib.h>

#include <string>

using namespace zoo::io;

namespace {

std::string big_endian(uint32_t value) { return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)}; }

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  return big_endian(uint32_t(data.size())) + body +
         big_endian(uint32_t(crc32(0, reinterpret_cast<const Bytef*>(body.data()), uInt(body.size()))));
}

// `rows`: each with its filter byte in front.
std::vector<uint8_t> png(uint32_t height, uint32_t width, char depth, char color, const std::string& rows, const std::string& extra = "",
                         char interlace = 0) {
  std::string packed(compressBound(uLong(rows.size())), 0);
  uLongf size = packed.size();
  REQUIRE(compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()), uLong(rows.size())) ==
          Z_OK);
  const std::string file = "\x89PNG\r\n\x1a\n" +
                           chunk("IHDR", big_endian(width) + big_endian(height) + std::string{depth, color, 0, 0, interlace}) + extra +
                           chunk("IDAT", packed.substr(0, size)) + chunk("IEND", "");
  return {file.begin(), file.end()};
}

Image noise(int64_t height, int64_t width, int64_t channels) {
  Image image{height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i) image.pixels.push_back(uint8_t(uint32_t(i) * 2654435761u >> 24));
  return image;
}

using Values = std::vector<uint8_t>;

}  // namespace

TEST_CASE("A PNG of one to four channels comes back to the bit", "[io]") {
  for (int64_t channels = 1; channels <= 4; ++channels) {
    const Image image = noise(13, 29, channels), back = decode_png(encode_png(image), {.mode = ColorMode::unchanged}, "memory");
    CHECK((back.height == 13 && back.width == 29 && back.channels == channels));
    CHECK(back.pixels == image.pixels);
  }
}

TEST_CASE("Alpha is dropped and not blended; grey is Pillow's luma", "[io]") {
  const Image image = noise(5, 7, 4);
  const auto file = encode_png(image);
  const Image rgb = decode_png(file, {}, "memory"), grey = decode_png(file, {.mode = ColorMode::gray}, "memory");
  REQUIRE((rgb.channels == 3 && grey.channels == 1));
  for (size_t i = 0; i < 35; ++i) {
    const uint8_t* p = &image.pixels[4 * i];
    REQUIRE(Values(&rgb.pixels[3 * i], &rgb.pixels[3 * i] + 3) == Values(p, p + 3));
    REQUIRE(grey.pixels[i] == (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 32768) >> 16);
  }
}

TEST_CASE("Greys of 1, 2 and 4 bits are scaled to 0..255", "[io]") {
  const DecodeOptions as_stored{.mode = ColorMode::unchanged};
  CHECK(decode_png(png(1, 4, 1, 0, std::string("\0\xa0", 2)), as_stored, "m").pixels == Values{255, 0, 255, 0});
  CHECK(decode_png(png(1, 4, 2, 0, std::string("\0\x1b", 2)), as_stored, "m").pixels == Values{0, 85, 170, 255});
  CHECK(decode_png(png(1, 2, 4, 0, std::string("\0\x3f", 2)), as_stored, "m").pixels == Values{51, 255});
}

TEST_CASE("Sixteen bits are kept by decode_png_array and else give their high byte", "[io]") {
  const auto file = png(1, 2, 16, 0, std::string("\0\x12\xff\xfe\x01", 5));
  const auto array = decode_png_array(file, {.mode = ColorMode::unchanged}, "m");
  REQUIRE(array.shape() == std::vector<int64_t>{1, 2, 1});
  CHECK(array.span<int32_t>()[0] == 0x12ff);
  CHECK(array.span<int32_t>()[1] == 0xfe01);
  CHECK(decode_png(file, {}, "m").pixels == Values{0x12, 0x12, 0x12, 0xfe, 0xfe, 0xfe});
  CHECK(decode_png_array(file, {.mode = ColorMode::gray}, "m").dtype() == zoo::DType::u8);
}

TEST_CASE("A palette becomes RGB, or RGBA if it has transparency; other transparency is ignored", "[io]") {
  const std::string palette = chunk("PLTE", std::string("\1\2\3\xa\xb\xc", 6)), row("\0\x40", 2);
  const DecodeOptions as_stored{.mode = ColorMode::unchanged};
  CHECK(decode_png(png(1, 2, 1, 3, row, palette), as_stored, "m").pixels == Values{1, 2, 3, 10, 11, 12});
  const auto transparent = png(1, 2, 1, 3, row, palette + chunk("tRNS", "\x80"));
  CHECK(decode_png(transparent, as_stored, "m").pixels == Values{1, 2, 3, 128, 10, 11, 12, 255});
  CHECK(decode_png(transparent, {}, "m").pixels == Values{1, 2, 3, 10, 11, 12});
  const auto grey = png(1, 2, 8, 0, std::string("\0\5\6", 3), chunk("tRNS", std::string("\0\5", 2)));
  CHECK(decode_png(grey, as_stored, "m").pixels == Values{5, 6});
}

TEST_CASE("A PNG cut at any place, or with a wrong checksum, is refused by name", "[io]") {
  const auto file = encode_png(noise(9, 9, 3));
  for (size_t size = 0; size < file.size(); ++size)
    REQUIRE_THROWS_WITH(decode_png(std::span(file).first(size), {}, "cut.png"), Contains("cut.png: "));
  for (size_t i = 0; i < file.size(); ++i) {
    auto damaged = file;
    damaged[i] ^= 0x10;
    REQUIRE_THROWS_AS(decode_png(damaged, {}, "damaged.png"), zoo::UserError);
  }
  auto longer = file;
  longer.push_back(7);
  CHECK_NOTHROW(decode_png(longer, {}, "longer.png"));
}

TEST_CASE("A PNG header that claims absurd sizes is refused", "[io]") {
  const std::string rows("\0\0\0\0", 4);
  REQUIRE_THROWS_WITH(decode_png(png(1 << 20, 1 << 20, 8, 2, rows), {}, "huge.png"),
                      Contains("huge.png: the header claims 1048576x1048576 pixels, the limit is 268435456"));
  for (char interlace : {0, 1}) {
    REQUIRE_THROWS_WITH(decode_png(png(16000, 16000, 8, 2, rows, "", interlace), {}, "large.png"), Contains("more than a file of"));
    REQUIRE_THROWS_WITH(decode_png(png(2000, 2000, 8, 2, rows, "", interlace), {}, "short.png"), Contains("short.png: damaged PNG"));
  }
}

TEST_CASE("What no PNG can hold is not encoded", "[io]") {
  REQUIRE_THROWS_WITH(encode_png(noise(2, 2, 5)), Contains("1 to 4 channels"));
  REQUIRE_THROWS_WITH(encode_png(Image{2, 0, 3, {}}), Contains("2x0"));
  REQUIRE_THROWS_WITH(encode_png(Image{2, 2, 3, {1}}), Contains("1 bytes"));
}
