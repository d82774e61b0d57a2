#include <libzoo/data/image_ops.h>

#include <libzoo/core/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace zoo::data {

namespace {

template <class T>
using PictureOf = std::conditional_t<std::is_same_v<T, uint8_t>, io::Image, FloatImage>;

template <class T>
PictureOf<T> blank(int64_t height, int64_t width, int64_t channels) {
  PictureOf<T> result{height, width, channels, {}};
  result.pixels.resize(size_t(height * width * channels));
  return result;
}

template <class T>
PictureOf<T> copy_of(const View<T>& image) {
  PictureOf<T> result{image.height, image.width, image.channels, {}};
  result.pixels.reserve(size_t(image.height * image.width * image.channels));
  for (int64_t y = 0; y < image.height; ++y)
    result.pixels.insert(result.pixels.end(), image.row(y), image.row(y) + image.width * image.channels);
  return result;
}

template <class T>
PictureOf<T> centre(const View<T>& image, int64_t height, int64_t width) {
  constexpr int64_t kMaxSide = int64_t(1) << 20;
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide) {
    throw UserError(fmt::format("center_crop to {}x{}: sides are 1 to {}", height, width, kMaxSide));
  }
  const View<T> inner = crop(
      image, {image.height > height ? center_offset(image.height, height) : 0, image.width > width ? center_offset(image.width, width) : 0,
              std::min(image.height, height), std::min(image.width, width)});
  if (inner.height == height && inner.width == width) return copy_of(inner);
  auto result = blank<T>(height, width, image.channels);
  const int64_t top = (height - inner.height) / 2, left = (width - inner.width) / 2;
  for (int64_t y = 0; y < inner.height; ++y)
    std::copy_n(inner.row(y), inner.width * inner.channels, result.row(top + y) + left * image.channels);
  return result;
}

template <class T>
PictureOf<T> flipped(const View<T>& image, FlipAxis axis) {
  auto result = blank<T>(image.height, image.width, image.channels);
  for (int64_t y = 0; y < image.height; ++y) {
    if (axis == FlipAxis::vertical) {
      std::copy_n(image.row(image.height - 1 - y), image.width * image.channels, result.row(y));
      continue;
    }
    const T* from = image.row(y) + image.width * image.channels;
    T* to = result.row(y);
    for (int64_t x = 0; x < image.width; ++x, to += image.channels) std::copy_n(from -= image.channels, image.channels, to);
  }
  return result;
}

template <class T>
void require_channels(const View<T>& image, int64_t channels, const char* what) {
  if (image.channels != channels)
    throw UserError(fmt::format("{}: the picture has {} channels, {} are needed", what, image.channels, channels));
}

template <class T>
PictureOf<T> repeated(const View<T>& image, int64_t channels) {
  require_channels(image, 1, "repeat_channel");
  if (channels < 1 || channels > 1024) throw UserError(fmt::format("repeat_channel: {} channels are not 1 to 1024", channels));
  auto result = blank<T>(image.height, image.width, channels);
  T* to = result.pixels.data();
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 0; x < image.width; ++x, to += channels) std::fill_n(to, channels, image.row(y)[x]);
  return result;
}

}  // namespace

io::Image copy(View<uint8_t> image) { return copy_of(image); }
FloatImage copy(View<float> image) { return copy_of(image); }

FloatImage to_float(View<uint8_t> image) {
  auto result = blank<float>(image.height, image.width, image.channels);
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t i = 0; i < image.width * image.channels; ++i) result.row(y)[i] = float(image.row(y)[i]) / 255.0f;
  return result;
}

io::Image crop_resize(View<uint8_t> image, const PixelBox& box, int64_t height, int64_t width, const ResizeOptions& options) {
  return resize(crop(image, box), height, width, options);
}

FloatImage crop_resize_float(View<uint8_t> image, const PixelBox& box, int64_t height, int64_t width, const ResizeOptions& options) {
  return resize_float(crop(image, box), height, width, options);
}

FloatImage crop_resize_float(View<float> image, const PixelBox& box, int64_t height, int64_t width, const ResizeOptions& options) {
  return resize_float(crop(image, box), height, width, options);
}

int64_t center_offset(int64_t size, int64_t crop) {
  const int64_t half = (size - crop) / 2;
  return half + ((size - crop) % 2 != 0 && half % 2 != 0);  // a half goes to the even neighbour
}

io::Image center_crop(View<uint8_t> image, int64_t height, int64_t width) { return centre(image, height, width); }
FloatImage center_crop(View<float> image, int64_t height, int64_t width) { return centre(image, height, width); }

io::Image flip(View<uint8_t> image, FlipAxis axis) { return flipped(image, axis); }
FloatImage flip(View<float> image, FlipAxis axis) { return flipped(image, axis); }

io::Image to_grayscale(View<uint8_t> image) {
  require_channels(image, 3, "to_grayscale");
  auto result = blank<uint8_t>(image.height, image.width, 1);
  uint8_t* to = result.pixels.data();
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* rgb = image.row(y);
    for (int64_t x = 0; x < image.width; ++x, rgb += 3)
      *to++ = uint8_t((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
  }
  return result;
}

FloatImage to_grayscale(View<float> image) {
  require_channels(image, 3, "to_grayscale");
  auto result = blank<float>(image.height, image.width, 1);
  float* to = result.pixels.data();
  for (int64_t y = 0; y < image.height; ++y) {
    const float* rgb = image.row(y);
    for (int64_t x = 0; x < image.width; ++x, rgb += 3) *to++ = 0.2989f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
  }
  return result;
}

io::Image repeat_channel(View<uint8_t> image, int64_t channels) { return repeated(image, channels); }
FloatImage repeat_channel(View<float> image, int64_t channels) { return repeated(image, channels); }

}  // namespace zoo::data
