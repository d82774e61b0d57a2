// Pictures as the operations of this room see them: [height, width, channels], rows of interleaved channels. A view
// borrows the pixels of a u8 or f32 picture, or of a part of one, without a copy.
//
//   View<uint8_t> left = crop(View<uint8_t>(image), {.height = image.height, .width = image.width / 2});
#pragma once

#include <libzoo/io/image.h>

#include <concepts>
#include <cstdint>
#include <vector>

namespace zoo::data {

struct FloatImage {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<float> pixels;  // [height, width, channels], nominally 0..1, any value allowed

  float* row(int64_t y) { return pixels.data() + y * width * channels; }
  const float* row(int64_t y) const { return pixels.data() + y * width * channels; }
};

using io::check_box;
using io::ImageSize;
using io::PixelBox;

template <class T>
struct View {
  const T* pixels = nullptr;
  int64_t height = 0, width = 0, channels = 0;
  int64_t row_stride = 0;  // values from one row to the next

  View() = default;
  View(const T* data, int64_t h, int64_t w, int64_t c, int64_t stride)
      : pixels(data), height(h), width(w), channels(c), row_stride(stride) {}
  template <class Picture>
    requires requires(const Picture& p) {
      { p.pixels.data() } -> std::convertible_to<const T*>;
    }
  View(const Picture& picture)
      : View(picture.pixels.data(), picture.height, picture.width, picture.channels, picture.width * picture.channels) {}

  const T* row(int64_t y) const { return pixels + y * row_stride; }
};

// A part of a picture. Throws UserError if the box is empty or leaves the picture.
template <class T>
View<T> crop(View<T> image, const PixelBox& box) {
  check_box(box, image.height, image.width);
  return {image.row(box.top) + box.left * image.channels, box.height, box.width, image.channels, image.row_stride};
}

}  // namespace zoo::data
