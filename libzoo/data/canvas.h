// A picture to draw on: filled boxes, frames, other pictures, text.
#pragma once

#include <libzoo/data/font.h>
#include <libzoo/io/image.h>

#include <cstdint>
#include <string_view>

namespace zoo::data {

struct Color {
  uint8_t red = 0, green = 0, blue = 0;
};

struct Canvas {
  io::Image image;  // RGB

  Canvas(int64_t height, int64_t width, Color color);
  explicit Canvas(io::Image rgb) : image(std::move(rgb)) {}

  // What lies outside of the picture is not drawn.
  void fill(const io::PixelBox& box, Color color);
  void frame(const io::PixelBox& box, int64_t thickness, Color color);  // inside of the box
  // `dot`: pixels per dot of the font.
  void write(std::string_view text, int64_t top, int64_t left, int64_t dot, Color color);
  // Lies inside of the picture.
  void paste(const io::Image& rgb, int64_t top, int64_t left);
};

// Pixels.
constexpr int64_t text_width(std::string_view text, int64_t dot) {
  return text.empty() ? 0 : (int64_t(text.size()) * (kFontWidth + 1) - 1) * dot;
}

}  // namespace zoo::data
