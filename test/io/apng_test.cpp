#include "test/catch.h"
#include "test/io/python.h"

#include <libzoo/core/error.h>
#include <libzoo/io/apng.h>
#include <libzoo/io/png.h>

#include <zlib.h>

using namespace zoo;
using namespace zoo::test;
using namespace zoo::io;

namespace {

Image plain(uint8_t value, int64_t height = 5, int64_t width = 7) {
  return {height, width, 3, std::vector<uint8_t>(size_t(height * width * 3), value)};
}

uint32_t number(const std::vector<uint8_t>& bytes, size_t at) {
  return uint32_t(bytes[at]) << 24 | uint32_t(bytes[at + 1]) << 16 | uint32_t(bytes[at + 2]) << 8 | bytes[at + 3];
}

}  // namespace

TEST_CASE("an animation is a PNG whose chunks are in order, numbered, and have right checksums", "[io]") {
  const std::vector<Image> frames{plain(1), plain(2), plain(2), plain(3)};
  const auto bytes = encode_apng(frames, {.frame_milliseconds = 40, .loops = 3});
  std::string types;
  uint32_t next = 0;
  std::vector<uint32_t> delays;
  for (size_t at = 8; at < bytes.size();) {
    const uint32_t size = number(bytes, at);
    const std::string type(bytes.begin() + std::ptrdiff_t(at) + 4, bytes.begin() + std::ptrdiff_t(at) + 8);
    CHECK(number(bytes, at + 8 + size) == crc32(0, bytes.data() + at + 4, size + 4));
    if (type == "acTL") {
      CHECK(number(bytes, at + 8) == 3);  // frames: the repeated one is longer instead
      CHECK(number(bytes, at + 12) == 3);
    }
    if (type == "fcTL" || type == "fdAT") CHECK(number(bytes, at + 8) == next++);
    if (type == "fcTL") delays.push_back(uint32_t(bytes[at + 8 + 20]) << 8 | bytes[at + 8 + 21]);
    types += type + ' ';
    at += 12 + size;
  }
  CHECK(types == "IHDR acTL fcTL IDAT fcTL fdAT fcTL fdAT IEND ");
  CHECK(delays == std::vector<uint32_t>{40, 80, 40});
  CHECK(decode_png(bytes, {}, "animation").pixels == frames[0].pixels);
}

TEST_CASE("Python's Pillow plays what was written", "[io][python]") {
  const auto python = python_with("PIL");
  if (!python) return;
  TemporaryFolder folder;
  std::vector<Image> frames;
  for (int i = 0; i < 5; ++i) frames.push_back(plain(uint8_t(50 * i), 8, 4));
  const auto bytes = encode_apng(frames, {.frame_milliseconds = 70});
  std::ofstream(folder / "a.png", std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
  CHECK(runs(*python, folder, R"(
from PIL import Image
image = Image.open(folder + "/a.png")
assert image.n_frames == 5 and image.is_animated, image.n_frames
for i in range(5):
    image.seek(i)
    assert image.convert("RGB").getpixel((2, 3)) == (50 * i,) * 3, i
    assert image.info["duration"] == 70
)"));
}

TEST_CASE("animations of nothing, of different sizes or of impossible times are refused", "[io]") {
  CHECK_THROWS_AS(encode_apng({}), UserError);
  const std::vector<Image> two{plain(1), plain(1, 6)};
  CHECK_THROWS_WITH(encode_apng(two), Contains("5x7 with 3 channels, then 6x7"));
  CHECK_THROWS_AS(encode_apng(std::span(two).first(1), {.frame_milliseconds = 0}), UserError);
  CHECK_THROWS_AS(encode_apng(std::span(two).first(1), {.frame_milliseconds = 70000}), UserError);
}
