// What BiT does to a picture before the network, in evaluation: to `size` x `size`, then (x / 255 - mean) / std.
//
//   EvalTransform eval{.mode = EvalMode::squash, .size = 128};
//   eval.chw(picture, tensor.data_ptr<float>());   // [3, 128, 128]
#pragma once

#include <libzoo/data/image_ops.h>
#include <libzoo/data/picture.h>

namespace zoo::data {

enum class EvalMode {
  squash,    // Pillow to size x size without keeping the aspect, no crop (big_transfer, PyTorch)
  shortest,  // Pillow, shorter side to floor(size / crop_pct), longer in proportion, centre crop; zeros where smaller (timm)
  tf,        // half-pixel bilinear without smoothing, in floats (big_transfer, TensorFlow and JAX)
};

// "squash", "shortest", "tf". Throws UserError.
EvalMode parse_eval_mode(std::string_view name);

struct EvalTransform {
  EvalMode mode = EvalMode::squash;
  int64_t size = 128;                                     // pixels
  Interpolation interpolation = Interpolation::bilinear;  // bilinear or bicubic; tf: bilinear
  double crop_pct = 1;                                    // shortest only
  std::vector<float> mean = {0.5f}, std = {0.5f};         // one for all channels, or one each
  bool scaled_decode = false;                             // see ResizeTarget

  // u8 after resize and crop: [size, size, channels]. Throws UserError in mode tf, which has no such step.
  io::Image resized(View<uint8_t> picture) const;

  // The network's input: [channels, size, size] or [size, size, channels]; `out` has room for it.
  // All throw UserError if the picture is empty or size, crop_pct, mean or std are out of range.
  void chw(View<uint8_t> picture, float* out) const;
  void hwc(View<uint8_t> picture, float* out) const;
  // The same, decoding no more of the picture than it takes; `normalize` has mean and std.
  void hwc(Picture& picture, const Normalizer& normalize, float* out) const;
};

}  // namespace zoo::data
