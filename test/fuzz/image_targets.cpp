#include "test/fuzz/targets.h"

#include <libzoo/core/error.h>
#include <libzoo/io/jpeg.h>
#include <libzoo/io/png.h>

#include <zlib.h>

namespace zoo::fuzz {
namespace {

io::Image picture(int64_t channels) {
  io::Image image{16, 24, channels, {}};
  for (int64_t i = 0; i < 16 * 24 * channels; ++i) image.pixels.push_back(uint8_t(i * 5 + i / 24));
  return image;
}

// PNG chunks: type and data in turn.
std::vector<Input> open_png(const Input& input) {
  std::vector<Input> parts;
  for (size_t at = 8; at + 12 <= input.size();) {
    const size_t length = size_t(input[at]) << 24 | size_t(input[at + 1]) << 16 | size_t(input[at + 2]) << 8 | input[at + 3];
    if (length > input.size() - at - 12) break;
    const auto begin = input.begin() + int64_t(at);
    parts.emplace_back(begin + 4, begin + 8);
    parts.emplace_back(begin + 8, begin + 8 + int64_t(length));
    at += 12 + length;
  }
  return parts;
}

Input close_png(const std::vector<Input>& parts) {
  Input result{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  const auto put = [&](uint32_t value) {
    result.insert(result.end(), {uint8_t(value >> 24), uint8_t(value >> 16), uint8_t(value >> 8), uint8_t(value)});
  };
  for (size_t i = 0; i + 1 < parts.size(); i += 2) {
    Input chunk = parts[i];
    chunk.insert(chunk.end(), parts[i + 1].begin(), parts[i + 1].end());
    put(uint32_t(parts[i + 1].size()));
    result.insert(result.end(), chunk.begin(), chunk.end());
    put(uint32_t(crc32(0, chunk.data(), uInt(chunk.size()))));
  }
  return result;
}

void parse_jpeg(std::span<const uint8_t> input) {
  for (int denominator : {1, 2, 8}) {
    for (const io::PixelBox box : {io::PixelBox{0, 0, 2, 2}, io::PixelBox{9, 11, 3, 5}}) {
      try {
        consume(io::decode_jpeg(input, {.region = box, .denominator = denominator}, "input").pixels);
      } catch (const UserError&) {
      }
    }
  }
  consume(io::decode_jpeg(input, {.apply_exif_orientation = true}, "input").pixels);
}

}  // namespace

std::vector<Target> image_targets() {
  return {
      {.name = "jpeg",
       .parse = parse_jpeg,
       .seeds = [] { return std::vector<Input>{io::encode_jpeg(picture(3)), io::encode_jpeg(picture(1))}; }},
      {.name = "png",
       .parse = [](auto input) { consume(io::decode_png(input, {}, "input").pixels); },
       .seeds = [] { return std::vector<Input>{io::encode_png(picture(3)), io::encode_png(picture(1)), io::encode_png(picture(4))}; },
       .open = open_png,
       .close = close_png},
  };
}

}  // namespace zoo::fuzz
