// Shared by the picture decoders: rows of pixels that are allocated as they are decoded, and rows turned into grey.
#pragma once

#include <libzoo/io/image.h>

#include <algorithm>

namespace zoo::io {

constexpr int64_t kEagerBytes = int64_t(20) << 20;  // a header is trusted with this much memory before any row is decoded

// Makes room for rows 0 to rows-1. A picture beyond kEagerBytes grows by doubling, so memory follows what the file
// really holds.
inline void make_room(Image& image, int64_t rows) {
  const int64_t row = image.width * image.channels, total = image.height * row, needed = rows * row;
  const int64_t have = int64_t(image.pixels.size());
  if (needed <= have) return;
  image.pixels.resize(size_t(std::min(total, std::max({needed, 2 * have, std::min(total, kEagerBytes)}))));
}

// A picture that is decoded again starts with no more memory than it needs.
inline void fit_room(Image& image) {
  const size_t total = size_t(image.height * image.width * image.channels);
  if (image.pixels.size() > total) image.pixels.resize(total);
}

// Cuts the picture to a part of it, in place.
inline void keep(Image& image, const PixelBox& part) {
  if (part.height == image.height && part.width == image.width) return;
  uint8_t* to = image.pixels.data();
  const int64_t row = part.width * image.channels;
  for (int64_t y = 0; y < part.height; ++y, to += row) std::copy_n(image.row(part.top + y) + part.left * image.channels, row, to);
  image.height = part.height, image.width = part.width;
  image.pixels.resize(size_t(part.height * row));
}

// How many rows to decode before the next look at the memory: about 1 MiB.
inline int64_t rows_at_once(int64_t width) { return std::clamp<int64_t>((int64_t(1) << 18) / width, 1, 64); }

// Pillow's luma; works in place.
inline void rgb_to_luma(const uint8_t* rgb, uint8_t* luma, int64_t pixels) {
  for (int64_t i = 0; i < pixels; ++i) {
    luma[i] = uint8_t((19595u * rgb[3 * i] + 38470u * rgb[3 * i + 1] + 7471u * rgb[3 * i + 2] + 32768u) >> 16);
  }
}

}  // namespace zoo::io
