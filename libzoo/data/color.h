// Colour changes of float pictures [height, width, 3], values nominally 0..1. TensorFlow's and SimCLR's do not clip, those
// of torchvision clip to [0, 1]; contrast and saturation mean different things in the two.
//
//   adjust_contrast(picture, ColorConvention::torchvision, 0.7f);
//   color_jitter(picture, {.order = {ColorOperation::hue, ColorOperation::contrast}, .contrast = 1.2f, .hue = 0.1f});
#pragma once

#include <libzoo/data/image_view.h>

#include <string_view>
#include <vector>

namespace zoo::data {

enum class ColorConvention { tf, torchvision };
enum class BrightnessConvention { multiply, add, torchvision };  // SimCLR v2; SimCLR v1 and tf.image; times, then clipped

// All functions throw UserError if the picture hasn't three channels or the factor is not finite or not allowed.

// Hue in turns [0, 1), 0 for greys; saturation; value. And back: hue 1 is hue 0.
FloatImage rgb_to_hsv(View<float> image);
FloatImage hsv_to_rgb(View<float> image);

void adjust_brightness(FloatImage& image, BrightnessConvention convention, float factor);
// tf: around each channel's mean; torchvision: around the mean of the grey picture (factor >= 0).
void adjust_contrast(FloatImage& image, ColorConvention convention, float factor);
// tf: S times factor, cut to [0, 1], in HSV; torchvision: blended with grey (factor >= 0).
void adjust_saturation(FloatImage& image, ColorConvention convention, float factor);
// `turns` is added to the hue; the largest and smallest of the three values stay. torchvision: -0.5 to 0.5.
void adjust_hue(FloatImage& image, ColorConvention convention, float turns);

enum class ColorOperation { brightness, contrast, saturation, hue };
enum class JitterConvention { simclr_v1, simclr_v2, torchvision };  // simclr_v1 adds its brightness, the others multiply

struct ColorJitter {
  JitterConvention convention = JitterConvention::simclr_v2;
  std::vector<ColorOperation> order;
  float brightness = 1, contrast = 1, saturation = 1, hue = 0;
};

// The operations in their order, each followed by clipping to [0, 1].
void color_jitter(FloatImage& image, const ColorJitter& jitter);

// Throw UserError listing what there is.
ColorOperation parse_color_operation(std::string_view name);
JitterConvention parse_jitter_convention(std::string_view name);

}  // namespace zoo::data
