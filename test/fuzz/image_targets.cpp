#include "test/fuzz/targets.h"

#include <libzoo/io/jpeg.h>
#include <libzoo/io/png.h>

namespace zoo::fuzz {
namespace {

io::Image picture(int64_t channels) {
  io::Image image{16, 24, channels, {}};
  for (int64_t i = 0; i < 16 * 24 * channels; ++i) image.pixels.push_back(uint8_t(i * 5 + i / 24));
  return image;
}

}  // namespace

std::vector<Target> image_targets() {
  return {
      {.name = "jpeg",
       .parse = [](auto input) { consume(io::decode_jpeg(input, {.apply_exif_orientation = true}, "input").pixels); },
       .seeds = [] { return std::vector<Input>{io::encode_jpeg(picture(3)), io::encode_jpeg(picture(1))}; }},
      {.name = "png",
       .parse = [](auto input) { consume(io::decode_png(input, {}, "input").pixels); },
       .seeds = [] { return std::vector<Input>{io::encode_png(picture(3)), io::encode_png(picture(1)), io::encode_png(picture(4))}; }},
  };
}

}  // namespace zoo::fuzz
