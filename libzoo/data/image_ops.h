// Cropping, mirroring, grey and normalising of pictures: u8 as files hold them, or floats. Resizing is in resize.h,
// colour changes in colour.h, random boxes in random_crop.h.
//
//   Normalizer normalize({0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f});
//   normalize.chw(center_crop(View<uint8_t>(image), 224, 224), tensor.data_ptr<float>());
#pragma once

#include <libzoo/data/image_view.h>
#include <libzoo/data/resize.h>

#include <vector>

namespace zoo::data {

io::Image copy(View<uint8_t> image);
FloatImage copy(View<float> image);
FloatImage to_float(View<uint8_t> image);  // values / 255

// Cut first, then resized (the kernel sees nothing outside the box), then mirrored if options.mirror. The first is
// Pillow's u8, as resize(). Throw UserError as crop() and resize() do.
io::Image crop_resize(View<uint8_t> image, const PixelBox& box, int64_t height, int64_t width, const ResizeOptions& options);
FloatImage crop_resize_float(View<uint8_t> image, const PixelBox& box, int64_t height, int64_t width, const ResizeOptions& options);
FloatImage crop_resize_float(View<float> image, const PixelBox& box, int64_t height, int64_t width, const ResizeOptions& options);

// torchvision's: offset round-half-even((H - height) / 2); where the picture is smaller, zeros around it, the odd one
// after it. height and width >= 1, else UserError.
io::Image center_crop(View<uint8_t> image, int64_t height, int64_t width);
FloatImage center_crop(View<float> image, int64_t height, int64_t width);

// Where center_crop cuts a side of `size` to `crop` <= size.
int64_t center_offset(int64_t size, int64_t crop);

enum class FlipAxis { horizontal, vertical };  // left-right, top-bottom
io::Image flip(View<uint8_t> image, FlipAxis axis);
FloatImage flip(View<float> image, FlipAxis axis);

// One channel, from three. u8: Pillow's (19595 R + 38470 G + 7471 B + 32768) >> 16; floats: 0.2989 R + 0.587 G + 0.114 B
// as TensorFlow and torchvision. Throw UserError if the picture hasn't three channels.
io::Image to_grayscale(View<uint8_t> image);
FloatImage to_grayscale(View<float> image);

// The same channel `channels` times, from one channel. Throw UserError if the picture has more than one.
io::Image repeat_channel(View<uint8_t> image, int64_t channels);
FloatImage repeat_channel(View<float> image, int64_t channels);

// (x / 255 - mean) / std per channel, each step rounded to f32 as torchvision does it. One mean and std serve all channels.
class Normalizer {
 public:
  // Throws UserError if the sizes differ or are 0, or a std is 0 or a value not finite.
  Normalizer(std::vector<float> mean, std::vector<float> std);

  // `out` has room for height * width * channels floats: [channels, height, width], or [height, width, channels].
  // Throw UserError if the picture has another number of channels. Floats are on the scale 0..255 too.
  void chw(View<uint8_t> image, float* out) const;
  void hwc(View<uint8_t> image, float* out) const;
  void chw(View<float> image, float* out) const;
  void hwc(View<float> image, float* out) const;

 private:
  void check(int64_t channels) const;
  size_t of(int64_t channel) const { return mean_.size() == 1 ? 0 : size_t(channel); }

  std::vector<float> mean_, std_;
  std::vector<float> table_;  // [channels or 1, 256]
};

}  // namespace zoo::data
