// Resampling in the four conventions that published pipelines use: Pillow, torch, TensorFlow 2 and TensorFlow 1. They
// agree on almost nothing (where samples sit, the bicubic constant, whether shrinking smooths), so the caller names one.
//
//   io::Image small = resize(image, 224, 224, {.convention = Convention::pillow, .mode = Interpolation::bicubic});
//   FloatImage f = resize_float(image, 40, 40, {.convention = Convention::tf});
#pragma once

#include <libzoo/data/image_view.h>

#include <optional>
#include <string_view>

namespace zoo::data {

enum class Convention {
  pillow,  // Image.resize: always smooth when shrinking
  torch,   // torch.nn.functional.interpolate, align_corners false
  tf,      // tf.image.resize
  tf1,     // tf.compat.v1.image.resize_*, align_corners false: samples sit at i * scale
};

enum class Interpolation { nearest, nearest_exact, bilinear, bicubic, area, box, hamming, lanczos };

// "pillow", "torch", "tf", "tf1"; "nearest" … "lanczos", also "lanczos3". Throw UserError listing what there is.
Convention parse_convention(std::string_view name);
Interpolation parse_interpolation(std::string_view name);

// Part of the input in its own pixels; may cut through them.
struct ResizeBox {
  double left = 0, top = 0, right = 0, bottom = 0;
};

struct ResizeOptions {
  Convention convention = Convention::pillow;
  Interpolation mode = Interpolation::bilinear;
  bool antialias = false;                    // smooth when shrinking: torch and tf; Pillow always does
  std::optional<ResizeBox> box = {};         // Pillow only: the part of the input that becomes the result
  std::optional<PixelBox> window = {};       // compute only this part of the result; its pixels are those of the whole
  bool mirror = false;                       // left-right, after the window
};

// height and width are those of the whole result. Throw UserError if a side is below 1, the input is empty, the box is
// empty or leaves the picture, or the convention has no such mode.

// Pillow's pixels to the bit (up to version 12): weights of 22 fractional bits, first along rows, then along columns, u8
// in between. Throws UserError for another convention: those give floats.
io::Image resize(View<uint8_t> image, int64_t height, int64_t width, const ResizeOptions& options);

// Floats, neither rounded nor clipped: bicubic overshoots stay. u8 input keeps its scale of 0..255.
FloatImage resize_float(View<float> image, int64_t height, int64_t width, const ResizeOptions& options);
FloatImage resize_float(View<uint8_t> image, int64_t height, int64_t width, const ResizeOptions& options);

}  // namespace zoo::data
