#include <libzoo/core/error.h>
#include <libzoo/io/jpeg.h>
#include <libzoo/io/jpeg_library.h>

#include <fmt/format.h>

#include <cstdlib>

namespace zoo::io {
namespace {

struct Encoder {
  JpegJump jump;
  jpeg_compress_struct info{};
  unsigned char* buffer = nullptr;
  unsigned long size = 0;

  Encoder() {
    jump.install();
    info.err = &jump.errors;
  }
  ~Encoder() {
    jpeg_destroy_compress(&info);
    std::free(buffer);
  }
  Encoder(const Encoder&) = delete;

  bool encode(const uint8_t* pixels, int64_t height, int64_t width, int channels, int quality) {
    if (setjmp(jump.target)) return false;
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &buffer, &size);
    info.image_height = JDIMENSION(height);
    info.image_width = JDIMENSION(width);
    info.input_components = channels;
    info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
      JSAMPROW row = const_cast<uint8_t*>(pixels) + int64_t(info.next_scanline) * width * channels;
      jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    return true;
  }
};

}  // namespace

std::vector<uint8_t> encode_jpeg(const Image& image, int quality) {
  if (image.channels != 1 && image.channels != 3)
    throw UserError(fmt::format("a JPEG has 1 or 3 channels, this picture {}", image.channels));
  if (quality < 1 || quality > 100) throw UserError(fmt::format("JPEG quality {} is not in 1..100", quality));
  if (image.height < 1 || image.width < 1 || image.height > JPEG_MAX_DIMENSION || image.width > JPEG_MAX_DIMENSION ||
      int64_t(image.pixels.size()) != image.height * image.width * image.channels) {
    throw UserError(fmt::format("no JPEG can hold a picture of {}x{} pixels in {} bytes", image.height, image.width, image.pixels.size()));
  }
  Encoder encoder;
  if (!encoder.encode(image.pixels.data(), image.height, image.width, int(image.channels), quality)) {
    throw Error(fmt::format("JPEG encoding failed: {}", encoder.jump.message));
  }
  return {encoder.buffer, encoder.buffer + encoder.size};
}

}  // namespace zoo::io
