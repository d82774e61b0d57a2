#include <libzoo/io/exif.h>

#include <cstring>

namespace zoo::io {
namespace {

struct Tiff {
  std::span<const uint8_t> bytes;
  bool big_endian = false;

  bool holds(size_t at, size_t size) const { return at <= bytes.size() && size <= bytes.size() - at; }
  uint32_t read(size_t at, int size) const {
    uint32_t value = 0;
    for (int i = 0; i < size; ++i) value |= uint32_t(bytes[at + i]) << (8 * (big_endian ? size - 1 - i : i));
    return value;
  }
};

}  // namespace

int exif_orientation(std::span<const uint8_t> app1) {
  constexpr size_t kHeader = 6, kEntry = 12;
  if (app1.size() < kHeader + 8 || std::memcmp(app1.data(), "Exif\0\0", kHeader) != 0) return 1;
  Tiff tiff{app1.subspan(kHeader)};
  if (tiff.bytes[0] != tiff.bytes[1] || (tiff.bytes[0] != 'M' && tiff.bytes[0] != 'I')) return 1;
  tiff.big_endian = tiff.bytes[0] == 'M';
  if (tiff.read(2, 2) != 42) return 1;
  const size_t directory = tiff.read(4, 4);
  if (!tiff.holds(directory, 2)) return 1;
  const size_t entries = tiff.read(directory, 2);
  for (size_t i = 0; i < entries; ++i) {
    const size_t at = directory + 2 + i * kEntry;
    if (!tiff.holds(at, kEntry)) return 1;
    if (tiff.read(at, 2) != 0x0112) continue;
    const uint32_t type = tiff.read(at + 2, 2);  // 3: 16 bits, 4: 32 bits
    if ((type != 3 && type != 4) || tiff.read(at + 4, 4) < 1) return 1;
    const uint32_t value = tiff.read(at + 8, type == 3 ? 2 : 4);
    return value >= 1 && value <= 8 ? int(value) : 1;
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  const int64_t channels = image.channels, source_row = image.width * channels;
  Image result{transposed ? image.width : image.height, transposed ? image.height : image.width, channels, {}};
  result.pixels.resize(image.pixels.size());
  // Source pixel of (y, x): first mirrored along the source's own axes, then transposed.
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (int64_t y = 0; y < result.height; ++y) {
    uint8_t* to = result.row(y);
    for (int64_t x = 0; x < result.width; ++x) {
      int64_t source_y = transposed ? x : y, source_x = transposed ? y : x;
      if (flip_y) source_y = image.height - 1 - source_y;
      if (flip_x) source_x = image.width - 1 - source_x;
      const uint8_t* from = image.pixels.data() + source_y * source_row + source_x * channels;
      for (int64_t c = 0; c < channels; ++c) *to++ = from[c];
    }
  }
  return result;
}

}  // namespace zoo::io
