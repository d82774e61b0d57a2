// A picture in memory: rows of interleaved channels, 8 bits each.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace zoo::io {

struct ImageSize {
  int64_t height = 0, width = 0;  // pixels
};

struct PixelBox {
  int64_t top = 0, left = 0, height = 0, width = 0;
};

// A place in a picture that may cut through pixels; right() and bottom() lie outside.
struct Box {
  double left = 0, top = 0, width = 0, height = 0;  // pixels
  double right() const { return left + width; }
  double bottom() const { return top + height; }
  double area() const { return width * height; }
};

Box common_box(const Box& a, const Box& b);      // with a side of 0 or less if they lie apart
double common_area(const Box& a, const Box& b);  // 0 if they do

struct Image {
  int64_t height = 0, width = 0, channels = 0;  // pixels; 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA
  std::vector<uint8_t> pixels;                  // [height, width, channels]

  uint8_t* row(int64_t y) { return pixels.data() + y * width * channels; }
  const uint8_t* row(int64_t y) const { return pixels.data() + y * width * channels; }
};

// Throws UserError, its message opening with `where` if there is one, if the box is empty or leaves a picture of that size.
void check_box(const PixelBox& box, int64_t height, int64_t width, std::string_view where = {});

}  // namespace zoo::io
