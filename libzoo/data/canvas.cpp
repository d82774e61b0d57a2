#include <libzoo/data/canvas.h>

#include <algorithm>

namespace zoo::data {

Canvas::Canvas(int64_t height, int64_t width, Color color) : image{height, width, 3, {}} {
  image.pixels.resize(size_t(height * width * 3));
  fill({0, 0, height, width}, color);
}

void Canvas::fill(const io::PixelBox& box, Color color) {
  const int64_t left = std::max<int64_t>(box.left, 0), right = std::min(box.left + box.width, image.width);
  for (int64_t y = std::max<int64_t>(box.top, 0); y < std::min(box.top + box.height, image.height); ++y) {
    uint8_t* to = image.row(y) + left * 3;
    for (int64_t x = left; x < right; ++x) *to++ = color.red, *to++ = color.green, *to++ = color.blue;
  }
}

void Canvas::frame(const io::PixelBox& box, int64_t thickness, Color color) {
  fill({box.top, box.left, thickness, box.width}, color);
  fill({box.top + box.height - thickness, box.left, thickness, box.width}, color);
  fill({box.top, box.left, box.height, thickness}, color);
  fill({box.top, box.left + box.width - thickness, box.height, thickness}, color);
}

void Canvas::write(std::string_view text, int64_t top, int64_t left, int64_t dot, Color color) {
  for (char character : text) {
    const auto& columns = glyph_columns(character);
    for (int x = 0; x < kFontWidth; ++x)
      for (int y = 0; y < kFontHeight; ++y)
        if (columns[size_t(x)] >> y & 1) fill({top + y * dot, left + x * dot, dot, dot}, color);
    left += (kFontWidth + 1) * dot;
  }
}

void Canvas::paste(const io::Image& rgb, int64_t top, int64_t left) {
  for (int64_t y = 0; y < rgb.height; ++y) std::copy_n(rgb.row(y), rgb.width * 3, image.row(top + y) + left * 3);
}

}  // namespace zoo::data
